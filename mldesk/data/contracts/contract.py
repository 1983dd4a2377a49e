"""What files must be like to belong to a dataset: types, ranges, allowed values, names. A contract is plain JSON.

``{"columns": [{"name", "type", …}], "extra": "refuse", "order": false, "rows": {"low", "high", "severity"},
"file_name": {"pattern", "ignore_case", "dates": {"day": "%d%m%Y"}}}``; what is left out is not asked for.
Standard library only, but for DuckDB and Arrow where a pattern is used. A contract may come from anywhere: whatever
is in it is refused by a sentence, or can be used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Self

from mldesk.core import canonical
from mldesk.core.errors import BadInput
from mldesk.data.contracts.name_pattern import compiled, match
from mldesk.data.contracts.whole_pattern import unreadable
from mldesk.data.near import did_you_mean
from mldesk.data.pattern_size import too_large, too_large_together
from mldesk.wire.schema import ColumnType

SEVERITIES = ("error", "row", "warning")  # refuse the file, leave the row out, only say so
EXTRA = ("refuse", "warn", "allow")
ORDERS = (False, True, "warn")   # any order, refuse the file, only say so
OF_ROWS = ("error", "warning")  # refuse a file with other counts, only say so
MOST_VALUES = 10_000
MOST_COLUMNS = 10_000
LONGEST_NAME = 300    # characters, as of every column
LONGEST_TEXT = 10_000  # characters of an allowed value or a limit
LONGEST_PATTERN = 1000
_MOST_ROWS = 10**15
_WHAT = "The contract"


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """What a column must be like; None asks for nothing."""

    name: str
    type: ColumnType
    required: bool = True                 # the file must have it
    nullable: bool = True
    missing: float | None = None          # greatest share of missing cells, 0 to 1
    low: float | str | None = None        # least and greatest value; ISO text for dates and times
    high: float | str | None = None
    values: tuple[str, ...] | None = None  # the allowed ones, as text
    pattern: str | None = None            # a regular expression (RE2) that the whole text matches
    unique: bool = False
    severity: str = "error"               # of what is wrong with cells; one of SEVERITIES

    @property
    def range_words(self) -> str:
        """What is said of values beyond the limits: "not between 0 and 9"."""
        low, high = (f"{end:.12g}" if isinstance(end, float) else str(end) for end in (self.low, self.high))
        return f"below {low}" if self.high is None else f"above {high}" if self.low is None else \
            f"not between {low} and {high}"

    def to_json(self) -> dict[str, Any]:
        found = {item.name: getattr(self, item.name) for item in fields(self)}
        found["type"] = self.type.value
        found["values"] = None if self.values is None else list(self.values)
        default = {item.name: item.default for item in fields(self)}
        return {name: value for name, value in found.items() if name in ("name", "type") or value != default[name]}


@dataclass(frozen=True, slots=True)
class NameRule:
    """What the name of a file must be like."""

    pattern: str                          # (RE2) of the whole name; named groups may be dates
    ignore_case: bool = False
    dates: Mapping[str, str] = field(default_factory=dict)  # group: how it is written, as in strftime

    def problem(self, name: str) -> str:
        """Return what is wrong with a file's name, "" if nothing is."""
        found = match(self.pattern, name, self.ignore_case)
        if found is None:
            return f"the name is not like {self.pattern}"
        for group, form in self.dates.items():
            text = found[group]
            try:
                datetime.strptime(text or "", form)  # noqa: DTZ007 - a date of its own, in no zone
            except ValueError:
                return f"{text!r:.40} in the name is no {group} written like {form}"
        return ""

    def parts(self, name: str) -> dict[str, str]:
        """Return the named groups of a good name, dates and times as ISO text."""
        found = match(self.pattern, name, self.ignore_case)
        if found is None:
            return {}
        return {group: _iso(text or "", self.dates[group]) if group in self.dates else text or ""
                for group, text in found.items()}


def _iso(text: str, form: str) -> str:
    """Return a moment as ISO text; a time of day, where its form has no part of a date."""
    moment = datetime.strptime(text, form)  # noqa: DTZ007 - a date of its own, in no zone
    of_day = set(re.findall(r"%([A-Za-z])", form)) <= set("HIMSfpXzZ")
    return moment.time().isoformat() if of_day else moment.isoformat()


@dataclass(frozen=True, slots=True)
class Contract:
    """What every file of a dataset must be like."""

    columns: tuple[ColumnRule, ...]
    extra: str = "refuse"                 # columns beyond these; one of EXTRA
    order: bool | str = False             # whether columns come in this order; one of ORDERS
    low: int | None = None                # rows a file must have, and may have
    high: int | None = None
    file_name: NameRule | None = None
    of_rows: str = "error"                # what is wrong with their count; one of OF_ROWS

    def to_json(self) -> dict[str, Any]:
        """Return the contract as it is kept and exported."""
        rows: dict[str, Any] = {name: value for name, value in (("low", self.low), ("high", self.high))
                                if value is not None}
        if rows and self.of_rows != "error":
            rows["severity"] = self.of_rows
        name = None if self.file_name is None else {
            "pattern": self.file_name.pattern, "ignore_case": self.file_name.ignore_case,
            "dates": dict(self.file_name.dates)}
        return {"columns": [rule.to_json() for rule in self.columns], "extra": self.extra, "order": self.order,
                "rows": rows, "file_name": name}

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read what ``to_json`` wrote, or a person. Raises BadInput that names what is wrong."""
        given = _record(value, ("columns", "extra", "order", "rows", "file_name"), _WHAT)
        listed = given.get("columns")
        if not isinstance(listed, list) or not listed:
            raise BadInput(f"{_WHAT} has no list of columns.", hint='Write {"columns": [{"name": …, "type": …}]}.')
        _is(len(listed) <= MOST_COLUMNS, "columns", f"a list of at most {MOST_COLUMNS:,}")
        columns = tuple(_column(item) for item in listed)
        names = [rule.name.casefold() for rule in columns]
        twice = next((rule.name for rule in columns if names.count(rule.name.casefold()) > 1), None) \
            if len(set(names)) < len(names) else None
        if twice is not None:
            raise BadInput(f"{_WHAT} has the column {twice!r:.80} twice.")
        if why := too_large_together(rule.pattern for rule in columns if rule.pattern is not None):
            raise BadInput(f"{_WHAT} cannot be used: {why}.", hint="Write shorter ones, or fewer.")
        rows = _record(given.get("rows") or {}, ("low", "high", "severity"), f"{_WHAT}'s row count")
        for end in (rows.get("low"), rows.get("high")):
            _is(end is None or (_whole(end) and 0 <= end <= _MOST_ROWS), "rows", "a whole number")
        _is(given.get("extra", "refuse") in list(EXTRA), "extra", f"one of {', '.join(EXTRA)}")
        _is(rows.get("severity", "error") in list(OF_ROWS), "severity", f"one of {', '.join(OF_ROWS)}",
            f"{_WHAT}'s row count")
        order = given.get("order", False)
        _is(isinstance(order, bool) or order == "warn", "order", 'true, false or "warn"')
        name = given.get("file_name")
        return cls(columns, given.get("extra", "refuse"), order, rows.get("low"), rows.get("high"),
                   None if name is None else _name(name), rows.get("severity", "error"))


def read_contract(text: str) -> Contract:
    """Read a contract in JSON. Raises BadInput that names what is wrong."""
    return Contract.from_json(read_json(text))


def read_json(text: str) -> Any:
    """Return JSON that anybody may have written. Raises BadInput."""
    try:
        return canonical.loads(text)
    except ValueError as error:
        raise BadInput(f"The contract is not JSON: {str(error)[:200]}.") from error


def _column(value: Any) -> ColumnRule:
    known = tuple(item.name for item in fields(ColumnRule))
    given = dict(_record(value, known, "A column of the contract"))
    name = given.get("name")
    _is(_text(name, LONGEST_NAME) and bool(str(name).strip()), "name",
        f"the name of a column, of at most {LONGEST_NAME} characters")
    where = f"{_WHAT}, column {name!r:.80}"
    try:
        given["type"] = ColumnType(given.get("type"))
    except (ValueError, TypeError) as error:
        raise BadInput(f"{where}: there is no type {given.get('type')!r:.40}.",
                       hint=f"Types: {', '.join(kind.value for kind in ColumnType)}.") from error
    for key in ("required", "nullable", "unique"):
        _is(isinstance(given.get(key, True), bool), key, "true or false", where)
    share = given.get("missing")
    _is(share is None or (_number(share) and 0 <= share <= 1), "missing", "a share from 0 to 1", where)
    _is(given.get("severity", "error") in list(SEVERITIES), "severity", f"one of {', '.join(SEVERITIES)}", where)
    for key in ("low", "high"):
        _is(given.get(key) is None or _number(given[key]) or _text(given[key]), key, "a number or a date", where)
    if given.get("values") is not None:
        given["values"] = _values(given["values"], where)
    if given.get("pattern") is not None:
        _check_pattern(given["pattern"], where)
    return ColumnRule(**given)


def _values(values: Any, where: str) -> tuple[str, ...]:
    _is(isinstance(values, list) and 0 < len(values) <= MOST_VALUES and all(
        isinstance(item, bool) or _number(item) or _text(item) for item in values), "values",
        f"a list of at most {MOST_VALUES:,} plain values", where)
    return tuple(("true" if item else "false") if isinstance(item, bool) else str(item) for item in values)


def _check_pattern(pattern: Any, where: str) -> None:
    _is(_text(pattern, LONGEST_PATTERN), "pattern",
        f"a regular expression of at most {LONGEST_PATTERN:,} characters", where)
    if why := too_large(pattern):
        raise BadInput(f"{where}: its pattern cannot be used: {why}.", hint="Count a part of it once.")
    if why := unreadable(pattern):
        raise BadInput(f"{where}: its pattern cannot be read: {why[:200]}.",
                       hint="Patterns are regular expressions of RE2, which neither looks ahead nor behind.")


def _name(value: Any) -> NameRule:
    given = _record(value, ("pattern", "ignore_case", "dates"), "The rule for file names")
    pattern, dates = given.get("pattern"), given.get("dates") or {}
    where = "The rule for file names"
    _is(_text(pattern, LONGEST_PATTERN) and bool(pattern), "pattern", "a regular expression", where)
    _is(isinstance(given.get("ignore_case", False), bool), "ignore_case", "true or false", where)
    try:
        groups = compiled(str(pattern))
    except ValueError as error:
        raise BadInput(f"The pattern for file names cannot be read: {error}.") from error
    _is(isinstance(dates, Mapping) and all(_text(form, 100) and form for form in dates.values()),
        "dates", "a record of groups and how they are written", where)
    unknown = next((group for group in dates if group not in groups), None)
    if unknown is not None:
        raise BadInput(f"The pattern for file names has no group {unknown!r:.40}.",
                       hint=r"Name it like this: (?P<day>\d{8}).")
    return NameRule(str(pattern), given.get("ignore_case", False), dict(dates))


def _record(value: Any, known: tuple[str, ...], what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadInput(f"{what} is not a record.", hint="`mldesk data contract N` shows one.")
    unknown = next((key for key in value if key not in known), None)
    if unknown is not None:
        raise BadInput(f"{what} has no field {unknown!r:.60}.",
                       hint=did_you_mean(str(unknown), known) or f"It has: {', '.join(known)}.")
    return value


def _is(good: bool, key: str, wanted: str, where: str = _WHAT) -> None:
    if not good:
        raise BadInput(f"{where}: {key!r} is {wanted}.")


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= 1e300


def _text(value: Any, longest: int = LONGEST_TEXT) -> bool:
    return isinstance(value, str) and len(value) <= longest and canonical.writable(value)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
