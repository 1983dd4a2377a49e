"""A chart of one to three columns: chosen here, or by pressing a square of the map beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.column_choice import ColumnBox
from mldesk.desktop.states.explore import ExploreState
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import Bar, BarChart, Card, ComboBox, FlowBox, FormRow, make_label, set_tone
from mldesk.desktop.widgets.boxes import Box, BoxChart
from mldesk.wire.schema import Column

TAKES = {"histogram": "xb", "box": "yb", "scatter": "xyb", "bar": "xy", "heat": "xy"}   # axes of a kind
_MOST = 30   # bars of a picture


class ChartCard(Card, TaskOwner):
    """Kind, columns and the picture. The picture is counted in a thread each time a choice changes."""

    def __init__(self, state: ExploreState, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Chart"), parent=parent)
        self._state = state
        self._columns: dict[str, Column] = {}
        self._asked = 0
        self._quiet = False
        self.kind = ComboBox([("histogram", self.tr("Histogram")), ("box", self.tr("Box plot")),
                              ("scatter", self.tr("Scatter plot")), ("bar", self.tr("Bars")),
                              ("heat", self.tr("Values that meet"))])
        self.axes = {"x": ColumnBox(), "y": ColumnBox(), "b": ColumnBox()}
        self._rows = {"x": FormRow(self.tr("Across"), self.axes["x"]), "y": FormRow(self.tr("Up"), self.axes["y"]),
                      "b": FormRow(self.tr("Groups"), self.axes["b"])}
        choices = FlowBox(spacing=Space.M, least=150, scrolls=True)
        choices.add(FormRow(self.tr("Kind"), self.kind))
        for line in self._rows.values():
            choices.add(line)
        self._said = make_label("", "caption", "muted", wrap=True)
        self._place = QVBoxLayout()
        self.picture: QWidget | None = None
        self.add(choices)
        self.add(self._place, 1)
        self.add(self._said)
        self.body.addStretch(0)
        self.kind.currentIndexChanged.connect(lambda _: self._on_choice())
        for box in self.axes.values():
            box.changed.connect(lambda _: self._on_choice())

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Offer the columns of a version, and show the first."""
        self._columns = {column.name: column for column in columns}
        self._quiet = True
        for box in self.axes.values():
            box.set_columns(columns)
        self._quiet = False
        first = next((column for column in columns if _is_axis(column)), columns[0] if columns else None)
        if first is not None:
            self.show_pair(first.name, first.name)

    def show_pair(self, a: str, b: str) -> None:
        """Show how two columns lie beside one another; the same one twice shows what it holds."""
        one, other = _is_axis(self._columns[a]), _is_axis(self._columns[b])
        if a == b:
            self.choose("histogram", x=a)
        elif one and other:
            self.choose("scatter", x=a, y=b)
        elif one or other:
            self.choose("box", y=a if one else b, b=b if one else a)
        else:
            self.choose("heat", x=a, y=b)

    def choose(self, kind: str, **axes: str) -> None:
        """Choose a kind and its columns (x, y, b); those that are not named are cleared."""
        self._quiet = True
        self.kind.set_value(kind)
        for axis, box in self.axes.items():
            box.set_value(axes.get(axis, ""))
        self._quiet = False
        self._on_choice()

    def _on_choice(self) -> None:
        if self._quiet:
            return
        takes = TAKES[str(self.kind.value())]
        for axis, line in self._rows.items():
            line.setVisible(axis in takes)
        self._draw()

    @async_slot
    async def _draw(self) -> None:
        self._asked += 1
        asked, kind = self._asked, self.kind.value()
        x, y, by = (box.value() or None if axis in TAKES[kind] else None for axis, box in self.axes.items())
        try:
            found = await self._state.chart(kind, x, y, by)
        except MldeskError as error:
            if asked == self._asked:
                set_tone(self._said, "warning")
                self._said.setText(sentence(error))
            return
        if asked == self._asked:
            self._show(found, x or "", y or "")

    def _show(self, found: Mapping[str, Any], x: str, y: str) -> None:
        made = picture(found, x, y)
        if self.picture is not None:
            self._place.removeWidget(self.picture)
            self.picture.hide()
            self.picture.deleteLater()
        self.picture = made
        self._place.addWidget(made, 1)
        set_tone(self._said, "muted")
        text = words.counted(found["rows"], self.tr("row"), self.tr("rows"))
        drawn = len(found.get("row", ()))
        if drawn and drawn < found["rows"]:
            text += self.tr("; {count} of them drawn, taken at random").format(count=words.number(drawn))
        self._said.setText(text)


def picture(found: Mapping[str, Any], x: str, y: str) -> QWidget:
    """Draw what ``mldesk.data.charting`` returned."""
    kind = found["kind"]
    if kind == "box":
        return BoxChart([Box(str(group["name"]) or y, tuple(group["quantiles"][1:6]), group["n"])
                         for group in found["groups"]], name=y)
    if kind == "scatter":
        from mldesk.desktop.widgets.scatter import ScatterChart

        scatter = ScatterChart("", x, y)
        scatter.set_points(found["x"], found["y"])
        return scatter
    if kind == "histogram" and "edges" in found and len(found["series"]) == 1:
        from mldesk.desktop.widgets.scatter import HistogramChart

        histogram = HistogramChart("", x)
        histogram.set_data(found["series"][0]["counts"], found["edges"])
        return histogram
    return BarChart(bars(found), name=x, most=_MOST)


def bars(found: Mapping[str, Any]) -> list[Bar]:
    """Return a chart of categories, or of groups, as bars."""
    kind = found["kind"]
    if kind == "bar":
        return [Bar(name, height or 0.0) for name, height in zip(found["values"], found["heights"], strict=True)]
    if kind == "heat":
        met = [(count, f"{a} · {b}") for b, line in zip(found["lines"], found["counts"], strict=True)
               for a, count in zip(found["columns"], line, strict=True) if count]
        return [Bar(name, count) for count, name in sorted(met, key=lambda one: -one[0])]
    places = found.get("values") or [f"{low:.6g} – {high:.6g}" for low, high in pairwise(found["edges"])]
    return [Bar(f"{place} · {series['name']}" if series["name"] else str(place), series["counts"][index], slot=slot)
            for index, place in enumerate(places) for slot, series in enumerate(found["series"])
            if series["counts"][index]]


def _is_axis(column: Column) -> bool:
    return column.type.numeric or column.type.temporal
