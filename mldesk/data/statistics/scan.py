"""A table read from end to end for statistics: numbers and category codes a piece at a time, and a sample of rows.

Nothing here holds more of the table than one piece and the sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mldesk.data.stopping import check_stopped
from mldesk.wire.schema import Column, ColumnType

Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

BATCH = 122_880       # rows of a piece
_AT_ONCE = 4_000_000   # cells of whole columns that are held
SAMPLE = 100_000      # rows of the sample at most
CATEGORIES = 100      # different values up to which a column is one of categories


def batches(parts: Sequence[Path], places: Sequence[int], size: int = BATCH) -> Iterator[pa.RecordBatch]:
    """Give the columns at ``places``, in that order, piece by piece. Raises ImportCancelled when it is to stop."""
    for path in parts:
        with pq.ParquetFile(path) as file:
            ascending = {place: order for order, place in enumerate(sorted(places))}
            order = [ascending[place] for place in places]
            # By place, not by name: pyarrow reads "a.b" when asked for "a".
            for batch in file.reader.iter_batches(size, list(range(file.num_row_groups)),
                                                  column_indices=sorted(places)):
                check_stopped()
                yield pa.RecordBatch.from_arrays([batch.column(place) for place in order],
                                                 names=[str(place) for place in places])


def whole_column(parts: Sequence[Path], place: int, kind: ColumnType) -> Numbers:
    """Return all of one column as ``numbers`` does, (rows,)."""
    pieces = [numbers(batch.column(0), kind) for batch in batches(parts, [place])]
    return np.concatenate(pieces) if pieces else np.empty(0)


def whole_columns(parts: Sequence[Path], wanted: Sequence[tuple[int, ColumnType]]) -> Iterator[Numbers]:
    """Give all of each column as ``whole_column`` does, several read at once: a wide file is slow to open."""
    together = max(1, _AT_ONCE // max(1, rows_of(parts)))
    for first in range(0, len(wanted), together):
        some = wanted[first:first + together]
        pieces = [[numbers(column, kind) for column, (_, kind) in zip(batch.columns, some, strict=True)]
                  for batch in batches(parts, [place for place, _ in some])]
        for column in zip(*pieces, strict=True):
            yield np.concatenate(column)


def rows_of(parts: Sequence[Path]) -> int:
    """Return how many rows the parts have."""
    return sum(pq.read_metadata(path).num_rows for path in parts)


def numbers(values: pa.Array | pa.ChunkedArray, kind: ColumnType) -> Numbers:
    """Return numbers or moments (as seconds) as float64, NaN where they are missing or infinite."""
    if kind.temporal:
        if kind is ColumnType.DATE:
            found = np.asarray(pc.cast(pc.cast(values, pa.int32()), pa.float64()).fill_null(np.nan)) * 86_400.0
        else:
            found = np.asarray(pc.cast(pc.cast(values, pa.int64()), pa.float64(), safe=False).fill_null(np.nan)) / 1e6
    else:
        found = np.asarray(pc.cast(values, pa.float64(), safe=False).fill_null(np.nan))
    return np.where(np.isfinite(found), found, np.nan)


class Coder:
    """Numbers the different values of a column in the order they come. Values are plain JSON."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._codes: dict[Any, int] = {}

    def codes(self, values: pa.Array | pa.ChunkedArray) -> Codes:
        """Return the codes of some values, -1 where they are missing."""
        if isinstance(values, pa.ChunkedArray):
            values = values.combine_chunks()
        coded = values.dictionary_encode()
        own = [self._code(value) for value in coded.dictionary.to_pylist()]
        places = np.asarray(coded.indices.fill_null(len(own))).astype(np.int64)
        return np.array([*own, -1], dtype=np.int64)[places]

    def _code(self, value: Any) -> int:
        if value is None or value != value:
            return -1
        if value not in self._codes:
            self._codes[value] = len(self.values)
            self.values.append(value)
        return self._codes[value]


def sampled_rows(rows: int, most: int = SAMPLE) -> npt.NDArray[np.int64]:
    """Return the rows of the sample, ascending: all of a short table, else always the same ones drawn at random."""
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(rows).choice(rows, most, replace=False))


def sample(parts: Sequence[Path], places: Sequence[int], most: int = SAMPLE) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """Return the sampled rows of some columns, named by their places, and which rows they are."""
    wanted = sampled_rows(rows_of(parts), most)
    taken, first = [], 0
    for batch in batches(parts, places):
        low, high = np.searchsorted(wanted, [first, first + batch.num_rows])
        taken.append(batch.take(pa.array(wanted[low:high] - first)))
        first += batch.num_rows
    if not taken:
        return pa.table({str(place): pa.array([], pa.null()) for place in places}), wanted
    return pa.Table.from_batches(taken), wanted


def is_number(column: Column) -> bool:
    """Say whether statistics take a column for a number: numbers, and moments as seconds."""
    return column.type.numeric or column.type.temporal


def is_category(column: Column) -> bool:
    """Say whether statistics take a column for one of categories: text and truth values of few kinds."""
    return not is_number(column) and 0 < column.distinct <= CATEGORIES


def places_of(columns: Sequence[Column]) -> dict[str, int]:
    """Return each column's place by its name."""
    return {column.name: place for place, column in enumerate(columns)}
