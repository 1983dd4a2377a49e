"""What a step of a recipe is, and what each of its fields may hold. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mldesk.core.canonical import writable

FieldKind = Literal["columns", "column", "choice", "text", "value", "expression", "names", "values", "number", "texts",
                    "cells", "rows", "code"]
Step = Mapping[str, Any]
MAX_EDITS = 10_000  # cells or rows that one step may change by hand


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to fill in."""

    name: str
    # columns, texts: a list; names: {old: new}; values: {old value: new value or null};
    # cells: [{"row", "column", "value"}]; rows: row numbers from 1. Numbers, lists and cells may come as text, too.
    kind: FieldKind
    help: str                # one plain line
    default: Any = None
    required: bool = False
    choices: tuple[str, ...] = ()
    label: str = ""
    also: tuple[str, ...] = ()   # other names that are understood in a recipe written by hand
    low: float | None = None     # of a number: the least and the most it may be
    high: float | None = None
    whole: bool = False          # a number without a fraction
    synonyms: tuple[tuple[str, str], ...] = ()   # of choices: what is understood as which

    def chosen(self, value: Any) -> Any:
        """Return the choice that ``value`` means, perhaps by another word; other values as they are."""
        return dict(self.synonyms).get(value, value) if isinstance(value, str) else value

    @property
    def title(self) -> str:
        return self.label or self.name.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True)
class StepKind:
    """One kind of step."""

    name: str
    help: str
    fields: tuple[Field, ...]
    title: str = ""
    learns: bool = False     # may take something from all rows, also from those that test a model later

    def field(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.name == name), None)


def read_field(field: Field, value: Any) -> tuple[Any, str]:
    """Return a field's value as steps hold it, and "" or what is wrong with it: "is a list of column names"."""
    value = _from_text(field, value)
    problem = _CHECKS[field.kind](field, value) or ("" if writable(value) else "holds half a character")
    if problem:
        return value, problem
    if field.kind == "columns":
        return ([value] if isinstance(value, str) else list(dict.fromkeys(value))), ""
    if field.kind == "cells":
        return [dict(item) for item in value], ""
    return (dict(value) if field.kind in ("names", "values") else value), ""


def _from_text(field: Field, value: Any) -> Any:
    """Forms give text: read lists, numbers and cells out of it."""
    if field.kind == "choice":
        return field.chosen(value)
    if field.kind == "texts" and isinstance(value, list):  # edges may be written as numbers
        return [str(item) if isinstance(item, (int, float)) and not isinstance(item, bool) else item for item in value]
    if not isinstance(value, str) or field.kind not in ("texts", "number", "cells", "rows"):
        return value
    if field.kind == "texts":
        return [item.strip() for item in value.split(",") if item.strip()]
    try:
        if field.kind == "rows" and not value.lstrip().startswith("["):
            return [int(item) for item in value.replace(",", " ").split()]
        return json.loads(value)
    except ValueError:
        return value


def _columns(field: Field, value: Any) -> str:
    if isinstance(value, str) and value:
        return ""
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        return "is a list of column names"
    return "names no column" if field.required and not value else ""


def _text(field: Field, value: Any) -> str:
    return "" if isinstance(value, str) and (value.strip() or not field.required) else "is a text"


def _texts(field: Field, value: Any) -> str:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        return "is a list of texts"
    wrong = next((item for item in value if field.choices and item not in field.choices), None)
    if wrong is not None:
        return f"is made of {', '.join(field.choices)}, not {wrong!r:.40}"
    return "is empty" if field.required and not value else ""


def _choice(field: Field, value: Any) -> str:
    return "" if value in field.choices else f"is one of {', '.join(field.choices)}, not {value!r:.40}"


def _value(_: Field, value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and not abs(value) <= 1e300:
        return "is a number that a column can hold"
    return "" if value is None or isinstance(value, (str, int, float, bool)) else "is one plain value"


def _number(field: Field, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e300 or value != value:
        return f"is a {'whole ' if field.whole else ''}number"
    if field.whole and value != int(value):
        return "is a whole number"
    if (field.low is not None and value < field.low) or (field.high is not None and value > field.high):
        ends = [f"{word} {end:g}" for word, end in (("at least", field.low), ("at most", field.high))
                if end is not None]
        return f"is {' and '.join(ends)}"
    return ""


def _names(_: Field, value: Any) -> str:
    good = isinstance(value, Mapping) and value and all(
        isinstance(old, str) and isinstance(new, str) and new.strip() for old, new in value.items())
    return "" if good else "is a record of old and new names, none of them empty"


def _values(field: Field, value: Any) -> str:
    good = isinstance(value, Mapping) and value and all(
        isinstance(old, str) and not _value(field, new) for old, new in value.items())
    return "" if good else "is a record of old and new values"


def _cells(field: Field, value: Any) -> str:
    good = isinstance(value, list) and len(value) <= MAX_EDITS and all(
        isinstance(item, Mapping) and set(item) == {"row", "column", "value"} and _is_row(item["row"])
        and isinstance(item["column"], str) and not _value(field, item["value"]) for item in value)
    return "" if good else f'is a list of at most {MAX_EDITS:,} records {{"row": 1, "column": "name", "value": …}}'


def _rows(_: Field, value: Any) -> str:
    good = isinstance(value, list) and len(value) <= MAX_EDITS and all(map(_is_row, value))
    return "" if good else f"is a list of at most {MAX_EDITS:,} row numbers, from 1"


def _is_row(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 1 << 60


_CHECKS = {"columns": _columns, "column": _text, "choice": _choice, "text": _text, "value": _value,
           "expression": _text, "names": _names, "values": _values, "number": _number, "texts": _texts,
           "cells": _cells, "rows": _rows, "code": _text}
