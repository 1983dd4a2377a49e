"""Sizes, hours, lengths of time and moments as people type them: ``50GB``, ``22:00-07:00``, ``20s``, ``+2h``."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from mldesk.core.errors import BadInput

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(I?)B?", re.IGNORECASE)
_HOURS = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\s*(?:-|–|to)\s*([01]?\d|2[0-4]):([0-5]\d)")
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(s|sec|m|min|h)", re.IGNORECASE)
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(s|sec|m|min|h|d|w)", re.IGNORECASE)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}   # seconds
_DAY = 24 * 60  # minutes


def read_size(text: str) -> int:
    """Return bytes: "50GB" is decimal, "50GiB" binary, "0" and "none" are 0. Raises BadInput."""
    if text.strip().lower() == "none":
        return 0
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise BadInput(f"{text[:40]!r} is no size.", hint="Write it as 50GB, 500MB or 50GiB; none for no limit.")
    base = 1024 if found[3] else 1000
    return int(float(found[1]) * base ** " KMGT".index(found[2].upper() or " "))


def read_minutes(text: str | float) -> float:
    """Return minutes: "5" and "5m" are five, "20s" a third of one, "1h" sixty. Raises BadInput."""
    found = _TIME.fullmatch(str(text).strip())
    try:
        minutes = float(found[1]) * {"s": 1 / 60, "m": 1, "h": 60}[found[2][0].lower()] if found else float(text)
    except ValueError:
        minutes = -1
    if minutes < 0:
        raise BadInput(f"{text!r:.40} is no time.", hint="Write it in minutes, as 5 or 0.5, or as 20s, 5m or 1h.")
    return minutes


def read_length(text: str) -> float:
    """Return seconds: "30m", "6h", "1d", "1w". Raises BadInput."""
    found = _LENGTH.fullmatch(text.strip())
    if found is None:
        raise BadInput(f"{text[:40]!r} is no length of time.", hint="Write it as 30m, 6h, 1d or 1w.")
    return float(found[1]) * _UNITS[found[2][0].lower()]


def read_moment(text: str, now: float) -> float:
    """Return a moment in seconds since the epoch: "22:00" is the next one here, "+2h" from now, "2026-12-01 06:30" in
    this machine's time zone unless it names one (Z, +01:00). Raises BadInput.
    """
    said = text.strip()
    try:
        if said.startswith("+"):
            return now + read_length(said[1:])
        if clock := _CLOCK.fullmatch(said):
            today = datetime.fromtimestamp(now)  # noqa: DTZ006 - the hour is meant as clocks here show it
            at = today.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
            return (at if at.timestamp() > now else at + timedelta(days=1)).timestamp()
        return datetime.fromisoformat(said).timestamp()
    except (BadInput, ValueError, OverflowError, OSError) as error:
        raise BadInput(f"{text[:40]!r} is no moment.", hint="Write it as 22:00, 2026-12-01 06:30, 2026-12-01T06:30Z or "
                       "+2h.") from error


def read_hours(text: str) -> tuple[int, int]:
    """Return minutes since midnight, from and to. Raises BadInput."""
    found = _HOURS.fullmatch(text.strip())
    if found is None:
        raise BadInput(f"{text[:40]!r} are no hours.", hint="Write them as 22:00-07:00; none for no quiet hours.")
    start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if start >= _DAY or end > _DAY or start == end:
        raise BadInput(f"{text[:40]!r} are no hours of a day.", hint="Write them as 22:00-07:00.")
    return start, end


def show_hours(pair: tuple[int, int]) -> str:
    """Write quiet hours: ``22:00-07:00``."""
    return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in pair)
