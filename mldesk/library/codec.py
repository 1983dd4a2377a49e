"""JSON in text columns, and text that is safe to bind: what a runner sent may hold anything."""

from __future__ import annotations

import json
import math
from typing import Any

from mldesk.core import canonical

_LAST = 253_370_764_800.0   # 1 January 9999: in every time zone a year of four digits
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode  # ASCII: lone surrogates stay escaped


def dump(value: Any) -> str:
    """Write plain data as JSON text; floats that are not finite become strings, as on the wire."""
    try:
        return _encode(value)
    except (ValueError, TypeError):  # non-finite, or a mapping that is no dict
        return _encode(canonical.finite(value))


def load(text: str | None) -> Any:
    """Read what ``dump`` wrote; None for null."""
    return None if text is None else json.loads(text)


def clean(value: object, limit: int = 10_000) -> str:
    """Return ``value`` as text that SQLite takes: no lone surrogates, at most ``limit`` characters."""
    return str(value)[:limit].encode("utf-8", "replace").decode("utf-8")


def finite(value: object) -> float | None:
    """Return a finite number as float; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def wall_clock(value: object) -> float:
    """Return seconds since the epoch that every calendar has a date for; the nearest where a runner's clock lies."""
    return min(max(0.0, finite(value) or 0.0), _LAST)


def whole(value: object) -> int | None:
    """Return a whole number that fits in 64 bits; None for anything else."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -(1 << 63) <= value < 1 << 63:
        return None
    return value
