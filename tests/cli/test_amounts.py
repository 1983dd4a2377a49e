"""Sizes, hours and minutes as people type them."""

from __future__ import annotations

import pytest

from mldesk.cli.amounts import read_hours, read_minutes, read_size, show_hours
from mldesk.core.errors import BadInput


@pytest.mark.parametrize(("text", "size"), [
    ("50GB", 50 * 10**9), ("1.5 gb", 1_500_000_000), ("50GiB", 50 * 2**30), ("500M", 500 * 10**6), ("0", 0),
    ("none", 0), ("2TB", 2 * 10**12), ("12", 12)])
def test_a_size_is_read_in_its_unit(text: str, size: int) -> None:
    assert read_size(text) == size


@pytest.mark.parametrize(("text", "pair"), [
    ("22:00-07:00", (1320, 420)), ("9:30-17:00", (570, 1020)), ("00:00-24:00", (0, 1440))])
def test_hours_are_minutes_of_a_day(text: str, pair: tuple[int, int]) -> None:
    assert read_hours(text) == pair
    assert read_hours(show_hours(pair)) == pair


@pytest.mark.parametrize("text", ["", "much", "-5GB", "5 bananas"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is no size"):
        read_size(text)


@pytest.mark.parametrize("text", ["", "night", "22:00", "25:00-07:00", "07:00-07:00", "24:00-07:00", "7:61-8:00"])
def test_what_are_no_hours_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="are no hours"):
        read_hours(text)


@pytest.mark.parametrize(("text", "minutes"), [
    ("5", 5), ("0.5", 0.5), (2.0, 2), ("20s", 1 / 3), ("5m", 5), ("1.5 h", 90), ("30 sec", 0.5), ("7min", 7)])
def test_a_time_is_in_minutes_unless_its_unit_says_otherwise(text: str | float, minutes: float) -> None:
    assert read_minutes(text) == pytest.approx(minutes)


@pytest.mark.parametrize("text", ["", "soon", "5 d", "-3", "-3m", "m"])
def test_what_is_no_time_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_minutes(text)
    assert "20s, 5m or 1h" in refused.value.hint
