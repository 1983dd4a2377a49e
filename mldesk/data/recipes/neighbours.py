"""Missing values filled from the rows that are most alike. numpy and pyarrow only: scripts of recipes carry this file.

Alike means Gower's distance (J. C. Gower, "A general coefficient of similarity and some of its properties", 1971), the
mean over the columns that both rows have: for numbers and moments the difference as a share of the column's range, for
everything else 0 if equal and 1 if not. O. Troyanskaya et al. (2001) describe filling by the k nearest rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

CHUNK_CELLS = 2_000_000  # distances held at once


def fill_by_neighbours(rows: pa.Table, reference: pa.Table, fill: Sequence[str], using: Sequence[str],
                       neighbours: int, check: Callable[[], None] = lambda: None) -> pa.Table:
    """Return the columns ``fill`` of ``rows``, filled from the nearest rows of ``reference``, and the rows' places.

    The first column of ``rows`` holds the places, and a row is no neighbour of itself. A number becomes the mean of its
    neighbours' (12 significant digits), anything else their most frequent value, of equally frequent ones the nearest.
    A cell stays missing where no row has both a value there and a column in common. ``check`` may raise to stop.
    """
    place = rows.column_names[0]
    features = [_feature(rows[name], reference[name]) for name in using]
    mine, theirs = np.asarray(rows[place]), np.asarray(reference[place])
    filled: dict[str, pa.ChunkedArray | pa.Array] = {place: rows[place]}
    for name in fill:
        there = np.flatnonzero(np.asarray(pc.is_valid(reference[name])))
        lacking = np.flatnonzero(np.asarray(pc.is_null(rows[name])))
        others = [feature for feature, used in zip(features, using, strict=True) if used != name]
        values = reference[name].combine_chunks().take(pa.array(there))
        nearest = _nearest(others, lacking, there, mine, theirs, neighbours, check)
        filled[name] = _put(rows[name].combine_chunks(), lacking, _values(values, nearest))
    return pa.table(filled)


def _feature(rows: pa.ChunkedArray, reference: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return a column of both tables as float32, NaN for missing, and whether it holds amounts."""
    kind = rows.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_temporal(kind)):
        both = pa.chunked_array([*pc.cast(rows, pa.string()).chunks, *pc.cast(reference, pa.string()).chunks],
                                pa.string())
        codes = both.combine_chunks().dictionary_encode().indices
        numbers = np.asarray(pc.fill_null(pc.cast(codes, pa.float64()), float("nan")))
        return numbers[:len(rows)].astype(np.float32), numbers[len(rows):].astype(np.float32), False
    first, second = (_amounts(column) for column in (rows, reference))
    known = np.concatenate([first, second])
    known = known[np.isfinite(known)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    width = high - low if np.isfinite(high - low) and high > low else 1.0
    return ((first - low) / width).astype(np.float32), ((second - low) / width).astype(np.float32), True


def _amounts(column: pa.ChunkedArray) -> np.ndarray:
    """Return numbers or moments as float64, NaN for missing and infinite."""
    if pa.types.is_date(column.type):
        column = pc.cast(column, pa.int32())
    if pa.types.is_temporal(column.type):
        column = pc.cast(column, pa.int64())
    numbers = np.asarray(pc.fill_null(pc.cast(column, pa.float64(), safe=False), float("nan")))
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _nearest(features: Sequence[tuple[np.ndarray, np.ndarray, bool]], lacking: np.ndarray, there: np.ndarray,
             mine: np.ndarray, theirs: np.ndarray, neighbours: int, check: Callable[[], None]) -> list[np.ndarray]:
    """Return for each lacking row the numbers (in ``there``) of its nearest rows, the nearest first."""
    found: list[np.ndarray] = []
    step = max(1, CHUNK_CELLS // max(1, len(there)))
    for first in range(0, len(lacking), step):
        check()
        rows = lacking[first:first + step]
        total = np.zeros((len(rows), len(there)), np.float32)
        common = np.zeros_like(total)
        for one, two, amounts in features:
            left, right = one[rows][:, None], two[there][None, :]
            both = ~(np.isnan(left) | np.isnan(right))
            apart = np.abs(left - right) if amounts else (left != right).astype(np.float32)
            total += np.where(both, apart, np.float32(0))
            common += both
        distance = np.where(common > 0, total / np.maximum(common, 1), np.float32(np.inf))
        distance[mine[rows][:, None] == theirs[there][None, :]] = np.inf
        # Float32 sums differ in their last digits between processors: what is as near comes in the reference's order.
        distance = np.round(distance, 5)
        order = np.argsort(distance, axis=1, kind="stable")[:, :neighbours]
        for row, places in enumerate(order):
            found.append(places[np.isfinite(distance[row, places])])
    return found


def _values(values: pa.Array, nearest: Sequence[np.ndarray]) -> list[object]:
    """Return what each group of neighbours says, None where there is none."""
    kind = values.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        known = values.to_pylist()
        return [_mode([known[place] for place in places]) for places in nearest]
    numbers = np.asarray(pc.cast(values, pa.float64(), safe=False))
    means = [float(numbers[places].mean()) if len(places) else None for places in nearest]
    return [None if mean is None or not np.isfinite(mean) else float(f"{mean:.12g}") for mean in means]


def _mode(values: Sequence[object]) -> object:
    return max(dict.fromkeys(values), key=values.count) if values else None  # max keeps the first of equals


def _put(column: pa.Array, places: np.ndarray, values: Sequence[object]) -> pa.Array:
    """Return the column with values put in at places; whole numbers stay so where all of them are."""
    if pa.types.is_integer(column.type):
        if all(value is None or float(value).is_integer() for value in values):  # type: ignore[arg-type]
            values = [None if value is None else int(value) for value in values]  # type: ignore[call-overload]
        else:
            column = pc.cast(column, pa.float64(), safe=False)
    mask = np.zeros(len(column), bool)
    mask[places] = True
    return pc.replace_with_mask(column, pa.array(mask), pa.array(values, column.type)) if len(places) else column
