"""Where a fit begins that goes on from an earlier model: that model's own encoder and weights, if they fit the rows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.training.catalogue import EstimatorEntry
from mldesk.training.export import load_native
from mldesk.training.job import Table, Workplace
from mldesk.training.joined import read_encoder
from mldesk.training.prepared import OneEncoder, PreparedEncoder
from mldesk.wire.objects import ObjectStore

_HINT = "Retrain it from the beginning (without --warm)."


def taken_up(manifest: str, entry: EstimatorEntry, table: Table, work: Workplace) -> tuple[OneEncoder, Any]:
    """Return the encoder and the native model to go on from.

    Raises BadInput that says why the fit cannot go on from it: another kind of model, task or classes, or columns that
    are not there.
    """
    entries = {item.path: item.sha256 for item in work.store.manifest(manifest).entries}
    model = json.loads(work.store.read(entries["model.json"]))
    encoder = read_encoder(json.loads(work.store.read(entries["preprocessing.json"])))
    if why := _why_not(model, encoder, entry, table):
        raise BadInput(f"The training cannot go on from the model as it is: {why}.", hint=_HINT)
    assert not hasattr(encoder, "parts")  # noqa: S101 - for mypy: only blends have joined encoders
    folder = work.scratch / "start"
    _lay_out(work.store, entries, folder)
    return encoder, load_native(entry.name, folder, _builder(entry))


def _why_not(model: Any, encoder: Any, entry: EstimatorEntry, table: Table) -> str:
    if not entry.iterative:
        return f"{entry.title} begins anew each time" if entry.pack else (
            f"a {entry.title.lower()} is not trained step by step")
    if (model.get("parameters") or {}).get("text_encoder"):
        return "a text encoder stands before it"
    if model["estimator"] != entry.name:
        return f"it is a {model['estimator']}, not a {entry.name}"
    if model["task"] != table.target.task:
        return "the task is another one"
    if list(model["classes"]) != list(table.target.classes):
        return "the classes are others"
    if isinstance(encoder, PreparedEncoder) and encoder.of_target:
        return "steps of its preparation go by the target and are learnt anew each time"
    there = {column.name: column.type for column in table.candidates}
    for column in encoder.columns:
        if column.name not in there:
            return f"the column {column.name[:60]!r} is not there"
        if there[column.name] is not column.type:
            return f"the column {column.name[:60]!r} holds {there[column.name].value} now, not {column.type.value}"
    return ""


def _lay_out(store: ObjectStore, entries: dict[str, str], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path, digest in entries.items():
        if path.startswith("native/") and path.count("/") == 1:
            shutil.copyfile(store.path(digest), folder / path.removeprefix("native/"))


def _builder(entry: EstimatorEntry) -> Any:
    if not entry.torch:
        return None
    from mldesk.training.estimators.network import build  # loads torch

    return build
