"""Ends that a column of numbers has by what it is: there is no hour 24, and no more than all in a hundred."""

from __future__ import annotations

import re

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|%")
_CALENDAR = {   # by the last words of a name, the longest first; of whole numbers only
    "day of week": ((0, 6), (1, 7), (0, 7)), "week day": ((0, 6), (1, 7), (0, 7)),
    "weekday": ((0, 6), (1, 7), (0, 7)), "wday": ((0, 6), (1, 7), (0, 7)), "dow": ((0, 6), (1, 7), (0, 7)),
    "day of month": ((1, 31),), "mday": ((1, 31),), "day of year": ((1, 366),), "yday": ((1, 366),),
    "hour of day": ((0, 23), (0, 24)), "month of year": ((1, 12),), "week of year": ((1, 53),),
    "hour": ((0, 23), (0, 24)), "hr": ((0, 23), (0, 24)), "minute": ((0, 59),), "second": ((0, 59),),
    "day": ((1, 31),), "month": ((1, 12),), "week": ((1, 53),), "quarter": ((1, 4),)}
_HUNDRED = {"percent", "percentage", "pct", "%", "humidity"}
_EARTH = {"latitude": (-90, 90), "lat": (-90, 90), "longitude": (-180, 180), "lon": (-180, 180), "lng": (-180, 180)}


def natural_ends(name: str, low: float, high: float, *, whole: bool) -> tuple[float, float | None] | None:
    """Return the ends of a column by its name, if its values keep to them; the last is None for years, which go on.

    ``low``, ``high``: the least and the largest; ``whole``: they are whole numbers. None where a name says nothing.
    """
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words or "per" in words:    # calls per day are no days
        return None
    if whole and words[-1] == "year" and 1000 <= low <= high <= 9999:
        return low, None
    text = " ".join(words)
    offered = next((ends for said, ends in _CALENDAR.items() if whole and f" {text}".endswith(f" {said}")), ())
    if _HUNDRED & set(words):
        offered = (*offered, (0, 100))
    if words[-1] in _EARTH:
        offered = (*offered, _EARTH[words[-1]])
    return next((ends for ends in offered if ends[0] <= low <= high <= ends[1]), None)
