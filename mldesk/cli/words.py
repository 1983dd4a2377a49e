"""Numbers, sizes and times as people read them. Pure functions."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mldesk.core import sizes

_BARS = "▁▂▃▄▅▆▇█"

size = sizes.size


def duration(seconds: float | None) -> str:
    """Write a length of time: ``0.8 s``, ``42 s``, ``3:07``, ``2:03:07``; "" for None."""
    if seconds is None or not math.isfinite(seconds):
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def count(number: float | None) -> str:
    """Write a count with thousands set apart: ``7,043``."""
    if number is None:
        return ""
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.2f}"


def score(value: Any) -> str:
    """Write a metric with four significant digits, whatever its size; "" for what is not a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "" if value is None else str(value)
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= 1e15:   # a loss that ran away
        return f"{value:.4g}"
    return f"{value:z.4f}" if abs(value) < 10 else f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def edges(interval: Sequence[float] | None) -> str:
    """Write the 95 % interval of a score: "0.81 to 0.86"; "" where there is none."""
    return "" if interval is None else f"{score(interval[0])} to {score(interval[1])}"


def alike(values: Sequence[float | str | None], *, whole: bool = False) -> list[str]:
    """Write numbers that belong together with as many digits after the point as the largest needs to have four.

    ``whole``: those that are whole numbers stand without a point. "" for None; infinity may come as text.
    """
    numbers = [None if value is None else float(value) if isinstance(value, str) else value for value in values]
    return _alike(numbers, whole)


def _alike(values: Sequence[float | None], whole: bool) -> list[str]:
    known = [abs(value) for value in values if value is not None and math.isfinite(value)]
    top = math.floor(math.log10(max(known))) if any(known) else 0
    if not -6 <= top < 15:
        return ["" if value is None else f"{value:.4g}" for value in values]
    digits = max(0, 3 - top)
    return ["" if value is None else f"{value:,.0f}" if whole and float(value).is_integer() else f"{value:,.{digits}f}"
            for value in values]


def parameters(values: Mapping[str, Any]) -> str:
    """Write a model's parameters as `--param` takes them."""
    return ", ".join(f"{name}={'none' if value is None else cell(value)}" for name, value in values.items())


def members(blended: Iterable[Mapping[str, Any]]) -> str:
    """Write what a search blended: each trial's share, its kind of model and its number."""
    found = list(blended)
    return ", ".join((f"{one['weight']:.0%} " if len(found) > 1 else "") +
                     f"{one['estimator']} (trial {one['trial']})" for one in found)


def cell(value: Any) -> str:
    """Write a table's cell on one line; "" for a missing value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.10g}"
    text = value if isinstance(value, str) else str(value)
    return "".join(letter if letter.isprintable() else "·" for letter in text)


def plain(text: str) -> str:
    """Return text of any number of lines without anything a terminal takes for a command."""
    return text if text.isascii() and text.isprintable() else \
        "".join(letter if letter.isprintable() or letter in "\n\t" else "·" for letter in text)


def moment(seconds: float | None) -> str:
    """Write a wall-clock time in the reader's own zone, to the minute; "" for None."""
    return "" if seconds is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def lately(seconds: float | None, now: float) -> str:
    """Write a wall-clock time as shortly as it can be told from others: the hour, today; else the day."""
    if seconds is None:
        return ""
    today = time.localtime(seconds)[:3] == time.localtime(now)[:3]
    return time.strftime("%H:%M" if today else "%Y-%m-%d", time.localtime(seconds))


def sparkline(values: list[float], width: int = 40) -> str:
    """Draw a curve in one line of text, each place the mean of its share of the values."""
    values = [value for value in values if math.isfinite(value)]
    if not values:
        return ""
    places = min(width, len(values))
    means = [sum(part) / len(part) for part in (
        values[index * len(values) // places:(index + 1) * len(values) // places] for index in range(places))]
    low, high = min(means), max(means)
    span = (high - low) or 1.0
    return "".join(_BARS[round((mean - low) / span * (len(_BARS) - 1))] for mean in means)


def plural(number: int, noun: str) -> str:
    """Write ``1 row``, ``7,043 rows``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
