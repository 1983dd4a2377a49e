"""Canonical JSON: one text per value, so that digests and comparisons mean something.

Keys sorted, no spaces, UTF-8, and no NaN or infinity: those travel as the strings in ``NON_FINITE``.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def dumps(value: Json) -> bytes:
    """Return the canonical bytes of ``value``. Raises TypeError for what is not JSON."""
    return json.dumps(
        finite(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode("utf-8", "surrogatepass")


def loads(data: bytes | str) -> Json:
    """Parse JSON that a peer wrote. Raises ValueError for bad JSON, a bare NaN, or nesting too deep."""
    try:
        value: Json = json.loads(data, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("JSON nested too deep") from error
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        if "integer string conversion" in str(error):  # Python's own limit, in Python's own words
            raise ValueError("a whole number has more digits than can be read") from error
        raise
    return value


def digest(value: Json) -> str:
    """Return the SHA-256 of the canonical bytes, as 64 hex digits."""
    return hashlib.sha256(dumps(value)).hexdigest()


def number(value: Json) -> float:
    """Read a number that may have travelled as "NaN", "Infinity" or "-Infinity". Raises ValueError."""
    if isinstance(value, str) and value in NON_FINITE:
        return NON_FINITE[value]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"not a number: {value!r:.40}")
    return float(value)


def finite(value: Json) -> Json:
    """Return ``value`` with NaN and infinities as the strings in ``NON_FINITE``, tuples as lists, keys as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [finite(item) for item in value]
    return value


def writable(value: Json) -> bool:
    """Say whether all texts in ``value`` can be written as UTF-8: ``"\\ud800"`` is JSON, but half a character."""
    if isinstance(value, str):
        return not any("\ud800" <= letter <= "\udfff" for letter in value) if not value.isascii() else True
    if isinstance(value, Mapping):
        return all(writable(str(key)) and writable(item) for key, item in value.items())
    return all(map(writable, value)) if isinstance(value, Sequence) else True


def _refuse(constant: str) -> Json:
    raise ValueError(f"bare {constant} is not JSON")
