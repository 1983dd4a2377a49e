"""Facts of a column of numbers or moments, all taken from its values in order: sorted once, looked at in one go."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mldesk.wire.schema import ColumnType

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sorted:
    """The values of a column that are not missing, ascending: int64 (microseconds for moments) or float64."""

    values: npt.NDArray[Any]
    kind: ColumnType

    def ends(self) -> npt.NDArray[np.int64]:
        """Return where each run of equal values ends."""
        changes = np.flatnonzero(self.values[1:] != self.values[:-1]) + 1
        return np.append(changes, len(self.values)) if len(self.values) else changes

    def top(self, count: int) -> tuple[int, list[tuple[Any, int]]]:
        """Return how many different values there are, and the most frequent ones; of equal ones the lesser first."""
        ends = self.ends()
        counts = np.diff(ends, prepend=0)
        if not len(counts):
            return 0, []
        least = np.partition(counts, -count)[-count] if len(counts) > count else 0
        more = np.flatnonzero(counts > least)
        places = np.concatenate([more[np.argsort(-counts[more], kind="stable")],
                                 np.flatnonzero(counts == least)[:count - len(more)]])
        return len(counts), [(self.values[ends[place] - 1].item(), int(counts[place])) for place in places]

    def finite(self) -> Numbers:
        """Return the values that are finite as numbers: seconds for moments."""
        if self.kind.temporal:
            return self.values / 1e6
        numbers = self.values.astype(np.float64, copy=False)
        if self.kind is ColumnType.INTEGER:
            return numbers
        first, last = np.searchsorted(numbers, [-np.inf, np.inf], side="right")[0], np.searchsorted(numbers, np.inf)
        return numbers[first:last]


def in_order(values: pa.ChunkedArray, kind: ColumnType) -> Sorted | None:
    """Return the values of a column in order; None for a column of other types, or one that holds NaN."""
    there = values.drop_null()
    if kind.temporal:
        there = there.cast(pa.int32()).cast(pa.int64()) if kind is ColumnType.DATE else there.cast(pa.int64())
    elif not kind.numeric:
        return None
    numbers = np.sort(np.asarray(there))
    if kind is ColumnType.NUMBER and len(numbers) and math.isnan(numbers[-1]):
        return None
    return Sorted(numbers * 86_400_000_000 if kind is ColumnType.DATE else numbers, kind)


def quantiles(numbers: Numbers, shares: Sequence[float]) -> list[float]:
    """Return the values below which shares of ascending numbers lie, between two neighbours in proportion."""
    found = []
    for share in shares:
        place = (len(numbers) - 1) * share
        low, high = float(numbers[math.floor(place)]), float(numbers[math.ceil(place)])
        part = place - math.floor(place)
        step = (high - low) * part
        found.append(low + step if math.isfinite(step) else low * (1 - part) + high * part)
    return found


def spread(numbers: Numbers) -> tuple[float, float | None]:
    """Return mean and standard deviation (of a sample; None for one number). Numbers too large for that give inf."""
    with np.errstate(all="ignore"):
        mean = float(numbers.mean())
        return mean, float(numbers.std(ddof=1)) if len(numbers) > 1 else None
