"""How far the numbers reach that a model learned from, and which rows lie far outside.

There a model says what it was never taught: trees go on with the value at the edge, lines go on rising. numpy only:
prediction from a bundle uses the same code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mldesk.training.values import Array, ColumnData
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


def far_outside(numbers: Array, low: float, high: float) -> Array:
    """Return which of (N,) numbers lie far outside, (N,) bool; missing ones do not."""
    room = _ROOM * (high - low)
    return np.asarray((numbers < low - room) | (numbers > high + room))


def read_reach(value: Any) -> Reach:
    """Read what ``model.json`` says. Raises AttributeError, TypeError or ValueError for anything else."""
    found = {str(name): (float(low), float(high)) for name, (low, high) in value.items()}
    if not all(math.isfinite(low) and math.isfinite(high) and low <= high for low, high in found.values()):
        raise ValueError("these are no ranges")
    return found
