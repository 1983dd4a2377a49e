"""What a search strives for is what it ends with: no blend that is worse by it; quantiles if asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mldesk.core.errors import BadInput
from mldesk.training.estimators.base import Part
from mldesk.training.search.crew import Task
from mldesk.training.search.finale import _weighed
from mldesk.training.search.measures import check_aim, find_aim
from mldesk.training.search.portfolio import Configuration
from mldesk.training.search.rows import Rows
from mldesk.training.search.trial import Outcome
from mldesk.wire.jobs import SearchRequest, TrainRequest
from mldesk.workbench.searching import METRICS
from tests.training.jobs import of, put_table, result, run_here
from tests.training.test_search import order

ROWS = 200


def _sure(right: Any, chance: float) -> Any:
    """Return probabilities of two classes, the truth being 0 in the first half: so much where it is right."""
    y = np.repeat([0, 1], ROWS // 2)
    told = np.where(right, chance, 1 - chance)
    found = np.empty((ROWS, 2))
    found[np.arange(ROWS), y], found[np.arange(ROWS), 1 - y] = told, 1 - told
    return found


@pytest.mark.parametrize("metric", [name for name in METRICS["tabular_classification"] if not name.startswith("top_")])
@pytest.mark.parametrize("steady", [True, False])
def test_no_blend_is_worse_than_the_best_trial_by_what_is_striven_for(metric: str, *, steady: bool) -> None:
    y = np.repeat([0, 1], ROWS // 2)
    draw = np.random.default_rng(0)
    every, most = np.ones(ROWS, bool), draw.random(ROWS) < 0.9
    guesses = [_sure(every, 0.501), _sure(most, 0.9), _sure(draw.random(ROWS) < 0.8, 0.8)]   # right, or sure of itself
    parts = Part(np.zeros((ROWS, 1), np.float32), y)
    rows = Rows({"dense": parts, "trees": parts}, {}, 2, [(np.arange(ROWS), np.arange(ROWS))])
    aim = find_aim(metric, 2)
    ranked = sorted((Outcome(number, Configuration("linear", {}, "portfolio"), aim.loss(guess, y), 1.0, guess, (), ())
                     for number, guess in enumerate(guesses)), key=lambda item: item.loss)
    request = SearchRequest(TrainRequest("0" * 64, "t", (), "y"), trials=1)
    chosen, loss = _weighed(request, ranked, Task(rows, aim, 0, 1, "cpu"), float("inf"), steady=steady)
    mean = sum(weight * outcome.prediction for outcome, weight in chosen)
    assert loss == pytest.approx(aim.loss(mean, y)) and loss <= ranked[0].loss
    assert sum(weight for _, weight in chosen) == pytest.approx(1)
    if metric == "accuracy":
        assert loss == -1.0           # by log loss alone the sure ones would outvote the one that is always right


def test_a_search_for_a_quantile_tries_models_of_that_quantile(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=400)
    table = put_table(tmp_path, pa.table({"x": x, "y": x + draw.exponential(size=400)}))
    said = run_here(order(tmp_path, table, trials=4, quantile=0.9, estimators=("linear", "lightgbm", "neighbors")),
                    table)
    done = result(said)
    assert done["metric"] == "mean_pinball_loss" and "mean_pinball_loss" in done["metrics"]
    assert {trial["parameters"]["quantile"] for trial in of("trial", said)} == {0.9}
    assert {trial["estimator"] for trial in of("trial", said)} == {"linear", "lightgbm"}   # neighbors know the mean
    assert done["parameters"] == {"quantile": 0.9}
    assert done["score"] <= min(trial["score"] for trial in of("trial", said)) + 1e-12
    spread = run_here(order(tmp_path, table, trials=2, quantile=0.9, estimators=("linear",), parallel=2), table)
    assert result(spread)["metric"] == "mean_pinball_loss"


@pytest.mark.parametrize("parallel", [1, 2])
def test_a_search_strives_for_a_score_of_one_class(tmp_path: Path, parallel: int) -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=300)
    table = put_table(tmp_path, pa.table({"x": x, "y": np.where(x + draw.normal(size=300) > 1, "rare", "usual")}))
    said = run_here(order(tmp_path, table, trials=2, metric="recall:rare", estimators=("linear", "naive_bayes"),
                          parallel=parallel), table)
    done = result(said)
    assert done["metric"] == "recall:rare" and 0 < done["score"] <= 1
    assert done["score"] >= max(trial["score"] for trial in of("trial", said))


def test_a_share_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="zero in some rows"):
        check_aim(find_aim("mean_absolute_percentage_error", 0), np.array([0.0, 1.0]))
    check_aim(find_aim("mean_absolute_percentage_error", 0), np.array([2.0, 1.0]))
    with pytest.raises(BadInput, match="without a quantile"):
        find_aim("mean_pinball_loss", 0)
    table = put_table(tmp_path, pa.table({"x": np.arange(60.0), "y": np.arange(60.0) % 7}))
    said = run_here(order(tmp_path, table, trials=1, metric="mean_absolute_percentage_error"), table)
    assert said[-1]["kind"] == "failed" and "zero in some rows" in said[-1]["message"]
