"""Choosing columns: one of many by typing, or several by ticking them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from mldesk.desktop import theme
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import SearchField, make_button, make_label
from mldesk.desktop.widgets.table_header import TYPE_ICONS
from mldesk.wire.schema import Column

_TALLEST = 208   # of the columns to tick, pixels at 100 %; more of them scroll
_LINE = 26       # one of them
_ICONS = 500  # columns up to which each has the icon of its type


class ColumnBox(QComboBox):
    """One column, found by typing any part of its name. Signals: ``changed`` (its name)."""

    changed = Signal(str)

    def __init__(self, columns: Sequence[Column] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(16)
        completer = self.completer()
        if completer is not None:
            completer.setFilterMode(Qt.MatchFlag.MatchContains)
            completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self._told = ""
        self.set_columns(columns)
        self.currentTextChanged.connect(self._on_text)
        editor = self.lineEdit()
        if editor is not None:
            editor.setPlaceholderText(self.tr("None"))
            editor.editingFinished.connect(self._settle)

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Offer other columns."""
        blocked = self.blockSignals(True)
        self.clear()
        if len(columns) > _ICONS:
            self.addItems([column.name for column in columns])
        else:
            for column in columns:
                self.addItem(theme.icon(TYPE_ICONS[column.type], "muted", 14), column.name)
        self.setCurrentIndex(-1)
        self.blockSignals(blocked)

    def value(self) -> str:
        """Return the chosen column's name, "" while what is typed is none."""
        text = self.currentText()
        return text if self.findText(text, Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchCaseSensitive) >= 0 else ""

    def set_value(self, name: str) -> None:
        """Choose a column; one that is not there clears the choice."""
        self.setCurrentIndex(self.findText(name, Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchCaseSensitive))

    def _on_text(self, _text: str) -> None:
        if self.value() != self._told:
            self._told = self.value()
            self.changed.emit(self._told)

    def _settle(self) -> None:
        """Half a name, once left, becomes the first column that has it."""
        if not self.value():
            found = self.findText(self.currentText(), Qt.MatchFlag.MatchContains)
            if found >= 0 and self.currentText().strip():
                self.setCurrentIndex(found)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class CalmList(QListWidget):
    """A list that the wheel scrolls only while it has the focus, so that the page around it can be scrolled."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class ColumnList(QFrame):
    """Columns to tick. The rows are made when they are first seen. Signals: ``changed``."""

    changed = Signal()

    def __init__(self, columns: Sequence[Column] = (), *, ticked: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._columns: tuple[Column, ...] = ()
        self._ticked: set[str] = set()
        self._made = False
        self._search = SearchField(self.tr("Find a column"), pause=80)
        self._search.searched.connect(self._on_searched)
        self._all = make_button(self.tr("All"), "ghost", small=True)
        self._none = make_button(self.tr("None"), "ghost", small=True)
        self._all.clicked.connect(lambda: self._tick_shown(True))
        self._none.clicked.connect(lambda: self._tick_shown(False))
        self._said = make_label("", "caption", "muted")
        self.list = CalmList()
        self.list.setAccessibleName(self.tr("Columns"))
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.itemChanged.connect(self._on_item)
        tools = QHBoxLayout()
        tools.addWidget(self._search, 1)
        tools.addWidget(self._all)
        tools.addWidget(self._none)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.XS)
        layout.addLayout(tools)
        layout.addWidget(self.list)
        layout.addWidget(self._said)
        self.set_columns(columns, ticked=ticked)

    def set_columns(self, columns: Sequence[Column], *, ticked: bool = False) -> None:
        """Offer other columns."""
        self._columns = tuple(columns)
        self._ticked = {column.name for column in columns} if ticked else set()
        self._made = False
        # Before the rows are there: a dialog takes its size from it.
        self.list.setFixedHeight(min(theme.px(_LINE) * max(1, len(columns)) + 2 * Space.XS + 2, theme.px(_TALLEST)))
        if self.isVisible():
            self._make()
        self._say()

    def count(self) -> int:
        """Return how many columns are offered."""
        return len(self._columns)

    def values(self) -> list[str]:
        """Return the ticked columns, in table order."""
        return [column.name for column in self._columns if column.name in self._ticked]

    def set_values(self, names: Sequence[str]) -> None:
        """Tick exactly these."""
        self._ticked = set(names) & {column.name for column in self._columns}
        self._draw_ticks()
        self._say()
        self.changed.emit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._made:
            self._make()

    def _make(self) -> None:
        self._made = True
        blocked = self.list.blockSignals(True)
        self.list.clear()
        icons = len(self._columns) <= _ICONS
        for column in self._columns:
            item = QListWidgetItem(column.name)
            item.setToolTip(column.name)
            if icons:
                item.setIcon(theme.icon(TYPE_ICONS[column.type], "muted", 14))
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(_tick(column.name in self._ticked))
            self.list.addItem(item)
        self.list.blockSignals(blocked)
        self._on_searched(self._search.text().strip())

    def _items(self) -> list[QListWidgetItem]:
        return [item for row in range(self.list.count()) if (item := self.list.item(row)) is not None]

    def _draw_ticks(self) -> None:
        blocked = self.list.blockSignals(True)
        for item in self._items():
            item.setCheckState(_tick(item.text() in self._ticked))
        self.list.blockSignals(blocked)
        self.list.viewport().update()

    def _tick_shown(self, on: bool) -> None:
        shown = {item.text() for item in self._items() if not item.isHidden()}
        self.set_values([*(self._ticked | shown if on else self._ticked - shown)])

    def _on_searched(self, text: str) -> None:
        for item in self._items():
            item.setHidden(text.casefold() not in item.text().casefold())

    def _on_item(self, item: QListWidgetItem) -> None:
        if item.checkState() == Qt.CheckState.Checked:
            self._ticked.add(item.text())
        else:
            self._ticked.discard(item.text())
        self._say()
        self.changed.emit()

    def _say(self) -> None:
        self._said.setText(self.tr("{ticked} of {all} chosen").format(ticked=len(self.values()), all=self.count()))


def _tick(on: bool) -> Qt.CheckState:
    return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
