"""Parquet parts: the bytes a table is kept as. The same rows always give the same bytes.

A part holds at most a million rows or about 64 MB; its row groups are alike in every part, so that a page is found by
arithmetic.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import deque
from collections.abc import Callable, Container, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from mldesk.core.durable import disk_errors
from mldesk.core.errors import DiskFull
from mldesk.data.counting import distinct_counts
from mldesk.data.part_facts import ColumnCounts, Followed
from mldesk.data.part_layout import as_laid_out, layout_of
from mldesk.data.types import arrow_schema
from mldesk.wire.manifest import Entry, Manifest
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import ColumnType

GROUP_ROWS = 30_720           # of a row group, unless the table is very wide: a page of rows is that much to read
PART_ROWS = 32 * GROUP_ROWS   # 983,040
PART_BYTES = 64 * 1024 * 1024
_GROUP_CELLS = 16_000_000     # of a row group at most
_AHEAD = 2                    # row groups that wait for being written
_DOING = "writing the table"


def group_rows(width: int) -> int:
    """Return the rows of a row group of a table with ``width`` columns."""
    return max(1024, min(GROUP_ROWS, _GROUP_CELLS // max(1, width)))


class PartWriter:
    """Writes typed columns to ``folder`` as parts, however they are cut into batches, in threads of its own, which also
    count the different values of the columns and hash the parts.

    ``close`` or ``abandon`` must be called, which end those threads.
    """

    def __init__(self, folder: Path, names: Sequence[str], types: Sequence[ColumnType],
                 counted: Container[str] | None = None) -> None:
        """Different values are counted in the columns ``counted`` only, if given."""
        self._schema = arrow_schema(names, types)
        self._group = group_rows(len(names))
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        self._counted, self._counts = counted, ColumnCounts(names, counted)
        self._threads = [ThreadPoolExecutor(1, name) for name in ("parts", "values", "hashes")]
        self._parts = _Parts(folder, self._schema, self._group, self._threads[2])
        self._writing: deque[Future[None]] = deque()
        self._found: list[int | None] = []
        self.rows = 0
        self.missing = [0] * len(names)

    @property
    def paths(self) -> list[Path]:
        return self._parts.paths

    @property
    def entries(self) -> list[Entry]:
        """What a manifest of the parts says, once they are closed."""
        return self._parts.entries

    def write(self, columns: Sequence[pa.Array]) -> None:
        """Append rows. Raises DiskFull, perhaps for rows that came before."""
        table = pa.Table.from_arrays(list(columns), schema=self._schema)
        for index, column in enumerate(table.columns):
            self.missing[index] += column.null_count
        self.rows += table.num_rows
        self._waiting.append(table)
        self._waiting_rows += table.num_rows
        while self._waiting_rows >= self._group:
            self._write_group(self._group)

    def close(self) -> list[Path]:
        """Write what is waiting; return the parts in order. Raises DiskFull."""
        while self._waiting_rows:
            self._write_group(min(self._group, self._waiting_rows))
        found = self._threads[1].submit(self._counts.found)   # once all is counted, while the last of it is written
        while self._writing:
            self._wait()
        self._parts.close()
        self._parts.finish()
        self._found = found.result()
        self._end()
        return self.paths

    def distinct(self, scratch: Path, check: Callable[[], None] = lambda: None) -> list[int]:
        """Return the number of different values per column, as ``distinct_counts`` does, once the parts are closed."""
        found, names = self._found, self._schema.names
        lost = {name for name, count in zip(names, found, strict=True) if count is None}
        after = distinct_counts(self.paths, names, scratch, check, only=lost) if lost else [0] * len(names)
        return [more if count is None else count for count, more in zip(found, after, strict=True)]

    def abandon(self) -> None:
        """Stop without caring for the parts; the folder is about to be removed. After ``close`` it does nothing."""
        self._end()
        self._writing.clear()
        with contextlib.suppress(OSError, DiskFull):  # the disk is full; that was said already
            self._parts.abandon()

    def _end(self) -> None:
        for thread in self._threads:
            thread.shutdown(cancel_futures=True)

    def _wait(self) -> None:
        self._writing.popleft().result()

    def _write_group(self, rows: int) -> None:
        whole = pa.concat_tables(self._waiting)
        rest = whole.slice(rows)
        self._waiting = [rest] if rest.num_rows else []
        self._waiting_rows = rest.num_rows
        while len(self._writing) >= _AHEAD:
            self._wait()
        counted = self._threads[1].submit(self._count, whole.slice(0, rows))
        self._writing.append(self._threads[0].submit(lambda: self._parts.write_group(counted.result())))

    def _count(self, group: pa.Table) -> pa.Table:
        return self._counts.add(group.combine_chunks())


class _Parts:
    """The files, as one thread writes them."""

    def __init__(self, folder: Path, schema: pa.Schema, group: int, hashing: ThreadPoolExecutor) -> None:
        self._folder, self._schema, self._group, self._hashing = folder, schema, group, hashing
        self._writer: pq.ParquetWriter | None = None
        self._followed: list[Followed] = []
        self.entries: list[Entry] = []
        self._rows = 0
        self.paths: list[Path] = []

    def write_group(self, group: pa.Table) -> None:
        with disk_errors(_DOING):
            if self._writer is None:
                self._writer = self._open(group)
            self._writer.write_table(as_laid_out(group, self._writer.schema), row_group_size=self._group)
            self._followed[-1].grown()
        self._rows += group.num_rows
        if self._rows + self._group > PART_ROWS or self.paths[-1].stat().st_size >= PART_BYTES:
            self.close()

    def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            with disk_errors(_DOING):
                writer.close()
                self._followed[-1].end()

    def finish(self) -> None:
        """Wait until every part is hashed and on the disk."""
        with disk_errors(_DOING):
            self.entries = [followed.entry(part_name(number)) for number, followed in enumerate(self._followed)]

    def abandon(self) -> None:
        """Close what is open. The threads have ended."""
        for followed in self._followed:
            followed.abandon()
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _open(self, group: pa.Table) -> pq.ParquetWriter:
        path = self._folder / f"{len(self.paths):05d}.parquet"
        self.paths.append(path)
        self._rows = 0
        layout = layout_of(group)
        writer = pq.ParquetWriter(path, layout.schema(self._schema), compression="zstd", version="2.6",
                                  store_schema=False, write_page_index=False, use_dictionary=list(layout.repeating),
                                  column_encoding=dict(layout.encodings))
        self._followed.append(Followed(path, self._hashing))
        return writer


class ClosedParts(Protocol):
    """Parts that are whole: a PartWriter that is closed, or what another process wrote."""

    @property
    def entries(self) -> Sequence[Entry]: ...

    @property
    def paths(self) -> Sequence[Path]: ...


def keep(store: ObjectStore, parts: ClosedParts) -> tuple[str, int]:
    """Move closed parts into the store; return the manifest's digest and the bytes of all parts.

    If that fails half-way (DiskFull), what it had put is taken out again, unless it was there before.
    """
    manifest = Manifest(tuple(parts.entries))
    digest = hashlib.sha256(manifest.to_bytes()).hexdigest()
    fresh = [item for item in (*(entry.sha256 for entry in parts.entries), digest) if not store.has(item)]
    done: dict[str, int] = {}  # what was put, and when, as the store saw it
    try:
        for entry, path in zip(parts.entries, parts.paths, strict=True):
            store.put_file(path, move=True, known=entry)
            done[entry.sha256] = _touched(store, entry.sha256)
        return store.put_bytes(manifest.to_bytes()), manifest.size
    except BaseException:
        for item in fresh:
            # Another import of the same rows may have found the object here: it touched it then, and needs it.
            if store.has(item) and done.get(item, _touched(store, item)) == _touched(store, item):
                store.delete(item)
        raise


def _touched(store: ObjectStore, digest: str) -> int:
    return store.path(digest).stat().st_mtime_ns


def part_name(number: int) -> str:
    """Return the name of a part in the manifest; names sort as the rows do."""
    return f"parts/{number:05d}.parquet"


def part_paths(store: ObjectStore, manifest: str) -> list[Path]:
    """Return the files of a table's parts, in the order of its rows. Raises ObjectMissing, LibraryDamaged."""
    return [store.path(entry.sha256) for entry in store.manifest(manifest).entries if entry.path.startswith("parts/")]
