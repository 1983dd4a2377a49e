"""LogView: the tail of a log, in a fixed-width font, following its end until the reader scrolls up."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QTextBlock, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from mldesk.core.log_levels import Level, level_of
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets.buttons import make_button

_LINES = 10_000  # kept; older ones go


class LogView(QPlainTextEdit):
    """Read-only log. Without ``follows`` it is a text.

    Signals: ``following_changed`` (whether it keeps to the end), ``erred`` when the first line says an error.
    """

    following_changed = Signal(bool)
    erred = Signal()

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
        self._shown = Level.INFO
        self.errors = False   # whether a line said one
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
        self._rate(self.document().findBlockByNumber(max(0, self.blockCount() - 1 - done.count("\n"))))

    def show_from(self, level: Level) -> None:
        """Show the lines of this level and above; the others stay, out of sight."""
        self._shown = level
        self._rate(self.document().begin())

    def to_next_error(self) -> bool:
        """Go to the next line that begins an error, past the end to the first one; False where there is none."""
        errors = [block for block in self._blocks(self.document().begin()) if block.userState() == Level.ERROR
                  and block.previous().userState() != Level.ERROR]
        if not errors:
            return False
        here = self.textCursor().blockNumber() if self.textCursor().hasSelection() else -1
        target = next((block for block in errors if block.blockNumber() > here), errors[0])
        cursor = QTextCursor(target)
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)
        self.centerCursor()
        return True

    def look_for(self, text: str, *, onward: bool = False) -> int:
        """Go to where ``text`` is, from here, past the end to the beginning; return how many lines shown have it.

        ``onward`` passes over the place that is marked now.
        """
        text = text.casefold()
        found = [block for block in self._blocks(self.document().begin())
                 if text and block.isVisible() and text in block.text().casefold()]
        if not found:
            return 0
        here = self.textCursor().blockNumber()
        target = next((block for block in found if block.blockNumber() > here - (not onward)), found[0])
        cursor = QTextCursor(target)
        start = target.position() + target.text().casefold().find(text)
        cursor.setPosition(start)
        cursor.setPosition(min(start + len(text), target.position() + target.length() - 1),
                           QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)
        self.centerCursor()
        return len(found)

    def _rate(self, first: QTextBlock) -> None:
        """Work out the level of each line from ``first`` on, and whether it is seen."""
        hidden, before = False, Level(max(0, first.previous().userState())) if first.isValid() else Level.INFO
        for block in self._blocks(first):
            before = level_of(block.text(), before)
            block.setUserState(before)
            if before is Level.ERROR and not self.errors:
                self.errors = True
                self.erred.emit()
            seen = before >= self._shown
            hidden = hidden or block.isVisible() != seen
            block.setVisible(seen)
        if hidden:
            self._redo()

    def _redo(self) -> None:
        """Lay the lines out anew: which of them are seen has changed."""
        document = self.document()
        document.markContentsDirty(0, document.characterCount())
        document.documentLayout().documentSizeChanged.emit(document.documentLayout().documentSize())
        self.viewport().update()

    @staticmethod
    def _blocks(first: QTextBlock) -> Iterator[QTextBlock]:
        while first.isValid():
            yield first
            first = first.next()

    def set_text(self, text: str) -> None:
        """Show ``text`` instead of what is there."""
        self.clear()
        self._partial, self.errors = "", False
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
