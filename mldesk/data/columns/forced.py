"""Read texts as a type that the user chose, each in whatever way it is written; what cannot be read becomes missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mldesk.data.columns.forms import (
    COMMA,
    NUMBER,
    POINT,
    date_pattern,
    matches,
    to_integer,
    to_moment,
    to_number,
    to_number_comma,
    to_number_grouped,
)
from mldesk.data.columns.money import as_shares, regrouped, without_sign
from mldesk.data.columns.spellings import PLAIN_FORMS, mark_pattern
from mldesk.data.options import Reading
from mldesk.data.types import ARROW
from mldesk.wire.schema import ColumnType

_TRUE = ("true", "t", "yes", "y", "1", "on")
_FALSE = ("false", "f", "no", "n", "0", "off")
_DIGITS = r"^[+-]?[0-9]+$"    # also 007: who chooses the type wants it to be a number
_ZEROS = r"^[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,4})?$"
_ZEROS_COMMA = r"^[+-]?[0-9]+(?:,[0-9]*)?$"


class _Reader(NamedTuple):
    """One way to read texts that match a pattern."""

    pattern: str
    read: Callable[[pa.Array], pa.Array]


def forced_values(texts: pa.Array, kind: ColumnType, reading: Reading) -> pa.Array:
    """Return trimmed texts (null where missing) as a type other than text, null also for what does not fit."""
    if kind is ColumnType.BOOLEAN:
        return _booleans(texts)
    if kind is ColumnType.NUMBER:
        return _numbers(regrouped(texts, reading.grouping), reading)
    if kind is ColumnType.INTEGER:
        return _integers(regrouped(texts, reading.grouping), reading)
    if kind is ColumnType.TIME:
        return _first_that_fits(texts, [_Reader(date_pattern("time"), _moments("time", kind))], ARROW[kind])
    names = tuple(filter(None, (reading.dates, *PLAIN_FORMS)))
    readers = [_Reader(date_pattern(name), _moments(name, kind)) for name in names]
    readers += [_Reader(mark_pattern(mark), _moments(order, kind)) for mark, order in reading.orders]
    return _first_that_fits(texts, readers, ARROW[kind])


def _booleans(texts: pa.Array) -> pa.Array:
    lower = pc.utf8_lower(texts)
    yes, no = (pc.is_in(lower, pa.array(words)) for words in (_TRUE, _FALSE))
    return pc.if_else(pc.or_(yes, no), yes, pa.scalar(None, pa.bool_()))


def _numbers(given: pa.Array, reading: Reading) -> pa.Array:
    texts = without_sign(given)
    plain, comma = _Reader(NUMBER, to_number), _Reader(COMMA, to_number_comma)
    grouped = _Reader(POINT, to_number_grouped)
    order = [comma, plain, _Reader(_ZEROS_COMMA, to_number_comma)] if reading.decimal == "," else \
        [plain, grouped, comma, _Reader(_ZEROS, to_number)]
    numbers = _first_that_fits(texts, order, pa.float64())
    return as_shares(given, numbers) if reading.shares else numbers


def _integers(texts: pa.Array, reading: Reading) -> pa.Array:
    """Whole numbers of 64 bits; those within 18 digits exactly."""
    short = pc.if_else(pc.less_equal(pc.binary_length(texts), 18), texts, pa.scalar(None, pa.string()))
    exact = _first_that_fits(short, [_Reader(_DIGITS, to_integer)], pa.int64())
    numbers = _numbers(texts, reading)
    whole = pc.and_(pc.equal(numbers, pc.trunc(numbers)), pc.less(pc.abs(numbers), 9.2e18))
    return pc.coalesce(exact, pc.cast(pc.if_else(whole, numbers, pa.scalar(None, pa.float64())), pa.int64()))


def _moments(name: str, kind: ColumnType) -> Callable[[pa.Array], pa.Array]:
    return lambda values: to_moment(values, name, kind)


def _first_that_fits(texts: pa.Array, readers: Sequence[_Reader], kind: pa.DataType) -> pa.Array:
    """Read each text in the first of the ways whose pattern it matches."""
    result = pa.nulls(len(texts), kind)
    for pattern, read in readers:
        fits = pc.fill_null(pc.and_(pc.is_null(result), matches(texts, pattern)), False)
        if pc.any(fits).as_py():
            places = np.flatnonzero(np.asarray(fits))
            spread = np.full(len(texts), -1, np.int64)
            spread[places] = np.arange(len(places))
            found = pc.cast(read(texts.take(pa.array(places))), kind)
            result = pc.coalesce(result, found.take(pa.array(spread, mask=spread < 0)))
    return result
