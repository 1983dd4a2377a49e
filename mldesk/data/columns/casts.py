"""How a column of one type is read as another, in SQL, and how plain values become SQL values of a column's type."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timezone
from typing import Any

from mldesk.data.columns.readers import how_to_read
from mldesk.data.engine import literal
from mldesk.data.options import Reading
from mldesk.data.types import DUCKDB
from mldesk.wire.schema import ColumnType

_WORDS = {
    ColumnType.INTEGER: "a whole number", ColumnType.NUMBER: "a number", ColumnType.BOOLEAN: "true or false",
    ColumnType.TEXT: "a text", ColumnType.DATE: "a date like 2026-11-21",
    ColumnType.DATETIME: "a date and time like 2026-11-21 06:52", ColumnType.TIME: "a time of day like 06:52",
}
_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
_I, _N, _B, _T = ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.BOOLEAN, ColumnType.TEXT
_D, _DT, _TM = ColumnType.DATE, ColumnType.DATETIME, ColumnType.TIME

# {} is the column. A value that does not fit gives NULL.
_CASTS: dict[tuple[ColumnType, ColumnType], str] = {
    (_I, _N): "CAST({0} AS DOUBLE)",
    (_N, _I): "CASE WHEN {0} = trunc({0}) AND abs({0}) < 9.2e18 THEN TRY_CAST({0} AS BIGINT) END",
    (_I, _B): "CASE {0} WHEN 0 THEN false WHEN 1 THEN true END",
    (_N, _B): "CASE {0} WHEN 0 THEN false WHEN 1 THEN true END",
    (_B, _I): "CAST({0} AS BIGINT)",
    (_B, _N): "CAST(CAST({0} AS BIGINT) AS DOUBLE)",
    (_D, _DT): "CAST({0} AS TIMESTAMP)",
    (_DT, _D): "CAST({0} AS DATE)",
    (_DT, _TM): "CAST({0} AS TIME)",
}


def in_words(kind: ColumnType) -> str:
    """Return a type as people say it: "a whole number"."""
    return _WORDS[kind]


def cast_sql(column: str, old: ColumnType, new: ColumnType, form: str, how: str = "") -> str | None:
    """Return SQL that reads ``column`` (quoted) as ``new``, NULL for values that do not fit; None if nothing could.

    ``form`` is how dates and times are written (as in strftime), "" for as an import reads them; ``how`` is that, see
    ``readers``, whose functions texts need.
    """
    if old is new:
        return column
    if new is _T:
        return f"CAST({column} AS VARCHAR)"
    if form and new.temporal and old in (_T, _I):
        return f"CAST(try_strptime(trim(CAST({column} AS VARCHAR)), {literal(form)}) AS {DUCKDB[new]})"
    if old is _T:
        return f"read_{new.value}({column}, {literal(how or how_to_read(Reading()))})"
    template = _CASTS.get((old, new))
    return None if template is None else template.replace("{0}", column)


def value_sql(value: Any, kind: ColumnType) -> str:
    """Return a plain value as SQL of a column's type. Raises ValueError if it does not fit."""
    if value is None:
        return f"CAST(NULL AS {DUCKDB[kind]})"
    return f"CAST({literal(typed_value(value, kind))} AS {DUCKDB[kind]})"


def typed_value(value: Any, kind: ColumnType) -> Any:
    """Return a plain value as one of a column's type, moments as ISO 8601. Raises ValueError, OverflowError."""
    text = str(value).strip()
    if kind is _T:
        return ("true" if value else "false") if isinstance(value, bool) else str(value)
    if kind is _B:
        if text.lower() not in _TRUE + _FALSE:
            raise ValueError(value)
        return text.lower() in _TRUE
    if isinstance(value, bool):
        raise ValueError(value)
    if kind is _I:
        number = int(text) if text.lstrip("+-").isdigit() else float(text)
        if number != int(number) or abs(number) >= 1 << 63:
            raise ValueError(value)
        return int(number)
    if kind is _N:
        real = float(text)
        if math.isnan(real):
            raise ValueError(value)
        return real
    return _moment(text, kind)


def _moment(text: str, kind: ColumnType) -> str:
    if kind is _TM:
        return time.fromisoformat(text).replace(tzinfo=None).isoformat()
    if kind is _D:
        return date.fromisoformat(text).isoformat()
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        moment = moment.astimezone(timezone.utc).replace(tzinfo=None)
    return moment.isoformat(sep=" ")
