"""Explanations: exact where they can be, scikit-learn's where it has them, and a job that writes them down."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.inspection import partial_dependence, permutation_importance

from mldesk.core import canonical
from mldesk.core.ids import new_id
from mldesk.training.explaining.dependence import dependence
from mldesk.training.explaining.shapley import Coalitions, shapley
from mldesk.training.features import FeatureEncoder
from mldesk.training.importance import importance
from mldesk.training.values import Array
from mldesk.wire.explain import ExplainRequest
from mldesk.wire.jobs import JobSpec, Resources
from mldesk.wire.schema import Column, ColumnType
from tests.training.jobs import Table, make_job, of, put_table, result, run_here


def _by_definition(predict: Any, row: Array, background: Array) -> Array:
    """Shapley's own formula over all orders of the columns."""
    columns = len(row)

    def worth(inside: tuple[int, ...]) -> float:
        mixed = background.copy()
        mixed[:, list(inside)] = row[list(inside)]
        return float(predict(mixed).mean())

    values = np.zeros(columns)
    for column in range(columns):
        others = [other for other in range(columns) if other != column]
        for size in range(columns):
            share = math.factorial(size) * math.factorial(columns - size - 1) / math.factorial(columns)
            for inside in itertools.combinations(others, size):
                values[column] += share * (worth((*inside, column)) - worth(inside))
    return values


def _twisted(x: Array) -> Array:
    """A model with interactions, so that no shortcut gives the right values."""
    answer: Array = x[:, 0] * x[:, 1] + np.sin(x[:, 2]) * x[:, 3] + x[:, 0]
    return answer


def test_kernel_shap_is_exact_for_few_columns() -> None:
    draw = np.random.default_rng(0)
    background, x = draw.normal(size=(20, 4)), draw.normal(size=(3, 4))
    found = shapley(_twisted, x, background, [slice(place, place + 1) for place in range(4)], Coalitions.of(4, 0))
    for row, values in zip(x, found.values[:, :, 0], strict=True):
        assert values == pytest.approx(_by_definition(_twisted, row.astype(np.float32), background), abs=1e-5)
    assert found.predictions[:, 0] == pytest.approx(_twisted(x))
    assert found.base[0] == pytest.approx(_twisted(background).mean())


def test_mixed_rows_that_are_the_same_are_asked_once() -> None:
    draw = np.random.default_rng(3)
    background, x = draw.integers(0, 2, (20, 4)).astype(float), draw.integers(0, 2, (3, 4)).astype(float)
    background[3, 1] = x[0, 1] = math.nan       # missing is a value like others
    asked = []

    def counted(rows: Array) -> Array:
        asked.append(len(rows))
        return _twisted(np.nan_to_num(rows, nan=2.0))

    found = shapley(counted, x, background, [slice(place, place + 1) for place in range(4)], Coalitions.of(4, 0))
    for row, values in zip(x, found.values[:, :, 0], strict=True):
        assert values == pytest.approx(_by_definition(
            lambda rows: _twisted(np.nan_to_num(rows, nan=2.0)), row.astype(np.float32), background), abs=1e-5)
    assert sum(asked) < 20 + 3 + 3 * 14 * 20 * 3 / 4


def test_kernel_shap_draws_coalitions_of_many_columns_and_groups_go_together() -> None:
    draw = np.random.default_rng(1)
    weights = draw.normal(size=30)
    background, x = draw.normal(size=(30, 30)), draw.normal(size=(2, 30))
    groups: list[slice] = [slice(0, 6), *(slice(place, place + 1) for place in range(6, 30))]

    def linear(rows: Array) -> Array:
        answer: Array = rows @ weights
        return answer

    found = shapley(linear, x, background, groups, Coalitions.of(len(groups), 400, seed=1))
    moved = (x - background.mean(0)) * weights
    wanted = np.stack([moved[:, :6].sum(1), *moved[:, 6:].T], 1)
    assert found.values[:, :, 0] == pytest.approx(wanted, abs=1e-4)   # a linear model's values follow from any draw
    one = shapley(linear, x, background, [slice(0, 30)], Coalitions.of(1, 0))
    assert one.values[:, 0, 0] == pytest.approx(moved.sum(1), abs=1e-4)


def _numbers() -> tuple[FeatureEncoder, HistGradientBoostingRegressor, dict[str, Array], Array, Array]:
    draw = np.random.default_rng(2)
    columns = {name: draw.normal(size=400) for name in "abc"}
    y = 3 * columns["a"] + columns["b"] ** 2 + 0.1 * draw.normal(size=400)
    encoder = FeatureEncoder.fit(columns, [Column(name, ColumnType.NUMBER) for name in "abc"], "trees")
    x = encoder.transform(columns)
    return encoder, HistGradientBoostingRegressor(max_iter=60, random_state=0).fit(x, y), columns, x, y


def test_partial_dependence_is_that_of_scikit_learn() -> None:
    encoder, model, columns, x, _ = _numbers()
    grid = np.linspace(-1, 1, 7)
    ours = dependence(encoder, model.predict, columns, x, 1, grid)
    theirs = partial_dependence(model, x, [1], custom_values={1: grid}, method="brute", kind="both")
    assert ours["mean"][0] == pytest.approx(theirs["average"][0], abs=1e-9)
    assert np.array(ours["lines"]) == pytest.approx(
        theirs["individual"][0][np.linspace(0, 399, 40).round().astype(int)], abs=1e-9)
    assert (ours["grid"], ours["kind"]) == (grid.tolist(), "number")


def test_permutation_importance_is_that_of_scikit_learn_and_lies_in_its_interval() -> None:
    encoder, model, _, x, y = _numbers()
    ours = {item["feature"]: item for item in importance(encoder, model.predict, x, y, 0, 0, lambda *_: None)}
    theirs = permutation_importance(model, x, y, scoring="r2", n_repeats=30, random_state=0)
    for place, name in enumerate("abc"):
        assert ours[name]["value"] == pytest.approx(theirs.importances_mean[place], abs=0.12)
        assert ours[name]["low"] <= ours[name]["value"] <= ours[name]["high"]
        assert ours[name]["low"] - 0.05 < theirs.importances_mean[place] < ours[name]["high"] + 0.05
    assert ours["c"]["high"] < ours["a"]["low"]


def explained(folder: Path, table: Table, trained: Mapping[str, Any], target: str, rows: int) -> list[dict[str, Any]]:
    """Run the job that explains a model on its test rows; return its events."""
    request = ExplainRequest("shop@1", trained["model"], table.manifest, "test@1", tuple(
        column.to_json() for column in table.columns), target, trained["task"], trained["split"], explained=rows)
    spec = JobSpec(new_id(), "explain", "why", (table.manifest, trained["model"]), request.to_json(),
                   Resources("cpu", 2))
    job = folder / "jobs" / spec.id
    job.mkdir()
    (job / "spec.json").write_bytes(canonical.dumps(spec.to_json()))
    return run_here(job, table)


@pytest.mark.parametrize("estimator", ["lightgbm", "xgboost"])   # both work out TreeSHAP themselves, too
def test_a_job_explains_a_trained_model_on_its_test_rows(tmp_path: Path, estimator: str) -> None:
    draw = np.random.default_rng(3)
    size, colour = draw.normal(size=300), draw.choice(["red", "green"], 300)
    grade = np.where(size + (colour == "red") > 0.5, "good", "poor")
    table = put_table(tmp_path, pa.table({"size": size, "colour": colour, "noise": draw.normal(size=300),
                                          "grade": grade}))
    trained = result(run_here(make_job(tmp_path, table, "grade", estimator=estimator, parameters={"rounds": 30}),
                              table))
    events = explained(tmp_path, table, trained, "grade", 20)
    assert result(events)["explained"] == "shop@1"
    (artifact,) = of("artifact", events)
    found = json.loads(table.store.read(artifact["digest"]))
    assert found["rows"] == trained["rows"]["test"] == 60
    assert {item["feature"] for item in found["importance"][:2]} == {"size", "colour"}
    shap = found["shap"]
    assert (shap["features"], len(shap["rows"]), len(shap["values"])) == (["size", "colour", "noise"], 20, 1)
    chance = np.array(shap["values"][0]).sum(1) + shap["base"][0]
    assert chance == pytest.approx(shap["predictions"][0], abs=1e-6)
    assert ((chance >= -1e-6) & (chance <= 1 + 1e-6)).all()
    tree = np.array(found["tree"]["values"][0]).sum(1) + found["tree"]["base"][0]
    assert 1 / (1 + np.exp(-tree)) == pytest.approx(chance, abs=1e-4)
    curves = {item["feature"]: item for item in found["dependence"]}
    assert set(curves["colour"]["grid"]) == {"green", "red"}
    assert curves["size"]["mean"][0][0] > curves["size"]["mean"][0][-1]   # "poor" is the second class
    assert all(len(line) == len(curves["size"]["grid"]) for line in curves["size"]["lines"])


def test_a_model_that_answers_slowly_is_explained_on_the_rows_there_is_time_for(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mldesk.training.explaining.job._SECONDS", 0.0)
    draw = np.random.default_rng(3)
    table = put_table(tmp_path, pa.table({"size": draw.normal(size=60), "width": draw.normal(size=60)}))
    trained = result(run_here(make_job(tmp_path, table, "width", estimator="linear"), table))
    events = explained(tmp_path, table, trained, "width", 100)
    (artifact,) = of("artifact", events)
    assert len(json.loads(table.store.read(artifact["digest"]))["shap"]["rows"]) == 5
    assert any("5 of 12 rows were explained" in event["text"] for event in of("log", events))
    assert {event["total"] for event in of("progress", events) if event["unit"] == "rows"} == {5}
