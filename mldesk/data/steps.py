"""The steps a recipe is made of, declared once: forms, validation and help all come from ``STEPS``.

A recipe is data: ``{"steps": [{"step": "drop", "columns": ["id"]}, …]}``. This module reads and checks its shape and
imports nothing heavy; whether it fits a table is checked by ``mldesk.data.recipes``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mldesk.core import canonical
from mldesk.core.errors import BadInput
from mldesk.data.near import did_you_mean
from mldesk.wire.schema import ColumnType

FieldKind = Literal["columns", "column", "choice", "text", "value", "expression", "names", "values"]
Step = Mapping[str, Any]
MAX_STEPS = 1000
_EXAMPLE = 'Write {"steps": [{"step": "drop", "columns": ["id"]}]}.'


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to fill in."""

    name: str
    kind: FieldKind          # columns: list of names; names: {old: new}; values: {old value: new value or null}
    help: str                # one plain line
    default: Any = None
    required: bool = False
    choices: tuple[str, ...] = ()
    label: str = ""
    also: tuple[str, ...] = ()   # other names that are understood in a recipe written by hand

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

    def field(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.name == name), None)


STEPS: tuple[StepKind, ...] = (
    StepKind("drop", "Take columns out.", (
        Field("columns", "columns", "The columns to take out.", required=True, also=("column",)),), "Drop columns"),
    StepKind("rename", "Give columns other names.", (
        Field("names", "names", "The new name for each old one.", required=True, also=("columns", "mapping")),
    ), "Rename columns"),
    StepKind("cast", "Read columns as another type.", (
        Field("columns", "columns", "The columns to change.", required=True, also=("column",)),
        Field("type", "choice", "What they become.", required=True,
              choices=tuple(kind.value for kind in ColumnType), also=("to",)),
        Field("on_error", "choice", "What happens to values that do not fit: stop, or make them missing.", "fail",
              choices=("fail", "missing"), also=("errors",)),
        Field("format", "text", "How dates and times are written, if not like 2026-11-21: for example %d/%m/%Y.", ""),
    ), "Change type"),
    StepKind("fill_missing", "Put a value where there is none.", (
        Field("columns", "columns", "The columns to fill.", required=True, also=("column",)),
        Field("with", "choice", "A value of your own, or one learnt from all rows.", "constant", label="Fill with",
              choices=("constant", "mean", "median", "mode"), also=("strategy", "method", "how")),
        Field("value", "value", "The value of your own."),
    ), "Fill missing values"),
    StepKind("drop_missing", "Leave out rows with missing values.", (
        Field("columns", "columns", "The columns that count; none means all.", also=("column",)),
        Field("how", "choice", "Leave out a row if any of them is missing, or only if all are.", "any",
              choices=("any", "all")),
    ), "Drop rows with missing values"),
    StepKind("deduplicate", "Keep one of rows that are the same.", (
        Field("columns", "columns", "The columns that must be the same; none means all.",
              also=("column", "keys")),
        Field("keep", "choice", "Which of them stays.", "first", choices=("first", "last")),
    ), "Drop duplicate rows"),
    StepKind("filter", "Keep the rows that meet a condition.", (
        Field("where", "expression", """An SQL condition such as "age" >= 18 AND city <> 'Lyon'.""", required=True,
              also=("expression", "condition", "sql")),
    ), "Filter rows"),
    StepKind("replace", "Change values into others.", (
        Field("columns", "columns", "The columns to change.", required=True, also=("column",)),
        Field("values", "values", "The new value for each old one; null makes it missing.", required=True,
              also=("mapping",)),
    ), "Replace values"),
)
BY_NAME: Mapping[str, StepKind] = {kind.name: kind for kind in STEPS}


def parse_recipe(text: str) -> tuple[Step, ...]:
    """Read a recipe: JSON, either {"steps": [...]} or the list itself. Raises BadInput that names the step."""
    try:
        value = canonical.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise BadInput(f"The recipe is not JSON: line {error.lineno}, {error.msg}.",
                       hint=_EXAMPLE) from error
    except ValueError as error:
        raise BadInput(f"The recipe is not JSON: {error}.") from error
    if isinstance(value, Mapping):
        if "steps" not in value:
            raise BadInput("The recipe has no list of steps.", hint=_EXAMPLE)
        value = value["steps"]
    if not isinstance(value, list):
        raise BadInput("The steps of a recipe are a list.", hint=_EXAMPLE)
    return check_steps(value)


def check_steps(steps: Sequence[Any]) -> tuple[Step, ...]:
    """Return the steps with every field as declared. Raises BadInput that names the step by its number."""
    if len(steps) > MAX_STEPS:
        raise BadInput(f"The recipe has {len(steps):,} steps; {MAX_STEPS:,} is the limit.")
    return tuple(_check_step(number, step) for number, step in enumerate(steps, start=1))


def _check_step(number: int, step: Any) -> Step:
    if not isinstance(step, Mapping):
        raise BadInput(f"Step {number} is not a record of the kind {{\"step\": …}}.")
    name = step.get("step")
    kind = BY_NAME.get(name) if isinstance(name, str) else None
    if kind is None:
        said = f"there is no step {name!r:.60}" if name is not None else 'its kind is missing ("step": …)'
        raise BadInput(f"Step {number}: {said}.", hint=did_you_mean(str(name), list(BY_NAME))
                       or f"The steps are: {', '.join(BY_NAME)}.")
    step, written = _declared_names(kind, step)
    unknown = [key for key in step if key != "step" and kind.field(str(key)) is None]
    if unknown:
        raise BadInput(f"Step {number} ({kind.name}) has no field {unknown[0]!r:.60}.",
                       hint=f"It has: {', '.join(field.name for field in kind.fields)}.")
    result: dict[str, Any] = {"step": kind.name}
    for field in kind.fields:
        if field.name in step:
            result[field.name] = _check_field(f"Step {number} ({kind.name})", field, step[field.name],
                                              written.get(field.name, field.name))
        elif field.required:
            raise BadInput(f"Step {number} ({kind.name}) lacks {field.name!r}.", hint=field.help)
        elif field.default is not None:
            result[field.name] = field.default
    return result


def _declared_names(kind: StepKind, step: Step) -> tuple[Step, Mapping[str, str]]:
    """Return the step with the other names of its fields replaced, where the declared one is not there as well.

    Also return which of the fields were written by another name, and by which.
    """
    others = {name: field.name for field in kind.fields for name in field.also if kind.field(name) is None}
    written: dict[str, str] = {}
    result: dict[str, Any] = {}
    for key, value in step.items():
        name = others.get(key, key)
        if name == key or name in step or name in written:
            result[key] = value
        else:
            result[name], written[name] = value, key
    return result, written


def _check_field(where: str, field: Field, value: Any, written: str) -> Any:
    problem = _CHECKS[field.kind](field, value)
    if problem:
        raise BadInput(f"{where}: {written!r} {problem}.", hint=field.help)
    if field.kind == "columns":
        return [value] if isinstance(value, str) else list(dict.fromkeys(value))
    return dict(value) if field.kind in ("names", "values") else value


def _columns(field: Field, value: Any) -> str:
    if isinstance(value, str) and value:
        return ""
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        return "is a list of column names"
    return "names no column" if field.required and not value else ""


def _text(field: Field, value: Any) -> str:
    return "" if isinstance(value, str) and (value.strip() or not field.required) else "is a text"


def _choice(field: Field, value: Any) -> str:
    return "" if value in field.choices else f"is one of {', '.join(field.choices)}, not {value!r:.40}"


def _value(_: Field, value: Any) -> str:
    return "" if value is None or isinstance(value, (str, int, float, bool)) else "is one plain value"


def _names(_: Field, value: Any) -> str:
    good = isinstance(value, Mapping) and value and all(
        isinstance(old, str) and isinstance(new, str) and new.strip() for old, new in value.items())
    return "" if good else "is a record of old and new names, none of them empty"


def _values(field: Field, value: Any) -> str:
    good = isinstance(value, Mapping) and value and all(
        isinstance(old, str) and not _value(field, new) for old, new in value.items())
    return "" if good else "is a record of old and new values"


_CHECKS = {"columns": _columns, "column": _text, "choice": _choice, "text": _text, "value": _value,
           "expression": _text, "names": _names, "values": _values}
