"""Steps that learn live in the model: learnt from its training rows, whatever test rows hold."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Command

pytestmark = pytest.mark.usefixtures("trains_here")

STEPS = [{"step": "fill_missing", "columns": ["size"], "with": "mean"},
         {"step": "segment", "columns": ["size", "weight"], "segments": 2},
         {"step": "filter", "where": "weight > -1"}]


def make(path: Path, size: str, colour: str) -> None:
    """Sixty rows to learn from; the others, for validation and test, have a size and a colour that no such row has."""
    lines = ["size,weight,colour,part,grade"]
    for row in range(120):
        part = "train" if row < 60 else "validation" if row < 90 else "test"
        own = ("" if row % 10 == 0 else f"{row % 7}") if part == "train" else size
        lines.append(f"{own},{row % 9}.5,{('red', 'blue')[row % 2] if part == 'train' else colour},{part},"
                     f"{'good' if row % 9 > 4 else 'poor'}")
    path.write_text("\n".join(lines) + "\n", "utf-8")


def test_a_model_prepares_its_rows_as_its_training_rows_taught_it(mldesk: Command, tmp_path: Path) -> None:
    table, recipe = tmp_path / "t.csv", tmp_path / "recipe.json"
    make(table, "987654321", "MARKER")
    recipe.write_text(json.dumps(STEPS), "utf-8")
    mldesk.good("data", "import", table, "--name", "t")
    made = mldesk.good("data", "clean", "t", "--recipe", recipe, "--leave-to-model")
    assert made["left_to_model"] == [1, 2]
    assert "segment" not in [column["name"] for column in made["columns"]]
    trained = mldesk.good("train", "t", "--target", "grade", "--split", "column", "--split-column", "part",
                          "--model", "linear", "--prepare", "from:t@2")
    bundle, out = tmp_path / "m.mlbundle", tmp_path / "out.csv"
    mldesk.good("models", "export", trained["model"], bundle)
    kept = zipfile.ZipFile(bundle).read("preprocessing.json").decode()
    assert "MARKER" not in kept
    assert "987654321" not in kept
    steps = json.loads(kept)["steps"]
    sizes = [row % 7 for row in range(60) if row % 10]
    assert abs(steps[0]["value"] - sum(sizes) / len(sizes)) < 1e-9
    assert [step["step"] for step in steps] == ["fill_missing", "segment"]
    mldesk.good("predict", bundle, table, "-o", out)
    assert len(list(csv.DictReader(out.read_text("utf-8").splitlines()))) == 120
    refused = mldesk("train", "t", "--target", "grade", "--prepare", recipe)
    assert refused.code == 2
    assert "Step 3 (filter) cannot be prepared in the model" in refused.err


def test_steps_that_go_by_groups_rows_and_the_target_travel_in_the_bundle(mldesk: Command, tmp_path: Path) -> None:
    table, recipe = tmp_path / "t.csv", tmp_path / "recipe.json"
    make(table, "987654321", "MARKER")
    recipe.write_text(json.dumps([
        {"step": "fill_missing", "columns": ["size"], "with": "median", "by": ["colour"]},
        {"step": "fill_missing", "columns": ["size"], "with": "knn"},
        {"step": "rebalance", "column": "grade"},
        {"step": "encode_target", "columns": ["colour"], "target": "grade"},
        {"step": "reduce", "columns": ["size", "weight"], "components": 1}]), "utf-8")
    mldesk.good("data", "import", table, "--name", "t")
    trained = mldesk.good("train", "t", "--target", "grade", "--split", "column", "--split-column", "part",
                          "--model", "linear", "--prepare", recipe)
    bundle, first, second = tmp_path / "m.mlbundle", tmp_path / "first.csv", tmp_path / "second.csv"
    mldesk.good("models", "export", trained["model"], bundle)
    kept = zipfile.ZipFile(bundle).read("preprocessing.json").decode()
    assert "MARKER" not in kept
    assert "987654321" not in kept
    assert "model.onnx" in zipfile.ZipFile(bundle).namelist()   # of the columns prepared, held to the native model
    names = [step["step"] for step in json.loads(kept)["steps"]]
    assert names == ["fill_by_group", "fill_by_neighbours", "rebalance", "encode_target", "reduce"]
    mldesk.good("predict", bundle, table, "-o", first)
    mldesk.good("predict", trained["model"], table, "-o", second)
    assert first.read_text("utf-8") == second.read_text("utf-8")
    searched = mldesk.good("search", "t", "--target", "grade", "--prepare", recipe, "--trials", "1",
                           "--model", "linear")
    mldesk.good("models", "export", searched["model"], bundle, "--force")
    for part in json.loads(zipfile.ZipFile(bundle).read("preprocessing.json"))["parts"]:
        assert [step["step"] for step in part["steps"]] == names
