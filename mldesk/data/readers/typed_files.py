"""Files that know the types of their columns: Parquet, and Arrow in its file (Feather) and stream formats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq


class TypedFile(Protocol):
    """Batches of columns that have types."""

    what: str      # with an article, for sentences: "a Parquet file"
    format: str    # one of FORMATS

    def open(self) -> tuple[pa.Schema, int | None]:
        """Return the schema, and the number of rows where it is known. Raises what Arrow raises."""
        ...

    def batches(self, places: Sequence[int], rows: int) -> Iterator[pa.RecordBatch]:
        """Give the columns at ``places``, at most ``rows`` at a time. Raises what Arrow raises."""
        ...


class ParquetRows:
    """A Parquet file. Checksums of its pages are compared where it has any."""

    what, format = "a Parquet file", "parquet"

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self) -> tuple[pa.Schema, int | None]:
        with self._file() as file:
            return file.schema_arrow, file.metadata.num_rows

    def batches(self, places: Sequence[int], rows: int) -> Iterator[pa.RecordBatch]:
        with self._file() as file:
            names = [file.schema_arrow.field(place).name for place in places]
            whole = len(places) == len(file.schema_arrow)
            for batch in file.iter_batches(rows, columns=None if whole else names):
                yield batch if whole else batch.select(names)

    def _file(self) -> pq.ParquetFile:
        return pq.ParquetFile(self._path, page_checksum_verification=True)


class ArrowRows:
    """An Arrow file (Feather of the second version) or stream."""

    what, format = "an Arrow file", "arrow"

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self) -> tuple[pa.Schema, int | None]:
        with pa.OSFile(str(self._path)) as file:
            if self._is_file():
                return pa.ipc.open_file(file).schema, None
            return pa.ipc.open_stream(file).schema, None

    def batches(self, places: Sequence[int], rows: int) -> Iterator[pa.RecordBatch]:
        options = pa.ipc.IpcReadOptions(use_threads=False)
        with pa.OSFile(str(self._path)) as file:
            if self._is_file():
                reader = pa.ipc.open_file(file, options=options)
                whole = (reader.get_batch(number) for number in range(reader.num_record_batches))
            else:
                whole = iter(pa.ipc.open_stream(file, options=options))
            for batch in whole:
                batch.validate(full=True)  # before it is cut: offsets of a damaged one may point anywhere
                chosen = batch.select(list(places))
                for first in range(0, chosen.num_rows, rows):
                    yield chosen.slice(first, rows)

    def _is_file(self) -> bool:
        with open(self._path, "rb") as file:
            return file.read(6) == b"ARROW1"
