"""The parts of a run's rows are shown, written, and taken again by another run."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from mldesk.core.errors import BadInput, Conflict, NotFound
from mldesk.training.split import LEFT_OUT, TEST, TRAIN, VALIDATION
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.same_split import parts_of, save_parts
from tests.workbench.judged_runs import finished
from tests.workbench.stand_ins import Desk

SPLIT = np.array([TRAIN, VALIDATION, TEST, TRAIN] * 30, np.uint8)
SPLIT[5] = LEFT_OUT


@pytest.fixture
def run(desk: Desk, tmp_path: Path) -> str:
    """A run on a table of 120 rows that ended well."""
    path = tmp_path / "t.csv"
    path.write_text("a,b,y\n" + "".join(f"{row},{row % 7},{row % 5}.5\n" for row in range(120)))
    desk.datasets.import_files([path], "t")
    y = np.arange(30, dtype=np.float64)
    return finished(desk, TrainOrder("t", "y", task="tabular_regression", name="first"), SPLIT, y, y + 1)


def test_parts_are_counted_and_written_for_each_row(desk: Desk, run: str, tmp_path: Path) -> None:
    found = parts_of(desk.library, desk.runs.get(run))
    assert found["rows"] == {"train": 60, "validation": 29, "test": 30, "left_out": 1}
    assert save_parts(desk.library, desk.datasets, desk.runs.get(run), tmp_path / "p.csv") == 120
    lines = list(csv.DictReader((tmp_path / "p.csv").read_text().splitlines()))
    assert [(line["row"], line["split"]) for line in lines[:6]] == [
        ("1", "train"), ("2", "validation"), ("3", "test"), ("4", "train"), ("5", "train"), ("6", "")]
    assert save_parts(desk.library, desk.datasets, desk.runs.get(run), tmp_path / "w.csv", whole=True) == 120
    whole = list(csv.DictReader((tmp_path / "w.csv").read_text().splitlines()))
    assert (whole[2]["a"], whole[2]["split"]) == ("2", "test")
    with pytest.raises(BadInput, match="no format"):
        save_parts(desk.library, desk.datasets, desk.runs.get(run), tmp_path / "w.txt")


def test_another_run_takes_the_same_parts(desk: Desk, run: str) -> None:
    digest = parts_of(desk.library, desk.runs.get(run))["digest"]
    made = desk.runs.start(TrainOrder("t", "y", split="run:first", estimator="linear"))
    split = made.spec["payload"]["split"]
    assert (split["method"], split["membership"]) == ("given", digest)
    manifest = desk.library.objects.manifest(made.spec["inputs"][1])   # travels with the job
    assert [entry.sha256 for entry in manifest.entries] == [digest]
    desk.cleaning.clean("t", [{"step": "scale", "columns": ["b"], "how": "standard"}])
    later = desk.runs.start(TrainOrder("t@2", "y", split=f"run:{run}"))
    assert later.spec["payload"]["split"]["membership"] == digest
    y = np.arange(30, dtype=np.float64)
    again = finished(desk, TrainOrder("t@1", "y", task="tabular_regression", split="run:first"), SPLIT, y, y)
    assert parts_of(desk.library, desk.runs.get(again))["as_in"] == {"run": run, "name": "first"}
    assert "as_in" not in parts_of(desk.library, desk.runs.get(run))


def test_parts_of_other_rows_are_refused(desk: Desk, run: str, tmp_path: Path) -> None:
    desk.cleaning.clean("t", [{"step": "filter", "where": "a < 100"}])
    with pytest.raises(Conflict, match="are not those of run first"):
        desk.runs.start(TrainOrder("t@2", "y", split="run:first"))
    with pytest.raises(NotFound):
        desk.runs.start(TrainOrder("t@1", "y", split="run:nobody"))
    assert desk.runs.check(TrainOrder("t@1", "y", split="run:first", folds=3)).why_not
    queued = desk.runs.start(TrainOrder("t@1", "y", name="queued"))
    with pytest.raises(BadInput, match="has not ended well"):
        desk.runs.start(TrainOrder("t@1", "y", split="run:queued"))
    with pytest.raises(BadInput):
        save_parts(desk.library, desk.datasets, desk.runs.get(queued.id), tmp_path / "p.csv")
