"""The nearest rows are those that all distances would tell, however they are found."""

from __future__ import annotations

import numpy as np
import pytest

from mldesk.training.estimators.nearest import GRID, Nearest
from mldesk.training.values import Array

_DRAW = np.random.default_rng(0)
_ROWS = _DRAW.normal(size=(3000, 8)).astype(np.float32)
_FAR = _ROWS.copy()
_FAR[::100] *= 1e5
KNOWN = {
    "drawn": _ROWS,
    "hardly anything but ties": _DRAW.integers(0, 2, (3000, 8)).astype(np.float32),
    "all the same": np.ones((3000, 8), np.float32),
    "some far away": _FAR,
    "few": _ROWS[:30],
    "one": _ROWS[:1],
}


def by_all_distances(known: Array, x: Array, count: int) -> tuple[Array, Array]:
    wide = known.astype(np.float64)
    squares = (x ** 2).sum(1)[:, None] - 2.0 * (x @ wide.T) + (wide ** 2).sum(1)
    steps = np.round(np.maximum(squares, 0.0) * GRID)
    places = np.argsort(steps, 1, kind="stable")[:, :count]
    return places, np.take_along_axis(steps, places, 1) / GRID


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("count", [1, 7, 100])
def test_they_are_those_that_all_distances_tell(name: str, count: int) -> None:
    known = KNOWN[name]
    count = min(count, len(known))
    x = np.concatenate([known[1:20], _DRAW.normal(size=(20, 8))]).astype(np.float64)
    places, squares = Nearest(known).find(x, count, threads=2)
    expected, distances = by_all_distances(known, x, count)
    assert np.allclose(squares, distances, rtol=1e-12, atol=1.5 / GRID)
    assert np.array_equal(places, expected)


def test_most_distances_are_not_worked_out_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Nearest, "_of_all", None)   # would be called for rows that a first look cannot tell apart
    Nearest(_ROWS).find(_ROWS[:50].astype(np.float64), 15, threads=1)


def test_no_rows_have_no_neighbours() -> None:
    places, squares = Nearest(_ROWS).find(np.zeros((0, 8)), 3, threads=1)
    assert places.shape == squares.shape == (0, 3)
