"""A job's journal: one line per event, append only, dense from 1, each line under its own checksum.

    9ae0daaf {"kind":"metrics","mark":[1,17],"payload":{...},"seq":23,"time":1732172000.25}

Eight hex digits of CRC-32 over the canonical JSON, a space, the JSON, a newline. Line n holds event n. ``mark`` says
which spool line an event came from (attempt, number), so that whoever goes on writing knows where to go on reading;
it is part of the same line and so never disagrees with it.

A crash leaves a torn last line, which is cut when the journal is opened for writing. A line that fails its checksum
with good ones after it is damage, and refused. One process writes at a time (see runner_agent.folder).
"""

from __future__ import annotations

import errno
import json
import os
import re
import time as clock
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

from mldesk.core import canonical
from mldesk.core.durable import sync_directory
from mldesk.core.errors import LibraryDamaged
from mldesk.wire.events import DURABLE, Event

FORMAT = 1                    # of what is written here; every lower one can be read, and an installer asks for it
SYNC_SECONDS = 1.0            # nothing stays longer than this in the page cache alone
MAX_LINE = 4 * 1024 * 1024    # bytes of one line
_KIND = re.compile(r"[a-z_]{1,32}")

Mark = tuple[int, int]        # attempt, number of the spool line


class JournalDamaged(LibraryDamaged):
    """A line in the middle of a journal is not what was written."""

    code = "journal_damaged"

    def __init__(self, name: str, line: int, why: str) -> None:
        super().__init__(f"Line {line} of the journal {name} is damaged: {why}.",
                         hint="The disk may be failing. The events before that line can still be read.")
        self.line = line


class SyncFailed(Exception):
    """A line was written and may not be on disk. Who writes must end; a new writer finds out what is there."""


def _refuse(constant: str) -> Any:
    raise ValueError(f"bare {constant} is not JSON")


# What canonical.dumps and canonical.loads do, made once: they are most of what a journal costs.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_DECODER = json.JSONDecoder(parse_constant=_refuse)


def encode(event: Event, mark: Mark | None = None) -> bytes:
    """Return the line for ``event``, newline included."""
    value: dict[str, Any] = {"kind": event.kind, "payload": event.payload, "seq": event.seq, "time": event.time}
    if mark is not None:
        value["mark"] = mark
    try:
        body = _ENCODER.encode(value).encode("utf-8", "surrogatepass")
    except (ValueError, TypeError):  # a number that is not finite, or a mapping that is no dict: the slow way
        body = canonical.dumps(value)
    return b"%08x " % zlib.crc32(body) + body + b"\n"


def sound(line: bytes) -> bool:
    """Say whether a line is whole and passes its checksum."""
    if len(line) < 11 or line[8:9] != b" " or not line.endswith(b"\n"):
        return False
    return b"%08x" % zlib.crc32(line[9:-1]) == line[:8]


def decode(line: bytes, number: int, name: str = "") -> tuple[Event, Mark | None]:
    """Read line ``number``. Raises JournalDamaged unless it is exactly what ``encode`` writes for that number."""
    if not sound(line):
        raise JournalDamaged(name, number, "its checksum does not match")
    try:
        value = _DECODER.decode(line[9:].decode("utf-8", "surrogatepass"))
        kind, payload, seq, moment = value["kind"], value["payload"], value["seq"], value["time"]
        mark = value.get("mark")
        right = (isinstance(kind, str) and _KIND.fullmatch(kind) is not None and isinstance(payload, dict)
                 and type(seq) is int and type(moment) in (int, float))
        when = float(moment) if right else 0.0
        pair = None if mark is None else (int(mark[0]), int(mark[1]))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise JournalDamaged(name, number, "it is not an event") from error
    if not right:
        raise JournalDamaged(name, number, "it is not an event")
    if seq != number:
        raise JournalDamaged(name, number, f"it holds event {seq}")
    return Event(seq, when, kind, payload), pair


def kind_of(line: bytes) -> str:
    """Return the kind of a sound line without parsing it ("" if it does not begin as canonical JSON does)."""
    end = line.find(b'"', 18, 60)
    return line[18:end].decode("ascii", "replace") if line[9:18] == b'{"kind":"' and end > 0 else ""


def read_events(path: Path, after: int = 0, limit: int = 1000) -> list[Event]:
    """Return up to ``limit`` events after number ``after``, stopping at a torn tail. A missing file has none.

    Raises JournalDamaged.
    """
    reader = JournalReader(path)
    reader.skip(after)
    return reader.read(limit)


class JournalReader:
    """Reads a journal that grows, from where it stopped the last time. Not for two threads at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self.last_seq = 0     # number of the last event read
        self.last_mark: Mark | None = None

    def skip(self, count: int) -> None:
        """Pass over up to ``count`` events without parsing them."""
        for line in self._lines(count):
            self._step(line)

    def read(self, limit: int = 1000) -> list[Event]:
        """Return the next events, at most ``limit``; an empty list when there is nothing new."""
        events = []
        for line in self._lines(limit):
            event, mark = decode(line, self.last_seq + 1, self._path.name)
            self.last_mark = mark or self.last_mark
            self._step(line)
            events.append(event)
        return events

    def lines(self, limit: int) -> Iterator[bytes]:
        """Give the next lines as they are, checksums verified."""
        for line in self._lines(limit):
            self._step(line)
            yield line

    @property
    def offset(self) -> int:
        """Bytes read so far; the next line begins here."""
        return self._offset

    def _step(self, line: bytes) -> None:
        self._offset += len(line)
        self.last_seq += 1

    def _lines(self, limit: int) -> Iterator[bytes]:
        try:
            file = open(self._path, "rb")  # noqa: SIM115 - closed by the with below
        except FileNotFoundError:
            return
        with file:
            file.seek(self._offset)
            for _ in range(limit):
                line = file.readline(MAX_LINE)
                if not sound(line):
                    _refuse_middle(file, line, self.last_seq + 1, self._path.name)
                    return
                yield line


class JournalWriter:
    """Appends events to one journal. Only one process may hold one at a time, which its caller sees to.

    ``on_full`` is called when the disk is full; if it frees space (returns True) the write is tried again.
    """

    def __init__(self, path: Path, handle: int, reader: JournalReader, on_full: Callable[[], bool] | None) -> None:
        self._path = path
        self._handle = handle
        self._size = reader.offset
        self._on_full = on_full
        self._synced = clock.monotonic()
        self._dirty = False
        self.last_seq = reader.last_seq
        self.last_mark = reader.last_mark

    @classmethod
    def open(cls, path: Path, *, on_full: Callable[[], bool] | None = None) -> JournalWriter:
        """Open or make the journal, cutting a torn tail. Raises JournalDamaged, OSError."""
        new = not path.exists()
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            reader = JournalReader(path)
            marked = None
            for line in reader.lines(_NO_LIMIT):
                if b'"mark":[' in line[:80]:
                    marked = line, reader.last_seq
            if marked is not None:
                reader.last_mark = decode(*marked, path.name)[1]
            if os.fstat(handle).st_size != reader.offset:
                os.ftruncate(handle, reader.offset)
                os.fsync(handle)
            if new:
                sync_directory(path.parent)
        except BaseException:
            os.close(handle)
            raise
        return cls(path, handle, reader, on_full)

    def append(self, kind: str, payload: Mapping[str, Any], *, time: float | None = None,
               mark: Mark | None = None) -> Event:
        """Write one event, on disk before the return if its kind is in DURABLE.

        Raises OSError (ENOSPC when even ``on_full`` freed nothing) with the journal as it was before, and SyncFailed.
        """
        event = Event(self.last_seq + 1, clock.time() if time is None else time, kind, dict(payload))
        line = encode(event, mark)
        self._write(line)
        self._size += len(line)
        self.last_seq = event.seq
        self.last_mark = mark or self.last_mark
        self._dirty = True
        if kind in DURABLE:
            self.sync()
        else:
            self.sync_if_due()
        return event

    def sync(self) -> None:
        """Put everything on disk. Raises SyncFailed."""
        if self._dirty:
            try:
                os.fsync(self._handle)
            except OSError as error:
                raise SyncFailed(f"{self._path.name}: {error}") from error
            self._dirty = False
        self._synced = clock.monotonic()

    def sync_if_due(self) -> None:
        """Call now and then: syncs what has waited for a second."""
        if self._dirty and clock.monotonic() - self._synced >= SYNC_SECONDS:
            self.sync()

    def close(self) -> None:
        """Sync and close; a second call does nothing."""
        if self._handle >= 0:
            try:
                self.sync()
            finally:
                os.close(self._handle)
                self._handle = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, line: bytes) -> None:
        while True:
            try:
                written = os.write(self._handle, line)
                if written == len(line):
                    return
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
            except OSError as error:
                os.ftruncate(self._handle, self._size)  # a short write is taken back
                if error.errno not in (errno.ENOSPC, errno.EDQUOT) or self._on_full is None or not self._on_full():
                    raise


_NO_LIMIT = 1 << 62


def _refuse_middle(file: BinaryIO, line: bytes, number: int, name: str) -> None:
    """Raise JournalDamaged if a good line follows the bad one; a bad end alone is a torn tail."""
    while line:
        line = file.readline(MAX_LINE)
        if sound(line):
            raise JournalDamaged(name, number, "its checksum does not match")
