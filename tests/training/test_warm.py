"""Training that goes on from an earlier model: its trees or weights stay, and nothing gets worse by it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mldesk.training.features import FeatureEncoder
from mldesk.wire.report import Report
from tests.training.jobs import Died, Table, make_job, of, put_table, result, run_here
from tests.training.tables import mixed

QUICK: dict[str, dict[str, Any]] = {
    "lightgbm": {"rounds": 7, "learning_rate": 0.1}, "xgboost": {"rounds": 7, "learning_rate": 0.1, "max_depth": 3},
    "hist_gradient_boosting": {"rounds": 7, "learning_rate": 0.1},
    "mlp": {"epochs": 2, "width": 16, "blocks": 1}, "tabm": {"epochs": 2, "width": 16, "blocks": 1, "members": 2},
    "ft_transformer": {"epochs": 2, "width": 16, "blocks": 1}}
NETWORKS = ("mlp", "tabm", "ft_transformer")


def _first(root: Path, estimator: str, task: str) -> str:
    """Train on the first rows; return the model's manifest."""
    table = put_table(root, mixed(150, task))
    done = result(run_here(make_job(root, table, "y", estimator=estimator, parameters=QUICK[estimator]), table))
    return str(done["model"])


def _on(root: Path, table: Table, estimator: str, model: str, **fields: Any) -> Path:
    """Write the job that goes on with more rows, the first 150 of which judge nothing."""
    membership = np.zeros(table.rows, np.uint8)
    membership[150:][::3], membership[151:][::3] = 1, 2
    digest = table.store.put_bytes(membership.tobytes())
    fields.setdefault("parameters", QUICK[estimator])
    return make_job(root, table, "y", estimator=estimator, warm=model,
                    split={"method": "given", "membership": digest}, **fields)


def _file(table: Table, model: str, name: str) -> bytes:
    return table.store.read(table.store.manifest(model).entry(name).sha256)


@pytest.mark.parametrize(("estimator", "task"), [
    ("lightgbm", "classes"), ("lightgbm", "number"), ("xgboost", "two"), ("xgboost", "number"),
    ("hist_gradient_boosting", "classes"), ("hist_gradient_boosting", "number"), ("mlp", "two"),
    ("mlp", "number"), ("tabm", "classes"), ("ft_transformer", "number")])
def test_a_run_that_goes_on_keeps_what_there_was_and_resumes_like_any_other(
        tmp_path: Path, often: None, monkeypatch: pytest.MonkeyPatch, estimator: str, task: str) -> None:
    model = _first(tmp_path, estimator, task)
    table = put_table(tmp_path, mixed(300, task))
    said = run_here(_on(tmp_path, table, estimator, model), table)
    done = result(said)
    assert json.loads(_file(table, done["model"], "model.json"))["onnx"]["verified"]
    assert _file(table, done["model"], "preprocessing.json") == _file(table, model, "preprocessing.json")
    steps = [event["step"] for event in of("metrics", said)]
    if estimator in NETWORKS:
        assert _file(table, done["model"], "native/weights.safetensors") != _file(table, model,
                                                                                  "native/weights.safetensors")
    else:   # the trees of before, then more
        before = json.loads(_file(table, model, "model.json"))["facts"]["rounds"]
        after = json.loads(_file(table, done["model"], "model.json"))["facts"]["rounds"]
        assert steps[0] == before + 1
        assert before < after <= before + 7
    if estimator == "lightgbm":
        trees = [_file(table, one, "native/model.txt").split(b"end of trees")[0].split(b"\nTree=")[1:]
                 for one in (model, done["model"])]
        assert all(_values(old) == _values(new) for old, new in zip(*trees, strict=False))
        assert len(trees[1]) > len(trees[0])

    folder = _on(tmp_path, table, estimator, model)
    left, write = len(of("checkpoint", said)) // 2, Report.event

    def dying(self: Report, kind: str, **payload: Any) -> None:
        nonlocal left
        write(self, kind, **payload)
        left -= kind == "checkpoint"
        if kind == "checkpoint" and left == 0:   # and not in the thread that tells of memory
            raise Died

    with monkeypatch.context() as patch:
        patch.setattr(Report, "event", dying)
        with pytest.raises(Died):
            run_here(folder, table)
    again = result(run_here(folder, table, 2))
    assert again["metrics"] == done["metrics"]


def _values(tree: bytes) -> list[bytes]:
    return [line for line in tree.splitlines() if line.startswith((b"leaf_value", b"threshold", b"split_feature"))]


@pytest.mark.parametrize("estimator", list(QUICK))
def test_what_new_rows_make_worse_is_left_as_it_was(tmp_path: Path, estimator: str) -> None:
    model = _first(tmp_path, estimator, "number")
    table = put_table(tmp_path, mixed(300, "number"))
    wild = {"lightgbm": {"rounds": 3, "learning_rate": 1.0, "leaves": 200, "min_samples_leaf": 1},
            "xgboost": {"rounds": 3, "learning_rate": 1.0, "min_weight": 0.0, "l2": 0.0},
            "hist_gradient_boosting": {"rounds": 3, "learning_rate": 1.0, "leaves": 200, "min_samples_leaf": 1},
            **{name: {**QUICK[name], "learning_rate": 1.0} for name in NETWORKS}}[estimator]
    done = result(run_here(_on(tmp_path, table, estimator, model, parameters={**wild, "refit": False}), table))
    old, new = (json.loads(_file(table, one, "model.json"))["facts"] for one in (model, done["model"]))
    if estimator in NETWORKS:
        assert new["epochs"] in (0, 1, 2)
    else:
        assert old["rounds"] <= new["rounds"] <= old["rounds"] + 3
    assert np.isfinite(list(done["metrics"].values())).all()


def test_a_model_that_does_not_fit_the_rows_is_named(tmp_path: Path) -> None:
    model = _first(tmp_path, "lightgbm", "classes")
    table = put_table(tmp_path, mixed(300, "two"))
    told: tuple[tuple[dict[str, Any], str], ...] = (
        ({}, "the classes are others"), ({"estimator": "linear"}, "not trained step by step"),
        ({"estimator": "xgboost"}, "it is a lightgbm, not a xgboost"))
    for fields, why in told:
        folder = _on(tmp_path, table, "lightgbm", model, parameters={}) if not fields else make_job(
            tmp_path, table, "y", warm=model, **fields)
        said = run_here(folder, table)[-1]
        assert (said["kind"], why in said["message"]) == ("failed", True), said
    lacking = put_table(tmp_path, mixed(300, "classes").drop_columns(["weight"]))
    said = run_here(_on(tmp_path, lacking, "lightgbm", model), lacking)[-1]
    assert "the column 'weight' is not there" in said["message"]
    said = run_here(make_job(tmp_path, lacking, "size", warm=model, estimator="lightgbm"), lacking)[-1]
    assert "the task is another one" in said["message"]


@pytest.mark.parametrize("estimator", ["mlp", "tabm"])
def test_nothing_is_fitted_but_the_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, estimator: str) -> None:
    model = _first(tmp_path, estimator, "two")
    table = put_table(tmp_path, mixed(300, "two"))

    def never(*_given: Any, **_more: Any) -> Any:
        raise AssertionError("an encoder was fitted")

    monkeypatch.setattr(FeatureEncoder, "fit", never)
    assert result(run_here(_on(tmp_path, table, estimator, model), table))["rows"] == {
        "train": 200, "validation": 50, "test": 50}
