"""The files of a model version: what is needed to predict, to check the prediction, and to know where it came from."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mldesk import __version__
from mldesk.core import canonical
from mldesk.core.errors import WorkFailed
from mldesk.training import blend
from mldesk.training.export import TOLERANCE, onnx_parity, save_native, to_onnx
from mldesk.training.joined import Encoder
from mldesk.training.model_card import write_card
from mldesk.training.model_facts import ModelFacts
from mldesk.training.over_text import ROWS_AT_ONCE, WithText
from mldesk.training.probabilities import predicted_codes
from mldesk.training.target import Label
from mldesk.training.values import Array, ColumnData, TextColumn
from mldesk.wire.schema import ColumnType

FORMAT = 1
_PARITY_ROWS = 2000
_LIBRARIES = ("numpy", "scikit-learn", "lightgbm", "xgboost", "catboost", "torch", "onnx", "onnxruntime")


def write_model(folder: Path, facts: ModelFacts, native: Any, sample: Mapping[str, ColumnData], x: Array,
                expected: Array) -> tuple[dict[str, Path], str]:
    """Write all files of a model into ``folder``.

    Args:
        folder: is made
        sample: at most five rows of the feature columns, which come first in ``x``
        x: (N, F) rows on which the ONNX graph has to agree with ``expected``
        expected: the native model's predictions for ``x``

    Returns the files by their name in the manifest, and a warning, "" if the ONNX graph agrees.
    """
    folder.mkdir(parents=True)
    count = len(next(iter(sample.values())))
    onnx, warning = _write_onnx(folder / "model.onnx", facts, native, x[:_PARITY_ROWS], expected[:_PARITY_ROWS])
    documents: dict[str, Any] = {
        "model.json": _describe(facts, onnx, isinstance(native, WithText)),
        "preprocessing.json": facts.encoder.to_json(),
        "metrics.json": {"test": dict(facts.metrics), "validation": dict(facts.validation_metrics)},
        "evaluation.json": facts.evaluation,
        "sample_input.json": plain_rows(sample, facts.encoder),
        "expected.json": outputs(expected[:count], facts.classes),
    }
    for name, value in documents.items():
        (folder / name).write_bytes(canonical.dumps(value))
    (folder / "MODEL_CARD.md").write_text(write_card(facts), "utf-8")
    if facts.estimator == blend.KIND:
        blend.write_native(native, folder / "native")
    else:
        save_native(facts.estimator, native.model if isinstance(native, WithText) else native, folder / "native")
        if isinstance(native, WithText):
            native.write(folder / "native")
    files = sorted(item for item in folder.rglob("*") if item.is_file())
    return {item.relative_to(folder).as_posix(): item for item in files}, warning


def outputs(prediction: Array, classes: tuple[Label, ...]) -> dict[str, list[Any]]:
    """Return the columns of a prediction: ``prediction``, and ``probability_<class>`` for classifiers."""
    if not classes:
        return {"prediction": prediction.astype(np.float64).tolist()}
    labels = [classes[code] for code in predicted_codes(prediction)]
    return {"prediction": labels, **{
        f"probability_{name(label)}": prediction[:, code].tolist() for code, label in enumerate(classes)}}


def name(label: Label) -> str:
    """Return a class as it is written in column names: ``true`` for True."""
    return str(label).lower() if isinstance(label, bool) else str(label)


def plain_rows(columns: Mapping[str, ColumnData], encoder: Encoder) -> list[dict[str, Any]]:
    """Return rows as plain JSON, which ``FeatureEncoder.read`` takes back (column by column)."""
    cells = {column.name: plain(columns[column.name], column.type) for column in encoder.columns}
    return [dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True)]


def plain(data: ColumnData, kind: ColumnType) -> list[Any]:
    """Return a column's values as plain JSON: None for missing, ISO text for dates and times."""
    if isinstance(data, TextColumn):
        return [data.values[code] if code >= 0 else None for code in data.codes]
    if kind.temporal:
        cut = {ColumnType.DATE: slice(10), ColumnType.TIME: slice(11, None)}.get(kind, slice(None))
        return [None if np.isnat(value) else str(value)[cut] for value in data.astype("datetime64[us]")]
    if kind is ColumnType.BOOLEAN:
        return [None if np.isnan(value) else bool(value) for value in data]
    if kind is ColumnType.INTEGER:
        return [int(value) if np.isfinite(value) else None for value in data]
    return [float(value) if np.isfinite(value) else None for value in data]


def _write_onnx(path: Path, facts: ModelFacts, native: Any, x: Array, expected: Array) -> tuple[dict[str, Any], str]:
    """Write the graph if it predicts as the native model does. Returns model.json's entry, and a warning or ""."""
    try:
        graph = _graph(facts, native)
    except WorkFailed as error:
        return {"parity": None, "verified": False}, f"The model has no portable form (ONNX): {error}"
    parity = onnx_parity(graph, x, expected, ROWS_AT_ONCE if isinstance(native, WithText) else 0)
    if not parity <= TOLERANCE:
        return ({"parity": parity if np.isfinite(parity) else None, "verified": False},
                f"The portable form (ONNX) of the model differs from it by {parity:g}, so it is left out.")
    path.write_bytes(graph)
    return {"parity": parity, "verified": True}, ""


def _graph(facts: ModelFacts, native: Any) -> bytes:
    classes = len(facts.classes) or None
    if facts.estimator == blend.KIND:
        return blend.write_onnx(native, facts.encoder.width, classes)
    if not isinstance(native, WithText):
        return to_onnx(facts.estimator, native, facts.encoder.width, classes)
    from mldesk.training.behind_text import behind_encoder  # loads onnx

    return behind_encoder(to_onnx(facts.estimator, native.model, native.over.made, classes), native.over)


def _describe(facts: ModelFacts, onnx: Mapping[str, Any], heavy: bool) -> dict[str, Any]:
    output = [{"name": "prediction", "type": facts.target.type.value}]
    output += [{"name": f"probability_{name(label)}", "type": "number"} for label in facts.classes]
    return {
        "format": FORMAT, "task": facts.task, "target": facts.target.name, "target_type": facts.target.type.value,
        "classes": list(facts.classes), "estimator": facts.estimator, "parameters": dict(facts.parameters),
        "facts": dict(facts.fit_facts),
        "features": [{"name": column.name, "type": column.type.value, "role": column.role.value}
                     for column in facts.encoder.columns],
        "left_out": facts.encoder.left_out, "outputs": output, "feature_names": facts.encoder.feature_names,
        "onnx": dict(onnx), "created": facts.created,
        "dataset": {"name": facts.dataset_name, "manifest": facts.dataset}, "rows": dict(facts.rows),
        "seed": facts.seed, "finished_early": facts.finished_early, "versions": _versions(),
        **({"ordered": True} if facts.ordered else {}),
        **({"rows_at_once": ROWS_AT_ONCE} if heavy else {}),   # what the graph holds meanwhile grows with them
        **({} if facts.margins is None else {"margins": facts.margins.to_json()}),
        **({"reach": {name: list(ends) for name, ends in facts.reach.items()}} if facts.reach else {}),
        **({"whole": list(facts.whole)} if facts.whole else {}),
    }


def _versions() -> dict[str, str]:
    versions = {"mldesk": __version__, "python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            versions[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
