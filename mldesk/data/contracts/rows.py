"""A few rows held against a contract: plain values, as a request to predict brings them. Files are for ``check``."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, time, timezone
from typing import Any

from mldesk.data.contracts.contract import ColumnRule, Contract
from mldesk.data.contracts.verdict import SHOWN, Finding
from mldesk.data.contracts.whole_pattern import unlike
from mldesk.data.pattern_size import LONG_WORDS, LONGEST_CELL
from mldesk.wire.schema import ColumnType

_TRUE = {"true": True, "t": True, "yes": True, "y": True, "1": True}
_FALSE = {"false": False, "f": False, "no": False, "n": False, "0": False}
Values = Sequence[Any]
_Breaks = Callable[[Any], bool]


def findings_of(contract: Contract, columns: Mapping[str, Values]) -> list[Finding]:
    """Return what of the rows breaks a rule, in the words of ``check``; columns that are not there are left to others.

    How many rows there are, what is there twice and how much is missing is not asked of a few rows.
    """
    found: list[Finding] = []
    for rule in contract.columns:
        values = columns.get(rule.name)
        if values is not None:
            for name, words, places in _broken(rule, values):
                count = f"{len(places):,} {'value' if len(places) == 1 else 'values'} of {rule.name!r:.80}"
                found.append(Finding(
                    name, rule.severity, rule.name, f"{count} {'is' if len(places) == 1 else 'are'} {words}.",
                    len(places), tuple((place + 1, str(values[place])[:100]) for place in places[:SHOWN])))
    return found


def _broken(rule: ColumnRule, values: Values) -> Iterator[tuple[str, str, list[int]]]:
    """Give the rules that cells break: its name, in words, and the places of the rows."""
    there = [(place, value) for place, value in enumerate(values) if value is not None and value != ""]
    if not rule.nullable and len(there) < len(values):
        known = {place for place, _ in there}
        yield "missing", "missing, which may not be", [place for place in range(len(values)) if place not in known]
    read = [(place, made) for place, value in there if (made := _read(value, rule.type)) is not None]
    for name, words, breaks in _tests(rule):
        places = [place for place, value in read if breaks(value)]
        if places:
            yield name, words, places
    if rule.pattern is not None and there:
        texts = [(place, value if isinstance(value, str) else str(value)) for place, value in there]
        short = [item for item in texts if len(item[1]) <= LONGEST_CELL]
        places = unlike(rule.pattern, short)
        if places:
            yield "pattern", f"not like {rule.pattern[:80]}", places
        if len(short) < len(texts):
            yield "pattern", LONG_WORDS, [place for place, text in texts if len(text) > LONGEST_CELL]


def _tests(rule: ColumnRule) -> Iterator[tuple[str, str, _Breaks]]:
    ends = [(beyond, end) for beyond, limit in ((operator.lt, rule.low), (operator.gt, rule.high))
            if limit is not None and (end := _read(limit, rule.type)) is not None]
    if ends:
        yield "range", rule.range_words, lambda value: any(beyond(value, end) for beyond, end in ends)
    if rule.values is not None:
        allowed = {_read(value, rule.type) for value in rule.values}
        yield "values", "none of the allowed values", lambda value: value not in allowed


def _read(value: Any, kind: ColumnType) -> Any:
    """Return a cell as its column's type, None where it cannot be: the model says so, which knows better."""
    try:
        if kind is ColumnType.TEXT:
            return ("true" if value else "false") if isinstance(value, bool) else str(value)
        if kind is ColumnType.BOOLEAN:
            return (_TRUE | _FALSE)[str(value).strip().lower()]
        if kind.numeric:
            return float(value)
        text = str(value).strip()
        return time.fromisoformat(text).replace(tzinfo=None) if kind is ColumnType.TIME else _moment(text)
    except (ValueError, KeyError, TypeError, OverflowError):
        return None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is None else moment.astimezone(timezone.utc).replace(tzinfo=None)
