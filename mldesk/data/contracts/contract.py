"""What files must be like to belong to a dataset: types, ranges, allowed values, names. A contract is plain JSON.

``{"columns": [{"name", "type", …}], "extra": "refuse", "order": false, "rows": {"low", "high"},
"file_name": {"pattern", "ignore_case", "dates": {"day": "%d%m%Y"}}}``; what is left out is not asked for.
Standard library only, but for DuckDB where a pattern of file names is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Self

from mldesk.core.errors import BadInput
from mldesk.data.contracts.name_pattern import compiled, match
from mldesk.data.near import did_you_mean
from mldesk.wire.schema import ColumnType

SEVERITIES = ("error", "row", "warning")  # refuse the file, leave the row out, only say so
EXTRA = ("refuse", "warn", "allow")
MOST_VALUES = 10_000
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
        """Return the named groups of a good name, dates as ISO text."""
        found = match(self.pattern, name, self.ignore_case)
        if found is None:
            return {}
        return {group: datetime.strptime(text or "", self.dates[group]).isoformat()  # noqa: DTZ007
                if group in self.dates else text or "" for group, text in found.items()}


@dataclass(frozen=True, slots=True)
class Contract:
    """What every file of a dataset must be like."""

    columns: tuple[ColumnRule, ...]
    extra: str = "refuse"                 # columns beyond these; one of EXTRA
    order: bool = False                   # columns come in this order
    low: int | None = None                # rows a file must have, and may have
    high: int | None = None
    file_name: NameRule | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the contract as it is kept and exported."""
        rows = {name: value for name, value in (("low", self.low), ("high", self.high)) if value is not None}
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
        columns = tuple(_column(item) for item in listed)
        names = [rule.name.casefold() for rule in columns]
        twice = next((rule.name for rule in columns if names.count(rule.name.casefold()) > 1), None) \
            if len(set(names)) < len(names) else None
        if twice is not None:
            raise BadInput(f"{_WHAT} has the column {twice!r:.80} twice.")
        rows = _record(given.get("rows") or {}, ("low", "high"), f"{_WHAT}'s row count")
        for end in rows.values():
            _is(end is None or (_whole(end) and end >= 0), "rows", "a whole number")
        _is(given.get("extra", "refuse") in EXTRA, "extra", f"one of {', '.join(EXTRA)}")
        _is(isinstance(given.get("order", False), bool), "order", "true or false")
        name = given.get("file_name")
        return cls(columns, given.get("extra", "refuse"), given.get("order", False), rows.get("low"),
                   rows.get("high"), None if name is None else _name(name))


def _column(value: Any) -> ColumnRule:
    known = tuple(item.name for item in fields(ColumnRule))
    given = dict(_record(value, known, "A column of the contract"))
    name = given.get("name")
    _is(isinstance(name, str) and bool(name.strip()), "name", "the name of a column")
    where = f"{_WHAT}, column {name!r:.80}"
    try:
        given["type"] = ColumnType(given.get("type"))
    except ValueError as error:
        raise BadInput(f"{where}: there is no type {given.get('type')!r:.40}.",
                       hint=f"Types: {', '.join(kind.value for kind in ColumnType)}.") from error
    for key in ("required", "nullable", "unique"):
        _is(isinstance(given.get(key, True), bool), key, "true or false", where)
    share = given.get("missing")
    _is(share is None or (_number(share) and 0 <= share <= 1), "missing", "a share from 0 to 1", where)
    _is(given.get("severity", "error") in SEVERITIES, "severity", f"one of {', '.join(SEVERITIES)}", where)
    for key in ("low", "high"):
        _is(given.get(key) is None or _number(given[key]) or isinstance(given[key], str), key, "a number or a date",
            where)
    values = given.get("values")
    _is(values is None or (isinstance(values, list) and 0 < len(values) <= MOST_VALUES), "values", "a list", where)
    if values is not None:
        given["values"] = tuple(("true" if item else "false") if isinstance(item, bool) else str(item)
                                for item in values)
    _is(given.get("pattern") is None or isinstance(given["pattern"], str), "pattern", "a regular expression", where)
    return ColumnRule(**given)


def _name(value: Any) -> NameRule:
    given = _record(value, ("pattern", "ignore_case", "dates"), "The rule for file names")
    pattern, dates = given.get("pattern"), given.get("dates") or {}
    _is(isinstance(pattern, str) and 0 < len(pattern) <= 1000, "pattern", "a regular expression")
    try:
        groups = compiled(str(pattern))
    except ValueError as error:
        raise BadInput(f"The pattern for file names cannot be read: {error}.") from error
    _is(isinstance(dates, Mapping) and all(isinstance(form, str) for form in dates.values()), "dates",
        "a record of groups and how they are written")
    unknown = next((group for group in dates if group not in groups), None)
    if unknown is not None:
        raise BadInput(f"The pattern for file names has no group {unknown!r:.40}.",
                       hint=r"Name it like this: (?P<day>\d{8}).")
    return NameRule(str(pattern), bool(given.get("ignore_case", False)), dict(dates))


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
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
