"""Which of many known rows are nearest to others, exactly, without calculating most distances exactly.

Squared distances are rounded to a grid, and of equally near rows the first counts. A first look in float32 leaves few
rows that could be among the nearest: of known rows dealt into groups the nearest of each is found, and as many groups
as rows are wanted bound how far these are (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1,
bounds how far the look may be off). The distances of those alone are calculated in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from mldesk.training.values import Array

GRID = 1e4               # squared distances are rounded to its inverse: two ways of summing agree on that
_GROUP = 16              # known rows of which the nearest is found first
_SPARE = 4               # times as many groups as rows wanted, or the first look tells too little
_BLOCK = 4_000_000       # distances of a first look held at once
_EXACT = 1_000_000       # ... and of those calculated exactly
_MOST_LEFT = 8           # times as many rows as wanted that a first look may leave
_ROUNDING = 2.0 ** -24   # of float32
_LONGEST = 1e9           # rows longer than that are none for float32
_FARTHEST = float(1 << 47)   # steps of the grid; beyond, they and the number of a row no longer fit in 64 bits


class Nearest:
    """Finds rows among ``known`` (M, F)."""

    def __init__(self, known: Array) -> None:
        self._known = known.astype(np.float64)
        self._lengths = (self._known ** 2).sum(1)
        rows, width = known.shape
        self._groups = -(-rows // _GROUP)
        with np.errstate(over="ignore"):
            narrow = np.zeros((width + 1, self._groups * _GROUP), np.float32)
            narrow[:width, :rows] = -2 * self._known.T
            narrow[width] = np.inf         # what fills up the last groups is nowhere near
            narrow[width, :rows] = self._lengths
        self._narrow = narrow              # (F + 1, M'): rows with a one behind them, times it, are squared distances
        self._longest = float(np.sqrt(self._lengths.max()))

    def find(self, x: Array, count: int, threads: int, after: Callable[[int], None] | None = None
             ) -> tuple[Array, Array]:
        """Return the places of the ``count`` nearest known rows, (N, count), and their squared distances.

        Args:
            x: (N, F) float64
            after: told of the rows that are done, in the thread that called
        """
        quick = self._groups >= _SPARE * count and self._longest < _LONGEST
        each = max(1, (_BLOCK if quick else _EXACT) // len(self._known))
        found = []
        with threadpool_limits(1), ThreadPoolExecutor(threads, "nearest") as pool:
            for places, squares in pool.map(lambda rows: self._of(rows, count, quick),
                                            [x[at:at + each] for at in range(0, len(x), each)]):
                found.append((places, squares))
                if after is not None:
                    after(len(found) * each)
        if not found:
            return np.zeros((0, count), np.int64), np.zeros((0, count))
        return np.concatenate([places for places, _ in found]), np.concatenate([squares for _, squares in found])

    def _of(self, x: Array, count: int, quick: bool) -> tuple[Array, Array]:
        left = self._left(x, count) if quick else None
        if left is not None:
            return self._exactly(x, count, *left)
        at_once = max(1, _EXACT // len(self._known))
        parts = [self._of_all(x[at:at + at_once], count) for at in range(0, len(x), at_once)]
        return np.concatenate([places for places, _ in parts]), np.concatenate([squares for _, squares in parts])

    def _left(self, x: Array, count: int) -> tuple[Array, Array] | None:
        """Return the pairs (row of x, known row) that could be among the nearest, in the order of the rows of x.

        None where a first look leaves too many of them.
        """
        wide = np.ones((len(x), x.shape[1] + 1), np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            wide[:, :-1] = x
            rough = (wide @ self._narrow).reshape(len(x), _GROUP, self._groups)   # less the row's own length
            nearest = rough.min(1)
            off = (x.shape[1] + 4) * _ROUNDING * self._longest * (2 * np.sqrt((x ** 2).sum(1)) + self._longest)
            bound = np.partition(nearest, count - 1, 1)[:, count - 1] + 2.01 * off + 1.01 / GRID
            if not np.isfinite(bound).all():
                return None
            rows, groups = np.nonzero(nearest <= bound[:, None])
            if len(rows) > _MOST_LEFT * count * len(x):
                return None
            pairs, members = np.nonzero(rough[rows, :, groups] <= bound[rows, None])
        if len(pairs) > _MOST_LEFT * count * len(x):
            return None
        return rows[pairs], members * self._groups + groups[pairs]

    def _exactly(self, x: Array, count: int, rows: Array, places: Array) -> tuple[Array, Array]:
        each = max(1, _EXACT // x.shape[1])
        products = np.concatenate([np.einsum("ij,ij->i", x[rows[at:at + each]], self._known[places[at:at + each]])
                                   for at in range(0, len(rows), each)])
        steps = _steps((x ** 2).sum(1)[rows] - 2.0 * products + self._lengths[places])
        order = np.lexsort((places, steps, rows))
        first = np.searchsorted(rows, np.arange(len(x)))
        chosen = order[first[:, None] + np.arange(count)]
        return places[chosen], steps[chosen] / GRID

    def _of_all(self, x: Array, count: int) -> tuple[Array, Array]:
        steps = _steps((x ** 2).sum(1)[:, None] - 2.0 * (x @ self._known.T) + self._lengths)
        places = _smallest(steps, count)
        return places, np.take_along_axis(steps, places, 1) / GRID


def _steps(squares: Array) -> Array:
    steps: Array = np.round(np.maximum(squares, 0.0) * GRID)
    return steps


def _smallest(steps: Array, count: int) -> Array:
    """Return the places of the ``count`` smallest of each row, (N, count), of equal ones the first; (N, M), whole."""
    rows = steps.shape[1]
    if count >= rows or float(steps.max(initial=0.0)) >= _FARTHEST:
        order: Array = np.argsort(steps, 1, kind="stable")[:, :count]
        return order
    keys = steps.astype(np.int64) * rows + np.arange(rows)     # all different, in the order that is wanted
    first = np.take_along_axis(keys, np.argpartition(keys, count - 1, 1)[:, :count], 1)
    first.sort(1)
    near: Array = first % rows
    return near
