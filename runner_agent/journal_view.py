"""What a job's journal says so far, kept up to date by reading only what is new, and its raw lines by number.

Most lines (metrics, progress) are checked and counted but never parsed here: those who follow a job parse them.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mldesk.core.errors import LibraryDamaged
from mldesk.wire.events import TERMINAL, Event, state_after
from mldesk.wire.jobs import check_moment
from mldesk.wire.journal import JournalReader, decode, kind_of, sound
from mldesk.wire.states import JobState

_STEP = 64                 # every so many lines, where one begins is remembered
_ALL = 1 << 62
_TAIL = 64 * 1024          # bytes
_SPEAKING = TERMINAL | {"queued", "scheduled", "staged", "started", "stopping"}  # what changes what is known here


class JournalView:
    """One job's journal as its readers in this process share it. Safe for any number of threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader = JournalReader(path)
        self._begins = [0]         # byte offset of lines 1, 65, 129, ...
        self._synced = 0           # bytes that are certainly on disk
        self._lock = threading.Lock()
        self.state = JobState.CREATED
        self.cause: str | None = None
        self.attempt = 0           # how often it was queued
        self.queued = 0.0          # when it last was, wall clock
        self.priority = 0          # with which it last was
        self.scheduled: float | None = None   # the moment that was chosen for it since it was submitted; 0: at once
        self.reboots = 0           # how often in a row a restart of the machine had it queued again
        self.resumes = False       # it was interrupted, and the runner is to queue it again
        self.stopping: tuple[str, float] | None = None   # what was asked last in this attempt, and when
        self.commands: set[str] = set()                  # ids of commands that were acted on

    @property
    def last_seq(self) -> int:
        return self._reader.last_seq

    def refresh(self) -> JournalView:
        """Read what is new. Raises JournalDamaged."""
        with self._lock:
            self._refresh()
        return self

    def lines(self, after: int, limit: int, most: int) -> bytes:
        """Return the lines after number ``after``: at most ``limit``, and ``most`` bytes unless one alone has more.

        They are on disk when this returns, so that no power cut takes back what somebody has seen.
        """
        with self._lock:
            self._refresh()
            if after >= self.last_seq:
                return b""
            begin, skip = self._begins[after // _STEP], after % _STEP
            with open(self._path, "rb") as file:
                if self._synced < self._reader.offset:
                    end = self._reader.offset
                    _sync(self._path)
                    self._synced = end
                file.seek(begin)
                for _ in range(skip):
                    begin += len(file.readline())
                data = file.read(min(most, self._reader.offset - begin))
                if b"\n" not in data:
                    data += file.readline()
        return data[:_end_of_line(data, limit)]

    def _refresh(self) -> None:
        for line in self._reader.lines(_ALL):
            if self._reader.last_seq % _STEP == 0:
                self._begins.append(self._reader.offset)
            if kind_of(line) in _SPEAKING:
                self._learn(decode(line, self._reader.last_seq, self._path.name)[0])

    def _learn(self, event: Event) -> None:
        self.state = state_after(event.kind, self.state)
        self.cause = str(event.payload["cause"]) if event.kind in TERMINAL and "cause" in event.payload else None
        self.resumes = event.kind == "interrupted" and event.payload.get("resumes") is True
        if event.kind == "queued":
            self.attempt += 1
            self.queued, self.stopping = event.time, None
            self.priority = int(event.payload.get("priority", 0))
            self.reboots = self.reboots + 1 if event.payload.get("by") == "reboot" else 0
        elif event.kind == "scheduled":
            with contextlib.suppress(ValueError):   # of a history that came from elsewhere
                self.scheduled = check_moment(event.payload.get("not_before"))
        elif event.kind == "stopping":
            self.stopping = (str(event.payload.get("asked")), event.time)
        if "command" in event.payload:
            self.commands.add(str(event.payload["command"]))


def last_line(path: Path) -> Mapping[str, Any]:
    """Return the last event of a journal as JSON without reading the rest; empty when the end is not plain to see."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            tail = file.read()
    except FileNotFoundError:
        return {}
    lines = tail.splitlines(keepends=True)
    if not lines or not sound(lines[-1]):
        return {}
    value: Mapping[str, Any] = json.loads(lines[-1][9:])
    return value


def ended_state(path: Path) -> tuple[JobState, str | None, int] | None:
    """Return (state, cause, last number) of a journal that ends with a terminal event, else None."""
    value = last_line(path)
    try:
        if value and value["kind"] in TERMINAL:
            return state_after(value["kind"], JobState.RUNNING), value["payload"].get("cause"), int(value["seq"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LibraryDamaged(f"The last line of the journal {path.name} is no event.") from error
    return None


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _end_of_line(data: bytes, limit: int) -> int:
    """Return where the last whole line ends, of at most ``limit``."""
    end = 0
    for _ in range(limit):
        following = data.find(b"\n", end) + 1
        if not following:
            break
        end = following
    return end
