"""Series: the points of one curve, growing, with its smoothed twin and what is drawn of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mldesk.desktop.widgets.decimate import Floats, Smoother, dashes, min_max


class View(NamedTuple):
    """What part of x is drawn, and how."""

    low: float
    high: float
    buckets: int          # pixel columns
    log: bool = False     # log10 of the values, gaps where they are not positive
    dashed: bool = False  # gaps, where there are too many points for Qt's own dashes


class Series:
    """Points of one curve. ``slot`` is its place in the palette; x ascends (points that come late are sorted in)."""

    def __init__(self, name: str, slot: int, *, dashed: bool = False, faint: bool = False) -> None:
        self.name, self.slot, self.dashed = name, slot, dashed
        self.faint = faint  # detail behind other curves: pale, and never smoothed
        self.shown = True
        self._x = np.empty(256)
        self._y = np.empty(256)
        self._smooth = np.empty(256)
        self._count = self._smoothed = 0
        self._share = 0.0
        self._smoother = Smoother(0.0)
        self._drawn: dict[bool, tuple[tuple[View, float, int], Floats, Floats]] = {}  # by whether it is smoothed
        self._version = 0

    def __len__(self) -> int:
        return self._count

    @property
    def x(self) -> Floats:
        return self._x[:self._count]

    @property
    def y(self) -> Floats:
        return self._y[:self._count]

    def set(self, xs: ArrayLike, ys: ArrayLike) -> None:
        """Replace all points. Raises ValueError for lengths that differ."""
        self._count = self._smoothed = 0
        self._version += 1
        self._smoother = Smoother(self._share)
        self.append(xs, ys)

    def append(self, xs: ArrayLike, ys: ArrayLike) -> None:
        """Add points (N, N); infinities count as gaps. Raises ValueError for lengths that differ."""
        x, y = np.atleast_1d(np.asarray(xs, dtype=np.float64)), np.atleast_1d(np.asarray(ys, dtype=np.float64))
        if x.shape != y.shape or x.ndim != 1:
            raise ValueError(f"{x.shape} steps do not go with {y.shape} values")
        if not len(x):
            return
        self._version += 1
        self._grow(self._count + len(x))
        last = self._x[self._count - 1] if self._count else -np.inf
        self._x[self._count:self._count + len(x)] = x
        self._y[self._count:self._count + len(x)] = np.where(np.isfinite(y), y, np.nan)
        self._count += len(x)
        if x[0] < last or (len(x) > 1 and bool(np.any(np.diff(x) < 0))):
            order = np.argsort(self.x, kind="stable")
            self._x[:self._count], self._y[:self._count] = self.x[order], self.y[order]
            self._smoothed = 0
            self._smoother = Smoother(self._share)

    def _grow(self, wanted: int) -> None:
        if wanted <= len(self._x):
            return
        size = max(wanted, 2 * len(self._x))
        for name in ("_x", "_y", "_smooth"):
            bigger = np.empty(size)
            bigger[:self._count] = getattr(self, name)[:self._count]
            setattr(self, name, bigger)

    def smooth(self, share: float) -> Floats:
        """Return the smoothed values; only what has come since the last call is computed."""
        if share != self._share:
            self._share, self._smoothed, self._smoother = share, 0, Smoother(share)
        if self._smoothed < self._count:
            self._smooth[self._smoothed:self._count] = self._smoother.extend(self._y[self._smoothed:self._count])
            self._smoothed = self._count
        return self._smooth[:self._count]

    def drawn(self, share: float, view: View) -> tuple[Floats, Floats]:
        """Return the points to draw, smoothed by ``share``; the very same arrays as long as nothing has changed."""
        key = (view, share, self._version)
        kept = self._drawn.get(share > 0)
        if kept is None or kept[0] != key:
            xs, ys = min_max(self.x, self.smooth(share) if share > 0 else self.y, *view[:3])
            if view.log:
                ys = to_log(ys)
            if view.dashed and len(xs) > view.buckets // 4:
                ys = dashes(xs, ys, *view[:3])
            kept = self._drawn[share > 0] = (key, xs.copy(), ys.copy())
        return kept[1:]

    def nearest(self, x: float) -> int | None:
        """Return the index of the point nearest to ``x``; None while there are no points."""
        if not self._count:
            return None
        right = int(np.searchsorted(self.x, x))
        if right == 0:
            return 0
        if right == self._count:
            return self._count - 1
        return right if self.x[right] - x < x - self.x[right - 1] else right - 1


def to_log(y: Floats) -> Floats:
    """Return log10, NaN where there is none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(y > 0, np.log10(np.where(y > 0, y, 1.0)), np.nan)


def extent(parts: Sequence[Floats]) -> tuple[float, float]:
    """Return the lowest and highest value over all arrays; NaN, NaN where there is none."""
    known = [part for part in parts if len(part)]
    if not known:
        return float("nan"), float("nan")
    return (float(np.fmin.reduce([np.fmin.reduce(part) for part in known])),
            float(np.fmax.reduce([np.fmax.reduce(part) for part in known])))
