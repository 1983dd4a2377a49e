"""Checkpoints as the trainer leaves them (see mldesk.training.checkpoints): packed for another runner, unpacked there.

    checkpoints/000003-1200/    the third, after step 1200; hashes.json in it names every other file with its SHA-256

A packed one is a manifest of the object store whose names begin with that folder's.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from mldesk.core.durable import sync_directory
from mldesk.core.errors import BadInput
from mldesk.wire.manifest import CHUNK, Manifest
from mldesk.wire.objects import ObjectStore

_NAME = re.compile(r"([0-9]{6,12})-([0-9]{1,18})")
_HASHES = "hashes.json"
_TRIES = 3                 # a trainer may replace the newest checkpoint while it is read


@dataclass(frozen=True, slots=True)
class Packed:
    """A checkpoint in the object store."""

    digest: str            # of its manifest
    name: str
    step: int


def pack(folder: Path, store: ObjectStore) -> Packed | None:
    """Put the newest checkpoint that is as it was written into the store; None when there is none. Raises DiskFull."""
    for _ in range(_TRIES):
        try:
            for path in _newest_first(folder):
                if (digest := _put(path, store)) is not None:
                    return Packed(digest, path.name, int(path.name.split("-")[1]))
            return None
        except FileNotFoundError:  # gone meanwhile, as there is a newer one
            continue
    return None


def check(manifest: Manifest) -> str:
    """Return the name of the checkpoint that a manifest holds. Raises BadInput when it is none."""
    folders = {entry.path.split("/")[0] for entry in manifest.entries}
    flat = all(entry.path.count("/") == 1 for entry in manifest.entries)
    name = min(folders, default="")
    if len(folders) != 1 or not flat or not _NAME.fullmatch(name):
        raise BadInput("What was sent as a checkpoint is none.", hint="Take it from the other runner again.")
    return name


def unpack(digest: str, store: ObjectStore, folder: Path) -> None:
    """Make the checkpoint of a manifest the only one in ``folder``; on disk when this returns.

    Raises BadInput when it is none or has changed, ObjectMissing, OSError.
    """
    manifest = store.manifest(digest)
    name = check(manifest)
    draft = folder / f".{name}.tmp"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for entry in manifest.entries:
        _copy(store.path(entry.sha256), draft / entry.path.split("/")[1], entry.sha256)
    hashes = {entry.path.split("/")[1]: entry.sha256 for entry in manifest.entries}
    hashes.pop(_HASHES, None)
    if _read_hashes(draft) != hashes:
        raise BadInput("The checkpoint that was sent is not whole.", hint="Take it from the other runner again.")
    sync_directory(draft)
    for other in folder.iterdir():
        if other != draft:
            shutil.rmtree(other) if other.is_dir() else other.unlink()
    draft.rename(folder / name)
    sync_directory(folder)


def _newest_first(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if _NAME.fullmatch(path.name) and path.is_dir()), reverse=True)


def _put(path: Path, store: ObjectStore) -> str | None:
    """Store a checkpoint's files; None when they are not what was written."""
    hashes = _read_hashes(path)
    if hashes is None:
        return None
    digest = store.put_manifest({f"{path.name}/{name}": path / name for name in (*hashes, _HASHES)})
    stored = {entry.path.split("/")[1]: entry.sha256 for entry in store.manifest(digest).entries}
    stored.pop(_HASHES)
    return digest if stored == hashes else None


def _read_hashes(folder: Path) -> dict[str, str] | None:
    """Return what the checkpoint's own list says; None when there is no list that can be read."""
    try:
        value = json.loads((folder / _HASHES).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    named = isinstance(value, dict) and all(isinstance(digest, str) and "/" not in name
                                            for name, digest in value.items())
    return value if named else None


def _copy(source: Path, target: Path, digest: str) -> None:
    whole = hashlib.sha256()
    with open(source, "rb") as reading, open(target, "wb") as writing:
        while data := reading.read(CHUNK):
            whole.update(data)
            writing.write(data)
        writing.flush()
        os.fsync(writing.fileno())
    if whole.hexdigest() != digest:
        raise BadInput("The checkpoint that was sent has changed on the way.",
                       hint="Take it from the other runner again.")
