"""Thin a curve to what a screen can show, and smooth it. Arrays in, arrays out; knows no Qt."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def visible(x: Floats, low: float, high: float) -> slice:
    """Return the part of the ascending ``x`` within low..high and one point beyond at either side."""
    first = int(np.searchsorted(x, low, "left")) - 1
    last = int(np.searchsorted(x, high, "right")) + 1
    return slice(max(0, first), min(len(x), last))


def min_max(x: Floats, y: Floats, low: float, high: float, buckets: int) -> tuple[Floats, Floats]:
    """Return a curve that draws the same over low..high in ``buckets`` pixel columns, of about 4 points a column.

    Each column keeps its first, lowest, highest and last value, so no spike is lost and joints stay where they were.
    ``x`` (N) ascends; NaN in ``y`` (N) is a gap and stays one where a whole column is NaN or its edge is.
    """
    part = visible(x, low, high)
    x, y = x[part], y[part]
    if len(x) <= 4 * buckets or not high > low:
        return x, y
    edges = low + (high - low) / buckets * np.arange(1, buckets)
    starts = np.empty(buckets + 2, np.intp)
    starts[0], starts[1], starts[-1] = 0, 1, len(x) - 1   # what lies beyond the edges has a column of its own
    starts[2:-1] = np.clip(np.searchsorted(x, edges), 1, len(x) - 1)
    starts = starts[np.append(True, starts[1:] > starts[:-1])]
    ends = np.append(starts[1:], len(x)) - 1
    xs, ys = np.empty((len(starts), 4)), np.empty((len(starts), 4))
    xs[:, 0], xs[:, 3] = x[starts], x[ends]
    xs[:, 1] = xs[:, 2] = (xs[:, 0] + xs[:, 3]) / 2
    ys[:, 0], ys[:, 3] = y[starts], y[ends]
    ys[:, 1], ys[:, 2] = np.fmin.reduceat(y, starts), np.fmax.reduceat(y, starts)
    return xs.ravel(), ys.ravel()


def dashes(x: Floats, y: Floats, low: float, high: float, buckets: int) -> Floats:
    """Return ``y`` with gaps, so that a curve drawn in ``buckets`` pixel columns over low..high looks dashed."""
    column = np.floor((x - low) / (high - low) * buckets) if high > low else np.zeros(len(x))
    return np.where(column % 9 < 6, y, np.nan)


class Smoother:
    """An exponential moving average that starts without bias, takes points as they come and skips NaN.

    ``share`` (0 ≤ share < 1) is how much of the average each point keeps, as in other curve viewers.
    """

    def __init__(self, share: float) -> None:
        if not 0 <= share < 1:
            raise ValueError("the share kept lies in 0 ≤ share < 1")
        self._share = share if share > 1e-6 else 0.0  # less cannot be seen, and its powers leave the floats
        self._sum = self._weight = 0.0

    def extend(self, y: Floats) -> Floats:
        """Return the averages (N) after each of the next points (N); NaN where the point is NaN."""
        if self._share == 0:
            return np.array(y, dtype=np.float64)
        known = np.isfinite(y)
        if known.all():
            sums = _recurrence(y * (1 - self._share), self._share, self._sum)
            weights = 1 - (1 - self._weight) * self._share ** np.arange(1.0, len(y) + 1)
        else:
            keep = np.where(known, self._share, 1.0)
            sums = _recurrence(np.where(known, y, 0.0) * (1 - self._share), keep, self._sum)
            weights = _recurrence(known * (1 - self._share), keep, self._weight)
        if len(y):
            self._sum, self._weight = float(sums[-1]), float(weights[-1])
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(known, sums / weights, np.nan)


def _recurrence(add: Floats, keep: Floats | float, state: float) -> Floats:
    """Return s[i] = keep[i] * s[i-1] + add[i] from s[-1] = ``state``, in blocks short enough to stay exact.

    All blocks are summed at once, as if each began at zero; then each is given what the one before left.
    """
    if not len(add):
        return np.empty(0)
    least = float(np.min(keep))
    block = len(add) if least >= 1 else max(1, int(9 / -math.log10(max(least, 1e-9))))  # keeps powers above 1e-9
    block = min(block, len(add))
    count = -(-len(add) // block)
    powers = np.full((1, block), keep) if isinstance(keep, float) else _blocks(keep, count, block)
    powers = np.cumprod(powers, axis=1)
    sums = np.cumsum(_blocks(add, count, block) / powers, axis=1)
    before = np.empty((count, 1))
    ends = np.broadcast_to(powers[:, -1], count).tolist()
    for number, (power, total) in enumerate(zip(ends, sums[:, -1].tolist(), strict=True)):
        before[number] = state
        state = power * (state + total)
    sums += before
    sums *= powers
    return np.asarray(sums.ravel()[:len(add)])


def _blocks(values: Floats, count: int, block: int) -> Floats:
    """Return the values as rows of ``block``; what the last row lacks is 1."""
    padded = np.ones(count * block)
    padded[:len(values)] = values
    return padded.reshape(count, block)


def nice_range(low: float, high: float, margin: float = 0.06, *, from_zero: bool = True) -> tuple[float, float]:
    """Return low..high with some air; a single value gets room around it. Not finite: 0..1.

    ``from_zero`` lets values that are not negative and begin near zero begin at zero.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return 0.0, 1.0
    if high <= low:
        room = abs(low) * 0.1 or 0.5
        return low - room, high + room
    room = (high - low) * margin
    floor = low - room
    if from_zero and 0 <= low <= 0.25 * high:
        floor = 0.0
    return floor, high + room
