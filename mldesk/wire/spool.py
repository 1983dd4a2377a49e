"""The trainer's side of a job's journal: numbered JSON lines in ``spool.<attempt>``, read by the supervisor.

    {"kind":"metrics","n":17,"step":40,"time":1732172000.25,"values":{"train_loss":0.31}}

The trainer writes each line whole, with one O_APPEND write, so a kill leaves whole lines; numbers let a supervisor
that takes over go on after the last line that is in the journal.
"""

from __future__ import annotations

import json
import os
import time as clock
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mldesk.core import canonical
from mldesk.core.durable import sync_directory
from mldesk.wire.events import DURABLE, TERMINAL

SPOOL_KINDS = frozenset({"started", "stage", "progress", "metrics", "log", "resources", "checkpoint", "artifact",
                         "trial", "warning", "succeeded", "failed", "cancelled"})
MAX_LINE = 1024 * 1024     # bytes; a longer line is dropped with a warning
BLOCK = 4 * 1024 * 1024    # bytes read at once


@dataclass(frozen=True, slots=True)
class SpoolLine:
    """One line of a spool. ``n`` counts from 1 within an attempt."""

    n: int
    time: float
    kind: str
    payload: Mapping[str, Any]

    @property
    def terminal(self) -> bool:
        return self.kind in TERMINAL


class SpoolWriter:
    """Appends to a spool that no other process writes."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o600)
        self._n = 0
        sync_directory(path.parent)

    def append(self, kind: str, payload: Mapping[str, Any]) -> int:
        """Write one line and return its number; on disk before the return if the kind asks for that."""
        self._n += 1
        data = canonical.dumps({**payload, "n": self._n, "time": clock.time(), "kind": kind}) + b"\n"
        while data:  # a second write only after a short one, which a full disk or a signal causes
            data = data[os.write(self._handle, data):]
        if kind in DURABLE:
            os.fsync(self._handle)
        return self._n

    def close(self) -> None:
        """Close the file; nothing is synced here."""
        os.close(self._handle)


class SpoolReader:
    """Reads the whole lines that were added since the last call, numbers above ``after`` only."""

    def __init__(self, path: Path, after: int = 0) -> None:
        self._path = path
        self._offset = 0
        self._last = after
        self._skipping = False
        self.problems: list[str] = []  # what was dropped and why; the reader's owner empties it

    def read(self) -> list[SpoolLine]:
        """Return the new lines, an empty list when there are none (or no file yet)."""
        try:
            with open(self._path, "rb") as file:
                file.seek(self._offset)
                block = file.read(BLOCK)
        except FileNotFoundError:
            return []
        end = block.rfind(b"\n") + 1
        if not end and len(block) > MAX_LINE:
            self._skipping, self._offset = True, self._offset + len(block)
            return []
        self._offset += end
        return [line for raw in block[:end].split(b"\n")[:-1] if (line := self._line(raw)) is not None]

    def _line(self, raw: bytes) -> SpoolLine | None:
        if self._skipping or len(raw) > MAX_LINE:
            self._skipping = False
            self.problems.append("a report of the trainer was too long to keep")
            return None
        try:
            value = json.loads(raw)
            n, moment, kind = value.pop("n"), value.pop("time"), value.pop("kind")
            if type(n) is not int or type(moment) not in (int, float) or kind not in SPOOL_KINDS:
                raise ValueError("not a spool line")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self.problems.append("a report of the trainer could not be read")
            return None
        if n <= self._last:
            return None
        self._last = n
        return SpoolLine(n, float(moment), kind, value)
