"""``mldesk data chart``: what the chart builder of the window shows, as figures or as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mldesk.cli import words
from mldesk.cli.data_shown import Reference
from mldesk.cli.face import Face
from mldesk.cli.interrupts import Interrupts
from mldesk.cli.outputs import Force, may_write
from mldesk.core.errors import BadInput
from mldesk.wire.schema import Column, ColumnType

Kind = Literal["histogram", "box", "scatter", "density", "bar", "line", "heat"]
_LINES = 40   # of figures that are shown


def chart(
    context: typer.Context, reference: Reference,
    kind: Annotated[Kind, typer.Option(help="histogram (of --x), box (--y), scatter, density, line or heat (--x and "
                                       "--y), bar (rows of each --x, or the mean of --y).")],
    x: Annotated[str | None, typer.Option("--x", metavar="COL", help="The column across.")] = None,
    y: Annotated[str | None, typer.Option("--y", metavar="COL", help="The column up.")] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="COL", help="A colour, or a box, for each of its values: "
                                           "histogram, box and scatter.")] = None,
    where: Annotated[str | None, typer.Option(metavar="SQL", help="Only rows that fit, like \"price > 3\".")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Draw it there: .png or .svg.")]
    = None,
    force: Force = False,
) -> None:
    """Chart one to three columns, counted over all rows; --json gives the figures that are drawn."""
    from mldesk.core import durable
    from mldesk.core.targets import check_target
    from mldesk.reports.table_chart import Axis, check_ending, draw_table_chart

    face = Face.of(context)
    _refuse_idle(kind, {"x": x, "y": y, "by": by})
    if output is not None:
        check_target(output)
        check_ending(output.name)
    with Interrupts() as interrupts, face.workbench() as bench:
        may_write(bench, output, force)
        version = bench.datasets.show(reference)
        found = bench.explore.chart(version.label, kind, x, y, by, where=where, cancelled=interrupts.asked)
    columns = {column.name: column for column in version.columns}
    axes = {axis: columns[name] for axis, name in (("x", x), ("y", y), ("by", by)) if name}
    if output is not None:
        drawn = draw_table_chart(found, {axis: Axis(column.name, column.type.value) for axis, column in axes.items()},
                                 _title(version.label, kind, axes), output.name)
        with durable.disk_errors(f"writing {output.name}"):
            durable.write_atomic(output, drawn)
    document = {"dataset": version.dataset, "version": version.number, "x": x, "y": y, "by": by, "where": where,
                "file": None if output is None else str(output), **found}
    if "row" in found:   # counted from 1, as everywhere
        document["row"] = [place + 1 for place in found["row"]]
    if face.json:
        face.document(document)
    elif output is not None:
        face.say(f"Wrote {output}: {words.plural(found['rows'], 'row')}{_sampled(found)}")
    else:
        heads, lines = figures(found, axes)
        face.table(heads, lines[:_LINES], right=heads[1:] if found["kind"] != "scatter" else heads,
                   empty="No row has a value there.")
        more = len(lines) - _LINES
        face.note(f"{words.plural(found['rows'], 'row')}{_sampled(found)}" + (
            f"; {more:,} more lines, --json has all" if more > 0 else "") + "; -o FILE.png draws it")


def _refuse_idle(kind: str, given: Mapping[str, str | None]) -> None:
    """Raise BadInput for a column that the kind of chart has no place for."""
    from mldesk.data.statistics.charting import KINDS

    takes = {axis.rstrip("?") for axis in KINDS[kind]}  # type: ignore[index]
    for axis, name in given.items():
        if name and axis not in takes:
            raise BadInput(f"A {kind} has no --{axis}.", hint=f"It takes {', '.join(f'--{one}' for one in KINDS[kind])}"  # type: ignore[index]
                           .replace("?", " (if you like)") + ".")


def _title(label: str, kind: str, axes: Mapping[str, Column]) -> str:
    return f"{label}: {kind} of {' and '.join(column.name for axis, column in axes.items() if axis != 'by')}" + (
        f" by {axes['by'].name}" if "by" in axes else "")


def _sampled(found: Mapping[str, Any]) -> str:
    drawn = len(found.get("row", ()))
    return f", {drawn:,} of them drawn, taken at random" if drawn and drawn < found["rows"] else ""


def figures(found: Mapping[str, Any], axes: Mapping[str, Column]) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Return what a chart shows as a table: its heads and its lines."""
    kind, x, y = found["kind"], axes.get("x"), axes.get("y")
    if kind == "box":
        return ("", "rows", "least", "5 %", "25 %", "median", "75 %", "95 %", "greatest"), [
            (group["name"] or axes["y"].name, words.count(group["n"]),
             *(chart_value(cut, y) for cut in group["quantiles"])) for group in found["groups"]]
    if kind == "histogram":
        places = found.get("values") or [f"{chart_value(low, x)} to {chart_value(high, x)}" for low, high in zip(
            found["edges"], found["edges"][1:], strict=False)]
        return (axes["x"].name, *(str(one["name"]) or "rows" for one in found["series"])), [
            (place, *(words.count(one["counts"][number]) for one in found["series"]))
            for number, place in enumerate(places)]
    if kind == "bar":
        return (axes["x"].name, "rows" if y is None else f"mean of {y.name}", *(() if y is None else ("rows",))), [
            (value, chart_value(height, y), *(() if y is None else (words.count(count),)))
            for value, height, count in zip(found["values"], found["heights"], found["counts"], strict=True)]
    if kind == "line":
        return (axes["x"].name, f"mean of {axes['y'].name}", "25 %", "75 %", "rows"), [
            (chart_value(a, x), *(chart_value(one, y) for one in cuts), words.count(n)) for a, *cuts, n in zip(
                found["x"], found["mean"], found["low"], found["high"], found["counts"], strict=True)]
    if kind == "heat":
        return (f"{axes['y'].name} \\ {axes['x'].name}", *found["columns"]), [
            (line, *map(words.count, counts)) for line, counts in zip(found["lines"], found["counts"], strict=True)]
    if kind == "density":
        return (axes["x"].name, axes["y"].name, "rows"), [
            (chart_value(found["x_edges"][across], x), chart_value(found["y_edges"][up], y), words.count(count))
            for up, line in enumerate(found["counts"]) for across, count in enumerate(line) if count]
    return ("row", axes["x"].name, axes["y"].name), [
        (place + 1, chart_value(a, x), chart_value(b, y))
        for place, a, b in zip(found["row"], found["x"], found["y"], strict=True)]


def chart_value(value: float | None, column: Column | None) -> str:
    """Return a number of a chart as it is read: moments are seconds since 1970 there."""
    if value is None:
        return ""
    if column is None or not column.type.temporal:
        return f"{value:.6g}" if column is not None else words.count(int(value))
    if column.type is ColumnType.TIME:
        return f"{int(value) // 3600:02}:{int(value) // 60 % 60:02}:{int(value) % 60:02}"
    try:
        moment = datetime.fromtimestamp(value, timezone.utc)
    except (OverflowError, OSError, ValueError):
        return f"{value:.6g}"
    return f"{moment:%Y-%m-%d}" if column.type is ColumnType.DATE else f"{moment:%Y-%m-%d %H:%M:%S}"
