"""The files that MLflow kept with its runs, and the models they logged.

A store may come from anywhere, and says by addresses where files lie. Only a folder that MLflow makes for one run or
model (``…/ID/artifacts``) is believed, and no link in it, so a store leads to nobody else's files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

MOST_FILES = 10_000
MOST_BYTES = 20_000_000_000
_ID = re.compile(r"[0-9A-Za-z_-]{1,100}")
_ROOTS = (".", "mlruns", "mlartifacts")   # below the folder of the store: where MLflow puts files by itself


def folder_of(uri: str, key: str, around: Path) -> Path | None:
    """Return the folder on this machine that an artifact address of the run or model ``key`` means, if it is there.

    Where a store was moved, its files are looked for beside it: ``around`` is the folder it lies in.
    """
    if not _ID.fullmatch(key):
        return None
    parts = urlsplit(uri)
    path = Path(url2pathname(unquote(parts.path)) if parts.scheme in ("file", "mlflow-artifacts") else uri)
    named = [part for part in path.parts if part not in ("/", "\\", "..")]
    beside = [around / root / Path(*named[-length:]) for root in _ROOTS for length in (3, 4)]   # 4: exp/models/ID/…
    for folder in ([around / path] if parts.scheme in ("file", "") else []) + beside:
        if folder.parts[-2:] == (key, "artifacts") and folder.is_dir() and not folder.is_symlink():
            return folder
    return None


def files_below(places: Iterable[tuple[str, Path]]) -> tuple[dict[str, Path], str]:
    """Return the files below some folders by name, each name begun as its folder says, and what is left out."""
    found: dict[str, Path] = {}
    size = 0
    for begins, place in places:
        for path in _files(place):
            size += path.stat().st_size
            if len(found) >= MOST_FILES or size > MOST_BYTES:
                return found, f"It kept more than {MOST_FILES:,} files or {MOST_BYTES // 10 ** 9} GB; the rest stayed."
            found[f"{begins}{path.relative_to(place).as_posix()}"] = path
    return found, ""


def _files(place: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(place) if not place.is_symlink() else ():
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path
