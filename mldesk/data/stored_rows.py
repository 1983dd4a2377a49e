"""The rows of Parquet parts by their places: of a table of any length only the row groups asked for are read."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


class StoredRows:
    """Reads rows of parts, which are one below the other. Not thread-safe. Raises OSError, ArrowException."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = list(paths)
        self._facts = [pq.read_metadata(path) for path in paths]
        self.counts = [part.num_rows for part in self._facts]
        # Where each row group begins; parts of our own making have them all alike, files of others need not.
        self._begins = [list(accumulate((part.row_group(index).num_rows for index in range(part.num_row_groups)),
                                        initial=0)) for part in self._facts]
        self._group: tuple[int, int, pa.Table] | None = None   # part, row group, its rows: the one read last

    def forget(self) -> None:
        """Let go of what was read last."""
        self._group = None

    def slice(self, offset: int, limit: int) -> pa.Table:
        """Return rows by their place: only the row groups they lie in are read."""
        pieces: list[pa.Table] = []
        first = 0
        for part, count in enumerate(self.counts):
            start, stop = max(offset, first), min(offset + limit, first + count)
            if start < stop:
                pieces += self._slices(part, start - first, stop - first)
            first += count
        if not pieces:
            return pa.table({})
        return pa.concat_tables(pieces)

    def _slices(self, part: int, start: int, stop: int) -> Iterator[pa.Table]:
        begins = self._begins[part]
        group = bisect_right(begins, start) - 1
        while begins[group] < stop:
            if self._group is None or self._group[:2] != (part, group):
                self._group = (part, group, self._read_group(part, group))
            first, last = max(start, begins[group]), min(stop, begins[group + 1])
            yield self._group[2].slice(first - begins[group], last - first)
            group += 1

    def take(self, places: Sequence[int]) -> pa.Table:
        """Return rows by their places, in any order: the row groups that they lie in are read, each once."""
        if not len(places):
            return self.slice(0, 0)
        starts = list(accumulate(self.counts, initial=0))
        wanted: dict[tuple[int, int], list[int]] = {}   # of each group the rows, by where they are wanted
        for index, place in enumerate(places):
            part = bisect_right(starts, place) - 1
            group = bisect_right(self._begins[part], place - starts[part]) - 1
            wanted.setdefault((part, group), []).append(index)
        pieces: list[pa.Table] = []
        for (part, group), some in sorted(wanted.items()):
            first = starts[part] + self._begins[part][group]
            pieces.append(self._read_group(part, group).take([places[index] - first for index in some]))
        order = np.argsort(np.array([index for _, some in sorted(wanted.items()) for index in some]))
        return pa.concat_tables(pieces).take(order)

    def _read_group(self, part: int, group: int) -> pa.Table:
        with pq.ParquetFile(self._paths[part], metadata=self._facts[part]) as file:
            return file.read_row_group(group)
