"""Drawing columns: numbers of a range and a precision, names by their shares, classes by a score, missing cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64]
Cells: TypeAlias = Sequence[Any]      # one column; None where a cell is missing
Drawn: TypeAlias = dict[str, Cells]
Draw: TypeAlias = "Callable[[Dice], Drawn]"


class Dice:
    """Draws columns of ``rows`` cells, the same for the same seed."""

    def __init__(self, seed: int, rows: int) -> None:
        self.random, self.rows = np.random.default_rng(seed), rows

    def normal(self, mean: float | Numbers = 0.0, spread: float = 1.0, low: float = -np.inf,
               high: float = np.inf) -> Numbers:
        return np.clip(mean + spread * self.random.standard_normal(self.rows), low, high)

    def between(self, low: float, high: float) -> Numbers:
        return self.random.uniform(low, high, self.rows)

    def skewed(self, median: float | Numbers, spread: float) -> Numbers:
        """Return numbers above 0 with a long tail; ``spread`` is that of their logarithm."""
        return median * np.exp(spread * self.random.standard_normal(self.rows))

    def count(self, mean: float | Numbers) -> Numbers:
        return self.random.poisson(mean, self.rows).astype(np.float64)

    def pick(self, names: Sequence[str], shares: Sequence[float]) -> NDArray[np.int64]:
        """Return places in ``names``, drawn by their shares."""
        return self.random.choice(len(names), self.rows, p=np.asarray(shares) / sum(shares))

    def yes(self, chance: float | Numbers) -> NDArray[np.bool_]:
        return self.random.random(self.rows) < chance

    def gaps(self, cells: Cells, share: float) -> list[Any]:
        """Return ``cells`` of which a share is missing."""
        missing = self.random.random(self.rows) < share
        return [None if gone else cell for cell, gone in zip(cells, missing, strict=True)]


def rounded(numbers: Numbers, digits: int) -> list[Any]:
    """Return numbers as they would be written down; whole ones for 0 digits."""
    return [round(float(number), digits) if digits else round(float(number)) for number in numbers]


def named(names: Sequence[str], places: NDArray[Any]) -> list[Any]:
    """Return the names at ``places``; False and True are 0 and 1."""
    return [names[int(place)] for place in places]


def highest(score: Numbers, share: float) -> NDArray[np.bool_]:
    """Say for each row whether its score is among the highest ``share`` of them."""
    return score > np.quantile(score, 1.0 - share)
