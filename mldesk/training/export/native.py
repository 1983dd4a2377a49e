"""Native weights on disk: skops for scikit-learn, LightGBM's own text, safetensors and JSON for torch. No pickle.

A network is a torch module with an attribute ``config``: the plain JSON its network is rebuilt from.
"""

from __future__ import annotations

import importlib
import json
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mldesk.core import canonical
from mldesk.core.errors import BadInput
from mldesk.training.export.trusted import untrusted

SKOPS = "model.skops"
_TORCH_ARRAYS = "sklearn.externals.array_api_compat.torch"
LIGHTGBM = "model.txt"
WEIGHTS = "weights.safetensors"
CONFIG = "config.json"
SKLEARN_KINDS = ("linear", "random_forest", "extra_trees", "decision_tree", "hist_gradient_boosting", "neighbors",
                 "naive_bayes", "svm", "ordinal", "segments")   # the last five as a mapping of arrays

_BOOSTERS = {"xgboost": "model.json", "catboost": "model.cbm"}   # optional packs, in their own formats
TORCH_KINDS = ("mlp", "tabm", "ft_transformer")


def save_native(kind: str, native: Any, folder: Path) -> None:
    """Write the weights of ``native`` into ``folder``, which is made. Raises OSError; BadInput for an unknown kind."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind in SKLEARN_KINDS:
        _skops().dump(native, folder / SKOPS, compression=zipfile.ZIP_DEFLATED)
    elif kind == "lightgbm":
        (folder / LIGHTGBM).write_text(native.model_to_string(), "utf-8")
    elif kind in _BOOSTERS:
        native.save_model(str(folder / _BOOSTERS[kind]))
    elif kind in TORCH_KINDS:
        from safetensors.torch import save_file  # slow: loads torch

        state = {name: tensor.detach().cpu().contiguous() for name, tensor in native.state_dict().items()}
        save_file(state, folder / WEIGHTS)
        (folder / CONFIG).write_bytes(canonical.dumps(native.config))
    else:
        raise BadInput(f"There is no model of the kind {kind!r:.40}.")


def load_native(kind: str, folder: Path, build: Callable[[Mapping[str, Any]], Any] | None = None) -> Any:
    """Read what ``save_native`` wrote; ``build`` makes the empty torch module of a network from its config.

    Raises OSError; BadInput for a file that holds a type which is not on the list (nothing of it is loaded then).
    """
    if kind in SKLEARN_KINDS:
        return load_sklearn(folder)
    if kind == "lightgbm":
        return load_lightgbm(folder)
    if kind == "xgboost":
        return load_xgboost(folder)
    if kind == "catboost":
        import catboost  # slow, and optional

        return catboost.CatBoost().load_model(str(folder / _BOOSTERS[kind]))
    if kind in TORCH_KINDS and build is not None:
        return load_network(folder, build)
    raise BadInput(f"There is no model of the kind {kind!r:.40}.")


def load_lightgbm(folder: Path) -> Any:
    """Read a booster of LightGBM. Raises OSError."""
    import lightgbm  # slow: loads scikit-learn

    return lightgbm.Booster(model_str=(folder / LIGHTGBM).read_text("utf-8"))


def load_xgboost(folder: Path) -> Any:
    """Read a booster of XGBoost. Raises OSError."""
    import xgboost  # slow, and optional

    return xgboost.Booster(model_file=folder / _BOOSTERS["xgboost"])


def load_network(folder: Path, build: Callable[[Mapping[str, Any]], Any]) -> Any:
    """Read a network. Raises OSError."""
    from safetensors.torch import load_file  # slow: loads torch

    module = build(json.loads((folder / CONFIG).read_bytes()))
    module.load_state_dict(load_file(folder / WEIGHTS))
    return module.eval()


def load_sklearn(folder: Path) -> Any:
    """Read a model of scikit-learn's. Raises OSError; BadInput for a type that is not on the list."""
    path = folder / SKOPS
    with zipfile.ZipFile(path) as archive:
        fault = untrusted(json.loads(archive.read("schema.json")))
    if fault:
        raise BadInput(f"The model file {path.name} holds {fault}, which MLDesk does not load.",
                       hint="Train the model again; do not use files from a source you do not know.")
    # What is left is on our list; skops wants to be told those that its own list lacks.
    skops = _skops()
    return skops.load(path, trusted=skops.get_untrusted_types(file=path))


def _skops() -> Any:
    """Return ``skops.io``, which is slow: it loads all of scikit-learn.

    It lists scikit-learn's estimators by importing whatever is in there, the wrapper of torch's arrays included, and so
    torch: over a second that a job without a network has no use for. An import that fails is passed over there.
    """
    hidden = "skops.io" not in sys.modules and _TORCH_ARRAYS not in sys.modules
    if hidden:
        sys.modules[_TORCH_ARRAYS] = None  # type: ignore[assignment]  # a module that cannot be imported
    try:
        return importlib.import_module("skops.io")
    finally:
        if hidden:
            del sys.modules[_TORCH_ARRAYS]
