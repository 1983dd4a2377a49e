"""How datasets, their columns and their problems are shown, and how they are named on the command line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mldesk.cli import words
from mldesk.cli.face import Face, facts

if TYPE_CHECKING:
    from mldesk.data import ImportPreview

Reference = Annotated[str, typer.Argument(metavar="N[@V]", help="A dataset, or one of its versions.")]
Name = Annotated[str, typer.Argument(metavar="N", help="A dataset.")]
Version = Annotated[str, typer.Argument(metavar="V", help="A version's number or tag; N@V is as good.")]
PROBLEMS_SHOWN = 8
_NOTHING = object()


def columns(face: Face, version: Any) -> None:
    """Show a version's columns."""
    face.table(("column", "type", "missing", "distinct"),
               [(column.name, column.type.value, words.count(column.missing), words.count(column.distinct))
                for column in version.columns[:200]], right=("missing", "distinct"))
    if len(version.columns) > 200:
        face.note(f"and {words.plural(len(version.columns) - 200, 'more column')}")


def problems(face: Face, version: Any) -> None:
    """Show the first of what was noticed at the import."""
    for problem in version.problems[:PROBLEMS_SHOWN]:
        where = ", ".join(str(part) for part in (
            problem.get("file"), problem.get("line") and f"line {problem['line']}",
            problem.get("column") and f"column {problem['column']}") if part)
        face.note(f"! {where + ': ' if where else ''}{problem['message']}")
        if fix := problem.get("fix"):
            face.note(f"    → {fix['words']}: {_as_options(fix['changes'])}")
    if len(version.problems) > PROBLEMS_SHOWN:
        face.note(f"! and {len(version.problems) - PROBLEMS_SHOWN:,} more; --json lists all of them")


def preview_shown(face: Face, found: ImportPreview) -> None:
    """Show what an import would make of its sources."""
    seen = "" if found.whole else f" (of the first {words.count(found.rows_seen)} rows)"
    rows = f"more than {words.count(found.rows_seen)}" if found.total is None else \
        words.count(found.total) if found.total_known else f"about {words.count(float(f'{found.total:.3g}'))}"
    reading = {**found.reading, "decimal mark": found.decimal, "thousands": found.thousands,
               "dates": _dates(found), "missing": " ".join(map(repr, found.missing))}
    face.show(facts({"files": f"{', '.join(found.files[:3])}{' …' if found.file_count > 3 else ''}", "rows": rows,
                     **{key.replace("_", " "): _fact(value) for key, value in reading.items()}}))
    face.table(("column", "type" + seen, "sure", "read as", "missing"),
               [(column.name, column.type.value, _sure(column), column.reading,
                 words.count(column.missing)) for column in found.columns[:200]], right=("sure", "missing"),
               spare=("read as",))
    face.grid([column.name for column in found.columns], found.rows[:5])
    for problem in found.problems[:3 * PROBLEMS_SHOWN]:
        where = ", ".join(part for part in (problem.file, f"line {problem.line}" if problem.line else "") if part)
        face.note(f"! {where + ': ' if where else ''}{problem.message}")
        if problem.fix is not None:
            face.note(f"    → {problem.fix.words}: {_as_options(problem.fix.changes)}")
        elif problem.unfixed:
            face.note(f"    {problem.unfixed}")
    if len(found.problems) > 3 * PROBLEMS_SHOWN:
        face.note(f"! and {len(found.problems) - 3 * PROBLEMS_SHOWN:,} more; --json lists all of them")


def _dates(found: ImportPreview) -> str:
    """Return how dates are written, and how those are read that do not tell day from month, if the user said it."""
    told = found.options.reads_day_first
    if told is None:
        return ", ".join(found.dates)
    return "; ".join([*filter(None, [", ".join(found.dates)]), f"{'day' if told else 'month'} first where left open"])


def _sure(column: Any) -> str:
    """Return how sure a column's type is: nothing of text, which anything may be, nor of a column without values."""
    return "" if column.type.value == "text" or not column.confidence else f"{column.confidence:.0%}"


_OPTIONS = {"types": "--type", "sheets": "--sheet", "lenient": "--rejects FILE", "download": "--most"}


def _as_options(changes: Mapping[str, Any]) -> str:
    """Return changes of the import options as the command line has them."""
    said = []
    for name, value in changes.items():
        option = _OPTIONS.get(name, "--" + name.replace("_", "-"))
        if name == "types":
            said += [f"{option} {shlex.quote(f'{column}={kind}')}" for column, kind in value]
        elif value is True:
            said.append(option)
        elif value is False:
            said.append("--month-first" if name == "day_first" else f"--no-{option[2:]}")
        else:
            said += [f"{option} {shlex.quote(str(item))}" for item in (value if isinstance(value, list) else [value])]
    return " ".join(said)


def _fact(value: Any) -> Any:
    return {"\t": "tab", " ": "space"}.get(value, value) if isinstance(value, str) else \
        ", ".join(map(str, value)) if isinstance(value, list) else value


def recipe_words(steps: Any) -> str:
    """Return the steps of a recipe by name."""
    return ", ".join(str(step.get("step", "?")) for step in steps or ())


def origin(version: Any) -> str:
    """Return what a version was made from."""
    if version.outside:
        return f"{version.source} ({words.size(version.size)} outside, in {version.outside})"
    return f"{version.parent}: {recipe_words(version.recipe)}" if version.recipe else str(version.source)


def ranges(item: Any) -> tuple[str, str, str]:
    """Return a column's min, mean and max: numbers with the same digits after the point, all else cut."""
    facts = (item["min"], item["mean"], item["max"])
    if item["type"] in ("integer", "number"):
        low, mean, high = words.alike(facts, whole=item["type"] == "integer")
    else:
        low, mean, high = (words.cell(value)[:20] for value in facts)
    return low, mean, high


def top(item: Any) -> str:
    """Return a column's two most frequent values."""
    return ", ".join(f"{words.cell(value)[:14]} ({number:,})" for value, number in (item["top"] or ())[:2])


def step_told(step: Any) -> str:
    """Return what differs from a step's defaults, in one line."""
    from mldesk.data.recipes.steps import BY_NAME

    kind = BY_NAME.get(str(step.get("step")))   # a newer MLDesk may know more
    usual = {field.name: field.default for field in (kind.fields if kind else ()) if not field.required}
    return "; ".join(f"{name} {_value(value)}" for name, value in step.items()
                     if name not in ("step", "disabled", "digest") and usual.get(name, _NOTHING) != value)


def _value(value: Any) -> str:
    plain = isinstance(value, list) and all(isinstance(item, (str, int, float)) for item in value)
    return words.cell(", ".join(map(str, value)) if plain else value if isinstance(value, (str, int, float)) else
                      json.dumps(value, ensure_ascii=False))


def line_shown(face: Face, line: Sequence[Mapping[str, Any]]) -> None:
    """Show what versions came of: their files with digests, and their steps."""
    rows = []
    for item in line:
        made = [entry for file in item["files"] for entry in _file(file)]
        made += [(f"{number}. {step.get('step', '?')}", ("skipped; " if step.get("disabled") else "") + step_told(step))
                 for number, step in enumerate(item["recipe"] or (), start=1)]
        rows += [("" if place else item["version"], *entry)
                 for place, entry in enumerate(made or [("source", item["source"])])]
    face.table(("data", "made by", "what"), rows)


def _file(file: Mapping[str, Any]) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return what a file, or a folder of them, is called, and its digest."""
    if "files" not in file:
        return ("file", file["path"]), ("SHA-256", file["sha256"])
    folder = f"{file['path']} ({words.plural(file['files'], 'file')})"
    return ("folder", folder), ("SHA-256 of their list", file["sha256"])
