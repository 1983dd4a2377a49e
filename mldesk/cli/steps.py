"""``mldesk data steps`` and ``mldesk models kinds``: what a recipe and an estimator can be told, in tables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mldesk.cli.face import Face, make_table
from mldesk.core.errors import NotFound

if TYPE_CHECKING:
    from mldesk.data.recipes.steps import Field, StepKind
    from mldesk.training.catalogue import EstimatorEntry
    from mldesk.training.parameters import Parameter

_KINDS = {"columns": "list of columns", "column": "a column", "choice": "one of these", "text": "text",
          "value": "text, number, true or false", "expression": "SQL expression", "names": "{old name: new name}",
          "values": "{old value: new value}", "number": "a number", "texts": "list of texts",
          "cells": '[{"row": 1, "column": …, "value": …}]', "rows": "list of row numbers", "code": "Python code"}
_EXAMPLES: dict[str, Any] = {"columns": ["age"], "column": "age", "text": "", "value": 0,
                             "expression": '"age" >= 18', "names": {"age": "years"}, "values": {"n/a": None},
                             "number": 1, "texts": ["part"], "cells": [{"row": 1, "column": "age", "value": 40}],
                             "rows": [2], "code": "def step(frame):\n    return frame[frame.age >= 18]\n"}
_OF_STEP: dict[str, dict[str, Any]] = {   # where fields put together by their kinds would make no sense to a reader
    "clean_text": {"columns": ["city"], "trim": "ends", "case": "lower"},
    "replace": {"columns": ["city"], "values": {"n/a": None, "Lyons": "Lyon"}},
    "replace_text": {"columns": ["phone"], "pattern": "[^0-9]", "put": ""},
    "extract": {"column": "code", "pattern": r"(\d+)-(\w+)", "into": ["number", "letters"]},
    "split": {"column": "name", "separator": " ", "into": ["first", "last"]},
    "rename_many": {"case": "lower", "find": " ", "put": "_"},
    "date_parts": {"columns": ["day"], "parts": ["year", "month"]},
    "clip": {"columns": ["age"], "by": "values", "low": 0, "high": 120},
    "derive": {"name": "total", "expression": '"price" * 1.2'},
    "edit": {"cells": [{"row": 1, "column": "age", "value": 40}], "remove": [2]},
    "sample": {"rows": 1000, "seed": 1},
    "join": {"dataset": "customers", "on": ["id"], "how": "left"},
    "union": {"dataset": "customers", "extra": "drop"},
    "pivot": {"by": ["customer"], "column": "month", "cells": "paid", "function": "sum"},
    "unpivot": {"columns": ["january", "february"], "name": "month", "into": "paid"},
    "group": {"by": ["city"], "columns": ["price"], "functions": ["mean", "count"]},
}
_TABULAR = "tabular_"


def steps(
    context: typer.Context,
    step: Annotated[str, typer.Argument(metavar="STEP", help="One step; without it all of them are listed.")] = "",
) -> None:
    """List the steps a recipe may have; with a name, what that step can be told."""
    from mldesk.data.recipes.steps import BY_NAME, STEPS  # duckdb and pyarrow load with it

    face = Face.of(context)
    chosen = [_named(step, BY_NAME, "step")] if step else list(STEPS)
    if face.json:
        face.document({"steps": [_step_json(kind) for kind in chosen]})
    elif step:
        _show_step(face, chosen[0])
    else:
        face.show(make_table(("step", "what it does", "fields"),
                             [(kind.name, kind.help, ", ".join(field.name for field in kind.fields))
                              for kind in chosen]))
        face.note("`mldesk data steps STEP` shows the fields of one, with an example.")


def kinds(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="One kind; without it all of them are listed.")] = "",
) -> None:
    """List the kinds of models `train --model` knows; with a name, its parameters."""
    from mldesk.training.catalogue import ESTIMATORS

    face = Face.of(context)
    chosen = [_named(name, ESTIMATORS, "model")] if name else list(ESTIMATORS.values())
    if face.json:
        face.document({"kinds": [_kind_json(entry) for entry in chosen]})
    elif name:
        _show_kind(face, chosen[0])
    else:
        face.show(make_table(("kind", "what it is", "tasks"),
                             [(entry.name, f"{entry.help} {entry.lacking}".strip(), ", ".join(_tasks(entry)))
                              for entry in chosen]))
        face.note("`mldesk models kinds NAME` shows the parameters of one. * is what `--model auto` takes.")


def _named(name: str, known: Any, what: str) -> Any:
    from mldesk.workbench.references import did_you_mean, listed

    if name not in known:
        raise NotFound(f"There is no {what} {name[:60]!r}.",
                       hint=did_you_mean(name, known) or f"There are: {listed(known)}.")
    return known[name]


def _show_step(face: Face, kind: StepKind) -> None:
    face.say(f"{kind.name}: {kind.help}\n")
    face.show(make_table(("field", "what it is", "without it", "meaning"),
                         [(field.name, _field_kind(field), "needed" if field.required else _plain(field.default),
                           field.help) for field in kind.fields]))
    if kind.learns:
        face.say("\nWhat it learns, it learns from all rows, also from those that test a model later.")
    face.say('\nEvery step may have "disabled": true, which skips it.')
    face.say(f"\nExample: {json.dumps({'steps': [_example(kind)]}, ensure_ascii=False)}")


def _show_kind(face: Face, entry: EstimatorEntry) -> None:
    face.say(f"{entry.name}: {entry.help}\nTasks: {', '.join(_tasks(entry))}\n{entry.resuming}")
    face.say(f"{entry.lacking}\n")
    face.show(make_table(("parameter", "default", "allowed", "meaning"),
                         [(item.name, _plain(item.default), item.allowed(), item.help) for item in entry.parameters]))
    shown = next((item for item in entry.parameters if item.default is not None), entry.parameters[0])
    face.say(f"\nExample: mldesk train DATASET --target COL --model {entry.name} "
             f"--param {shown.name}={_plain(shown.default)}")


def _field_kind(field: Field) -> str:
    many = "list of " if field.kind == "texts" else "one of "
    return many + ", ".join(field.choices) if field.choices else _KINDS[field.kind]


def _example(kind: StepKind) -> dict[str, Any]:
    """Return a step as one writes it. What is for another choice than the example's ("For knn: ...") is left out."""
    if kind.name in _OF_STEP:
        return {"step": kind.name, **_OF_STEP[kind.name]}
    return {"step": kind.name} | {
        field.name: _sample(field) for field in kind.fields
        if field.required or (field.default not in (None, "") and not _elsewhere(field, kind)) or field.kind == "value"}


def _elsewhere(field: Field, kind: StepKind) -> bool:
    said = re.match(r"For (\w+):", field.help)
    return said is not None and any(said[1] in other.choices and other.default != said[1] for other in kind.fields)


def _sample(field: Field) -> Any:
    if field.choices:
        chosen = field.default or field.choices[0]
        return [chosen] if field.kind == "texts" else chosen
    if field.default is not None:
        return field.default
    if field.kind == "text":
        return field.name
    return _EXAMPLES[field.kind]


def _tasks(entry: EstimatorEntry) -> Iterable[str]:
    return (task.removeprefix(_TABULAR) + ("*" if task in entry.default_for else "") for task in entry.tasks)


def _plain(value: Any) -> str:
    if value in (None, ""):
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def _step_json(kind: StepKind) -> dict[str, Any]:
    return {"step": kind.name, "help": kind.help, "learns": kind.learns, "example": _example(kind), "fields": [
        {"name": field.name, "kind": field.kind, "help": field.help, "required": field.required,
         "default": field.default, "choices": list(field.choices)} for field in kind.fields]}


def _kind_json(entry: EstimatorEntry) -> dict[str, Any]:
    return {"name": entry.name, "title": entry.title, "help": entry.help, "tasks": list(entry.tasks),
            "installed": entry.installed, "pack": entry.pack, "resumes": entry.resumes,
            "default_for": list(entry.default_for), "parameters": [_parameter_json(p) for p in entry.parameters]}


def _parameter_json(item: Parameter) -> dict[str, Any]:
    return {"name": item.name, "kind": item.kind, "default": item.default, "help": item.help, "low": item.low,
            "high": item.high, "unit": item.unit, "choices": list(item.choices), "nullable": item.nullable,
            "allowed": item.allowed()}
