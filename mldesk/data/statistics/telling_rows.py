"""Rows that show what two columns have to do with one another, few enough to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mldesk.data.statistics.scan import Coder, is_number, numbers, places_of, sample
from mldesk.wire.schema import Column

_GROUPS = 6    # values of the target that are shown, the most frequent ones
_OF_EACH = 5   # rows of each


def telling_rows(parts: Sequence[Path], columns: Sequence[Column], name: str, target: str, *,
                 classes: bool) -> list[list[int]]:
    """Return rows from 0 in which a column and the target are known, from the least to the greatest of the column.

    With ``classes`` a list of rows for each value of the target; else one list over the whole spread of the target.
    """
    places = places_of(columns)
    table, rows = sample(parts, [places[name], places[target]])
    known = np.asarray(table.column(0).is_valid()) & np.asarray(table.column(1).is_valid())
    order = np.argsort(_ranks(table.column(0), columns[places[name]]), kind="stable")
    order = order[known[order]]
    if not classes:
        y = numbers(table.column(1), columns[places[target]].type)
        return [rows[_spread(order[np.argsort(y[order], kind="stable")], _GROUPS * _OF_EACH)].tolist()]
    codes = Coder().codes(table.column(1))
    frequent = np.argsort(-np.bincount(codes[order], minlength=1), kind="stable")[:_GROUPS]
    return [found for code in frequent if (found := rows[_spread(order[codes[order] == code], _OF_EACH)].tolist())]


def _ranks(values: pa.ChunkedArray, column: Column) -> npt.NDArray[np.float64]:
    if is_number(column):
        return numbers(values, column.type)
    return Coder().codes(values).astype(np.float64)


def _spread(rows: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.int64]:
    """Return at most so many of ``rows``, evenly from the first to the last."""
    if len(rows) <= most:
        return rows
    some: npt.NDArray[np.int64] = rows[np.linspace(0, len(rows) - 1, most).round().astype(int)]
    return some
