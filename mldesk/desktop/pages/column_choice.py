"""Choosing columns: one of many by typing, or several by ticking them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QCompleter, QWidget

from mldesk.desktop import theme, words
from mldesk.desktop.pages.tick_list import Tickable, TickList
from mldesk.desktop.widgets.table_header import TYPE_ICONS
from mldesk.wire.schema import Column

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
            self.currentIndexChanged.connect(lambda _: editor.setCursorPosition(0))   # a long name shows its beginning

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


class ColumnList(TickList):
    """Columns to tick. Signals: ``changed``."""

    def __init__(self, columns: Sequence[Column] = (), *, ticked: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(words.tr("Find a column"), words.tr("Columns"), parent)
        self.set_columns(columns, ticked=ticked)

    def set_columns(self, columns: Sequence[Column], *, ticked: bool = False) -> None:
        """Offer other columns."""
        icons = len(columns) <= _ICONS
        self.offer([Tickable(column.name, column.name, TYPE_ICONS[column.type] if icons else "")
                    for column in columns], ticked=ticked)
