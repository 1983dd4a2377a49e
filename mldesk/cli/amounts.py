"""Sizes, hours and minutes as people type them: ``50GB``, ``22:00-07:00``, ``20s``."""

from __future__ import annotations

import re

from mldesk.core.errors import BadInput

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(I?)B?", re.IGNORECASE)
_HOURS = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\s*(?:-|–|to)\s*([01]?\d|2[0-4]):([0-5]\d)")
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(s|sec|m|min|h)", re.IGNORECASE)
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
