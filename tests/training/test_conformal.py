"""Margins hold what they promise, on rows that nobody had seen when they were measured."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mldesk.training.conformal import LEVELS, Margins, floor_of
from mldesk.training.reach import read_reach

GOOD = {"margins": [1.0] * len(LEVELS), "classes": 0}


def test_a_margin_is_the_quantile_of_the_formula() -> None:
    errors = np.arange(1, 100, dtype=float)   # 99 rows: rank ceil(100 * level)
    margins = Margins.measure(np.zeros(99), errors, 0)
    assert [margins.at(level) for level in (0.5, 0.9, 0.95, 0.99)] == [50.0, 90.0, 95.0, 99.0]
    low, high = margins.around(np.array([10.0]), 0.9)
    assert (low[0], high[0]) == (-80.0, 100.0)


def test_too_few_rows_say_nothing_of_high_levels() -> None:
    margins = Margins.measure(np.zeros(9), np.ones(9), 0)
    assert margins.at(0.9) == 1.0
    assert math.isinf(margins.at(0.91))
    assert Margins.from_json(margins.to_json()) == margins


def test_intervals_hold_their_share_of_rows_never_seen() -> None:
    draw = np.random.default_rng(3)
    truth, noise = draw.normal(size=20_000), draw.standard_t(3, size=20_000)
    margins = Margins.measure(truth[:5000] + noise[:5000], truth[:5000], 0)
    for level in (0.5, 0.8, 0.95):
        assert margins.coverage(truth[5000:] + noise[5000:], truth[5000:], level) == pytest.approx(level, abs=0.02)


def test_bands_of_predictions_have_widths_of_their_own_and_each_holds_its_share() -> None:
    draw = np.random.default_rng(5)
    truth = draw.uniform(0, 100, 20_000)
    said = truth + draw.normal(size=20_000) * (0.2 + truth / 10)    # small numbers are known well, large ones are not
    margins = Margins.measure(said[:5000], truth[:5000], 0)
    assert len(margins.bands) == len(margins.cuts) + 1 == 10
    low, high = margins.around(said[5000:], 0.9)
    held, small = (low <= truth[5000:]) & (truth[5000:] <= high), said[5000:] < 20
    assert (high - low)[small].mean() < 0.4 * (high - low)[~small].mean()
    assert held[small].mean() == pytest.approx(0.9, abs=0.03)
    assert held[~small].mean() == pytest.approx(0.9, abs=0.03)
    one = Margins(margins.margins, 0)                               # one width for all held too many of the small ones
    low, high = one.around(said[5000:], 0.9)
    assert ((low <= truth[5000:]) & (truth[5000:] <= high))[small].mean() > 0.97
    assert Margins.from_json(margins.to_json()) == margins


@pytest.mark.parametrize("said", [np.zeros(1000), np.arange(150.0), np.repeat([1.0, 2.0], [990, 10])])
def test_predictions_that_cannot_be_cut_share_one_margin(said: np.ndarray) -> None:
    margins = Margins.measure(said, said + 1, 0)
    assert (margins.cuts, margins.bands) == ((), ())
    assert margins.at(0.9) == 1.0


def test_every_band_can_say_the_highest_level() -> None:
    draw = np.random.default_rng(6)
    for rows in (200, 333, 1234):
        said = draw.normal(size=rows)
        margins = Margins.measure(said, said + draw.normal(size=rows), 0)
        assert margins.bands
        assert np.isfinite(margins.widths(said, 0.99)).all()


def test_no_interval_reaches_below_what_a_target_never_was_below() -> None:
    assert floor_of(np.array([0.0, 3.0, math.nan])) == 0.0
    assert floor_of(np.array([-1e-9, 3.0])) is None
    margins = Margins.measure(np.zeros(99), np.arange(1, 100, dtype=float), 0, 0.0)
    low, high = margins.around(np.array([10.0, -200.0]), 0.9)
    assert (low.tolist(), high.tolist()) == ([0.0, 0.0], [100.0, 0.0])
    assert Margins.from_json(margins.to_json()).floor == 0.0


def test_sets_of_classes_hold_their_share_and_are_never_empty() -> None:
    draw = np.random.default_rng(4)
    chances = draw.dirichlet([0.4, 0.4, 0.4], size=20_000)
    classes = np.array([draw.choice(3, p=row) for row in chances])
    margins = Margins.measure(chances[:5000], classes[:5000], 3)
    for level in (0.8, 0.9):
        kept = margins.sets(chances[5000:], level)
        assert kept.any(axis=1).all()
        assert margins.coverage(chances[5000:], classes[5000:], level) >= level - 0.02
    assert margins.sets(chances, 0.99).sum() > margins.sets(chances, 0.8).sum()


@pytest.mark.parametrize("broken", [
    {"margins": [1.0], "classes": 0}, {"margins": [-1.0] * len(LEVELS), "classes": 0},
    {"margins": [float("nan")] * len(LEVELS), "classes": 0}, {"margins": 3, "classes": 0}, {"classes": 0},
    {**GOOD, "cuts": [1.0]}, {**GOOD, "cuts": [2.0, 1.0], "bands": [[1.0] * len(LEVELS)] * 3},
    {**GOOD, "cuts": [math.nan], "bands": [[1.0] * len(LEVELS)] * 2}, {**GOOD, "floor": "low"},
    {**GOOD, "classes": 2, "floor": 0.0}, {**GOOD, "floor": 1e308}, {**GOOD, "classes": 0.5},
    {**GOOD, "classes": False},
    {**GOOD, "margins": ["1"] * len(LEVELS)}, {**GOOD, "margins": list(range(len(LEVELS), 0, -1))},
    {**GOOD, "margins": "1" * len(LEVELS)}, {**GOOD, "cuts": ["1"], "bands": [[1.0] * len(LEVELS)] * 2},
    {**GOOD, "cuts": [1.0], "bands": [[1.0] * len(LEVELS), [None] * len(LEVELS)]}])
def test_margins_of_a_stranger_are_read_with_care(broken: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Margins.from_json(broken)


@pytest.mark.parametrize("broken", [{"x": "12"}, {"x": ["1", "2"]}, {"x": [True, 2]}, {"x": [2, 1]}, {"x": [None, 1]}])
def test_ranges_of_a_stranger_are_read_with_care(broken: dict[str, object]) -> None:
    with pytest.raises((TypeError, ValueError)):
        read_reach(broken)
    assert read_reach({"x": [1, 2.5]}) == {"x": (1.0, 2.5)}
