"""Numbers and times as a report writes them: the same on every machine."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mldesk.core.clock import iso

_WIDE = 110    # letters in a line of a table on a page of A4
_HUGE = 1e15   # from here on floats do not hold every whole number


def number(value: object, digits: int = 4) -> str:
    """Write a number with about four significant digits, a whole one with its thousands set apart; "" for None."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int) or (float(value).is_integer() and abs(value) >= 1000) or 1e4 <= abs(value) < _HUGE:
        return f"{value:,.0f}"
    return f"{value:.{digits}f}" if 1e-3 <= abs(value) < 10 or value == 0 else f"{value:,.{max(digits, 4)}g}"


def _exact(value: float) -> str:
    """Write a setting or a cell as somebody gave it, to six digits: 0.06, not 0.0600."""
    return number(value) if 1e4 <= abs(value) < _HUGE else f"{value:,.6g}"


def plural(count: int, noun: str) -> str:
    """Write ``1 row``, ``7,043 rows``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def when(seconds: float | None) -> str:
    """Write a moment in UTC, to the second."""
    return "" if seconds is None else iso(seconds)[:19].replace("T", " ") + " UTC"


def length(seconds: float | None) -> str:
    """Write a length of time: ``3.2 s``, ``4 min 7 s``, ``2 h 5 min``; "" for None."""
    if seconds is None or not math.isfinite(seconds):
        return ""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest:.0f} s" if minutes else f"{rest:.1f} s"


def interval(facts: Mapping[str, Any], metric: str) -> str:
    """Write the edges of a metric's interval; "" where there is none."""
    edges = (facts.get("intervals") or {}).get(metric)
    if not isinstance(edges, (list, tuple)) or len(edges) != 2:
        return ""
    return f"{number(edges[0])} to {number(edges[1])}"


def plain(value: Any, most: int = 60) -> str:
    """Write any value of a table or a setting in one short line."""
    if value is None:
        return "–"
    many = isinstance(value, (list, tuple))
    text = ", ".join(map(str, value)) if many else _exact(value) if isinstance(value, float) else str(value)
    line = " ".join(text.split())
    return line if len(line) <= most else line[:most - 1] + "…"


def fitting(head: Sequence[str], rows: Sequence[Sequence[str]], least: int) -> int:
    """Return how many of a table's columns a page has room for, each as wide as its longest word: ``least`` or more."""
    room = _WIDE
    for place, cells in enumerate(zip(head, *rows, strict=True)):
        room -= 2 + max(len(word) for cell in cells for word in cell.split() or [""])
        if room < 0 and place >= least:
            return place
    return len(head)
