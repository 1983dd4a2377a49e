"""Rows in order of time: a search judges its trials by later rows, as the test rows will judge the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mldesk.core import canonical
from mldesk.core.ids import new_id
from mldesk.training.estimators.base import Part
from mldesk.training.estimators.linear import Linear
from mldesk.training.search.ensemble import evenly, stack
from mldesk.training.search.measures import find_aim
from mldesk.training.search.rows import Rows
from mldesk.wire.jobs import JobSpec, Resources, SearchRequest, SplitRequest, TrainRequest
from tests.training.jobs import Table, make_job, of, put_table, result, run_here

ROWS = 200


def _times(*, shuffled: bool) -> Any:
    return np.random.default_rng(1).permutation(ROWS) if shuffled else np.arange(ROWS)


def _series(root: Path, *, shuffled: bool = False) -> Table:
    """Store a series whose columns ``at`` and ``day`` are its time."""
    at = _times(shuffled=shuffled)
    days = np.datetime64("2026-01-01", "us") + at.astype("timedelta64[D]")
    y = at + np.random.default_rng(0).normal(size=ROWS)
    return put_table(root, pa.table({"at": at.astype(float), "day": days, "y": y}))


def search_job(root: Path, table: Table, split: SplitRequest, features: tuple[str, ...] | None = None,
               **fields: Any) -> Path:
    """Write the folder of a search job; ``fields`` are those of SearchRequest."""
    train = TrainRequest(table.manifest, "test@1", tuple(column.to_json() for column in table.columns), "y",
                         features=features, split=split)
    request = SearchRequest(train, **{"trials": 1, "estimators": ("linear",), **fields})
    spec = JobSpec(new_id(), "search", "test", (table.manifest,), request.to_json(), Resources("cpu", 1))
    folder = root / "jobs" / spec.id
    folder.mkdir(parents=True)
    (folder / "spec.json").write_bytes(canonical.dumps(spec.to_json()))
    return folder


def _given(table: Table, *, validation: bool, shuffled: bool = False) -> SplitRequest:
    at = _times(shuffled=shuffled)
    membership = np.where(at >= 160, 2, np.where(at >= 128, int(validation), 0)).astype(np.uint8)
    return SplitRequest(method="given", membership=table.store.put_bytes(membership.tobytes()))


@pytest.mark.parametrize("kind", ["time", "given", "given with validation", "given by dates"])
def test_trials_are_judged_by_later_rows_where_the_test_rows_are_later(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    table = _series(tmp_path, shuffled="dates" in kind)
    split = SplitRequest(method="time", column="day")
    if kind.startswith("given"):
        split = _given(table, validation="validation" in kind, shuffled="dates" in kind)
    seen: list[tuple[float, float, int]] = []
    fit = Linear.fit

    def spied(self: Any, context: Any) -> Any:
        seen.append((float(context.train.y.max()), float(context.validation.y.min()), context.parameters["refit"]))
        return fit(self, context)

    monkeypatch.setattr(Linear, "fit", spied)
    said = run_here(search_job(tmp_path, table, split), table)
    done = result(said)
    assert done["folds"] == len(seen) == 3
    assert all(learnt < judged + 8 for learnt, judged, _ in seen)     # the noise of neighbours
    assert [refit for *_, refit in seen] == [True, False, False]      # the last model alone is kept, fitted on all
    assert [learnt for learnt, *_ in seen] == sorted((learnt for learnt, *_ in seen), reverse=True)
    assert any("judged by later rows" in line["text"] for line in of("log", said))
    card = table.store.read(table.store.manifest(done["model"]).entry("MODEL_CARD.md").sha256).decode()
    assert "from 160 rows (trials were judged by the last 3 parts of them), seed 0." in card
    assert done["metrics"]["r2"] > 0.9                                # of rows beyond the range that was seen


def test_rows_at_random_are_judged_in_folds(tmp_path: Path) -> None:
    table = _series(tmp_path)
    said = run_here(search_job(tmp_path, table, SplitRequest()), table)
    assert result(said)["folds"] == 5
    assert not any("judged by later rows" in line["text"] for line in of("log", said))


def test_processes_and_a_second_fit_keep_to_thesearch_job(tmp_path: Path) -> None:
    table = _series(tmp_path)
    split = SplitRequest(method="time", column="day")
    alone = result(run_here(search_job(tmp_path, table, split, trials=2), table))
    spread = result(run_here(search_job(tmp_path, table, split, trials=2, parallel=2), table))
    again = result(run_here(search_job(tmp_path, table, split, trials=2, refit=True), table))
    assert spread["score"] == pytest.approx(alone["score"])
    assert again["metrics"]["r2"] == pytest.approx(alone["metrics"]["r2"])


def test_a_trial_is_the_model_that_a_training_makes(tmp_path: Path) -> None:
    """A season that begins with the rows that judge has no place of its own in either."""
    at = np.arange(ROWS)
    season = np.where(at < 70, "cold", np.where(at < 120, "mild", "hot"))
    draw = np.random.default_rng(3)
    x, y = draw.normal(size=ROWS), at / 50 + (season == "mild") + draw.normal(size=ROWS) / 5
    table = put_table(tmp_path, pa.table({"season": season, "x": x, "y": y + x}))
    split = _given(table, validation=True)
    parameters = {"rounds": 40, "leaves": 6, "min_samples_leaf": 4}
    one = {"estimator": "lightgbm", "parameters": parameters}
    found = result(run_here(search_job(tmp_path, table, split, configurations=(one,)), table))
    plain = result(run_here(make_job(tmp_path, table, "y", estimator="lightgbm", parameters=parameters, threads=1,
                                     split={"method": "given", "membership": split.membership}), table))
    assert found["folds"] > 1
    assert found["metrics"] == pytest.approx(plain["metrics"])
    assert found["validation_metrics"] == pytest.approx(plain["validation_metrics"])


def _judged(parts: int, rows: int) -> Rows:
    y = np.random.default_rng(0).normal(size=(parts + 1) * rows)
    folds = [(np.arange(part * rows), part * rows + np.arange(rows)) for part in range(1, parts + 1)]
    return Rows({"dense": Part(np.zeros((len(y), 1), np.float32), y)}, {}, 0, folds, forward=True)


def test_what_the_latest_rows_say_outweighs_what_misled_before() -> None:
    rows, aim = _judged(3, 50), find_aim(None, 0)
    off = np.repeat([1.0, 1.0, 0.1], 50)
    late, early = rows.y + off, rows.y + np.where(off < 1, 0.6, 0.5)   # good at the latest rows; at those before
    judging = rows.judging(aim)
    assert aim.loss(late, rows.y) > aim.loss(early, rows.y)
    assert judging.loss(late, rows.y) < judging.loss(early, rows.y)
    assert judging.loss(late, rows.y) == pytest.approx((1 / 16 + 1 / 4 + 0.1) / (1 / 16 + 1 / 4 + 1))
    weights, _ = stack([late, rows.y - 2 * off[::-1]], rows.y, 0, judging, rows.weights)
    unweighted, _ = stack([late, rows.y - 2 * off[::-1]], rows.y, 0, aim)
    assert weights[0] > unweighted[0]
    auc = Rows(rows.parts, {}, 2, rows.folds, forward=True).judging(find_aim("roc_auc", 2))
    truth = np.repeat([0, 1], [100, 50])   # no part has both classes
    assert auc.loss(np.column_stack([truth, truth]), truth) == float("inf")


def test_what_is_nearly_as_good_counts_alike_and_the_default_half() -> None:
    rows = _judged(2, 40)
    predictions = [rows.y + off for off in (1.0, 1.1, 1.5)]
    assert evenly(predictions, rows.y, 0, rows.weights, None) == pytest.approx([0.5, 0.5, 0.0])
    assert evenly(predictions, rows.y, 0, rows.weights, 1) == pytest.approx([0.25, 0.75, 0.0])
    assert evenly(predictions, rows.y, 0, rows.weights, 2) == pytest.approx([0.5, 0.5, 0.0])   # far worse: no say
