"""Classes with an order: how it is said, what is scored then, and the model that is made for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.optimize import check_grad
from scipy.special import expit

from mldesk.core.errors import BadInput
from mldesk.training.estimators import ordinal
from mldesk.training.estimators.base import FitContext, Part
from mldesk.training.target import read_target
from mldesk.training.values import Array, TextColumn
from mldesk.wire.jobs import SORTED, TrainRequest
from mldesk.wire.schema import Column, ColumnType
from tests.training.jobs import make_job, of, put_table, result, run_here
from tests.training.test_search import order as search_order

ORDER = ("low", "middle", "high", "very high")
TEXT = Column("y", ColumnType.TEXT)


def rated(rows: int = 400) -> pa.Table:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(rows, 3))
    place = x @ [1.5, -1.0, 0.0] + draw.logistic(size=rows)
    rank = np.digitize(place, [-1.5, 0.5, 2.0])
    return pa.table({**{f"x{k}": x[:, k] for k in range(3)}, "y": [ORDER[k] for k in rank]})


def test_an_order_makes_codes_of_ranks_and_is_refused_where_it_does_not_fit() -> None:
    data = TextColumn.of(["high", "low", None, "middle", "very high"] * 4)
    target = read_target(data, TEXT, None, ORDER)
    assert (target.classes, target.y[:5].tolist(), target.ordered) == (ORDER, [2, 0, -1, 1, 3], True)
    assert read_target(data, TEXT, None, SORTED).classes == ("high", "low", "middle", "very high")
    for wrong, words in ((ORDER[:3], "lacks “very high”"), ((*ORDER, "x"), "names “x”"),
                         (("low", *ORDER), "names a class twice")):
        with pytest.raises(BadInput, match=words):
            read_target(data, TEXT, None, wrong)
    numbers = read_target(np.array([3.0, 1.0, 2.0] * 10), Column("y", ColumnType.INTEGER), None, SORTED)
    assert (numbers.classes, numbers.y[:3].tolist()) == ((1, 2, 3), [2, 0, 1])
    with pytest.raises(BadInput, match="predicted as a number"):
        read_target(np.array([3.0, 1.0, 2.0] * 10), Column("y", ColumnType.INTEGER), "tabular_regression", SORTED)


def test_an_order_is_not_said_to_a_runner_that_does_not_know_it() -> None:
    request = TrainRequest("0" * 64, "", (), "y")
    assert "order" not in request.to_json()
    assert TrainRequest.from_json(request.to_json()) == request
    ordered = TrainRequest("0" * 64, "", (), "y", order=ORDER)
    assert TrainRequest.from_json(json.loads(json.dumps(ordered.to_json()))) == ordered


def test_proportional_odds_are_found_again_and_leave_as_one_graph(tmp_path: Path) -> None:
    stored = put_table(tmp_path, rated(1200))
    said = run_here(make_job(tmp_path, stored, "y", estimator="ordinal", order=ORDER,
                             parameters={"regularization": 0.01}), stored)
    done = result(said)
    assert 0.6 < done["metrics"]["quadratic_kappa"] < 1
    assert 0 < done["metrics"]["rank_error"] < 0.8
    assert not of("warning", said)
    model = json.loads(stored.store.read(stored.store.manifest(done["model"]).entry("model.json").sha256))
    assert model["onnx"]["verified"] and model["ordered"] and model["classes"] == list(ORDER)
    plain = run_here(make_job(tmp_path, stored, "y", estimator="ordinal"), stored)
    assert any("taken in the order high, low, middle, very high" in event["text"] for event in of("warning", plain))
    assert "quadratic_kappa" not in result(plain)["metrics"]
    assert result(plain)["metrics"]["log_loss"] > done["metrics"]["log_loss"]


def test_the_slope_of_the_loss_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen through the minimiser: the gradient it is given is that of differences of the loss."""
    seen: list[float] = []

    def look(loss: object, first: Array, **_: object) -> object:
        both = loss  # type: ignore[assignment]
        at = first + np.random.default_rng(0).normal(scale=0.3, size=len(first))
        seen.append(check_grad(lambda v: both(v)[0], lambda v: both(v)[1], at) / np.linalg.norm(both(at)[1]))  # type: ignore[operator]
        raise StopIteration

    monkeypatch.setattr(ordinal, "minimize", look)
    draw = np.random.default_rng(1)

    class Control:
        def check(self) -> None: ...

    part = Part(draw.normal(size=(60, 3)).astype(np.float32), draw.integers(0, 4, 60))
    quiet: Any = Control()
    context = FitContext(classes=4, parameters={"class_weight": "balanced", "iterations": 5}, train=part,
                         validation=part, report=quiet, control=quiet, checkpoints=quiet)
    with pytest.raises(StopIteration):
        ordinal._fit(context, part, 0.5, None)
    assert seen[0] < 1e-4


def test_chances_are_those_of_the_formula() -> None:
    native = {"weights": np.array([0.5, -1.0]), "thresholds": np.array([-1.0, 0.0, 2.0])}
    x = np.array([[1.0, 2.0], [300.0, -800.0]], np.float32)
    got = ordinal.Ordinal().predict(native, x, 4)
    below = expit(native["thresholds"] - (-1.5))
    assert got[0] == pytest.approx([below[0], below[1] - below[0], below[2] - below[1], 1 - below[2]])
    assert got[1] == pytest.approx([0, 0, 0, 1])


def test_a_search_over_classes_with_an_order_tries_the_model_for_them(tmp_path: Path) -> None:
    stored = put_table(tmp_path, rated(200))
    folder = search_order(tmp_path, stored, estimators=(), trials=2, metric="rank_error", folds=2)
    spec = json.loads((folder / "spec.json").read_bytes())
    spec["payload"]["train"]["order"] = list(ORDER)
    (folder / "spec.json").write_text(json.dumps(spec))
    said = run_here(folder, stored)
    assert "ordinal" in {trial["estimator"] for trial in of("trial", said)}
    assert result(said)["metrics"]["rank_error"] < 1
