"""LogView: the tail of a log, in a fixed-width font, following its end until the reader scrolls up."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from mldesk.desktop.theme import Space
from mldesk.desktop.widgets.buttons import make_button

_LINES = 10_000  # kept; older ones go


class LogView(QPlainTextEdit):
    """Read-only log. Signals: ``following_changed`` (whether it keeps to the end). Without ``follows`` it is a text."""

    following_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None, *, lines: int = _LINES, follows: bool = True) -> None:
        super().__init__(parent)
        self.setProperty("log", True)
        self.setReadOnly(True)
        self.setMaximumBlockCount(lines)
        self.setUndoRedoEnabled(False)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTabChangesFocus(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse
                                     | Qt.TextInteractionFlag.TextSelectableByKeyboard)
        self.setAccessibleName(self.tr("Log"))
        self.setPlaceholderText(self.tr("Nothing has been written yet."))
        self._following = follows
        self._partial = ""
        self._jump = make_button(self.tr("Jump to the end"), "secondary", "sort-down", small=True)
        self._jump.setParent(self)
        self._jump.setVisible(False)
        self._jump.clicked.connect(self.follow)
        bar = self.verticalScrollBar()
        if follows:
            bar.valueChanged.connect(self._on_scrolled)
            bar.rangeChanged.connect(self._on_range)

    def append_text(self, text: str) -> None:
        """Add what was written: whole lines or pieces of them. A carriage return starts the line anew."""
        if not text:
            return
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        if "\r" in text or self._partial:
            head, newline, rest = text.replace("\r\n", "\n").partition("\n")
            line = (self._partial + head).rsplit("\r", 1)[-1]
            cursor.movePosition(QTextCursor.MoveOperation.StartOfBlock, QTextCursor.MoveMode.KeepAnchor)
            cursor.insertText(line)
            done = newline + "\n".join(part.rsplit("\r", 1)[-1] for part in rest.split("\n")) if newline else ""
        else:
            done = text
        cursor.insertText(done)
        self._partial = cursor.block().text()

    def set_text(self, text: str) -> None:
        """Show ``text`` instead of what is there."""
        self.clear()
        self._partial = ""
        self.append_text(text)

    def follow(self) -> None:
        """Go to the end and stay there."""
        self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())

    def _on_scrolled(self, value: int) -> None:
        following = value >= self.verticalScrollBar().maximum() - 1
        if following != self._following:
            self._following = following
            self._jump.setVisible(not following)
            self._place()
            self.following_changed.emit(following)

    def _on_range(self, _low: int, high: int) -> None:
        if self._following:
            self.verticalScrollBar().setValue(high)

    def _place(self) -> None:
        self._jump.adjustSize()
        area = self.viewport().geometry()
        self._jump.move(area.right() - self._jump.width() - Space.S, area.bottom() - self._jump.height() - Space.S)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._place()
