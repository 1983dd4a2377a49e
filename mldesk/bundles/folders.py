"""A model on its way to other programs: the ONNX graph alone, its native weights, or a folder that MLflow loads.

The graph and the weights take encoded rows, as ``preprocessing.json`` says; an MLflow folder takes tables: it holds
a whole bundle and names the loader below. Nothing in any of them is a pickle.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldesk.bundles import mlflow_signature
from mldesk.bundles.names import CARD, EXPECTED, GRAPH, MODEL, PREPROCESSING, SAMPLE
from mldesk.core import durable
from mldesk.core.errors import BadInput, Conflict, WorkFailed

if TYPE_CHECKING:
    from mldesk.bundles.predictor import Predictor
    from mldesk.wire.objects import ObjectStore

FORMS = ("onnx", "native", "mlflow")
_BUNDLE = "model.mlbundle"


def write_onnx(path: Path, manifest: str, store: ObjectStore) -> None:
    """Write the ONNX graph of a model. Raises WorkFailed for one that has none, DiskFull."""
    with durable.disk_errors(f"writing {path.name}"):
        durable.write_atomic(path, _file(GRAPH, manifest, store))


def write_native(folder: Path, manifest: str, store: ObjectStore) -> None:
    """Write a model's own weights (safetensors, skops, its library's text) and what its rows are encoded with."""
    def fill(draft: Path) -> None:
        for entry in store.manifest(manifest).entries:
            if entry.path.startswith("native/") or entry.path in (MODEL, PREPROCESSING, CARD):
                target = draft / Path(entry.path).name
                target.write_bytes(store.read(entry.sha256))

    _whole(folder, fill)


def write_mlflow(folder: Path, manifest: str, store: ObjectStore, bundle: Callable[[Path], object]) -> None:
    """Write a folder for ``mlflow.pyfunc.load_model``; ``bundle`` writes the model as a bundle to a path."""
    model = json.loads(_file(MODEL, manifest, store))
    graph = _file(GRAPH, manifest, store)
    rows, expected = (json.loads(_file(name, manifest, store)) for name in (SAMPLE, EXPECTED))

    def fill(draft: Path) -> None:
        (draft / GRAPH).write_bytes(graph)
        bundle(draft / _BUNDLE)
        (draft / "requirements.txt").write_text(_required(model), "utf-8")
        for name, data in mlflow_signature.example(model, rows).items():
            (draft / name).write_bytes(data)
        (draft / "MLmodel").write_text(_described(model) + mlflow_signature.signature(model, rows, expected), "utf-8")

    _whole(folder, fill)


def _required(model: Mapping[str, Any]) -> str:
    """Return what the model needs, in the versions that it was made with as far as it says them."""
    versions = model.get("versions") or {}
    return "".join(f"{name}=={versions[name]}\n" if versions.get(name) else f"{name}\n"
                   for name in ("mldesk", "onnxruntime", "numpy"))


def _described(model: Mapping[str, Any]) -> str:
    """Return MLflow's own description, as YAML; JSON strings are YAML, too."""
    versions = model.get("versions") or {}
    created = json.dumps(str(model.get("created", "")))
    return ("flavors:\n"
            "  python_function:\n"
            f"    data: {_BUNDLE}\n"
            "    loader_module: mldesk.bundles.folders\n"
            f"    python_version: {json.dumps(str(versions.get('python', '')))}\n"
            "  onnx:\n"
            f"    data: {GRAPH}\n"
            f"    onnx_version: {json.dumps(str(versions.get('onnx', '')))}\n"
            "    providers:\n"
            "    - CPUExecutionProvider\n"
            f"utc_time_created: {created}\n")


def _file(name: str, manifest: str, store: ObjectStore) -> bytes:
    entry = next((item for item in store.manifest(manifest).entries if item.path == name), None)
    if entry is None:
        raise WorkFailed(f"This model has no {name}, so it cannot leave that way.",
                         hint="The log of its run says why that file was not made.")
    return store.read(entry.sha256)


def _whole(folder: Path, fill: Callable[[Path], None]) -> None:
    """Make a folder that is whole or not there. Raises Conflict where there is something already, DiskFull."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()) or (folder.is_dir() and any(folder.iterdir())):
        raise Conflict(f"There is something called {folder.name!r:.120} already.",
                       hint="Name a new or an empty folder.")
    if not folder.absolute().parent.is_dir():
        raise BadInput(f"There is no folder {str(folder.absolute().parent)!r:.300} to write into.")
    with durable.disk_errors(f"writing {folder.name}"):
        draft = Path(tempfile.mkdtemp(prefix=".mldesk-", dir=folder.absolute().parent))
        try:
            fill(draft)
            draft.chmod(0o777 & ~_umask())
            if folder.is_dir():
                folder.rmdir()
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


class TableModel:
    """What MLflow calls: a DataFrame in, a DataFrame of predictions out."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    def predict(self, model_input: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Predict the rows of a DataFrame (or of a mapping of columns); ``params`` may hold a "level"."""
        columns = {str(name): [None if value is None or value != value else value for value in list(model_input[name])]
                   for name in list(model_input)}
        answer = self._predictor.predict(columns, (params or {}).get("level"))
        return answer if isinstance(model_input, dict) else type(model_input)(answer)


def _load_pyfunc(path: str) -> TableModel:
    """MLflow's hook of that name: open the bundle, after checking all of it."""
    from mldesk.bundles.predictor import Predictor  # onnxruntime loads with it

    return TableModel(Predictor.open(Path(path)))
