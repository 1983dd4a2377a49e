"""Choosing columns: one of many by typing, or several by ticking them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
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
from mldesk.desktop.widgets.table import TYPE_ICONS
from mldesk.wire.schema import Column


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
            editor.editingFinished.connect(self._settle)

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Offer other columns."""
        blocked = self.blockSignals(True)
        self.clear()
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


class ColumnList(QFrame):
    """Columns to tick. Signals: ``changed``."""

    changed = Signal()

    def __init__(self, columns: Sequence[Column] = (), *, ticked: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._search = SearchField(self.tr("Find a column"), pause=80)
        self._search.searched.connect(self._on_searched)
        self._all = make_button(self.tr("All"), "ghost", small=True)
        self._none = make_button(self.tr("None"), "ghost", small=True)
        self._all.clicked.connect(lambda: self._tick_shown(True))
        self._none.clicked.connect(lambda: self._tick_shown(False))
        self._said = make_label("", "caption", "muted")
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Columns"))
        self.list.setFixedHeight(theme.px(168))
        self.list.setUniformItemSizes(True)
        self.list.itemChanged.connect(self._on_changed)
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
        blocked = self.list.blockSignals(True)
        self.list.clear()
        state = Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked
        for column in columns:
            item = QListWidgetItem(theme.icon(TYPE_ICONS[column.type], "muted", 14), column.name)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(state)
            self.list.addItem(item)
        self.list.blockSignals(blocked)
        self._say()

    def values(self) -> list[str]:
        """Return the ticked columns, in table order."""
        return [item.text() for item in self._items() if item.checkState() == Qt.CheckState.Checked]

    def set_values(self, names: Sequence[str]) -> None:
        """Tick exactly these."""
        wanted = set(names)
        blocked = self.list.blockSignals(True)
        for item in self._items():
            item.setCheckState(Qt.CheckState.Checked if item.text() in wanted else Qt.CheckState.Unchecked)
        self.list.blockSignals(blocked)
        self._on_changed()

    def _items(self) -> list[QListWidgetItem]:
        return [item for row in range(self.list.count()) if (item := self.list.item(row)) is not None]

    def _tick_shown(self, on: bool) -> None:
        blocked = self.list.blockSignals(True)
        for item in self._items():
            if not item.isHidden():
                item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        self.list.blockSignals(blocked)
        self._on_changed()

    def _on_searched(self, text: str) -> None:
        for item in self._items():
            item.setHidden(text.casefold() not in item.text().casefold())

    def _on_changed(self, *_: object) -> None:
        self._say()
        self.changed.emit()

    def _say(self) -> None:
        self._said.setText(self.tr("{ticked} of {all} chosen").format(ticked=len(self.values()), all=self.list.count()))
