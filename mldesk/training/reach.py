"""How far the numbers reach that a model learned from, which columns were whole, and which rows are unlike that.

Far outside a model says what it was never taught: trees go on with the value at the edge, lines go on rising. numpy
only: prediction from a bundle uses the same code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mldesk.training.values import Array, ColumnData, TextColumn, stated
from mldesk.wire.schema import Column, ColumnType

NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)
_ROOM = 0.1     # of the width of what was seen: as far beyond is not called far

Reach = Mapping[str, tuple[float, float]]   # least and largest by column


def reach_of(columns: Mapping[str, ColumnData], schema: Sequence[Column], learned: Array) -> Reach:
    """Return the least and the largest number of each column of numbers in the rows of the mask ``learned``, (N,)."""
    found = {}
    for column in schema:
        if column.type in NUMBERS:
            numbers = np.asarray(columns[column.name], np.float64)[learned]
            numbers = numbers[np.isfinite(numbers)]
            if len(numbers):
                found[column.name] = (float(numbers.min()), float(numbers.max()))
    return found


def whole_of(columns: Mapping[str, ColumnData], schema: Sequence[Column], learned: Array) -> frozenset[str]:
    """Return the columns that miss no value in the rows of the mask ``learned``, (N,)."""
    return frozenset(column.name for column in schema if not missing(columns[column.name])[learned].any())


def missing(data: ColumnData) -> Array:
    """Return which values of a column are missing, (N,) bool."""
    return np.asarray(data.codes < 0 if isinstance(data, TextColumn) else np.isnat(data) if data.dtype.kind == "M"
                      else np.isnan(np.asarray(data, np.float64)))


def beyond(data: Mapping[str, ColumnData], reach: Reach) -> dict[str, int]:
    """Return how many rows of each column lie far outside, of those where any does."""
    counts = {name: int(far_outside(np.asarray(data[name]), low, high).sum())
              for name, (low, high) in reach.items() if name in data and not isinstance(data[name], TextColumn)}
    return {name: count for name, count in counts.items() if count}


def far_outside(numbers: Array, low: float, high: float) -> Array:
    """Return which of (N,) numbers lie far outside, (N,) bool; missing ones do not."""
    room = _ROOM * (high - low)
    return np.asarray((numbers < low - room) | (numbers > high + room))


def read_reach(value: Any) -> Reach:
    """Read what ``model.json`` says. Raises AttributeError, TypeError, ValueError or OverflowError for other things."""
    found = {str(name): (stated(low), stated(high)) for name, (low, high) in value.items()}
    if not all(low <= high for low, high in found.values()):
        raise ValueError("these are no ranges")
    return found


def read_whole(value: Any) -> tuple[str, ...]:
    """Read what ``model.json`` says of whole columns. Raises TypeError or ValueError for anything else."""
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError("these are no names of columns")
    return tuple(value)
