"""What changed between two versions of a model, told from what the library keeps of both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mldesk.app import open_workbench
from mldesk.core.ids import new_id
from mldesk.library import Library
from mldesk.wire.jobs import JobSpec, SplitRequest, TrainRequest
from tests.cli.conftest import Command
from tests.library.conftest import COLUMNS, add_table, journal


def _trained(library: Library, dataset: str, manifest: str, accuracy: float, features: Sequence[str], *,
             c: float = 1.0, seed: int = 0, estimator: str = "linear", rows: int = 80, split: str = "a" * 64) -> None:
    """Put a run into the library that made the next version of "shop"."""
    request = TrainRequest(manifest, dataset, tuple(column.to_json() for column in COLUMNS), "class",
                           split=SplitRequest(seed=seed), estimator=estimator, parameters={"c": c}, model="shop",
                           seed=seed)
    run = library.runs.add(JobSpec(new_id(), "train", "first", (manifest,), request.to_json()), "local", dataset)
    model = {"features": [{"name": name, "type": "number"} for name in features], "parameters": {"c": c},
             "dataset": {"name": dataset, "manifest": manifest}, "rows": {"train": rows, "test": 20}, "seed": seed}
    evaluation = {"parts": {"test": {"metrics": {"accuracy": accuracy},
                                     "intervals": {"accuracy": [accuracy - 0.03, accuracy + 0.03]}}}}
    files = {name: library.objects.put_bytes(json.dumps(value).encode())
             for name, value in (("model.json", model), ("evaluation.json", evaluation))}
    made = library.objects.put_manifest(files)
    result: dict[str, Any] = {"task": "tabular_classification", "metrics": {"accuracy": accuracy}, "seconds": 2.0,
                              "model": made, "estimator": estimator, "parameters": {"c": c}, "split": split}
    library.runs.apply(run.id, journal(("artifact", {"name": "model", "digest": made, "size": 7, "type": "manifest"}),
                                       ("succeeded", {"result": result})))


def test_each_version_says_what_changed_since_the_one_before(tmp_path: Path) -> None:
    command = Command(tmp_path / "home", tmp_path)
    with open_workbench(command.home) as bench:
        library = bench.library
        first = add_table(library)
        second = add_table(library, content=b"cleaned", parent=1, recipe=(
            {"step": "drop_columns", "columns": ["id"]}, {"step": "trim", "disabled": True}))
        _trained(library, first.label, first.manifest, 0.8, ["id", "Größe"])
        _trained(library, second.label, second.manifest, 0.84, ["Größe", "age"], c=0.00001, rows=1900, split="b" * 64)
        _trained(library, second.label, second.manifest, 0.85, ["Größe", "age"], c=0.00001, rows=1900, split="b" * 64)
        _trained(library, second.label, second.manifest, 0.83, ["Größe", "age"], c=0.00001, rows=1900, seed=7,
                 estimator="random_forest", split="c" * 64)
        changes = bench.about.changes("shop")
    assert list(changes) == [2, 3, 4]
    assert changes[2].words == (
        "Since shop@1: data penguins@1 → penguins@2 (drop_columns); 80 → 1,900 rows to train on; column added: age; "
        "column removed: id; c 1 → 1e-05. Accuracy 0.8000 → 0.8400 (95 %: 0.8100 to 0.8700), on test rows of another "
        "table.")
    assert changes[3].words == (
        "The same data, columns, estimator, parameters, split and seed as shop@2. "
        "Accuracy 0.8400 → 0.8500 (95 %: 0.8200 to 0.8800), on the same test rows.")
    assert list(changes[4].parts) == ["estimator", "split", "seed"]
    assert changes[4].tested_on == "other test rows"
    shown = command.good("models", "show", "shop@2")
    assert shown["changed"]["text"] == changes[2].words
    assert shown["changed"]["score"] == {"metric": "accuracy", "before": 0.8, "after": 0.84,
                                         "interval": pytest.approx([0.81, 0.87])}
    assert [item["changed"] and item["changed"]["since"] for item in shown["versions"]] == [
        None, "shop@1", "shop@2", "shop@3"]
    said = command.told("models", "show", "shop@2").out
    assert "Since shop@1: data penguins@1 → penguins@2" in " ".join(said.split())


def test_a_version_whose_files_are_gone_is_left_out_and_shown_all_the_same(tmp_path: Path) -> None:
    command = Command(tmp_path / "home", tmp_path)
    with open_workbench(command.home) as bench:
        first = add_table(bench.library)
        for accuracy in (0.8, 0.9):
            _trained(bench.library, first.label, first.manifest, accuracy, ["Größe"])
        lost = bench.models.show("shop@1").manifest
        entry = bench.library.objects.manifest(lost).entry("model.json")
        bench.library.objects.path(entry.sha256).unlink()
        assert bench.about.changes("shop") == {}
    assert command.good("models", "show", "shop@2")["changed"] is None
