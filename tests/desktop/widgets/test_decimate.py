"""Thinning and smoothing of curves: nothing that can be seen is lost."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldesk.desktop.widgets.decimate import Smoother, min_max, nice_range, visible
from mldesk.desktop.widgets.series import Series, extent, to_log


def _pixels(x: np.ndarray, y: np.ndarray, low: float, high: float, buckets: int) -> dict[int, tuple[float, float]]:
    column = np.clip(((x - low) / (high - low) * buckets).astype(int), 0, buckets - 1)
    inside = (x >= low) & (x <= high) & ~np.isnan(y)
    return {int(number): (float(y[inside & (column == number)].min()), float(y[inside & (column == number)].max()))
            for number in np.unique(column[inside])}


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 6000), st.integers(20, 400), st.integers(0, 2**31), st.booleans())
def test_every_pixel_column_keeps_its_lowest_and_highest_value(count: int, buckets: int, seed: int, even: bool) -> None:
    draw = np.random.default_rng(seed)
    x = np.arange(count, dtype=float) if even else np.cumsum(draw.exponential(size=count))
    y = draw.standard_normal(count).cumsum()
    low, high = float(x[0]), float(x[-1])
    thin_x, thin_y = min_max(x, y, low, high, buckets)
    assert len(thin_x) <= max(4 * buckets, 4 * (buckets + 3))
    assert np.all(np.diff(thin_x) >= 0)
    assert (thin_x[0], thin_y[0]) == (x[0], y[0]) and (thin_x[-1], thin_y[-1]) == (x[-1], y[-1])
    assert thin_y.min() == y.min() and thin_y.max() == y.max()
    if len(thin_x) < count:
        edges = np.linspace(low, high, buckets + 1)
        for left, right in itertools.pairwise(edges):
            inside = (x >= left) & (x < right)
            drawn = (thin_x >= left) & (thin_x < right)
            if inside.any():
                assert thin_y[drawn].min() == y[inside].min()
                assert thin_y[drawn].max() == y[inside].max()


def test_a_single_spike_among_a_million_points_is_drawn() -> None:
    y = np.zeros(1_000_000)
    y[654_321] = 7.0
    x, thin = min_max(np.arange(1_000_000.0), y, 0, 999_999, 800)
    assert len(x) <= 3300
    assert thin.max() == 7.0


def test_only_what_is_looked_at_and_one_point_beyond_is_drawn() -> None:
    x = np.arange(100.0)
    assert visible(x, 10.5, 20.5) == slice(10, 22)
    assert min_max(x, x, 10.5, 20.5, 50)[0].tolist() == list(range(10, 22))
    assert len(min_max(x, x, 200, 300, 50)[0]) <= 1


def test_gaps_stay_gaps() -> None:
    y = np.ones(10_000)
    y[4000:6000] = np.nan
    x, thin = min_max(np.arange(10_000.0), y, 0, 9999, 100)
    assert np.isnan(thin[(x > 4100) & (x < 5900)]).all()
    assert (thin[(x < 3900) | (x > 6100)] == 1).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(float("nan"))), max_size=300),
       st.floats(0, 0.99), st.lists(st.integers(0, 300), max_size=4))
def test_smoothing_is_the_same_however_the_points_arrive(values: list[float], share: float, cuts: list[int]) -> None:
    wanted, total, weight = [], 0.0, 0.0
    for value in values:
        if value == value:
            total, weight = share * total + (1 - share) * value, share * weight + (1 - share)
            wanted.append(total / weight)
        else:
            wanted.append(float("nan"))
    smoother, edges = Smoother(share), [0, *sorted(min(cut, len(values)) for cut in cuts), len(values)]
    parts = [smoother.extend(np.array(values[low:high])) for low, high in itertools.pairwise(edges)]
    np.testing.assert_allclose(np.concatenate(parts), wanted, rtol=1e-7, atol=1e-6)


def test_a_share_of_one_would_never_move_and_is_refused() -> None:
    with pytest.raises(ValueError, match="share"):
        Smoother(1.0)


def test_ranges_have_air_and_begin_at_zero_where_values_nearly_do() -> None:
    assert nice_range(0.05, 1.0)[0] == 0.0
    low, high = nice_range(0.9, 1.0)
    assert 0.88 < low < 0.9 and 1.0 < high < 1.02
    assert nice_range(3.0, 3.0) == pytest.approx((2.7, 3.3))
    assert nice_range(0.0, 0.0) == (-0.5, 0.5)
    assert nice_range(float("nan"), float("nan")) == (0.0, 1.0)
    assert nice_range(-2.0, 1.0, from_zero=False)[0] < -2


def test_a_series_grows_sorts_late_points_in_and_smooths_what_is_new() -> None:
    series = Series("loss", 0)
    for start in range(0, 3000, 100):
        series.append(np.arange(start, start + 100), np.arange(start, start + 100) * 2.0)
        series.smooth(0.5)
    assert len(series) == 3000 and series.y[-1] == 5998.0
    series.append([1.5], [99.0])
    assert series.x[2] == 1.5 and series.y[2] == 99.0
    fresh = Series("again", 0)
    fresh.set(series.x.copy(), series.y.copy())
    np.testing.assert_allclose(series.smooth(0.5), fresh.smooth(0.5))


def test_infinities_are_gaps_and_lengths_must_agree() -> None:
    series = Series("loss", 0)
    series.append([1, 2, 3], [1.0, float("inf"), 2.0])
    assert np.isnan(series.y[1])
    assert extent([series.y]) == (1.0, 2.0)
    with pytest.raises(ValueError, match="do not go with"):
        series.append([1, 2], [1.0])


def test_the_nearest_point_is_found() -> None:
    series = Series("loss", 0)
    assert series.nearest(1.0) is None
    series.append([0, 10, 20], [1, 2, 3])
    assert [series.nearest(x) for x in (-5, 4, 6, 16, 99)] == [0, 0, 1, 2, 2]


def test_what_is_not_positive_has_no_place_on_a_log_axis() -> None:
    drawn = to_log(np.array([100.0, 0.0, -1.0, np.nan]))
    assert drawn[0] == 2.0
    assert np.isnan(drawn[1:]).all()
