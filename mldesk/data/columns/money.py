"""Numbers that carry a sign of their unit, taken off before they are read: € 35,370.57, 12,50 EUR, 10 %."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from mldesk.data.columns.forms import COMMA, NUMBER, POINT, any_match, matches

PERCENT = "%"
_SIGN = r"(?:[€$£¥%]|CHF|EUR|USD)"
_BLANK = "[ \u00a0\u202f]?"
_DIGITS = "[0-9.][0-9.,'’ \u00a0\u202f]*"
MONEY = rf"^(?:[+-]?{_BLANK}{_SIGN}{_BLANK}[+-]?{_DIGITS}|[+-]?{_DIGITS}{_SIGN})$"


def without_sign(values: pa.Array) -> pa.Array:
    """Return texts (null stays null), those that are money without its sign."""
    money = matches(values, MONEY)
    if not pc.any(money).as_py():
        return values
    bare = pc.utf8_trim_whitespace(pc.replace_substring_regex(values, rf"{_BLANK}{_SIGN}{_BLANK}", ""))
    return pc.if_else(money, bare, values)


def as_shares(texts: pa.Array, numbers: pa.Array) -> pa.Array:
    """Return the numbers that ``texts`` were read as, those written with % divided by a hundred."""
    return pc.if_else(matches(texts, PERCENT), pc.divide(numbers, 100.0), numbers)


def regrouped(values: pa.Array, mark: str) -> pa.Array:
    """Return texts in which ``mark``, where it stands between groups of three digits, is one that all numbers may have.

    "" for ``mark`` changes nothing.
    """
    if not mark:
        return values
    grouped = matches(values, rf"^[^0-9]*[0-9]{{1,3}}(?:{re.escape(mark)}[0-9]{{3}})+(?:[.,][0-9]+)?[^0-9]*$")
    return pc.if_else(grouped, pc.replace_substring(values, mark, "'"), values)


def are_numbers(values: pa.Array) -> pa.Array:
    """Return which texts are numbers, with either decimal mark, groups of thousands or a sign of their unit."""
    bare = without_sign(values)
    found = matches(bare, NUMBER)
    return pc.or_(found, pc.or_(matches(bare, POINT), matches(bare, COMMA)))


@dataclass(slots=True)
class NumbersSeen:
    """The numbers of a column, counted by how they are written."""

    usual: int = 0        # that are read whatever the decimal mark is
    point: int = 0        # that only a decimal point allows, like 1,234.5
    money: int = 0        # of all of them, those with a sign of their unit
    example: str = ""     # one of those
    signs: set[str] = field(default_factory=set)
    both_ways: bool = False    # some may mean thousands or decimals: € 1,234
    sure_point: bool = False   # some number with a sign, or beside one, has a decimal point for certain
    sure_comma: bool = False
    commas: bool = False       # some number has one

    @property
    def total(self) -> int:
        return self.usual + self.point

    def readable(self, decimal: str | None) -> int:
        """Return how many are numbers with a decimal mark; None: with either."""
        return self.usual if decimal == "," else self.total

    def decimal(self, usual: str | None) -> str | None:
        """Return the decimal mark that the column's own money tells, else the one that is usual."""
        if not self.money or self.sure_point == self.sure_comma:
            return usual
        return "." if self.sure_point else ","

    def observe(self, values: pa.Array, counts: pa.Array) -> None:
        """Count the numbers among different texts, trimmed and without nulls."""
        bare, money = without_sign(values), matches(values, MONEY)
        number, point, comma = (matches(bare, form) for form in (NUMBER, POINT, COMMA))
        self.commas = self.commas or any_match(bare.filter(pc.or_(point, comma)), ",")
        usual, grouped = pc.or_(number, comma), pc.and_not(point, pc.or_(number, comma))
        self.usual += _sum(counts, usual)
        self.point += _sum(counts, grouped)
        signed = pc.and_(money, pc.or_(usual, grouped))
        self.sure_point = self.sure_point or pc.any(pc.and_not(pc.or_(number, point), comma)).as_py()
        self.sure_comma = self.sure_comma or pc.any(pc.and_not(comma, pc.or_(number, point))).as_py()
        self.both_ways = self.both_ways or pc.any(pc.and_(comma, pc.and_(pc.or_(number, point),
                                                  matches(bare, "[.,]")))).as_py()
        if pc.any(signed).as_py():
            self.money += _sum(counts, signed)
            texts = values.filter(signed)
            self.example = self.example or str(texts[0].as_py())[:60]
            found = pc.extract_regex(texts, f"(?P<sign>{_SIGN})")
            self.signs.update(pc.unique(pc.struct_field(found, [0])).to_pylist())


def _sum(counts: pa.Array, where: pa.Array) -> int:
    return int(pc.sum(counts.filter(where)).as_py() or 0)
