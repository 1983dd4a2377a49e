"""Rows on their way from a file to Parquet: text as it was read, in memory while small, in scratch files after."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from mldesk.core.durable import disk_errors

_IN_MEMORY = 256 * 1024 * 1024  # bytes of all the files of one import
_LEAST = 4 * 1024 * 1024        # bytes that are always worth waiting for


class Rows(Protocol):
    """The rows of a file as text columns; may be read any number of times."""

    @property
    def rows(self) -> int:
        """Return how many there are."""
        ...

    def batches(self, columns: Sequence[int] | None = None) -> Iterator[list[pa.Array]]:
        """Give the rows, as lists of arrays of one length: all columns, or those at the given places."""
        ...

    def clear(self) -> None:
        """Forget them; nobody asks again."""
        ...


class Spool:
    """Batches of text columns in the order they were added; may be read any number of times.

    A batch may have more columns than the ones before it: those had only missing values there.
    """

    def __init__(self, folder: Path, name: str, *, files: int = 3) -> None:
        """``files`` is how many share the memory, this one among them."""
        self.folder, self.name = folder, name
        self._first = _IN_MEMORY // max(1, files)
        self._least = min(_LEAST, _IN_MEMORY // 8)
        self._files: list[Path] = []
        self._writer: pa.ipc.RecordBatchStreamWriter | None = None
        self._batches: list[pa.RecordBatch] = []  # those after the last file
        self._bytes = 0
        self.rows: int = 0
        self.width = 0

    def add(self, columns: Sequence[pa.Array], rows: int) -> None:
        """Append ``rows`` rows. Raises DiskFull."""
        batch = pa.RecordBatch.from_arrays(list(columns), names=[str(index) for index in range(len(columns))])
        self.rows += rows
        self.width = max(self.width, len(columns))
        self._batches.append(batch)
        self._bytes += batch.nbytes
        if self._bytes > max(self._least, self._first if not self._files else self._first // 8):
            self._spill()

    def batches(self, columns: Sequence[int] | None = None) -> Iterator[list[pa.Array]]:
        """Give the rows again, as lists of arrays of one length: all columns, or those at the given places."""
        self._close_writer()
        chosen = list(range(self.width)) if columns is None else list(columns)
        for path in self._files:
            with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as reader:
                for batch in reader:
                    yield _padded(batch, chosen)
        for batch in self._batches:
            yield _padded(batch, chosen)

    def clear(self) -> None:
        """Forget every row and remove the files."""
        with contextlib.suppress(OSError):  # the disk may be full; what was written is removed all the same
            self._close_writer()
        for path in self._files:
            path.unlink(missing_ok=True)
        self._writer, self._files, self._batches = None, [], []
        self._bytes = self.rows = self.width = 0

    def _spill(self) -> None:
        with disk_errors("reading the file"):
            for batch in self._batches:
                if self._writer is None or self._schema != batch.schema:
                    self._open_writer(batch.schema)
                assert self._writer is not None  # noqa: S101 - for the type checker
                self._writer.write_batch(batch)
        self._batches, self._bytes = [], 0

    def _open_writer(self, schema: pa.Schema) -> None:
        self._close_writer()
        self._files.append(self.folder / f"{self.name}.{len(self._files)}.rows")
        self._schema = schema
        self._writer = pa.ipc.new_stream(str(self._files[-1]), schema,
                                         options=pa.ipc.IpcWriteOptions(compression="lz4"))

    def _close_writer(self) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            with disk_errors("reading the file"):
                writer.close()


def _padded(batch: pa.RecordBatch, chosen: Sequence[int]) -> list[pa.Array]:
    nothing = None
    arrays = []
    for index in chosen:
        if index < batch.num_columns:
            arrays.append(batch.column(index))
        else:
            nothing = pa.nulls(batch.num_rows, pa.string()) if nothing is None else nothing
            arrays.append(nothing)
    return arrays
