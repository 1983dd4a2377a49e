"""Editors that steps of recipes need and other forms do not: pairs, cells, ticks, another dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from mldesk.desktop import theme
from mldesk.desktop.pages.column_choice import ColumnBox
from mldesk.desktop.step_choices import choice_words
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import FlowLayout, SpinBox, make_button, make_icon_button, make_label
from mldesk.wire.schema import Column

_NARROW = 5   # letters that a column in a line shows at least


class LinesEditor(QWidget):
    """Lines of fields, of which one adds and removes. Signals: ``changed``."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lines: list[tuple[QWidget, tuple[Any, ...]]] = []
        self._rows = QVBoxLayout()
        self._rows.setSpacing(Space.XS)
        self.more = make_button(self.tr("One more"), "ghost", "plus", small=True)
        self.more.clicked.connect(lambda _checked=False: self.add_line(*self.make_fields()))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.XS)
        layout.addLayout(self._rows)
        foot = QHBoxLayout()
        foot.addWidget(self.more)
        foot.addStretch(1)
        layout.addLayout(foot)

    def make_fields(self) -> tuple[QWidget, ...]:
        """Return the fields of an empty line."""
        raise NotImplementedError

    def add_line(self, *fields: QWidget, between: str = "") -> None:
        """Add a line of fields; ``between`` stands between the last two."""
        away = make_icon_button("close", self.tr("Remove"), size=13)
        line = QWidget()
        layout = QHBoxLayout(line)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.XS)
        for number, field in enumerate(fields):
            if between and number == len(fields) - 1:
                layout.addWidget(make_label(between, tone="muted"))
            layout.addWidget(field, 0 if isinstance(field, SpinBox) else 1)
        layout.addWidget(away)
        entry = (line, fields)
        away.clicked.connect(lambda: self._remove(entry))
        self.lines.append(entry)
        self._rows.addWidget(line)
        self.changed.emit()

    def empty(self) -> None:
        """Take every line out."""
        for entry in tuple(self.lines):
            self._remove(entry)

    def _remove(self, entry: tuple[QWidget, tuple[Any, ...]]) -> None:
        self.lines.remove(entry)
        self._rows.removeWidget(entry[0])
        entry[0].hide()
        entry[0].deleteLater()
        self.changed.emit()

    def tell(self) -> None:
        """Say that something was typed."""
        self.changed.emit()


class PairEditor(LinesEditor):
    """Old and new, pair by pair. ``columns``: the old one is one of them; ``others``: the new one is one of these."""

    def __init__(self, columns: Sequence[Column] | None, *, others: Sequence[Column] | None = None,
                 hints: tuple[str, str] = ("", ""), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._columns, self._others, self._hints = columns, others, hints
        self._add()

    def values(self) -> dict[str, Any]:
        """Return {old: new}; an empty new value of a replacement means missing."""
        found: dict[str, Any] = {}
        for _, (old, new) in self.lines:
            if key := _text_of(old):
                found[key] = _text_of(new) or (None if self._columns is None else "")
        return found

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show these pairs."""
        self.empty()
        for old, new in values.items():
            self._add(str(old), "" if new is None else str(new))
        if not values:
            self._add()

    def set_others(self, others: Sequence[Column]) -> None:
        """Offer other columns for the new ones; what is chosen stays."""
        self._others = others
        self.set_values(self.values())

    def make_fields(self) -> tuple[QWidget, ...]:
        return self._fields("", "")

    def add_line(self, *fields: QWidget, between: str = "→") -> None:
        super().add_line(*fields, between=between)

    def _add(self, old: str = "", new: str = "") -> None:
        self.add_line(*self._fields(old, new))

    def _fields(self, old: str, new: str) -> tuple[QWidget, QWidget]:
        return self._side(self._columns, old, self._hints[0]), self._side(self._others, new, self._hints[1])

    def _side(self, columns: Sequence[Column] | None, value: str, hint: str) -> QWidget:
        if columns is None:
            line = QLineEdit(value)
            line.setPlaceholderText(hint)
            line.setAccessibleName(hint)
            line.textChanged.connect(lambda _: self.tell())
            return line
        box = ColumnBox(columns)
        box.setMinimumContentsLength(_NARROW)
        box.set_value(value)
        box.setAccessibleName(hint)
        box.changed.connect(lambda _: self.tell())
        return box


class CellsEditor(LinesEditor):
    """Cells by row, column and new value."""

    def __init__(self, columns: Sequence[Column], given: Sequence[Mapping[str, Any]] = (),
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._columns = columns
        self._given: dict[int, Any] = {}
        for cell in given:
            self.add_line(*self._fields(int(cell["row"]), str(cell["column"]), cell["value"]))

    def values(self) -> list[dict[str, Any]]:
        """Return the cells; those without a column are not said yet."""
        found = []
        for _, (row, column, value) in self.lines:
            if column.value():
                kept = self._given.get(id(value))
                same = kept is not None and value.text() == str(kept)
                found.append({"row": row.value(), "column": column.value(),
                              "value": kept if same else value.text() or None})
        return found

    def make_fields(self) -> tuple[QWidget, ...]:
        return self._fields(1, "", None)

    def _fields(self, row: int, column: str, value: Any) -> tuple[QWidget, QWidget, QWidget]:
        number = SpinBox(1, 2**31 - 1, row)
        number.setAccessibleName(self.tr("Row"))
        number.setFixedWidth(theme.px(76))
        number.valueChanged.connect(lambda _: self.tell())
        box = ColumnBox(self._columns)
        box.setMinimumContentsLength(_NARROW)
        box.set_value(column)
        box.setAccessibleName(self.tr("Column"))
        box.changed.connect(lambda _: self.tell())
        line = QLineEdit("" if value is None else str(value))
        line.setPlaceholderText(self.tr("missing"))
        line.setAccessibleName(self.tr("New value"))
        line.textChanged.connect(lambda _: self.tell())
        self._given[id(line)] = value   # a number stays one as long as nobody types
        return number, box, line


class Ticks(QWidget):
    """Some of a few choices, ticked. Signals: ``changed``."""

    changed = Signal()

    def __init__(self, field: str, choices: Sequence[str], given: Sequence[str] = (),
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = FlowLayout(self, spacing=Space.M)
        self._ticks: dict[str, QCheckBox] = {}
        for choice in choices:
            tick = QCheckBox(choice_words(field, choice))
            tick.setChecked(choice in given)
            tick.toggled.connect(lambda _: self.changed.emit())
            self._ticks[choice] = tick
            layout.addWidget(tick)

    def values(self) -> list[str]:
        """Return what is ticked, in the order of the choices."""
        return [choice for choice, tick in self._ticks.items() if tick.isChecked()]


def _text_of(field: QWidget) -> str:
    if isinstance(field, ColumnBox):
        return field.value()
    return field.text() if isinstance(field, QLineEdit) else ""
