"""Parquet parts: the bytes a table is kept as. The same rows always give the same bytes.

A part holds at most a million rows or about 64 MB; its row groups are alike in every part, so that a page is found by
arithmetic.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mldesk.core.durable import disk_errors
from mldesk.data.types import arrow_schema
from mldesk.wire.manifest import Manifest, read_entry
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import ColumnType

GROUP_ROWS = 122_880          # of a row group, unless the table is very wide
PART_ROWS = 8 * GROUP_ROWS    # 983,040
PART_BYTES = 64 * 1024 * 1024
_GROUP_CELLS = 16_000_000     # of a row group at most
_DOING = "writing the table"


def group_rows(width: int) -> int:
    """Return the rows of a row group of a table with ``width`` columns."""
    return max(1024, min(GROUP_ROWS, _GROUP_CELLS // max(1, width)))


class PartWriter:
    """Writes typed columns to ``folder`` as parts, however they are cut into batches."""

    def __init__(self, folder: Path, names: Sequence[str], types: Sequence[ColumnType]) -> None:
        self._folder = folder
        self._schema = arrow_schema(names, types)
        self._group = group_rows(len(names))
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        self._writer: pq.ParquetWriter | None = None
        self._part_rows = 0
        self.rows = 0
        self.missing = [0] * len(names)
        self.paths: list[Path] = []

    def write(self, columns: Sequence[pa.Array]) -> None:
        """Append rows. Raises DiskFull."""
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
        self._close_part()
        return self.paths

    def abandon(self) -> None:
        """Stop without caring for the parts; the folder is about to be removed."""
        writer, self._writer = self._writer, None
        if writer is not None:
            try:
                writer.close()
            except OSError:  # the disk is full; that was said already
                pass

    def _write_group(self, rows: int) -> None:
        whole = pa.concat_tables(self._waiting)
        group = whole.slice(0, rows).combine_chunks()
        rest = whole.slice(rows)
        self._waiting = [rest] if rest.num_rows else []
        self._waiting_rows = rest.num_rows
        with disk_errors(_DOING):
            if self._writer is None:
                self._open_part()
            assert self._writer is not None  # noqa: S101 - for the type checker
            self._writer.write_table(group, row_group_size=self._group)
        self._part_rows += rows
        if self._part_rows + self._group > PART_ROWS or self.paths[-1].stat().st_size >= PART_BYTES:
            self._close_part()

    def _open_part(self) -> None:
        path = self._folder / f"{len(self.paths):05d}.parquet"
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd", version="2.6", store_schema=False,
                                        write_page_index=False)
        self.paths.append(path)
        self._part_rows = 0

    def _close_part(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            with disk_errors(_DOING):
                writer.close()


def keep(store: ObjectStore, paths: Sequence[Path]) -> tuple[str, int]:
    """Move the parts into the store; return the manifest's digest and the bytes of all parts.

    If that fails half-way (DiskFull), what it had put is taken out again, unless it was there before.
    """
    entries = []
    for number, path in enumerate(paths):
        with open(path, "rb") as file:
            entries.append(read_entry(file, part_name(number)))
    manifest = Manifest(tuple(entries))
    digest = hashlib.sha256(manifest.to_bytes()).hexdigest()
    fresh = [item for item in (*(entry.sha256 for entry in entries), digest) if not store.has(item)]
    done: dict[str, int] = {}  # what was put, and when, as the store saw it
    try:
        for entry, path in zip(entries, paths, strict=True):
            store.put_file(path, move=True)
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
