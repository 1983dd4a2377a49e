"""Sizes, hours and minutes as people type them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from mldesk.cli.amounts import read_hours, read_length, read_minutes, read_moment, read_size, show_hours
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


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800), ("6h", 21_600), ("1d", 86_400), ("1.5 w", 907_200)])
def test_a_length_of_time_has_a_unit(text: str, seconds: float) -> None:
    assert read_length(text) == seconds


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[float]:
    """29 November 2026, 21:30 in Berlin."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield 1795984200.0
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(("text", "at"), [
    ("22:00", "29 22:00"), ("21:30", "30 21:30"), ("6:05", "30 06:05"), ("+2h", "29 23:30"), ("+90 m", "29 23:00"),
    ("2026-12-01 06:30", "01 06:30"), ("2026-12-01T06:30", "01 06:30"), ("2026-12-01T05:30Z", "01 06:30"),
    ("2026-12-01T07:30+02:00", "01 06:30"), ("2026-12-01", "01 00:00"), ("2026-11-28 22:00", "28 22:00")])
def test_a_moment_is_here_unless_it_names_a_zone(berlin: float, text: str, at: str) -> None:
    assert time.strftime("%d %H:%M", time.localtime(read_moment(text, berlin))) == at


@pytest.mark.parametrize("text", ["", "soon", "25:00", "+", "+2", "2h", "2026-13-01", "22:00:00:00"])
def test_what_is_no_moment_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(BadInput, match="is no moment"):
        read_moment(text, 1.8e9)
