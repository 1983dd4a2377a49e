"""K-means and the elbow of its curve, in numpy: the same answer for the same numbers on every processor.

Sources: S. P. Lloyd, "Least squares quantization in PCM" (1982); D. Arthur and S. Vassilvitskii, "k-means++: the
advantages of careful seeding" (2007); V. Satopää et al., "Finding a Kneedle in a haystack" (2011).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
MOST = 10           # segments that a suggestion considers
_ROUNDS = 100       # of moving the centres, at most
_STARTS = 4         # of which the best counts
_DIGITS = 12        # of a centre: those after may differ between processors


def cluster(points: Numbers, count: int, seed: int, check: Callable[[], None] = lambda: None) -> tuple[Numbers, float]:
    """Return ``count`` centres (K, D), that of most points first, and the sum of squared distances to the nearest.

    ``points`` is (N, D), standardised. Where fewer than ``count`` points differ, there are fewer centres.
    ``check`` may raise to stop.
    """
    best: tuple[Numbers, float] | None = None
    for start in range(_STARTS if count > 1 else 1):
        check()
        found = _improve(points, _first_centres(points, count, random.Random(f"{seed}:{count}:{start}")))  # noqa: S311
        if best is None or found[1] < best[1] * (1 - 1e-9):
            best = found
    assert best is not None  # noqa: S101 - there is at least one start
    return best


def curve(points: Numbers, seed: int, check: Callable[[], None] = lambda: None) -> list[float]:
    """Return the sum of squared distances for 1, 2, … up to ``MOST`` segments; less if points are fewer."""
    sums: list[float] = []
    for count in range(1, min(MOST, len(points)) + 1):
        centres, rest = cluster(points, count, seed, check)
        if len(centres) < count:
            break
        sums.append(rest)
    return sums


def elbow(sums: Sequence[float], sensitivity: float = 1.0) -> int:
    """Return the number of segments (from 1) at which a falling curve bends, as Kneedle finds it.

    Both axes are brought to 0..1, the curve is turned so that it rises, and its distance above the diagonal taken; the
    first local maximum after which it falls by ``sensitivity`` mean steps is the knee; without one it is the greatest.
    """
    values = np.asarray(sums, np.float64)
    if len(values) < 3 or values[0] <= values[-1]:
        return 1
    across = np.linspace(0.0, 1.0, len(values))
    above = (values[0] - values) / (values[0] - values[-1]) - across
    threshold = 0.0
    peak: int | None = None
    for place in range(1, len(above)):
        last = place == len(above) - 1
        if above[place] > above[place - 1] and (last or above[place] >= above[place + 1]):
            peak, threshold = place, above[place] - sensitivity / (len(above) - 1)
        elif peak is not None and above[place] < threshold:
            return peak + 1
    return int(np.argmax(above)) + 1


def _first_centres(points: Numbers, count: int, chance: random.Random) -> Numbers:
    """Choose centres among the points, each the likelier the farther it lies from those chosen (k-means++)."""
    centres = [points[int(chance.random() * len(points))]]
    nearest = _squares(points, centres[0])
    while len(centres) < count:
        total = np.cumsum(nearest)
        if not total[-1] > 0:
            break  # all points lie on a centre
        place = int(np.searchsorted(total, chance.random() * total[-1], side="right"))
        centres.append(points[min(place, len(points) - 1)])
        nearest = np.minimum(nearest, _squares(points, centres[-1]))
    return np.array(centres)


def _improve(points: Numbers, centres: Numbers) -> tuple[Numbers, float]:
    """Move every centre to the middle of its points until none changes sides (Lloyd)."""
    sides: Any = None
    for _ in range(_ROUNDS):
        distances = np.stack([_squares(points, centre) for centre in centres], axis=1)
        now = np.argmin(distances, axis=1)
        if sides is not None and np.array_equal(now, sides):
            break
        sides = now
        sizes = np.bincount(sides, minlength=len(centres))
        sums = np.stack([np.bincount(sides, weights=column, minlength=len(centres)) for column in points.T], axis=1)
        centres = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centres)
    order = sorted(range(len(centres)), key=lambda place: (-int((sides == place).sum()), tuple(centres[place])))
    settled = np.vectorize(lambda value: float(f"{value:.{_DIGITS}g}"))(centres[order])
    return settled, float(np.minimum.reduce([_squares(points, centre) for centre in centres]).sum())


def _squares(points: Numbers, centre: Numbers) -> Numbers:
    """Return the squared distance of each point to a centre, (N,)."""
    away = points - centre
    squares: Numbers = np.einsum("nd,nd->n", away, away)
    return squares
