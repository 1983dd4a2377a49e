"""``mldesk data``: tables in, looked at, cleaned and out again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mldesk.cli import words
from mldesk.cli.face import Face, facts
from mldesk.cli.interrupts import Interrupts
from mldesk.cli.progress import Meter
from mldesk.cli.steps import steps
from mldesk.core.errors import BadInput, NotFound

app = typer.Typer(help="Import tables, look at them, clean them into new versions.")
app.command()(steps)

Reference = Annotated[str, typer.Argument(metavar="N[@V]", help="A dataset, or one of its versions.")]
Name = Annotated[str, typer.Argument(metavar="N", help="A dataset.")]
Version = Annotated[int, typer.Argument(metavar="V", min=1, help="A version's number.")]
PROBLEMS_SHOWN = 8

# How a file is written; everything left out is found out from the file.
Format = Annotated[str | None, typer.Option("--format", metavar="F", help="csv, tsv, json, jsonl, xlsx or parquet.")]
Encoding = Annotated[str | None, typer.Option(metavar="E", help="Of text files, like latin-1.")]
Delimiter = Annotated[str | None, typer.Option(metavar="D", help="Between the cells of a text file.")]
Sheet = Annotated[str | None, typer.Option(metavar="S", help="Of a workbook.")]
HeaderRow = Annotated[int | None, typer.Option(min=0, metavar="LINE", help="Where the column names are, from 1; 0: "
                                               "there are none.")]
DayFirst = Annotated[bool | None, typer.Option("--day-first/--month-first", metavar="", help="How to read 3/4/2024.")]
Decimal = Annotated[str | None, typer.Option(metavar="D", help="The decimal mark, . or a comma.")]
Missing = Annotated[list[str] | None, typer.Option(metavar="TEXT", help="Stands for a missing value; may be repeated.")]


@app.command("import")
def import_(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Files of one table, one below the other.")],
    name: Annotated[str | None, typer.Option("--name", metavar="N", help="The dataset's name; a known one gets a new "
                                             "version. Without it the first file's name is used.")] = None,
    file_format: Format = None, encoding: Encoding = None, delimiter: Delimiter = None, sheet: Sheet = None,
    header_row: HeaderRow = None, day_first: DayFirst = None, decimal: Decimal = None, missing: Missing = None,
) -> None:
    """Read files into an immutable dataset version.

    What is not said about a file is found out from it: format, encoding, delimiter, header, dates, decimal mark.
    """
    from mldesk.data import ImportOptions  # duckdb and pyarrow load with it
    from mldesk.library.names import check_name, tidy_name

    face = Face.of(context)
    absent = [path for path in paths if not path.exists()]
    if absent:
        raise NotFound(f"There is no file {str(absent[0])!r}.")
    name = tidy_name(paths[0].name.partition(".")[0], "table") if name is None else check_name(name, "dataset")
    options = ImportOptions(format=file_format, encoding=encoding, delimiter=delimiter, sheet=sheet,
                            header_row=header_row, day_first=day_first, decimal=decimal, missing=tuple(missing or ()))
    with (Interrupts() as interrupts, face.workbench() as bench,
          Meter(face, f"Importing {paths[0].name}", "bytes") as meter):
        version = bench.datasets.import_files(paths, name, options=options, progress=meter.update,
                                              cancelled=interrupts.asked).head
    if face.json:
        from mldesk.workbench.summaries import dataset_import

        face.document(dataset_import(version))
        return
    face.say(f"{version.label}: {words.plural(version.rows, 'row')}, {words.plural(len(version.columns), 'column')}, "
             f"{words.size(version.size)}")
    _columns(face, version)
    _problems(face, version)


@app.command("list")
def list_(
    context: typer.Context,
    removed: Annotated[bool, typer.Option("--removed", help="What is in the bin instead.")] = False,
) -> None:
    """List the datasets."""
    face = Face.of(context)
    with face.workbench() as bench:
        datasets = bench.datasets.list(removed=removed)
    if face.json:
        from mldesk.workbench.summaries import dataset_line

        face.document({"datasets": [dataset_line(item) for item in datasets]})
        return
    face.table(("dataset", "versions", "rows", "columns", "size", "made"),
               [(item.head.label, item.versions, words.count(item.head.rows), words.count(len(item.head.columns)),
                 words.size(item.head.size), words.moment(item.created)) for item in datasets],
               right=("versions", "rows", "columns", "size"),
               empty="The bin is empty." if removed else "No datasets yet. Try: mldesk data import FILE --name N")


@app.command()
def show(context: typer.Context, reference: Reference) -> None:
    """Show a version: its columns, where it came from, what was wrong with it."""
    from mldesk.workbench.summaries import dataset_details

    face = Face.of(context)
    with face.workbench() as bench:
        version = bench.datasets.show(reference)
    if face.json:
        face.document(dataset_details(version))
        return
    face.show(facts({"dataset": version.label, "rows": words.count(version.rows), "size": words.size(version.size),
                     "from": version.source, "made": words.moment(version.created),
                     "parent": version.parent, "recipe": _recipe(version.recipe)}))
    face.say()
    _columns(face, version)
    _problems(face, version)


@app.command()
def preview(
    context: typer.Context, reference: Reference,
    rows: Annotated[int, typer.Option(metavar="K", min=0, max=100_000, help="How many rows.")] = 20,
    offset: Annotated[int, typer.Option(metavar="K", min=0, help="Rows to skip.")] = 0,
) -> None:
    """Show some rows."""
    face = Face.of(context)
    with face.workbench() as bench:
        page = bench.datasets.preview(reference, rows=rows, offset=offset)
    if face.json:
        face.document(page.to_json())
        return
    face.grid(page.columns, page.rows)
    face.note(f"rows {offset + 1:,} to {offset + len(page.rows):,} of {page.total:,}" if page.rows else
              f"no rows from {offset:,} on; there are {page.total:,}")


@app.command()
def profile(context: typer.Context, reference: Reference) -> None:
    """Show what each column holds: missing cells, distinct values, range, most frequent values."""
    face = Face.of(context)
    with face.workbench() as bench:
        made = bench.datasets.profile(reference)
    if face.json:
        face.document(made)
        return
    face.table(("column", "type", "missing", "distinct", "min", "mean", "max", "most frequent"),
               [(item["name"], item["type"], words.count(item["missing"]), words.count(item["distinct"]),
                 *_range(item), _top(item))
                for item in made["columns"]], right=("missing", "distinct", "min", "mean", "max"),
               spare=("most frequent", "mean", "max", "min", "distinct"))


@app.command()
def query(
    context: typer.Context, reference: Reference,
    sql: Annotated[str, typer.Argument(metavar="SQL", help="A SELECT over the table `data`.")],
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Most rows of the answer.")] = 1000,
) -> None:
    """Ask a table in SQL (read only; the table's name is `data`)."""
    face = Face.of(context)
    with Interrupts() as interrupts, face.workbench() as bench:
        page = bench.datasets.query(reference, sql, limit=limit, cancelled=interrupts.asked)
    if face.json:
        face.document({**page.to_json(), "truncated": page.truncated})
        return
    face.grid(page.columns, page.rows)
    face.note(words.plural(len(page.rows), "row") + (" (cut at --limit; there are more)" if page.truncated else ""))


@app.command()
def clean(
    context: typer.Context, reference: Reference,
    recipe: Annotated[Path, typer.Option("--recipe", metavar="FILE", help='JSON: {"steps": [{"step": "drop", '
                                         '"columns": ["id"]}, …]}')],
) -> None:
    """Apply a recipe; the result is the dataset's next version. `mldesk data steps` lists what it may hold."""
    from mldesk.data import parse_recipe  # duckdb and pyarrow load with it
    from mldesk.workbench.summaries import dataset_details

    face = Face.of(context)
    if not recipe.is_file():
        raise NotFound(f"There is no recipe {str(recipe)!r}.")
    try:
        text = recipe.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{recipe.name} is not UTF-8 text.") from error
    with Interrupts() as interrupts, face.workbench() as bench:
        version = bench.datasets.clean(reference, parse_recipe(text), cancelled=interrupts.asked)
    if face.json:
        face.document(dataset_details(version))
        return
    face.say(f"{version.label}: {words.plural(version.rows, 'row')}, {words.plural(len(version.columns), 'column')}, "
             f"by {words.plural(len(version.recipe or ()), 'step')} from version {version.parent}")
    _problems(face, version)


@app.command()
def versions(context: typer.Context, name: Name) -> None:
    """List the versions of a dataset."""
    from mldesk.workbench.summaries import dataset_details

    face = Face.of(context)
    with face.workbench() as bench:
        listed = bench.datasets.versions(name)
        head = bench.datasets.show(name).number
    if face.json:
        face.document({"dataset": listed[-1].dataset, "head": head,
                       "versions": [dataset_details(version) for version in listed]})
        return
    face.table(("version", "rows", "columns", "from", "made", ""),
               [(version.number, words.count(version.rows), words.count(len(version.columns)),
                 _origin(version), words.moment(version.created), "◂ current" if version.number == head else "")
                for version in listed], right=("version", "rows", "columns"))


@app.command()
def diff(context: typer.Context, name: Name, first: Version,
         second: Annotated[int, typer.Argument(metavar="W", min=1, help="Another version's number.")]) -> None:
    """Say what differs between two versions."""
    face = Face.of(context)
    with face.workbench() as bench:
        found = bench.datasets.diff(name, first, second)
    if face.json:
        face.document(found)
        return
    rows, columns = found["rows"], found["columns"]
    face.show(facts({
        "rows": f"{rows['from']:,} → {rows['to']:,}" + ("" if rows["added"] is None else
                f"  ({rows['removed']:,} gone, {rows['added']:,} new, over the shared columns)"),
        "columns added": ", ".join(columns["added"]), "columns removed": ", ".join(columns["removed"]),
        "types changed": ", ".join(f"{item['column']} ({item['from']} → {item['to']})" for item in columns["retyped"]),
        "missing cells": ", ".join(f"{item['column']} ({item['from']:,} → {item['to']:,})"
                                   for item in found["missing"]),
        "recipe": _recipe(found["recipe"])}))


@app.command()
def rollback(context: typer.Context, name: Name, version: Version) -> None:
    """Make an earlier version the current one; no version is lost."""
    from mldesk.workbench.summaries import dataset_details

    face = Face.of(context)
    with face.workbench() as bench:
        current = bench.datasets.rollback(name, version)
    face.document(dataset_details(current)) if face.json else face.say(f"{current.dataset} is {current.label} again.")


@app.command()
def export(context: typer.Context, reference: Reference,
           file: Annotated[Path, typer.Argument(metavar="FILE", help="Its extension says the format.")]) -> None:
    """Write a table as a file."""
    face = Face.of(context)
    with face.workbench() as bench:
        version = bench.datasets.export(reference, file)
    if face.json:
        face.document({"dataset": version.dataset, "version": version.number, "rows": version.rows, "file": str(file)})
    else:
        face.say(f"Wrote {words.plural(version.rows, 'row')} of {version.label} to {file}.")


@app.command()
def remove(context: typer.Context, name: Name) -> None:
    """Put a dataset in the bin; `restore` takes it out again."""
    face = Face.of(context)
    with face.workbench() as bench:
        used = bench.datasets.used_by(name)
        bench.datasets.remove(name)
    if face.json:
        face.document({"dataset": name, "removed": True, "used_by": used})
        return
    face.say(f"{name} is in the bin. `mldesk data restore {name}` takes it out again.")
    if used:
        face.note(f"Models that learned from it stay: {', '.join(used)}.")


@app.command()
def restore(context: typer.Context, name: Name) -> None:
    """Take a dataset out of the bin."""
    face = Face.of(context)
    with face.workbench() as bench:
        dataset = bench.datasets.restore(name)
    face.document({"dataset": dataset.name, "version": dataset.head.number, "removed": False}) if face.json else \
        face.say(f"{dataset.name} is back, at version {dataset.head.number}.")


def _columns(face: Face, version: Any) -> None:
    face.table(("column", "type", "missing", "distinct"),
               [(column.name, column.type.value, words.count(column.missing), words.count(column.distinct))
                for column in version.columns[:200]], right=("missing", "distinct"))
    if len(version.columns) > 200:
        face.note(f"and {len(version.columns) - 200:,} more columns")


def _problems(face: Face, version: Any) -> None:
    for problem in version.problems[:PROBLEMS_SHOWN]:
        where = ", ".join(str(part) for part in (
            problem.get("file"), problem.get("line") and f"line {problem['line']}",
            problem.get("column") and f"column {problem['column']}") if part)
        face.note(f"! {where + ': ' if where else ''}{problem['message']}")
    if len(version.problems) > PROBLEMS_SHOWN:
        face.note(f"! and {len(version.problems) - PROBLEMS_SHOWN:,} more; --json lists all of them")


def _recipe(steps: Any) -> str:
    return ", ".join(str(step.get("step", "?")) for step in steps or ())


def _origin(version: Any) -> str:
    return f"{version.parent}: {_recipe(version.recipe)}" if version.recipe else str(version.source)


def _range(item: Any) -> tuple[str, str, str]:
    """Return a column's min, mean and max: numbers with the same digits after the point, all else cut."""
    facts = (item["min"], item["mean"], item["max"])
    if item["type"] in ("integer", "number"):
        low, mean, high = words.alike(facts, whole=item["type"] == "integer")
    else:
        low, mean, high = (words.cell(value)[:20] for value in facts)
    return low, mean, high


def _top(item: Any) -> str:
    return ", ".join(f"{words.cell(value)[:14]} ({number:,})" for value, number in (item["top"] or ())[:2])
