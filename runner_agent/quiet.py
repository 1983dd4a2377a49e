"""Hours of the day in which nothing is started. Pure: minutes since midnight in, minutes out."""

from __future__ import annotations

import time
from collections.abc import Iterable

from mldesk.wire.runner_view import DAY


def minute_of(now: float) -> int:
    """Return the minute of the day at a moment (seconds since the epoch), in this machine's time zone."""
    local = time.localtime(now)
    return local.tm_hour * 60 + local.tm_min


def quiet_until(hours: Iterable[tuple[int, int]], minute: int) -> int | None:
    """Return the minute of the day at which the quiet hours that hold ``minute`` end; None when it is in none.

    ``hours``: pairs [from, to); one with ``to`` before ``from`` goes on past midnight. Pairs that meet are one; if they
    fill the whole day, the end is ``minute`` itself.
    """
    pairs = [(begin, end % DAY) for begin, end in hours]
    at, gone = minute, 0
    while gone < DAY:
        ends = [(end - at) % DAY or DAY for begin, end in pairs if (at - begin) % DAY < ((end - begin) % DAY or DAY)]
        if not ends:
            return at if gone else None
        gone += max(ends)
        at = (at + max(ends)) % DAY
    return minute


def starts_at(moment: float) -> str:
    """Write a moment (seconds since the epoch) in this machine's time zone: "2026-11-29 22:00"."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))


def clock_time(minute: int) -> str:
    """Write a minute of the day as on a clock: "07:00"."""
    return f"{minute // 60:02d}:{minute % 60:02d}"
