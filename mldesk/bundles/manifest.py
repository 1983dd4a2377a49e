"""``manifest.json``: what a bundle is, where it came from, and the digest of every file in it.

    format       1
    name, version, task, target, estimator      of the model
    classes      labels in the order of the probabilities, or null
    parameters   of the estimator
    input        [{"name", "type", "role"}]     columns a prediction needs
    output       [{"name", "type"}]             columns a prediction gives
    metrics      {name: number}                 on the test part
    provenance   {"dataset": name@version, "dataset_manifest"?, "run", "split", "seed", "versions": {library: version}}
    licences     {"model": …, "data": …}        in the exporter's words
    created      ISO 8601, UTC                  when the model was trained
    notes        free text
    signer       {"name", "fingerprint"} or null; see ``signing``
    contract     the file with what rows to predict are held to; only where there is one
    recipe       the file with how the model's table was cleaned; only where there is one
    files        [{"path", "size", "sha256"}]   sorted; every file but this one and the signature

The bytes are canonical JSON, so that there is one way only to read them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mldesk.bundles.documents import parse_object
from mldesk.bundles.names import MANIFEST, REQUIRED, check_name, refuse_twins
from mldesk.core import canonical
from mldesk.core.errors import BadBundle

FORMAT = 1
MAX_MANIFEST = 16 << 20   # bytes; tables may have ten thousand columns
_MAX_TEXT = 1000
_DIGEST = re.compile(r"[0-9a-f]{64}")
_TEXTS = ("name", "task", "target", "estimator", "created")
_KINDS: Mapping[str, tuple[type, ...]] = {
    "classes": (list, type(None)), "parameters": (dict,), "input": (list,), "output": (list,), "metrics": (dict,),
    "provenance": (dict,), "licences": (dict,), "notes": (str,), "signer": (dict, type(None)), "files": (list,),
    "version": (int,),
}


@dataclass(frozen=True, slots=True)
class BundledFile:
    """One file, as the manifest promises it."""

    path: str
    size: int      # bytes
    sha256: str

    def to_json(self) -> dict[str, Any]:
        return {"path": self.path, "size": self.size, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class BundleManifest:
    """A manifest that has the right shape. ``facts`` are a stranger's words: show them as plain text."""

    facts: Mapping[str, Any]            # the whole JSON object
    files: tuple[BundledFile, ...]

    @classmethod
    def from_bytes(cls, data: bytes) -> BundleManifest:
        """Read ``manifest.json``. Raises BadBundle with the reason."""
        facts = parse_object(data, MANIFEST)
        if isinstance(facts.get("format"), int) and facts["format"] > FORMAT:
            said = f"{facts['format']!s:.12}"  # whatever was written there
            raise BadBundle(f"This bundle is written in format {said}; this MLDesk reads format {FORMAT}.",
                            hint="Upgrade MLDesk to open it.")
        if facts.get("format") != FORMAT or isinstance(facts["format"], bool):
            raise BadBundle("This file is not a bundle: its manifest names no known format.")
        if _rewritten(facts) != data:
            raise BadBundle("This bundle's manifest is not written the one way it must be.",
                            hint="It was changed after it was exported; get the original file.")
        _check_shape(facts)
        files = tuple(_file(item) for item in facts["files"])
        paths = [file.path for file in files]
        refuse_twins(paths)
        if paths != sorted(paths):
            raise BadBundle("This bundle's manifest does not list its files in order.")
        absent = [name for name in REQUIRED if name not in paths]
        if absent:
            raise BadBundle(f"This bundle's manifest does not list {absent[0]}, without which it predicts nothing.")
        return cls(facts, files)

    @property
    def signer(self) -> Mapping[str, Any] | None:
        signer: Mapping[str, Any] | None = self.facts["signer"]
        return signer


def to_bytes(facts: Mapping[str, Any]) -> bytes:
    """Return the bytes of a manifest. Raises BadBundle if a reader would refuse them."""
    data = canonical.dumps(facts)
    BundleManifest.from_bytes(data)
    return data


def _rewritten(facts: Mapping[str, Any]) -> bytes:
    try:
        return canonical.dumps(facts)
    except (ValueError, TypeError, OverflowError) as error:
        raise BadBundle("This bundle's manifest holds values that cannot be written as JSON.") from error


def _check_shape(facts: Mapping[str, Any]) -> None:
    for key in _TEXTS:
        value = facts.get(key)
        if not isinstance(value, str) or len(value) > _MAX_TEXT or not value.isprintable():
            raise BadBundle(f"This bundle's manifest has no proper {key!r}.")
    for key, kinds in _KINDS.items():
        if key not in facts or not isinstance(facts[key], kinds) or isinstance(facts[key], bool):
            raise BadBundle(f"This bundle's manifest has no proper {key!r}.")
    for part in ("input", "output"):
        for column in facts[part]:
            if not isinstance(column, dict) or not all(isinstance(column.get(key), str) for key in ("name", "type")):
                raise BadBundle(f"This bundle's manifest has an {part} column without name or type.")
    signer = facts["signer"]
    if signer is not None and not (isinstance(signer.get("fingerprint"), str) and isinstance(signer.get("name"), str)):
        raise BadBundle("This bundle's manifest names a signer without a key.")


def _file(item: Any) -> BundledFile:
    try:
        path, size, digest = item["path"], item["size"], item["sha256"]
    except (KeyError, TypeError) as error:
        raise BadBundle("This bundle's manifest lists a file without its name, size or digest.") from error
    if not isinstance(path, str) or not isinstance(digest, str) or not _DIGEST.fullmatch(digest) or (
            not isinstance(size, int) or isinstance(size, bool) or size < 0):
        raise BadBundle(f"This bundle's manifest lists {path!r:.120} without a proper size or digest.")
    return BundledFile(check_name(path), size, digest)
