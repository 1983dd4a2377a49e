"""Writing a bundle: the files of a model version, a manifest over them, and the user's signature."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldesk.bundles import manifest as form
from mldesk.bundles.names import (
    CARD,
    CONTRACT,
    MANIFEST,
    MODEL,
    READING,
    RECIPE,
    REQUIRED,
    SIGNATURE,
    THRESHOLD,
    check_name,
)
from mldesk.bundles.packing import Packer
from mldesk.core import canonical, durable
from mldesk.core.errors import BadBundle, WorkFailed
from mldesk.training.metric_words import ordered, title

if TYPE_CHECKING:
    from mldesk.bundles.contract import RowContract
    from mldesk.bundles.signing import SigningKey
    from mldesk.wire.objects import Entry, ObjectStore

_PIECE = 1 << 20  # bytes
_UNKNOWN = "not stated"


def write_bundle(path: Path, manifest: str, store: ObjectStore, facts: Mapping[str, Any],
                 key: SigningKey | None, signer: str = "", card: str | None = None,
                 contract: RowContract | None = None, recipe: bytes | None = None,
                 reading: bytes | None = None, threshold: bytes | None = None) -> None:
    """Write the model stored as ``manifest`` to ``path``, whole or not at all.

    ``facts``: name, version, and where known task, target, estimator, metrics, notes, created, licences, provenance
    (dataset, run, split, seed); the rest comes from the model's own files. Without a ``key`` the bundle is not
    signed; ``signer`` is the name the signer goes by; ``card`` replaces the model's own; ``contract``, ``recipe``,
    ``reading`` and ``threshold`` (``b""``: none) go along, in place of those that the model came with.
    The same input gives the same bytes.
    Raises WorkFailed for a model without what a bundle needs, ObjectMissing, LibraryDamaged, DiskFull.
    """
    files = {entry.path: entry for entry in store.manifest(manifest).entries}
    absent = [name for name in REQUIRED if name not in files]
    if absent:
        raise WorkFailed(f"This model has no {absent[0]}, so it cannot leave as a bundle.",
                         hint="Train it again: the log of the run says why that file was not made.")
    model = json.loads(store.read(files[MODEL].sha256))
    extra = {} if CARD in files and card is None else {CARD: card.encode() if card else _card(model, facts)}
    if contract is not None:
        extra[CONTRACT] = contract.to_bytes()
    if recipe is not None:
        extra[RECIPE] = recipe
    if reading is not None:
        extra[READING] = reading
    if threshold is not None:
        extra[THRESHOLD] = threshold
    for name in extra:
        files.pop(name, None)
    if not threshold:
        extra.pop(THRESHOLD, None)
    listed = sorted([*(_listed(entry) for entry in files.values()), *(_described(*item) for item in extra.items())],
                    key=lambda item: str(item["path"]))
    signed_by = None if key is None else {"name": signer, "fingerprint": key.fingerprint}
    try:
        data = form.to_bytes(_manifest(model, facts, listed, signed_by))
    except BadBundle as error:
        raise WorkFailed(f"This model cannot leave as a bundle: {error}") from error
    with durable.disk_errors(f"writing {path.name}"), durable.draft(path.parent, path.name) as new:
        pack = Packer(new.file)
        pack.add(MANIFEST, lambda: [data])
        if key is not None:
            signature = canonical.dumps(key.sign(data))
            pack.add(SIGNATURE, lambda: [signature])
        for item in listed:
            name = str(item["path"])
            pack.add(name, partial(_content, name, extra, store, files))
        pack.finish()
        new.file.flush()
        _read_back(new.path)
        new.keep_as(path)


def _read_back(path: Path) -> None:
    """Nothing leaves the desk that we would not let in."""
    from mldesk.bundles.importing import verify

    try:
        verify(path)
    except BadBundle as error:
        raise WorkFailed(f"This model cannot leave as a bundle: {error}",
                         hint="Check the library's disk, or train the model again.") from error


def _manifest(model: Mapping[str, Any], facts: Mapping[str, Any], listed: list[dict[str, Any]],
              signer: Mapping[str, Any] | None) -> dict[str, Any]:
    provenance = dict(facts.get("provenance") or {})
    provenance.setdefault("versions", model.get("versions", {}))
    licences = {"model": _UNKNOWN, "data": _UNKNOWN, **(facts.get("licences") or {})}
    return {
        "format": form.FORMAT,
        "name": str(facts["name"]), "version": int(facts["version"]),
        "task": model["task"], "target": model["target"], "estimator": model["estimator"],
        "classes": model.get("classes"), "parameters": model.get("parameters", {}),
        "input": list(model.get("features", [])), "output": list(model.get("outputs", [])),
        "metrics": dict(facts.get("metrics") or {}), "provenance": provenance, "licences": licences,
        "created": str(facts.get("created") or model.get("created", "")), "notes": str(facts.get("notes") or ""),
        "signer": signer, "files": listed,
        **{key: path for key, path in (("contract", CONTRACT), ("recipe", RECIPE), ("reading", READING),
                                         ("threshold", THRESHOLD))
           if any(item["path"] == path for item in listed)},
    }


def _listed(entry: Entry) -> dict[str, Any]:
    return {"path": check_name(entry.path), "size": entry.size, "sha256": entry.sha256}


def _described(name: str, data: bytes) -> dict[str, Any]:
    return {"path": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _content(name: str, extra: Mapping[str, bytes], store: ObjectStore, files: Mapping[str, Entry]) -> Iterator[bytes]:
    if name in extra:
        yield extra[name]
        return
    with open(store.path(files[name].sha256), "rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _card(model: Mapping[str, Any], facts: Mapping[str, Any]) -> bytes:
    """Return a short model card for a model that has none of its own."""
    scores = {str(name): value for name, value in (facts.get("metrics") or {}).items()
              if isinstance(value, (int, float))}
    metrics = "\n".join(f"- {title(name)}: {scores[name]:.6g}" for name in ordered(sorted(scores)))
    origin = (facts.get("provenance") or {}).get("dataset") or _UNKNOWN
    return (f"# {facts['name']} {facts['version']}\n\n"
            f"Predicts `{model['target']}` ({str(model['task']).replace('_', ' ')}) with {model['estimator']}.\n\n"
            f"Trained on: {origin}\n\n## Scores on the test part\n\n{metrics or 'None were kept.'}\n").encode()
