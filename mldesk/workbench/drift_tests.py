"""Tests of whether two lots of values may have come from one place, also where there are few of them. No I/O.

SciPy, which has these, comes with the trainer only.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
_LEAST = 5.0   # rows expected by chance below which chi-square says too little of p (Cochran 1954)


def table_test(table: Array) -> tuple[str, float, float]:
    """Return the test, its statistic and p of a 2 × K table of counts; columns without any count say nothing.

    Chi-square where all counts to be expected are large enough. Else the smaller of two p, doubled: that of chi-square
    with the rare columns as one, and that of Fisher's exact test of the single column that differs most, times their
    number (Bonferroni): "exact", whose statistic is by how much its share differs.
    """
    table = table[:, table.sum(0) > 0]
    if table.shape[1] < 2 or not table.sum(1).all():
        return "chi-square", 0.0, 1.0
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    rare = expected.min(0) < _LEAST
    if not rare.any():
        return "chi-square", *_chi_square(table)
    statistic, pooled = _chi_square(_pooled(table, rare))
    alone = [fisher(*map(int, (table[0, place], table[1, place], *table.sum(1)))) for place in range(table.shape[1])]
    place = int(np.argmin(alone))
    exact = min(1.0, min(alone) * len(alone))
    if pooled < exact:
        return "chi-square", statistic, min(1.0, 2 * pooled)
    shares = table[:, place] / table.sum(1)
    return "exact", float(shares[1] - shares[0]), min(1.0, 2 * exact)


def _pooled(table: Array, rare: Array) -> Array:
    """Return the table with its rare columns as one, which is left out where it is rare as well."""
    rest = table[:, rare].sum(1, keepdims=True)
    whole = np.concatenate([table[:, ~rare], rest], 1)
    if (rest.sum() * table.sum(1).min() / table.sum()) < _LEAST:
        return whole[:, :-1]
    return whole


def _chi_square(table: Array) -> tuple[float, float]:
    """Return Pearson's statistic and its p."""
    if table.shape[1] < 2 or not table.sum(1).all():
        return 0.0, 1.0
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    return statistic, beyond_chi_square(statistic, table.shape[1] - 1)


def fisher(before: int, now: int, all_before: int, all_now: int) -> float:
    """Return twice the chance that rows dealt at random to the two lots differ as much as these, or more, that way.

    ``before`` of ``all_before`` rows and ``now`` of ``all_now`` are of the kind (Fisher 1935, doubled).
    """
    kind, rows = before + now, all_before + all_now
    low, high = max(0, kind - all_before), min(kind, all_now)
    whole = _choose(rows, all_now)

    def tail(first: int, last: int, step: int) -> float:
        total = 0.0
        for count in range(first, last + step, step):
            term = math.exp(_choose(kind, count) + _choose(rows - kind, all_now - count) - whole)
            total += term
            if term <= 1e-17 * total:   # from its middle on the distribution only falls
                break
        return total

    upward = now * rows >= kind * all_now
    return min(1.0, 2 * (tail(now, high, 1) if upward else tail(now, low, -1)))


def _choose(whole: int, part: int) -> float:
    return math.lgamma(whole + 1) - math.lgamma(part + 1) - math.lgamma(whole - part + 1)


def kolmogorov_smirnov(old: Array, new: Array) -> tuple[float, float]:
    """Return the largest distance of the two distributions, and its asymptotic p (Stephens 1970). Both are sorted."""
    if not len(old) or not len(new):
        return 0.0, 1.0
    both = np.concatenate([old, new])
    distance = float(np.abs(np.searchsorted(old, both, "right") / len(old)
                            - np.searchsorted(new, both, "right") / len(new)).max())
    root = math.sqrt(len(old) * len(new) / (len(old) + len(new)))
    return distance, _beyond_kolmogorov((root + 0.12 + 0.11 / root) * distance)


def beyond_chi_square(value: float, freedom: int) -> float:
    """Return how likely a chi-square of so many degrees of freedom is to be larger (Abramowitz and
    Stegun 26.4.4 and 26.4.5).
    """
    half = value / 2
    if half <= 0:
        return 1.0
    odd = freedom % 2
    terms = sum(math.exp((place - odd / 2) * math.log(half) - half - math.lgamma(place + 1 - odd / 2))
                for place in range(odd, freedom // 2 + odd))
    return min(1.0, terms + (math.erfc(math.sqrt(half)) if odd else 0.0))


def _beyond_kolmogorov(value: float) -> float:
    """Return how likely Kolmogorov's limit is to be larger: 2 Σ (-1)^(k-1) exp(-2 k² x²)."""
    if value < 0.2:   # there the sum converges slowly, and to one
        return 1.0
    return min(1.0, max(0.0, 2 * sum((1 if k % 2 else -1) * math.exp(-2 * (k * value) ** 2) for k in range(1, 60))))
