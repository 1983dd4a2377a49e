"""The file a model leaves the desk in: write, inspect, verify, sign, predict, serve.

A bundle (``.mlbundle``) is a zip of plain data: a manifest with the digest of every file, the ONNX graph, the
preprocessing as JSON, native weights, the evaluation, and an Ed25519 signature. Nothing in it is ever unpickled or
executed. Importing this package imports none of the libraries behind it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mldesk.bundles.importing import import_bundle, verify
    from mldesk.bundles.predictor import Predictor
    from mldesk.bundles.reading import BundleReport, inspect
    from mldesk.bundles.signing import SigningKey
    from mldesk.bundles.writing import write_bundle

__all__ = ["BundleReport", "Predictor", "SigningKey", "import_bundle", "inspect", "verify", "write_bundle"]

_HOMES = {
    "Predictor": "predictor", "SigningKey": "signing", "write_bundle": "writing",
    "BundleReport": "reading", "inspect": "reading", "import_bundle": "importing", "verify": "importing",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
