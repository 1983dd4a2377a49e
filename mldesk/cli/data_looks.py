"""``mldesk data preview|profile|query|diff``: look at a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mldesk.cli import row_numbers, words
from mldesk.cli.data_shown import Name, Reference, Version, columns, ranges, recipe_words, top
from mldesk.cli.face import Face, facts
from mldesk.cli.interrupts import Interrupts
from mldesk.cli.outputs import Force, may_write
from mldesk.cli.which_version import named_version, version_of
from mldesk.core.errors import BadInput

if TYPE_CHECKING:
    from mldesk.library.records import DatasetVersion
    from mldesk.wire.schema import Order

_CUTS = {"0.05": "5 %", "0.25": "25 %", "0.5": "50 %", "0.75": "75 %", "0.95": "95 %"}   # of a column's numbers


def preview(
    context: typer.Context, reference: Reference,
    rows: Annotated[int | None, typer.Option(metavar="K", min=0, max=100_000, help="How many rows; else 20, or all of "
                                             "--only.")] = None,
    offset: Annotated[int, typer.Option(metavar="K", min=0, help="Rows to skip.")] = 0,
    only: Annotated[str | None, typer.Option(metavar="ROWS", help="These rows, counted from 1, like 3,17,20-25.")]
    = None,
    where: Annotated[str | None, typer.Option(metavar="SQL", help="Rows that fit, like \"price > 3\".")] = None,
    sort: Annotated[str | None, typer.Option(metavar="COLUMN[:desc],…", help="In the order of this column, where "
                                             "rows are alike of the next; :desc (or -COLUMN), the greatest first.")]
    = None,
    search: Annotated[str | None, typer.Option(metavar="TEXT", help="Rows that hold this text in any column.")] = None,
) -> None:
    """Show some rows. They are counted from 1, in the order of the version, as everywhere in MLDesk."""
    places = None if only is None else row_numbers.read_rows(only)
    rows = (20 if places is None else len(places)) if rows is None else rows
    face = Face.of(context)
    with face.workbench() as bench:
        if sort is None and not search:
            page = bench.datasets.preview_numbered(reference, rows=rows, offset=offset, only=places, where=where)
        else:
            order = None if sort is None else _order(sort, bench.datasets.show(reference))
            page = bench.datasets.preview(reference, rows=rows, offset=offset, only=places, where=where, search=search,
                                          order_by=order)
    numbers = [place + 1 for place in page.places]
    if face.json:
        face.document({**page.to_json(), "numbers": numbers})
        return
    fit = "" if only is None and where is None and not search else " that fit"
    if fit and not page.total:
        face.note("No row fits.")
        return
    face.grid(("row", *page.columns), [(number, *row) for number, row in zip(numbers, page.rows, strict=True)])
    face.note(f"rows {offset + 1:,} to {offset + len(page.rows):,} of {page.total:,}{fit}" if page.rows else
              f"no rows from {offset + 1:,} on, of {page.total:,}{fit}")


def _order(said: str, version: DatasetVersion) -> Order:
    """Return the columns to sort by, and for each whether the greatest comes first. Raises BadInput."""
    from mldesk.data.near import which_column

    names = [column.name for column in version.columns]
    found: dict[str, bool] = {}
    for part in [said] if _column_in(said, names)[0] in names else said.split(","):
        column, descending = _column_in(part.strip(), names)
        if column not in names:
            raise BadInput(f"{version.label} has no column {column!r:.80}.", hint=which_column(column, names))
        if column in found:
            raise BadInput(f"--sort names {column!r:.80} twice.", hint="Leave one of them out.")
        found[column] = descending
    return tuple(found.items())


def _column_in(said: str, names: Sequence[str]) -> tuple[str, bool]:
    """Return the column named, and whether its greatest comes first; a column may be called "a:desc" or "-a"."""
    column, mark, way = said.rpartition(":")
    if said in names:
        return said, False
    if mark and way.lower() in ("asc", "desc"):
        return column, way.lower() == "desc"
    return (said[1:], True) if said.startswith("-") else (said, False)


def profile(context: typer.Context, reference: Reference) -> None:
    """Show what each column holds: missing cells, distinct values, range, most frequent values, quantiles."""
    face = Face.of(context)
    with Interrupts() as interrupts, face.workbench() as bench:
        made = bench.datasets.profile(reference, cancelled=interrupts.asked)
    if face.json:
        face.document(made)
        return
    face.table(("column", "type", "missing", "distinct", "min", "mean", "max", "most frequent"),
               [(item["name"], item["type"], words.count(item["missing"]), words.count(item["distinct"]),
                 *ranges(item), top(item))
                for item in made["columns"]], right=("missing", "distinct", "min", "mean", "max"),
               spare=("most frequent", "mean", "max", "min", "distinct"))
    numbers = [item for item in made["columns"] if item["type"] in ("integer", "number") and item["quantiles"]]
    if numbers:
        face.say()
        face.table(("share of rows below", *_CUTS.values()), [
            (item["name"], *words.alike([item["quantiles"].get(cut) for cut in _CUTS],
                                        whole=item["type"] == "integer")) for item in numbers],
            right=tuple(_CUTS.values()), spare=("5 %", "95 %", "25 %", "75 %"))


def query(
    context: typer.Context, reference: Reference,
    sql: Annotated[str, typer.Argument(metavar="SQL", help="A SELECT over the table `data`.")],
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=100_000, help="Most rows that are shown.")] = 1000,
    keep: Annotated[str, typer.Option("--keep", metavar="NAME", help="Keep all rows of the answer as a dataset; a "
                                      "known one gets a new version.")] = "",
    version: Annotated[bool, typer.Option("--version", help="Keep them as the next version of this dataset.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write all rows of the answer "
                                                "to a file; its extension says the format.")] = None,
    force: Force = False,
) -> None:
    """Ask a table in SQL: read only, no files, no network; the table's name is `data`. `data sql` is the same."""
    face = Face.of(context)
    if sum((bool(keep), version, output is not None)) > 1:
        raise BadInput("An answer is kept, becomes a version or is written to a file, one of the three.",
                       hint="Leave two of --keep, --version and -o out.")
    if keep or version:
        _keep(face, reference, sql, keep)
        return
    if output is not None:
        _write(face, reference, sql, output, force)
        return
    with Interrupts() as interrupts, face.workbench() as bench:
        page = bench.datasets.query(reference, sql, limit=limit, cancelled=interrupts.asked)
    if face.json:
        face.document({**page.to_json(), "truncated": page.truncated})
        return
    face.grid(page.columns, page.rows)
    face.note(words.plural(len(page.rows), "row") + (" (cut at --limit; there are more)" if page.truncated else ""))


def _keep(face: Face, reference: str, sql: str, name: str) -> None:
    from mldesk.workbench.summaries import dataset_details

    with Interrupts() as interrupts, face.workbench() as bench:
        made = bench.datasets.keep_query(reference, sql, name, cancelled=interrupts.asked)
    if face.json:
        face.document(dataset_details(made))
        return
    face.say(f"{made.label}: {words.plural(made.rows, 'row')}, {words.plural(len(made.columns), 'column')}")
    columns(face, made)


def _write(face: Face, reference: str, sql: str, output: Path, force: bool) -> None:
    with Interrupts() as interrupts, face.workbench() as bench:
        may_write(bench, output, force)
        rows = bench.datasets.export_query(reference, sql, output, cancelled=interrupts.asked)
    face.document({"file": str(output), "rows": rows}) if face.json else \
        face.say(f"Wrote {words.plural(rows, 'row')} to {output}.")


def diff(context: typer.Context, name: Name, first: Version,
         second: Annotated[str | None, typer.Argument(metavar="W", help="The version to compare it with; usually the "
                                                      "later one.")] = None,
         keys: Annotated[list[str] | None, typer.Option("--key", metavar="COLUMN", help="The column by which a row of "
                                                        "one version is found in the other, such as an id; repeat it "
                                                        "for several. Without it one is looked for.")] = None,
         whole_rows: Annotated[bool, typer.Option("--whole-rows", help="Use no such column: a row is the same if all "
                                                  "its cells are; a changed one is gone and new.")] = False,
         distributions: Annotated[bool, typer.Option("--distributions", help="Show how each column's values moved, "
                                                     "too.")] = False) -> None:
    """Say what differs between two versions: rows, cells, columns and types.

    For example: mldesk data diff telco 1 2 --key customerID, or mldesk data diff telco@raw telco@clean
    """
    if whole_rows and keys:
        raise BadInput("Rows are matched by keys, or by all of their cells.", hint="Leave --key or --whole-rows out.")
    face = Face.of(context)
    with Interrupts() as interrupts, face.workbench() as bench:
        old = named_version(bench, name) if second is None else version_of(bench, name, first)
        new = version_of(bench, old.dataset, second or first)
        found = bench.datasets.diff(old.dataset, old.number, new.number, keys=() if whole_rows else keys or None,
                                    distributions=distributions, cancelled=interrupts.asked)
    if face.json:
        face.document(found)
        return
    rows, columns = found["rows"], found["columns"]
    face.show(facts({
        "rows": f"{rows['from']:,} → {rows['to']:,}" + ("" if rows["added"] is None else
                f"  ({rows['removed']:,} gone, {rows['added']:,} new, " + (
                    f"{rows['changed']:,} changed)" if "changed" in rows else "over the shared columns)")),
        "rows matched": _matched(rows),
        "cells changed": ", ".join(f"{name} ({count:,})" for name, count in rows.get("changed_by", {}).items()),
        "columns added": ", ".join(columns["added"]), "columns removed": ", ".join(columns["removed"]),
        "types changed": ", ".join(f"{item['column']} ({item['from']} → {item['to']})" for item in columns["retyped"]),
        "missing cells": ", ".join(f"{item['column']} ({item['from']:,} → {item['to']:,})"
                                   for item in found["missing"]),
        "recipe": recipe_words(found["recipe"])}))
    if distributions:
        face.say()
        face.table(("column", "shift", "mean or value before", "after"), [
            (item["column"], words.score(item["shift"]), *_moved(item)) for item in found["distributions"]],
            right=("shift",), empty="No column is in both with one type.")


def _matched(rows: Mapping[str, Any]) -> str:
    """Say how a row of one version was found in the other."""
    if not rows["added"] and not rows["removed"] and not rows.get("changed"):
        return ""
    if not rows.get("keys"):
        return "by all of their cells, so that a changed row counts as gone and new; --key COLUMN tells rows apart"
    return f"by {', '.join(rows['keys'])}" + (", which tells them apart" if rows["key_guessed"] else "")


def _moved(item: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a column was and is: the mean of numbers, else the value whose share moved most."""
    if item["type"] in ("integer", "number"):
        before, after = words.alike((item["from"]["mean"], item["to"]["mean"]))
        return before, after
    if not item["shares"]:
        return "", ""
    value, before, after = item["shares"][0]
    return f"{words.cell(value)[:40]} {before:.1%}", f"{after:.1%}"
