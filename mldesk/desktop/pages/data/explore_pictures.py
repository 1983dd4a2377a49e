"""What a chart counted, drawn by our widgets, and the rows behind each line of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from mldesk.desktop import words
from mldesk.desktop.states.dataset import Picked
from mldesk.desktop.widgets import Bar, BarChart, number
from mldesk.desktop.widgets.boxes import Box, BoxChart
from mldesk.wire.schema import Column

MOST = 30            # bars of a picture
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
    if kind == "scatter":
        from mldesk.desktop.widgets.scatter import ScatterChart

        scatter = ScatterChart("", name["x"], name["y"])
        scatter.set_points(found["x"], found["y"])
        return scatter, ()
    if kind == "histogram" and "edges" in found and len(found["series"]) == 1:
        from mldesk.desktop.widgets.scatter import HistogramChart

        histogram = HistogramChart("", name["x"])
        histogram.set_data(found["series"][0]["counts"], found["edges"])
        return histogram, ()
    lines = {"bar": _bars, "heat": _meetings, "histogram": _groups}[kind](found, axes)[:MOST]
    return BarChart([bar for bar, _ in lines], name=name["x"], most=MOST), [part for _, part in lines]


def _bars(found: Mapping[str, Any], axes: Mapping[str, Column]) -> list[Line]:
    return [(Bar(name, height or 0.0), value(axes["x"], name))
            for name, height in zip(found["values"], found["heights"], strict=True)]


def _meetings(found: Mapping[str, Any], axes: Mapping[str, Column]) -> list[Line]:
    met = [(count, a, b) for b, line in zip(found["lines"], found["counts"], strict=True)
           for a, count in zip(found["columns"], line, strict=True) if count]
    return [(Bar(f"{a} · {b}", count), both(value(axes["x"], a), value(axes["y"], b)))
            for count, a, b in sorted(met, key=lambda one: -one[0])]


def _groups(found: Mapping[str, Any], axes: Mapping[str, Column]) -> list[Line]:
    """The counts of a histogram, of categories or in groups, a bar each."""
    x, by = axes["x"], axes.get("b")
    if "values" in found:
        places = [(str(one), value(x, one)) for one in found["values"]]
    else:
        last = found["edges"][-1]
        places = [(f"{number(low)} – {number(high)}", span(x, low, high, last=high == last))
                  for low, high in pairwise(found["edges"])]
    lines: list[Line] = []
    for index, (name, part) in enumerate(places):
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
        column=column.name, low=number(low), high=number(high)), within(column, low, high, last=last))


def both(one: Picked | None, other: Picked | None) -> Picked | None:
    """Return the rows that two parts share."""
    if one is None or other is None:
        return None
    return Picked(words.tr("{one} and {other}").format(one=one.words, other=other.words),
                  f"({one.where}) AND ({other.where})")


def is_axis(column: Column) -> bool:
    """Say whether a column can be an axis of numbers."""
    return column.type.numeric or column.type.temporal
