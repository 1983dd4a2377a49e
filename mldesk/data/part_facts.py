"""What is found out about a table while its parts are written, so that nobody reads them again for it: how many
different values its columns have, and the digests of its files."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Container, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

from mldesk.core.cores import usable_cores
from mldesk.data.columns.different import Different
from mldesk.wire.manifest import CHUNK, Entry

_HELD = 10_000_000        # values that are held in memory for all columns together: 80 MB
_SYNCED = 4 * CHUNK       # bytes that are written between two waits for the disk


class ColumnCounts:
    """How many different values columns have. Those of which there are too many to hold are given up."""

    def __init__(self, names: Sequence[str], only: Container[str] | None = None) -> None:
        """Only the columns ``only``, if given, are counted."""
        self._counts = [Different() if only is None or name in only else None for name in names]

    def add(self, table: pa.Table) -> pa.Table:
        """Look at the next rows; return them, with texts that come again and again encoded by a dictionary."""
        columns = table.columns
        for place, counts in enumerate(self._counts):
            if counts is None:
                continue
            if counts.few and pa.types.is_string(columns[place].type):
                columns[place] = columns[place].dictionary_encode()
            counts.add(columns[place])
        held = [counts.held if counts is not None else 0 for counts in self._counts]
        while sum(held) > _HELD:
            most = max(range(len(held)), key=held.__getitem__)
            counts, held[most] = self._counts[most], 0
            if counts is not None:
                counts.forget()
        return pa.Table.from_arrays(columns, table.column_names)

    def found(self) -> list[int | None]:
        """Return the counts; None for a column that was given up, 0 for one that was not to be counted."""
        with ThreadPoolExecutor(min(4, usable_cores()), "values") as pool:  # numpy lets go of Python's lock
            return list(pool.map(lambda counts: 0 if counts is None else counts.count(), self._counts))


class Followed:
    """A file that is hashed while it grows, by a thread that is given, and brought to the disk on the way."""

    def __init__(self, path: Path, thread: ThreadPoolExecutor) -> None:
        self._thread = thread
        # Only Windows wants more than reading for a sync.
        self._file = open(path, "rb+" if os.name == "nt" else "rb")  # noqa: SIM115 - it stays open while it is followed
        self._whole, self._chunks, self._size, self._synced = hashlib.sha256(), list[str](), 0, 0
        self._last: Future[None] | None = None

    def grown(self) -> None:
        """Say that there is more of it. May raise what reading, or waiting for the disk, raised before."""
        if self._last is None or self._last.done():
            if self._last is not None:
                self._last.result()
            self._last = self._thread.submit(self._follow, last=False)

    def end(self) -> None:
        """Say that it is whole."""
        before = self._last
        self._last = self._thread.submit(self._follow, last=True)
        if before is not None:
            before.result()

    def entry(self, name: str) -> Entry:
        """Return what a manifest says of it, once it is known. Raises OSError."""
        assert self._last is not None  # noqa: S101 - for the type checker
        self._last.result()
        self._file.close()
        whole = self._whole.hexdigest()
        return Entry(name, self._size, whole, tuple(self._chunks) if len(self._chunks) > 1 else (whole,))

    def abandon(self) -> None:
        """Let go of it; its thread has ended."""
        with contextlib.suppress(OSError):
            self._file.close()

    def _follow(self, *, last: bool) -> None:
        end = os.fstat(self._file.fileno()).st_size
        while self._size < end if last else self._size + CHUNK <= end:
            data = self._file.read(min(CHUNK, end - self._size))
            self._size += len(data)
            self._whole.update(data)
            self._chunks.append(hashlib.sha256(data).hexdigest())
        if last or self._size - self._synced >= _SYNCED:
            os.fsync(self._file.fileno())
            self._synced = self._size
