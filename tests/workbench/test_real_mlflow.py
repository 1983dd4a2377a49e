"""MLflow itself writes what is imported, and loads what is exported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mldesk.bundles.folders import write_mlflow
from mldesk.wire.states import JobState
from mldesk.workbench.run_book import RunBook
from mldesk.workbench.run_import import RunImport
from tests.bundles.making import stored_model
from tests.workbench.stand_ins import Desk


def mlflow(task: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, "-m", "tests.mlflow_itself", task, str(folder)], capture_output=True,
                          text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mlflow")
    mlflow("store", folder)
    return folder


@pytest.mark.parametrize("place", [".", "sql/mlflow.db"])
def test_what_mlflow_wrote_comes_over_with_its_files_notes_and_nesting(stores: Path, place: str, desk: Desk) -> None:
    outer, inner = RunImport(desk.library).take(stores / place).runs
    assert (outer.name, outer.state, outer.group, outer.note) == (
        "outer", JobState.SUCCEEDED, "churn", "Why I did this.")
    assert (outer.parameters, outer.tags) == ({"depth": "6"}, ("mlflow", "team=blue"))
    assert [(point.step, point.value) for point in desk.library.runs.metrics(outer.id)] == [(1, 0.5), (2, 0.25)]
    kept = desk.library.runs.artifacts(outer.id)
    assert list(kept) == ["notes/a.txt"]
    assert desk.library.objects.read(str(kept["notes/a.txt"]["digest"])) == b"hello"
    assert (inner.name, inner.parent) == ("inner", outer.id)
    book = RunBook(desk.library)
    assert [run.name for run in book.family(outer.id).inside] == ["inner"]
    assert book.family(inner.id).parent == desk.library.runs.get(outer.id)


@pytest.mark.parametrize("table", ["binary", "regression"])
def test_mlflow_loads_what_was_exported_and_predicts_the_same(table: str, tmp_path: Path) -> None:
    model = stored_model("linear", table, tmp_path / "made")
    write_mlflow(tmp_path / "model", model.digest, model.store, model.bundle)
    (tmp_path / "rows.json").write_text(json.dumps(model.rows), "utf-8")
    found: dict[str, Any] = json.loads(mlflow("predict", tmp_path))
    assert found["rows"].keys() == model.expected.keys()
    for name, values in model.expected.items():
        if isinstance(values[0], str):
            assert found["rows"][name] == values
        else:
            np.testing.assert_allclose(found["rows"][name], values, rtol=1e-5, atol=1e-5)
    assert len(found["example"]["prediction"]) == 5
    assert [item["name"] for item in json.loads(found["signature"]["inputs"])] == list(model.rows)
