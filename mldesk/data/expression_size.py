"""How large what an expression makes may become: of most it is plain that no cell grows much, of the others it is not.

What is not plain is worked out in a process with a limit (``asking``); the rest stays as quick as it is. A function
that is not named here, a pattern that is a column, or a type that holds others is not plain, however harmless.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from mldesk.data.pattern_size import states

MOST = 64.0            # cells' worth of text that one cell may become, for an expression to count as plain
_A_CELL = 16           # letters of a text in an expression that count as one cell
_MOST_STATES = 200     # of a pattern that is tried on every row
_LONG_FORMAT = 100     # letters of how a date is to be written
_MOST_WILD = 2         # placeholders in LIKE, which goes back for each of them

_FUNCTIONS = """
    + - * / // % ** ^ @ & | abs ceil ceiling floor round round_even trunc sign sqrt cbrt exp ln log log2 log10 pow power
    mod fmod divide subtract add multiply sin cos tan asin acos atan atan2 degrees radians pi isnan isfinite isinf
    greatest least if ifnull nullif coalesce
    lower lcase upper ucase trim ltrim rtrim length len strlen char_length character_length left right substr substring
    substring_grapheme contains prefix suffix starts_with ends_with position strpos instr ascii ord unicode chr reverse
    strip_accents nfc_normalize md5 sha1 sha256 hash split_part
    year month day hour minute second millisecond microsecond quarter week weekofyear weekday isodow dayofweek
    dayofmonth dayofyear decade century epoch epoch_ms date_part datepart date_trunc datetrunc date_diff datediff
    date_add date_sub datesub dayname monthname last_day make_date make_time make_timestamp strptime try_strptime
    to_years to_months to_weeks to_days to_hours to_minutes to_seconds to_milliseconds to_microseconds timezone
"""
_PLAIN = frozenset(_FUNCTIONS.split())
_PATTERNS = frozenset({"regexp_matches", "regexp_full_match", "regexp_extract"})
_LIKE = {"~~": "%", "!~~": "%", "~~*": "%", "!~~*": "%", "~~~": "*"}
_JOINING = frozenset({"||", "concat", "concat_ws"})
_REPLACING = frozenset({"replace", "regexp_replace"})
_KINDS = frozenset({"CASE", "CAST", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "OPERATOR", "BETWEEN",
                    "FUNCTION", "TYPE", "COLLATE"})
_SCALARS = """
    BOOLEAN TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT FLOAT REAL DOUBLE DECIMAL
    VARCHAR DATE TIME TIMESTAMP TIMESTAMP_S TIMESTAMP_MS INTERVAL BOOL INT TEXT STRING NUMERIC INT64 INT32 INT8 DATETIME
"""
_TYPES = frozenset(_SCALARS.split())


def growth(tree: Any) -> float:
    """Return how many cells' worth of text an expression may make of one cell, at least 1; inf where that is not plain.

    ``tree`` is the expression as the engine gives it in JSON.
    """
    found = 0.0
    waiting: list[tuple[Any, float, bool]] = [(tree, 1.0, False)]   # what, how often it is repeated, within a text made
    while waiting:
        part, often, made = waiting.pop()
        if isinstance(part, list):
            waiting += [(item, often, made) for item in part]
            continue
        if not isinstance(part, Mapping):
            continue
        kind = part.get("class")
        if kind is not None and kind not in _KINDS:
            return math.inf
        if kind == "TYPE" and str(part.get("type_name")).upper() not in _TYPES:
            return math.inf
        if kind == "FUNCTION":
            more = _repeats(str(part.get("function_name", "")).lower(), _arguments(part))
            often, made = often * max(1.0, more), made or more > 0
        elif made and kind in ("COLUMN_REF", "CONSTANT"):
            found += often * _cells(part)
        if often > MOST or found > MOST:
            return math.inf
        waiting += [(value, often, made) for value in part.values() if isinstance(value, (list, Mapping))]
    return max(1.0, found)


def _repeats(name: str, arguments: list[Any]) -> float:
    """Return how often a function may repeat what it is given: 0 where it makes no longer text, inf if not plain."""
    if name in _PLAIN:
        return 0.0
    if name in _JOINING:
        return 1.0
    if name == "strftime":
        formats = [_text(arguments, number) or "" for number in (0, 1)]
        return 0.0 if max(map(len, formats)) <= _LONG_FORMAT else math.inf
    if name in _LIKE:
        pattern = _text(arguments, 1)
        return 0.0 if pattern is not None and pattern.count(_LIKE[name]) <= _MOST_WILD else math.inf
    if name in _PATTERNS or name in _REPLACING:
        pattern, put = _text(arguments, 1), _text(arguments, 2)
        if pattern is None or (name != "replace" and states(pattern) > _MOST_STATES):
            return math.inf
        if name in _PATTERNS:
            return 0.0
        return math.inf if put is None else 1.0 + len(put)
    return math.inf


def _arguments(part: Mapping[str, Any]) -> list[Any]:
    return [item.get("expression") if isinstance(item, Mapping) else None for item in part.get("arguments", ())]


def _text(arguments: list[Any], number: int) -> str | None:
    """Return the argument of that number where it is a text that stands there; "" where there is none."""
    if number >= len(arguments):
        return ""
    part = arguments[number]
    literal = part.get("literal") if isinstance(part, Mapping) and part.get("class") == "CONSTANT" else None
    return str(literal.get("text", "")) if isinstance(literal, Mapping) else None


def _cells(part: Mapping[str, Any]) -> float:
    literal = part.get("literal")
    return len(str(literal.get("text", ""))) / _A_CELL if isinstance(literal, Mapping) else 1.0
