"""What a chart counted, drawn by our widgets, and the rows behind each line of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mldesk.desktop import words
from mldesk.desktop.states.dataset import Picked
from mldesk.desktop.widgets import Bar, BarChart, moments, number
from mldesk.desktop.widgets.boxes import Box, BoxChart
from mldesk.desktop.widgets.meetings import MeetingMap
from mldesk.wire.schema import Column, ColumnType

MOST = 30            # bars of a picture
_FEW = 20            # rows of a table too small to tell an identifier by its values
_OTHER = ("(others)", "(missing)")   # names that stand for more than one value, or none

Line = tuple[Bar, Picked | None]


def picture(found: Mapping[str, Any], axes: Mapping[str, Column]) -> tuple[Any, Sequence[Picked | None]]:
    """Draw what ``mldesk.data.statistics.charting`` returned; ``axes`` are its columns by x, y and b.

    Return the widget and the rows of each of its lines; () where it has none.
    """
    kind, name = found["kind"], {axis: column.name for axis, column in axes.items()}
    if kind == "box":
        boxes = [Box(str(group["name"]) or name["y"], tuple(group["quantiles"][1:6]), group["n"])
                 for group in found["groups"]]
        parts = [value(axes["b"], group["name"]) for group in found["groups"]] if "b" in axes else ()
        return BoxChart(boxes, name=name["y"]), parts
    if kind == "heat":
        meetings = MeetingMap(row_title=name["y"], column_title=name["x"])
        meetings.set_data(found["lines"], found["counts"], found["columns"])
        return meetings, [both(value(axes["x"], a), value(axes["y"], b))
                          for b in found["lines"] for a in found["columns"]]
    if kind in ("scatter", "density", "line") or (kind == "histogram" and "edges" in found):
        plot = _PLOTS[kind](found, name)
        plot.set_moments(x=axes["x"].type.temporal, y="y" in axes and axes["y"].type.temporal)
        return plot, ()
    lines = {"bar": _bars, "histogram": _groups}[kind](found, axes)[:MOST]
    return BarChart([bar for bar, _ in lines], name=name["x"], most=MOST), [part for _, part in lines]


def _scatter(found: Mapping[str, Any], name: Mapping[str, str]) -> Any:
    from mldesk.desktop.widgets import ScatterChart

    chart = ScatterChart("", name["x"], name["y"])
    chart.set_points(found["x"], found["y"], found["group"] if found["groups"] else None, found["groups"],
                     found.get("row"))
    chart.take_boxes()
    return chart


def _density(found: Mapping[str, Any], name: Mapping[str, str]) -> Any:
    from mldesk.desktop.widgets import DensityChart

    chart = DensityChart("", name["x"], name["y"])
    chart.set_counts(found["counts"], found["x_edges"], found["y_edges"])
    chart.take_boxes()
    return chart


def _histogram(found: Mapping[str, Any], name: Mapping[str, str]) -> Any:
    from mldesk.desktop.widgets import HistogramChart

    chart = HistogramChart("", name["x"])
    chart.set_groups([(str(series["name"]), series["counts"]) for series in found["series"]], found["edges"])
    return chart


def _line(found: Mapping[str, Any], name: Mapping[str, str]) -> Any:
    from mldesk.desktop.widgets import Chart

    chart = Chart("", name["x"], name["y"])
    for slot, (key, title) in enumerate((("mean", words.tr("mean")), ("low", words.tr("lower quartile")),
                                         ("high", words.tr("upper quartile")))):
        chart.set_series(title, found["x"], found[key], slot=0, dashed=slot > 0, faint=slot > 0)
    return chart


_PLOTS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, str]], Any]] = {
    "scatter": _scatter, "density": _density, "histogram": _histogram, "line": _line}


def _bars(found: Mapping[str, Any], axes: Mapping[str, Column]) -> list[Line]:
    return [(Bar(name, height or 0.0), value(axes["x"], name))
            for name, height in zip(found["values"], found["heights"], strict=True)]


def _groups(found: Mapping[str, Any], axes: Mapping[str, Column]) -> list[Line]:
    """The counts of categories, a bar each for every group."""
    x, by = axes["x"], axes.get("b")
    lines: list[Line] = []
    for index, one in enumerate(found["values"]):
        name, part = str(one), value(x, one)
        for slot, series in enumerate(found["series"]):
            if series["counts"][index]:
                whole = part if by is None else both(part, value(by, series["name"]))
                lines.append((Bar(f"{name} · {series['name']}" if by else name, series["counts"][index], slot=slot),
                              whole))
    return lines


def value(column: Column, name: str) -> Picked | None:
    """Return the rows where a column is ``name``; None where that name stands for several."""
    from mldesk.data.statistics.charting import valued

    if name in _OTHER:
        return None
    return Picked(words.tr("{column} is {value}").format(column=column.name, value=name), valued(column, name))


def span(column: Column, low: float, high: float, *, last: bool) -> Picked:
    """Return the rows where a column lies from ``low`` to ``high``."""
    from mldesk.data.statistics.charting import within

    return Picked(words.tr("{column} from {low} to {high}").format(
        column=column.name, low=_place(column, low), high=_place(column, high)), within(column, low, high, last=last))


def _place(column: Column, at: float) -> str:
    return moments.words(at) if column.type.temporal else number(at)


def both(one: Picked | None, other: Picked | None) -> Picked | None:
    """Return the rows that two parts share."""
    if one is None or other is None:
        return None
    return Picked(words.tr("{one} and {other}").format(one=one.words, other=other.words),
                  f"({one.where}) AND ({other.where})")


def is_axis(column: Column) -> bool:
    """Say whether a column can be an axis of numbers."""
    return column.type.numeric or column.type.temporal


def first_shown(columns: Sequence[Column]) -> Column:
    """Return the column to begin with: the first of numbers that is no identifier; of none such, the first at all."""
    from mldesk.data.statistics.guarding import ID_WORD

    axes = [column for column in columns if is_axis(column)]
    most = max(column.distinct for column in columns)   # of whole numbers, one that never repeats numbers the rows
    telling = [column for column in axes if not ID_WORD.search(column.name)
               and not (column.type is ColumnType.INTEGER and not column.missing and column.distinct == most > _FEW)]
    return (telling or axes or columns)[0]
