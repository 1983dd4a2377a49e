"""A chart of one to three columns: chosen here, or by pressing a square of the map beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from mldesk.core.errors import MldeskError
from mldesk.desktop import theme, words
from mldesk.desktop.errors import sentence
from mldesk.desktop.pages.column_choice import ColumnBox
from mldesk.desktop.pages.data.explore_pictures import both, first_shown, is_axis, picture, span
from mldesk.desktop.pages.data.explore_save import KINDS, copy_chart, save_chart
from mldesk.desktop.pages.file_choice import choose_place
from mldesk.desktop.states.dataset import Picked
from mldesk.desktop.states.explore import ExploreState
from mldesk.desktop.tasks import TaskOwner, async_slot
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import (
    Card,
    ComboBox,
    FlowBox,
    FormRow,
    Switch,
    make_button,
    make_icon_button,
    make_label,
    row,
    set_tone,
)
from mldesk.desktop.widgets.lines import Lines
from mldesk.desktop.widgets.meetings import MeetingMap
from mldesk.wire.schema import Column

TAKES = {"histogram": "xb", "box": "yb", "scatter": "xyb", "density": "xy", "line": "xy", "bar": "xy",
         "heat": "xy"}   # axes of a kind
_HIGH = 330   # pixels of a plot at 100 %


@runtime_checkable
class _Plane(Protocol):
    def zoom(self) -> tuple[float, float] | None: ...

    def box(self) -> tuple[float, float, float, float] | None: ...


@runtime_checkable
class _Points(Protocol):
    def mark(self, rows: Collection[int]) -> int: ...


class ChartCard(Card, TaskOwner):
    """Kind, columns and the picture. The picture is counted in a thread each time a choice changes.

    Signals: ``picked`` (Picked) when a part of it is pressed, or the part that is zoomed into asked for.
    """

    picked = Signal(object)

    def __init__(self, state: ExploreState, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Chart"), parent=parent)
        self._state = state
        self._columns: dict[str, Column] = {}
        self._asked = 0
        self._quiet = False
        self._narrow: Picked | None = None
        self._parts: Sequence[Picked | None] = ()   # the rows of each line that is drawn
        self._axes: Mapping[str, Column] = {}
        self._marked: frozenset[int] = frozenset()   # places of rows
        self._count = ""                             # of the rows that are drawn, in words
        self.rows = make_button(self.tr("Show rows"), "secondary", "filter", small=True)
        self.rows.setToolTip(self.tr("Show the rows of the part that is chosen"))
        self.rows.clicked.connect(self._on_rows)
        self.rows.hide()
        copy = make_icon_button("copy", self.tr("Copy picture"))
        copy.clicked.connect(self.copy)
        save = make_icon_button("export", self.tr("Save picture or data…"))
        save.clicked.connect(self.save)
        for button in (copy, save):
            self.add_action(button)
        self.kind = ComboBox([("histogram", self.tr("Histogram")), ("box", self.tr("Box plot")),
                              ("scatter", self.tr("Scatter plot")), ("density", self.tr("Density")),
                              ("line", self.tr("Line")), ("bar", self.tr("Bars")), ("heat", self.tr("Heat map"))])
        self.axes = {"x": ColumnBox(), "y": ColumnBox(), "b": ColumnBox()}
        self._rows = {"x": FormRow(self.tr("Across"), self.axes["x"]), "y": FormRow(self.tr("Up"), self.axes["y"]),
                      "b": FormRow(self.tr("Groups"), self.axes["b"])}
        choices = FlowBox(spacing=Space.M, least=150, scrolls=True)
        choices.add(FormRow(self.tr("Kind"), self.kind))
        for line in self._rows.values():
            choices.add(line)
        self.narrowed = Switch(self.tr("Only the rows that the table shows"))
        self.narrowed.toggled.connect(lambda _: self._draw())
        self.narrowed.hide()
        self._said = make_label("", "caption", "muted", wrap=True)
        self._place = QVBoxLayout()
        self.picture: QWidget | None = None
        self.add(choices)
        self.add(self.narrowed)
        self.add(self._place, 1)
        foot = row(self._said, self.rows, spacing=Space.M)
        foot.setStretch(0, 1)
        self.add(foot)
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
        if columns:
            first = first_shown(columns)
            self.show_pair(first.name, first.name)

    def show_pair(self, a: str, b: str) -> None:
        """Show how two columns lie beside one another; the same one twice shows what it holds."""
        one, other = is_axis(self._columns[a]), is_axis(self._columns[b])
        if a == b:
            self.choose("histogram", x=a)
        elif one and other:
            kind = str(self.kind.value())
            self.choose(kind if kind in ("density", "line") else "scatter", x=a, y=b)
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

    def show_narrowed(self, picked: Picked | None) -> None:
        """Offer to draw only the rows that the table is narrowed to by a condition; None: it shows all."""
        where, self._narrow = self._where(), picked if picked is not None and picked.where else None
        self.narrowed.setVisible(self._narrow is not None)
        if self._narrow is not None:
            self.narrowed.setToolTip(self._narrow.words)
        if where != self._where() and self._columns:
            self._draw()

    def _where(self) -> str | None:
        return self._narrow.where if self._narrow is not None and self.narrowed.isChecked() else None

    @async_slot
    async def _draw(self) -> None:
        self._asked += 1
        asked, kind = self._asked, self.kind.value()
        x, y, by = (box.value() or None if axis in TAKES[kind] else None for axis, box in self.axes.items())
        try:
            found = await self._state.chart(kind, x, y, by, where=self._where())
        except MldeskError as error:
            if asked == self._asked:
                self._count = ""
                set_tone(self._said, "warning")
                self._said.setText(sentence(error))
            return
        if asked == self._asked:
            self._show(found, {axis: self._columns[name] for axis, name in (("x", x), ("y", y), ("b", by)) if name})

    def _show(self, found: Mapping[str, Any], axes: Mapping[str, Column]) -> None:
        made, self._parts = picture(found, axes)
        self._axes = axes
        if isinstance(made, Lines) and self._parts:
            made.make_choosable()
            made.chosen.connect(self._on_line)
        elif isinstance(made, MeetingMap):
            made.chosen.connect(lambda line, column: self._on_line(line * len(found["columns"]) + column))
        elif not isinstance(made, Lines):
            made.setMinimumHeight(theme.px(_HIGH))
            made.zoomed.connect(self._on_part)
            made.boxed.connect(self._on_part)
        self.rows.hide()
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
        how = self.tr("Press one to see its rows.") if self._parts else "" if isinstance(made, Lines) else self.tr(
            "Drag over a part to see its rows.")
        self._count = f"{text}. {how}"
        self.show_marked(self._marked)

    def show_marked(self, places: frozenset[int]) -> None:
        """Ring the points of the rows that are selected in the table, where the picture has points."""
        self._marked = places
        picture: object = self.picture
        if not self._count:   # there is none, or something else to be said
            return
        ringed = picture.mark(places) if isinstance(picture, _Points) else 0
        if not isinstance(picture, _Points) or not places:
            self._said.setText(self._count)
            return
        some = self.tr("{count} of the {all} rows selected in the table are drawn, and ringed.").format(
            count=words.number(ringed), all=words.number(len(places))) if ringed != len(places) else self.tr(
            "The rows selected in the table are ringed.")
        self._said.setText(f"{self._count} {some}")

    def _on_line(self, line: int) -> None:
        part = self._parts[line] if line < len(self._parts) else None
        if part is not None:
            self.picked.emit(part)

    def _on_part(self) -> None:
        self.rows.setVisible(self.part() is not None)

    def part(self) -> Picked | None:
        """Return the rows of the rectangle that is chosen, or of the part of x that is zoomed into."""
        picture: object = self.picture
        if not isinstance(picture, _Plane):
            return None
        box, zoom = picture.box(), picture.zoom()
        if box is not None:
            return both(span(self._axes["x"], *box[:2], last=True), span(self._axes["y"], *box[2:], last=True))
        return None if zoom is None else span(self._axes["x"], *zoom, last=True)

    def _on_rows(self) -> None:
        part = self.part()
        if part is not None:
            self.picked.emit(part)

    def copy(self) -> None:
        """Put the picture on the clipboard."""
        if self.picture is not None:
            copy_chart(self.picture)

    def save(self) -> None:
        """Ask where to, then write the picture or its numbers."""
        choose_place(self, self.tr("Save the chart"), KINDS, "chart.png", self._save)

    def _save(self, path: Path) -> None:
        set_tone(self._said, "muted")
        try:
            if self.picture is not None:
                save_chart(self.picture, path)
            self._said.setText(self.tr("Wrote {name}.").format(name=path.name))
        except OSError as error:
            set_tone(self._said, "danger")
            self._said.setText(self.tr("{name} could not be written: {why}.").format(
                name=path.name, why=error.strerror or error))
