"""Moments on an axis: ticks at whole minutes, days, months and years, and their labels."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400
_EVEN = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 3 * 3600, 6 * 3600, 12 * 3600, _DAY,
         2 * _DAY, 7 * _DAY, 14 * _DAY)        # seconds
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 12_000)


def moment(seconds: float) -> datetime:
    """Return the moment ``seconds`` after 1970 began, in UTC; cut to the years 1 to 9999."""
    try:
        return _BEGIN + timedelta(seconds=seconds)
    except OverflowError:
        return datetime(1, 1, 1, tzinfo=UTC) if seconds < 0 else datetime(9999, 12, 31, tzinfo=UTC)


def words(seconds: float) -> str:
    """Write a moment, without the time of day where it is midnight: 2024-05-01, 2024-05-01 08:30:12."""
    at = moment(round(seconds))
    day = f"{at.year:04}-{at.month:02}-{at.day:02}"
    if (at.hour, at.minute, at.second) == (0, 0, 0):
        return day
    return f"{day} {at:%H:%M}" + (f":{at.second:02}" if at.second else "")


def ticks(low: float, high: float, least: float) -> tuple[float, list[float]]:
    """Return about how far ticks lie apart, at least ``least`` seconds, and the ticks from ``low`` to ``high``."""
    step = next((step for step in _EVEN if step >= least), None)
    if step is not None:
        first = math.ceil(low / step)
        return step, [index * step for index in range(first, math.floor(high / step) + 1)]
    months = next((count for count in _MONTHS if count * 30.4 * _DAY >= least), _MONTHS[-1])
    begin = moment(low)
    number = begin.year * 12 + begin.month - 1
    number -= number % months
    found = []
    while (at := _month(number)) is not None and at <= high:
        if at >= low:
            found.append(at)
        number += months
    return months * 30.4 * _DAY, found


def tick_words(seconds: float, step: float) -> str:
    """Return a tick's label, as exact as the distance to the next asks for."""
    at = moment(seconds)
    if step >= 360 * _DAY:
        return f"{at.year}"
    if step >= 28 * _DAY:
        return f"{at.year}-{at.month:02}"
    if step >= _DAY or (at.hour, at.minute, at.second) == (0, 0, 0):
        return f"{at.year}-{at.month:02}-{at.day:02}"
    return f"{at:%H:%M}" if step >= 60 else f"{at:%H:%M:%S}"


def _month(number: int) -> float | None:
    """Return when the month began that is ``number`` months after the year 0; None beyond the calendar."""
    if number < 12:
        return -math.inf
    if number // 12 > 9999:
        return None
    return (datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC) - _BEGIN).total_seconds()
