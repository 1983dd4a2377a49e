"""Models for other programs: each form holds what it must, is whole, and replaces nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mldesk import __version__
from mldesk.bundles.folders import _load_pyfunc, write_mlflow, write_native, write_onnx
from mldesk.core.errors import Conflict, WorkFailed
from tests.bundles.making import StoredModel, stored_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> StoredModel:
    return stored_model("linear", "binary", tmp_path_factory.mktemp("model"))


def test_a_folder_for_mlflow_predicts_tables(model: StoredModel, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    write_mlflow(folder, model.digest, model.store, model.bundle)
    assert {item.name for item in folder.iterdir()} == {
        "MLmodel", "model.mlbundle", "model.onnx", "requirements.txt", "input_example.json",
        "serving_input_example.json"}
    needed = (folder / "requirements.txt").read_text("utf-8").split()
    assert f"mldesk=={__version__}" in needed
    assert [item.partition("==")[0] for item in needed] == ["mldesk", "onnxruntime", "numpy"]
    assert all(item.partition("==")[2] for item in needed)
    assert "loader_module: mldesk.bundles.folders" in (folder / "MLmodel").read_text("utf-8")
    loaded = _load_pyfunc(str(folder / "model.mlbundle"))
    rows = {name: [float("nan") if value is None else value for value in values] for name, values in model.rows.items()}
    answer = loaded.predict(rows)
    np.testing.assert_allclose(answer["probability_>50K"], model.expected["probability_>50K"], atol=1e-5)
    assert [item.name for item in tmp_path.iterdir()] == ["folder"]   # no draft is left


def test_what_is_there_is_not_replaced(model: StoredModel, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", "utf-8")
    for path in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(Conflict):
            write_native(path, model.digest, model.store)
    empty = tmp_path / "empty"
    empty.mkdir()
    write_native(empty, model.digest, model.store)
    assert {item.name for item in empty.iterdir()} == {
        "model.skops", "model.json", "preprocessing.json", "MODEL_CARD.md"}


def test_the_graph_alone(model: StoredModel, tmp_path: Path) -> None:
    write_onnx(tmp_path / "m.onnx", model.digest, model.store)
    assert (tmp_path / "m.onnx").stat().st_size > 100
    bare = model.store.put_manifest({"model.json": model.store.put_bytes(b"{}")})
    with pytest.raises(WorkFailed, match=r"no model\.onnx"):
        write_onnx(tmp_path / "n.onnx", bare, model.store)
