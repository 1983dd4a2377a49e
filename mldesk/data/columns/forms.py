"""The ways in which a column of text may spell values of another type, and how each is read.

Every function here works on Arrow arrays of trimmed text without nulls, as a rule the different values of a column.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mldesk.data.columns.temporal import NOT_A_TIME, pattern, read_moments
from mldesk.wire.schema import ColumnType

_INT = r"(?:0|[1-9][0-9]*)"              # a leading zero makes a code, not a number
_PLUS = r"\+(?:0|[1-9][0-9]{0,5})"       # a longer one with a plus is a telephone number
_EXP = r"(?:[eE][+-]?[0-9]{1,4})"
_INF = r"[+-]?(?i:inf|infinity)"
_GROUPS_POINT = r"[0-9]{1,3}(?:[,'’   ][0-9]{3})+"   # 1,234  1'234  1 234
_GROUPS_COMMA = r"[0-9]{1,3}(?:[.'’   ][0-9]{3})+"   # 1.234  1'234  1 234

INTEGER = rf"^(?:-?{_INT}|{_PLUS})$"
NUMBER = rf"^(?:-?{_INT}|{_PLUS}|[+-]?(?:{_INT}\.[0-9]*|\.[0-9]+){_EXP}?|[+-]?{_INT}{_EXP}|{_INF})$"
POINT = rf"^[+-]?(?:{_GROUPS_POINT}(?:\.[0-9]+)?|{_INT}(?:\.[0-9]+)?)$"
COMMA = rf"^[+-]?(?:{_GROUPS_COMMA}(?:,[0-9]+)?|{_INT}(?:,[0-9]+)?)$"
_BOOLEAN = r"^(?i:true|false)$"
_SURE_POINT = r",[0-9]{3},[0-9]{3}|[0-9]{3}\.[0-9]|['’   ]"
_SURE_COMMA = r"\.[0-9]{3}[.,]|,[0-9]{1,2}$|,[0-9]{4,}$|^[+-]?0,[0-9]|^[+-]?[0-9]{4,},"
_DOTTED = r"^[+-]?[0-9]{1,3}(?:\.[0-9]{3})+$"

_FEW = 64  # values that Python matches one by one

Check = Callable[[pa.Array], bool]
Convert = Callable[[pa.Array], pa.Array]


def _all_match(pattern: str) -> Check:
    return lambda values: all_match(values, pattern)


def all_match(values: pa.Array, pattern: str) -> bool:
    """Say whether every value matches."""
    few = values.slice(0, _FEW).to_pylist()
    match = _compiled(pattern).search
    if not all(match(text) for text in few):
        return False
    return len(values) <= _FEW or bool(pc.all(pc.match_substring_regex(values, pattern)).as_py())


def any_match(values: pa.Array, pattern: str) -> bool:
    """Say whether some of the values match."""
    if len(values) <= _FEW:
        match = _compiled(pattern).search
        return any(match(text) for text in values.to_pylist())
    return bool(pc.any(pc.match_substring_regex(values, pattern)).as_py())


def matches(values: pa.Array, pattern: str) -> pa.Array:
    """Return for each value whether it matches; null for null."""
    if len(values) <= _FEW:
        match = _compiled(pattern).search
        return pa.array([None if text is None else match(text) is not None for text in values.to_pylist()], pa.bool_())
    return pc.match_substring_regex(values, pattern)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Python's own matcher: Arrow compiles a pattern anew in every call, which costs more than matching a few texts."""
    return re.compile(pattern, re.ASCII)


def surely_point(values: pa.Array) -> bool:
    """Say whether some value can only mean groups of thousands with a point for decimals: 1,234,567 or 1,234.5."""
    return any_match(values, _SURE_POINT)


def surely_comma(values: pa.Array) -> bool:
    """Say whether some value can only mean a comma for decimals: 12,5 or 1.234,56."""
    return any_match(values, _SURE_COMMA)


def all_dotted(values: pa.Array) -> bool:
    """Say whether all values could be whole numbers with points between the thousands: 1.234."""
    return all_match(values, _DOTTED)


def fits_int64(values: pa.Array) -> bool:
    """Say whether whole numbers (by pattern) are all within 64 bits."""
    if not pc.any(pc.greater(pc.binary_length(values), 18)).as_py():
        return True
    try:
        to_integer(values)
    except pa.ArrowInvalid:
        return False
    return True


def to_integer(values: pa.Array) -> pa.Array:
    """Read whole numbers. Raises ArrowInvalid beyond 64 bits."""
    return pc.cast(pc.utf8_ltrim(values, "+"), pa.int64())


def to_number(values: pa.Array) -> pa.Array:
    """Read numbers with a point; inf and -inf stay what they are."""
    return pc.cast(pc.utf8_ltrim(values, "+"), pa.float64())


def to_number_grouped(values: pa.Array) -> pa.Array:
    """Read numbers like 1,234.5 or 1 234.5."""
    return to_number(pc.replace_substring_regex(values, r"[,'’   ]", ""))


def to_number_comma(values: pa.Array) -> pa.Array:
    """Read numbers like 1.234,5 or 1 234,5."""
    plain = pc.replace_substring_regex(values, r"[.'’   ]", "")
    return to_number(pc.replace_substring(plain, ",", "."))


def to_boolean(values: pa.Array) -> pa.Array:
    """Read true and false, in any case."""
    return pc.equal(pc.utf8_lower(values), "true")


def _is_moment(form: str) -> Check:
    def fits(values: pa.Array) -> bool:
        return all_match(values, pattern(form)) and read_moments(values, form).whole

    return fits


def date_pattern(form: str) -> str:
    """Return how the texts of a form of dates or times look."""
    return pattern(form)


def to_moment(values: pa.Array, form: str, kind: ColumnType) -> pa.Array:
    """Read moments; what is none becomes null."""
    moments = read_moments(values, form).microseconds
    absent = moments == NOT_A_TIME
    return as_moments(pa.array(np.where(absent, 0, moments), mask=absent), kind)


def as_moments(microseconds: pa.Array, kind: ColumnType) -> pa.Array:
    """Return microseconds since 1970 (of the day, for a time) as a column of ``kind``."""
    if kind is ColumnType.DATE:
        days = np.asarray(pc.fill_null(microseconds, 0)) // 86_400_000_000
        return pa.array(days.astype(np.int32), mask=np.asarray(pc.is_null(microseconds))).cast(pa.date32())
    return microseconds.cast(pa.time64("us") if kind is ColumnType.TIME else pa.timestamp("us"))


@dataclass(frozen=True, slots=True)
class Form:
    """One way to spell values. A column has it if every value that is not missing fits."""

    name: str
    fits: Check
    group: str   # "number", "date" or "other": what a column is called that nearly has it


FORMS: tuple[Form, ...] = (
    Form("integer", lambda values: _all_match(INTEGER)(values) and fits_int64(values), "number"),
    Form("number", _all_match(NUMBER), "number"),
    Form("point", _all_match(POINT), "number"),
    Form("comma", _all_match(COMMA), "number"),
    Form("boolean", _all_match(_BOOLEAN), "other"),
    Form("ymd", _is_moment("ymd"), "date"),
    Form("dmy", _is_moment("dmy"), "date"),
    Form("mdy", _is_moment("mdy"), "date"),
    Form("d month y", _is_moment("d month y"), "date"),
    Form("month d y", _is_moment("month d y"), "date"),
    Form("time", _is_moment("time"), "other"),
)


def told_form(form: str) -> Form:
    """Return the form of dates that are written as a format with % signs says."""
    return Form(form, _is_moment(form), "date")
