"""A second level over a search's models: kept where it is better on unseen rows, and alike wherever it predicts."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mldesk.bundles.predictor import Predictor
from mldesk.training.again import Unwatched
from mldesk.training.blend import second_inputs
from mldesk.training.estimators.base import Part
from mldesk.training.estimators.linear import Linear
from mldesk.training.search import second as second_module
from mldesk.training.search.measures import find_aim
from mldesk.training.search.portfolio import Configuration
from mldesk.training.search.rows import Rows
from mldesk.training.search.second import Level, second_level
from mldesk.training.search.trial import Outcome
from mldesk.training.split import TEST, make_split
from mldesk.training.target import read_target
from mldesk.training.values import Array
from mldesk.wire.jobs import TrainRequest
from mldesk.wire.schema import Column, ColumnType
from tests.training.jobs import of, put_table, result, run_here
from tests.training.tables import mixed
from tests.training.test_search import order


def _level(answers: list[Array], y: Array, classes: int, *, columns: Array | None = None,
           folds: int = 1, beat: float = float("inf")) -> Level | None:
    """Judge a second level over answers, on rows dealt into so many folds."""
    x = np.zeros((len(y), 1), np.float32) if columns is None else columns.astype(np.float32)
    places = np.array_split(np.arange(len(y)), folds)
    dealt = [(np.setdiff1d(np.arange(len(y)), judge), judge) for judge in places] if folds > 1 else [
        (np.zeros(0, int), np.arange(len(y)))]
    rows = Rows({"dense": Part(x, y)}, {"dense": ()}, classes, dealt)
    outcomes = [Outcome(number, Configuration("linear", {}, "portfolio"), 0.0, 0.0, answer, (), ())
                for number, answer in enumerate(answers)]
    quiet: Any = Unwatched()
    return second_level(outcomes, rows, find_aim("log_loss" if classes else None, classes), columns=columns is not None,
                        seed=0, threads=1, late=time.monotonic() + 600, beat=beat, report=quiet, control=quiet)


@pytest.mark.parametrize("folds", [1, 4])
@pytest.mark.parametrize("classes", [2, 3])
def test_models_that_are_too_sure_are_put_right(classes: int, folds: int) -> None:
    draw = np.random.default_rng(0)
    y = draw.integers(0, classes, 900)
    raw = [2.5 * (np.eye(classes)[y] * 1.5 + draw.normal(size=(900, classes))) for _ in range(2)]
    answers = [np.exp(item) / np.exp(item).sum(1, keepdims=True) for item in raw]
    found = _level(answers, y, classes, folds=folds)
    assert found is not None
    assert found.loss < found.instead_of - 0.02
    assert _level(answers, y, classes, folds=folds, beat=found.loss) is None   # what is kept otherwise does as well
    assert found.loss == pytest.approx(find_aim("log_loss", classes).loss(found.prediction, y))


def test_answers_that_say_nothing_new_get_no_second_level() -> None:
    draw = np.random.default_rng(1)
    truth = draw.integers(0, 2, 400)
    flat = [np.full((400, 2), 0.5) + noise * np.array([-1, 1]) for noise in draw.normal(0, 0.01, (3, 400, 1))]
    assert _level(flat, truth, 2) is None


def test_columns_help_where_the_models_missed_them() -> None:
    draw = np.random.default_rng(2)
    missed = draw.normal(size=600)
    y = draw.normal(size=600)
    answers = [y + draw.normal(size=600) * 0.3 for _ in range(2)]
    y = y + missed
    found = _level(answers, y, 0, columns=missed[:, None])
    assert found is not None
    assert found.columns
    assert found.loss < 0.5 * found.instead_of


def test_a_row_is_judged_by_models_that_did_not_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(3)
    y = draw.normal(size=200)
    answers = [y + draw.normal(size=200) for _ in range(2)]
    seen: list[set[float]] = []
    asked: list[set[float]] = []
    fit, predict = Linear.fit, Linear.predict

    def spied(self: Any, context: Any) -> Any:
        seen.append({*context.train.y.tolist(), *context.validation.y.tolist()})
        return fit(self, context)

    def answering(self: Any, native: Any, x: Array, classes: int) -> Array:
        told = second_inputs(answers, 0, float(y.mean()), float(y.std()))[:, 0]
        asked.append({float(value) for value in y[np.isin(told, x[:, 0])]})
        return predict(self, native, x, classes)

    monkeypatch.setattr(Linear, "fit", spied)
    monkeypatch.setattr(Linear, "predict", answering)
    _level(answers, y, 0, folds=5)
    assert len(asked) == 5
    assert all(rows and not rows & known for rows, known in zip(asked, seen, strict=False))
    assert set().union(*asked) == set(y.tolist())


@pytest.mark.parametrize(("task", "columns"), [("two", False), ("classes", True), ("number", True)])
def test_a_stack_predicts_alike_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str,
                                          columns: bool) -> None:
    monkeypatch.setattr(second_module, "_GAIN", -10.0)   # kept whatever it is worth
    table = put_table(tmp_path, mixed(150, task))
    asked: dict[str, Any] = {"trials": 2, "stack": True, "stack_columns": columns, "folds": 3,
             "estimators": ("linear", "decision_tree")}
    said = run_here(order(tmp_path, table, **asked), table)
    done = result(said)
    if task == "two":
        assert done["metrics"] == result(run_here(order(tmp_path, table, **asked), table))["metrics"]
    assert any("A model over the answers" in event["text"] for event in of("log", said))
    manifest = table.store.manifest(done["model"])
    model = json.loads(table.store.read(manifest.entry("model.json").sha256))
    assert model["onnx"]["verified"], model["onnx"]
    assert model["facts"]["second"]["estimator"] == "linear"
    assert "native/blend.json" in {entry.path for entry in manifest.entries}
    predictor = Predictor.from_manifest(done["model"], table.store)
    rows = json.loads(table.store.read(manifest.entry("sample_input.json").sha256))
    expected = json.loads(table.store.read(manifest.entry("expected.json").sha256))
    got = predictor.predict({name: [row[name] for row in rows] for name in rows[0]})
    for name, values in expected.items():
        same = values if isinstance(values[0], str) else pytest.approx(values, rel=1e-5, abs=1e-6)
        assert list(got[name]) == same, name


def test_no_fit_of_a_stack_sees_a_test_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=200), draw.integers(0, 2, 200)
    target = read_target(y.astype(float), Column("y", ColumnType.INTEGER, 0, 2), "tabular_classification")
    marked = make_split(target, TrainRequest("0" * 64, "", (), "y").split) == TEST
    table = put_table(tmp_path, pa.table({"x": np.where(marked, 1e6, x), "z": x + y, "y": y}))
    widths: list[int] = []
    largest: list[float] = []
    fit = Linear.fit

    def spied(self: Any, context: Any) -> Any:
        widths.append(context.train.x.shape[1])
        largest.append(float(max(np.abs(context.train.x).max(), np.abs(context.validation.x).max())))
        return fit(self, context)

    monkeypatch.setattr(Linear, "fit", spied)
    result(run_here(order(tmp_path, table, trials=3, stack_columns=True, stack=True,
                          estimators=("linear", "decision_tree")), table))
    assert len(set(widths)) > 1      # the second level is among them
    assert max(largest) < 100
