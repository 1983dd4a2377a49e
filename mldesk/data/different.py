"""How many different values an Arrow column has."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def different(values: pa.Array | pa.ChunkedArray) -> int:
    """Return the number of different values, missing ones not counted; 0 and -0 are one, and so are all NaN."""
    if len(values) == values.null_count:
        return 0
    numbers = _numbers(values.drop_null())
    return int(pc.count_distinct(values, mode="only_valid").as_py()) if numbers is None else _in_order(numbers)


def _numbers(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[Any] | None:
    """Return values that numpy can put in order, None for others."""
    kind = values.type
    if pa.types.is_date32(kind):
        values = values.cast(pa.int32())
    elif pa.types.is_temporal(kind) and kind.bit_width == 64:
        values = values.cast(pa.int64())
    elif not pa.types.is_integer(kind) and not pa.types.is_floating(kind):
        return None
    return np.asarray(values)


def _in_order(numbers: npt.NDArray[Any]) -> int:
    numbers = np.sort(numbers)
    if numbers.dtype.kind == "f" and math.isnan(numbers[-1]):  # they come last
        first = int(np.searchsorted(numbers, np.nan))
        return (_in_order(numbers[:first]) if first else 0) + 1
    return int(np.count_nonzero(numbers[1:] != numbers[:-1])) + 1
