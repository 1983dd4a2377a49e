"""Checkpoints: folders that are whole or not there, each with the hashes of its files."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from mldesk.core.durable import disk_errors, sync_directory, write_atomic
from mldesk.core.errors import WorkFailed

_HASHES = "hashes.json"
_SCRATCH = ".scratch"
_NAME = re.compile(r"\d{6,}-\d+")   # what else lies there is not ours
_KEEP = 2
_FIRST = 3.0        # seconds of fitting before the first one
_LEAST = 5.0        # seconds between two
_SHARE = 0.01       # at most this share of the time goes into writing them


class CheckpointDamaged(WorkFailed):
    """Its files are as they were sealed, and a fit cannot go on from them."""

    code = "checkpoint_damaged"

    def __init__(self, name: str, error: Exception) -> None:
        super().__init__(f"The checkpoint {name} that the run was to go on from cannot be read "
                         f"({type(error).__name__}): it was changed, or another version of MLDesk wrote it.",
                         hint="Start the run again from the beginning.")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One that has been verified."""

    folder: Path
    step: int     # metrics after this step belong to work that has to be done again

    def facts(self) -> dict[str, Any]:
        """Return what ``save`` was given beside the files."""
        value: dict[str, Any] = json.loads((self.folder / "facts.json").read_text("utf-8"))
        return value


class Checkpoints:
    """The checkpoints of one job, in its ``checkpoints`` folder. The last two are kept."""

    kept: ClassVar[bool] = True   # what is saved is there for a fit that goes on

    def __init__(self, folder: Path, announce: Callable[[int, str], None]) -> None:
        self._folder = folder
        self._announce = announce
        self._next_at: float | None = None   # known once the fit has asked for the first time
        self._loaded: Checkpoint | None = None
        self._searched = False
        self._passed = set[str]()

    def newest(self) -> Checkpoint | None:
        """Return the newest checkpoint whose files are as they were written, or None. Looks once."""
        if not self._searched:
            self._searched = True
            names = [item for item in reversed(self._names()) if item.name not in self._passed]
            self._loaded = next(filter(None, map(_verified, names)), None)
        return self._loaded

    @property
    def taken_up(self) -> str:
        """The name of the checkpoint that the fit is still reading; "" once it has gone on, or if there is none."""
        return self._loaded.folder.name if self._loaded is not None and self._next_at is None else ""

    def pass_over(self) -> bool:
        """Let the newest one be, as it cannot be read; say whether there is one before it."""
        if self._loaded is not None:
            self._passed.add(self._loaded.folder.name)
        self._searched = False
        return self.newest() is not None

    @property
    def due(self) -> bool:
        """Enough time has gone by since the last one (or the first question) for its cost not to matter."""
        now = time.monotonic()
        if self._next_at is None:
            self._next_at = now + _FIRST
        return now >= self._next_at

    def save(self, step: int, facts: dict[str, Any], write: Callable[[Path], None], beside: float = 0.0) -> None:
        """Keep the state after ``step``: ``write`` puts files into a folder. Raises DiskFull, the old ones whole.

        ``beside``: seconds that a checkpoint costs the fit beside this.
        """
        began = time.monotonic()
        names = self._names()
        number = int(names[-1].name.split("-")[0]) + 1 if names else 1
        target = self._folder / f"{number:06d}-{step}"
        draft = self._folder / f".{target.name}.tmp"
        with disk_errors("writing a checkpoint"):
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
            try:
                write(draft)
                (draft / "facts.json").write_text(json.dumps(facts), "utf-8")
                _seal(draft)
                draft.rename(target)
            except BaseException:
                shutil.rmtree(draft, ignore_errors=True)
                raise
            sync_directory(self._folder)
        self._announce(step, target.name)
        for old in self._names()[:-_KEEP]:
            shutil.rmtree(old, ignore_errors=True)
        now = time.monotonic()
        self._next_at = now + max(_LEAST, (now - began + beside) / _SHARE)

    def scratch(self) -> Path:
        """Return an empty folder for what a fit writes on its way; it goes when the checkpoints do. Raises DiskFull."""
        folder = self._folder / _SCRATCH
        with disk_errors("making room for a checkpoint"):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        return folder

    def _names(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        ours = [item for item in self._folder.iterdir() if _NAME.fullmatch(item.name) and item.is_dir()]
        return sorted(ours, key=lambda item: tuple(map(int, item.name.split("-"))))


def _seal(folder: Path) -> None:
    """Put everything in ``folder`` on disk, the list of hashes last."""
    hashes = {}
    for item in sorted(folder.iterdir()):
        with open(item, "rb") as file:
            hashes[item.name] = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
    write_atomic(folder / _HASHES, json.dumps(hashes).encode())


def _verified(folder: Path) -> Checkpoint | None:
    try:
        hashes = json.loads((folder / _HASHES).read_text("utf-8"))
        for name, digest in hashes.items():
            with open(folder / name, "rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                    return None
        found = Checkpoint(folder, int(folder.name.split("-")[1]))
        return found if isinstance(found.facts(), dict) else None
    except (OSError, ValueError, AttributeError, IndexError):
        return None  # torn or tampered with: an older one is used
