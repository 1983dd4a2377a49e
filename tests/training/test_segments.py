"""Segment, then model, set beside a single model; and learning from principal components."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.training.jobs import Table, make_job, of, put_table, result, run_here


def two_worlds(rows: int = 500, classes: bool = False) -> pa.Table:
    """Two groups far apart in which one column means the opposite."""
    draw = np.random.default_rng(0)
    group = draw.integers(0, 2, rows)
    place, x = 6.0 * group + draw.normal(scale=0.3, size=rows), draw.normal(size=rows)
    y = np.where(group == 1, 3.0, -3.0) * x + draw.normal(scale=0.2, size=rows)
    return pa.table({"place": place, "x": x, "y": [("no", "yes")[int(v > 0)] for v in y] if classes else y})


def model_of(table: Table, said: list[dict[str, Any]]) -> dict[str, Any]:
    manifest = table.store.manifest(result(said)["model"])
    found: dict[str, Any] = json.loads(table.store.read(manifest.entry("model.json").sha256))
    return found


@pytest.mark.parametrize("classes", [False, True])
@pytest.mark.parametrize("segments", [None, 2])
def test_segments_with_a_model_each_beat_one_model_where_worlds_differ(
        tmp_path: Path, classes: bool, segments: int | None) -> None:
    stored = put_table(tmp_path, two_worlds(classes=classes))
    said = run_here(make_job(tmp_path, stored, "y", estimator="segments", parameters={"segments": segments}), stored)
    facts = model_of(stored, said)
    assert facts["onnx"]["verified"], facts["onnx"]
    assert facts["facts"]["segments"] >= 2
    assert facts["facts"]["loss"] < 0.7 * facts["facts"]["loss_of_one_model"]
    assert any("segments with a model each" in event["text"] and "a single model" in event["text"]
               for event in of("log", said))
    metrics = result(said)["metrics"]
    assert metrics["accuracy" if classes else "r2"] > 0.85


def test_one_segment_is_kept_where_more_are_no_better(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    x = draw.normal(size=(300, 2))
    stored = put_table(tmp_path, pa.table({"a": x[:, 0], "b": x[:, 1], "y": x @ [1.0, 2.0]}))
    said = run_here(make_job(tmp_path, stored, "y", estimator="segments"), stored)
    assert result(said)["metrics"]["r2"] > 0.999


@pytest.mark.parametrize(("estimator", "task"), [
    ("linear", "classes"), ("linear", "number"), ("neighbors", "classes"), ("svm", "number"), ("svm", "classes")])
def test_a_model_of_components_leaves_as_one_of_columns(tmp_path: Path, estimator: str, task: str) -> None:
    draw = np.random.default_rng(0)
    hidden = draw.normal(size=(400, 2))
    x = hidden @ draw.normal(size=(2, 12)) + draw.normal(scale=0.05, size=(400, 12))
    y = hidden[:, 0] - hidden[:, 1] + draw.normal(scale=0.1, size=400)
    target = y if task == "number" else [("a", "b", "c")[k] for k in np.digitize(y, [-0.7, 0.7])]
    stored = put_table(tmp_path, pa.table({**{f"c{k}": x[:, k] for k in range(12)}, "y": target}))
    said = run_here(make_job(tmp_path, stored, "y", estimator=estimator, parameters={"components": 2}), stored)
    assert model_of(stored, said)["onnx"]["verified"]
    assert len(model_of(stored, said)["feature_names"]) == 12
    assert any("2 principal components hold 99" in event["text"] for event in of("log", said))
    assert result(said)["metrics"]["r2" if task == "number" else "accuracy"] > 0.85
