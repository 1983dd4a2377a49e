"""Tables that go wrong elsewhere: each gives a right answer or a clear refusal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mldesk.training.catalogue import ESTIMATORS, NETWORKS, REGRESSION
from mldesk.training.table import read_columns
from mldesk.wire.schema import Column, ColumnType
from tests.training.jobs import make_job, of, put_table, result, run_here
from tests.training.tables import FAST, MODELS, mixed

FOR_NUMBERS = [name for name in MODELS if REGRESSION in ESTIMATORS[name].tasks]


def outcome(tmp_path: Path, table: pa.Table, target: str = "y", **fields: Any) -> list[dict[str, Any]]:
    stored = put_table(tmp_path, table)
    fields.setdefault("parameters", FAST.get(fields.get("estimator", "lightgbm"), {}))
    return run_here(make_job(tmp_path, stored, target, **fields), stored)


def refusal(said: list[dict[str, Any]]) -> str:
    last = said[-1]
    assert last["kind"] == "failed", last
    assert last["cause"] == "user_error"
    assert last["hint"]
    return str(last["message"])


def with_target(values: list[Any], **kind: Any) -> pa.Table:
    draw = np.random.default_rng(0)
    return pa.table({"x": draw.normal(size=len(values)), "y": pa.array(values, **kind)})


@pytest.mark.parametrize(("values", "words"), [
    (["a"] * 40, "same value in every row"),
    ([None] * 40, "empty in every row"),
    (["a", "b", None] + [None] * 37, "Only 2 rows"),
    (["a", "b", "a"], "Only 3 rows"),
    ([f"name {i}" for i in range(40)], "free text or identifiers"),
    ([float("inf")] * 40, "empty in every row"),
    ([5.0] * 40, "same value"),
    ([k * 1e300 for k in range(1, 41)], "Only 0 rows have a value in “y” that is not beyond 1e+30"),
])
def test_a_target_that_teaches_nothing_is_refused(tmp_path: Path, values: list[Any], words: str) -> None:
    kind = {"type": pa.string()} if not isinstance(values[0], float) else {}
    assert words in refusal(outcome(tmp_path, with_target(values, **kind)))


@pytest.mark.parametrize(("fields", "words"), [
    ({"target": "z"}, "no column 'z'"), ({"features": ("x", "z")}, "no column 'z'"),
    ({"features": ("x", "y")}, "cannot be a feature"), ({"features": ()}, "nothing to learn from"),
    ({"estimator": "oracle"}, "no model 'oracle'"), ({"parameters": {"rounds": 0}}, "rounds cannot be"),
    ({"parameters": {"depth": 3}}, "no parameter 'depth'"), ({"task": "ranking"}, "no task 'ranking'"),
    ({"split": {"test_size": 1.5}}, "test_size cannot be"), ({"task": "tabular_regression"}, "holds text"),
])
def test_an_order_that_cannot_be_done_is_refused(tmp_path: Path, fields: dict[str, Any], words: str) -> None:
    assert words in refusal(outcome(tmp_path, with_target(["a", "b"] * 20), **fields))


def test_a_table_of_the_target_alone_is_refused(tmp_path: Path) -> None:
    assert "nothing to learn from" in refusal(outcome(tmp_path, pa.table({"y": ["a", "b"] * 20})))


def test_a_table_of_constants_is_refused(tmp_path: Path) -> None:
    table = pa.table({"x": [1] * 40, "empty": pa.array([None] * 40, pa.float64()), "y": ["a", "b"] * 20})
    assert "no column to learn from" in refusal(outcome(tmp_path, table))


@pytest.mark.parametrize("estimator", MODELS)
def test_empty_and_constant_columns_beside_good_ones_are_left_out_and_named(tmp_path: Path, estimator: str) -> None:
    table = mixed(100).append_column("nothing", pa.array([None] * 100, pa.float64())).append_column(
        "no words", pa.array([None] * 100, pa.string())).append_column("always", pa.array([7] * 100))
    said = outcome(tmp_path, table, estimator=estimator)
    result(said)
    warned = " ".join(event["text"] for event in of("warning", said))
    for name in ("nothing", "no words", "always", "id"):
        assert f"“{name}”" in warned


@pytest.mark.parametrize(("estimator", "task"), [
    *((name, "classes") for name in MODELS), *((name, "number") for name in FOR_NUMBERS)])
def test_ten_rows_are_enough(tmp_path: Path, estimator: str, task: str) -> None:
    rows = 10
    y = ["a", "b"] * 5 if task == "classes" else [float(i) for i in range(rows)]
    said = outcome(tmp_path, pa.table({"x": [float(i % 2) for i in range(rows)], "y": y}), estimator=estimator,
                   task="tabular_classification" if task == "classes" else "tabular_regression")
    assert result(said)["rows"] == {"train": 7, "validation": 1, "test": 2}


@pytest.mark.parametrize("estimator", [name for name in MODELS if name != "ft_transformer"])
def test_thousands_of_columns_and_few_rows(tmp_path: Path, estimator: str) -> None:
    draw = np.random.default_rng(0)
    y = np.arange(24) % 2
    columns = 10_000 if estimator in ("linear", "lightgbm", "mlp") else 2000   # the way to a model is the same for all
    values = {f"c{i}": draw.normal(size=24) + (i % 100 == 0) * 3.0 * y for i in range(columns)}
    said = outcome(tmp_path, pa.table({**values, "y": y.astype(str)}), estimator=estimator,
                   parameters={**FAST[estimator], **({"epochs": 2} if estimator in NETWORKS else {})})
    assert "accuracy" in result(said)["metrics"]


def test_too_many_columns_for_a_transformer_are_refused(tmp_path: Path) -> None:
    values = {f"c{i}": np.random.default_rng(i).normal(size=24) for i in range(501)}
    said = outcome(tmp_path, pa.table({**values, "y": ["a", "b"] * 12}), estimator="ft_transformer")
    assert "every column against every other, and these are 501" in refusal(said)


@pytest.mark.parametrize("estimator", MODELS)
def test_names_in_any_script_and_with_any_sign(tmp_path: Path, estimator: str) -> None:
    plain = mixed(100)
    odd = ["№ «id»", "größe [cm]", '"weight"', "色", "soleil{}:,", "día\n2", "ملاحظة", "목표"]
    table = put_table(tmp_path, plain.rename_columns(odd))
    done = result(run_here(make_job(tmp_path, table, "목표", estimator=estimator, parameters=FAST[estimator]), table))
    model = json.loads(table.store.read(table.store.manifest(done["model"]).entry("model.json").sha256))
    assert {feature["name"] for feature in model["features"]} | set(model["left_out"]) == set(odd[:-1])


def test_missing_and_infinite_numbers_to_predict_are_left_out_and_said(tmp_path: Path) -> None:
    values = [float(i) for i in range(60)]
    values[3], values[4], values[5] = float("nan"), float("inf"), float("-inf")
    table = pa.table({"x": [float(i) for i in range(60)], "y": pa.array(values)})
    said = outcome(tmp_path, table)
    assert sum(result(said)["rows"].values()) == 57
    warned = [event["text"] for event in of("warning", said) if not event.get("in_result")]
    assert warned == ["1 of 60 rows is left out because it has no 'y'.",
                      "2 of 60 rows are left out because their 'y' is infinite."]


@pytest.mark.parametrize("estimator", MODELS)
def test_infinite_and_huge_features_do_no_harm(tmp_path: Path, estimator: str) -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=100)
    y = np.where(x > 0, "a", "b")
    x[:4] = [np.inf, -np.inf, 1e308, -1e300]
    said = outcome(tmp_path, pa.table({"x": x, "z": draw.normal(size=100), "y": y}), estimator=estimator)
    assert np.isfinite(list(result(said)["metrics"].values())).all()


@pytest.mark.parametrize("estimator", MODELS)
def test_a_rare_class_does_not_stop_the_training(tmp_path: Path, estimator: str) -> None:
    y = ["a", "b"] * 30 + ["only one"] + ["two"] * 2
    said = outcome(tmp_path, with_target(y), estimator=estimator)
    assert "“only one”" in of("warning", said)[0]["text"]
    assert np.isfinite(list(result(said)["metrics"].values())).all()


@pytest.mark.parametrize("estimator", FOR_NUMBERS)
def test_a_large_target_keeps_its_digits(tmp_path: Path, estimator: str) -> None:
    """Prices around 1e9 with differences of thousands: float32 on the way would lose them."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=300)
    said = outcome(tmp_path, pa.table({"x": x, "y": 1e9 + 1e4 * x}), estimator=estimator)
    assert result(said)["metrics"]["r2"] > 0.5
    assert not [event for event in of("warning", said) if "ONNX" in event["text"]]


def test_whole_numbers_as_classes_come_back_as_whole_numbers(tmp_path: Path) -> None:
    said = outcome(tmp_path, with_target([1, 2, None, 3] * 15))
    stored = put_table(tmp_path, with_target([1]))
    evaluation = next(event for event in of("artifact", said) if event["name"] == "evaluation")
    assert b'"classes":[1,2,3]' in stored.store.read(evaluation["digest"])
    assert "15 of 60 rows" in of("warning", said)[0]["text"]


def test_huge_numbers_as_classes_are_told_apart(tmp_path: Path) -> None:
    said = outcome(tmp_path, with_target([1e300, -1e300] * 20), estimator="decision_tree")
    assert result(said)["task"] == "tabular_classification"


def test_a_broken_table_is_said_to_be_missing(tmp_path: Path) -> None:
    stored = put_table(tmp_path, mixed(60))
    stored.store.delete(stored.store.manifest(stored.manifest).entries[0].sha256)
    said = run_here(make_job(tmp_path, stored, "y"), stored)
    assert said[-1]["kind"] == "failed"
    assert said[-1]["cause"] == "data_missing"
    assert "Import the file again" in said[-1]["hint"]


def test_a_table_that_changed_on_disk_is_said_to_be_damaged(tmp_path: Path) -> None:
    stored = put_table(tmp_path, mixed(60))
    part = stored.store.path(stored.store.manifest(stored.manifest).entries[0].sha256)
    part.chmod(0o644)
    part.write_bytes(b"PAR1" + bytes(part.stat().st_size - 4))
    said = run_here(make_job(tmp_path, stored, "y"), stored)
    assert (said[-1]["kind"], said[-1]["cause"]) == ("failed", "data_missing")
    assert "has changed on disk" in said[-1]["message"]
    assert "Import the file again" in said[-1]["hint"]


def test_columns_are_read_by_their_place_so_that_a_dot_in_a_name_means_nothing(tmp_path: Path) -> None:
    stored = put_table(tmp_path, pa.table({"a.b": ["x", "y"], "c": [1, 2], "a": [3.0, None]}))
    wanted = [Column("a", ColumnType.NUMBER, 0, 0), Column("a.b", ColumnType.TEXT, 0, 0)]
    read = read_columns(stored.store, stored.manifest, wanted[:1])
    assert list(read) == ["a"]
    assert np.array_equal(np.asarray(read["a"]), [3.0, np.nan], equal_nan=True)
    assert list(read_columns(stored.store, stored.manifest, wanted)) == ["a", "a.b"]


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"{}", b'{"format":9}'])
def test_a_job_that_cannot_be_read_fails_with_a_sentence(tmp_path: Path, text: bytes) -> None:
    stored = put_table(tmp_path, mixed(60))
    folder = make_job(tmp_path, stored, "y")
    (folder / "spec.json").write_bytes(text)
    said = run_here(folder, stored)
    assert said[0]["kind"] == "started"
    assert said[-1]["cause"] == "user_error"
