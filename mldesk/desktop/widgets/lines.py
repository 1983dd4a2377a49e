"""Lines: what charts of named lines share: a tooltip for each, and choosing one by mouse or keyboard."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from mldesk.desktop import theme

LINE = 28   # height of a line, pixels at 100 %


class Lines(QWidget):
    """Base of charts whose lines lie under one another. Signals: ``chosen`` (line) once ``make_choosable`` was called:
    a click, or Enter on the line that the arrow keys went to.
    """

    chosen = Signal(int)
    _choosable = False
    _current = 0

    def lines(self) -> int:
        """Return how many lines there are."""
        raise NotImplementedError

    def sentence(self, line: int) -> str:
        """Say in words what a line shows."""
        raise NotImplementedError

    def make_choosable(self) -> None:
        """Let lines be chosen."""
        self._choosable = True
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def line_at(self, y: float) -> int | None:
        """Return the line at a height; None below them."""
        line = int(y // theme.px(LINE))
        return line if 0 <= line < self.lines() else None

    def paint_current(self, painter: QPainter, line: int) -> None:
        """Frame a line if the keyboard is on it."""
        if self._choosable and self.hasFocus() and line == self._current:
            painter.save()
            painter.setPen(QPen(theme.colour("accent_text"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            height = theme.px(LINE)
            painter.drawRoundedRect(QRectF(1, line * height + 1, self.width() - 2, height - 2), 4, 4)
            painter.restore()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        line = self.line_at(event.position().y())
        if self._choosable and line is not None and event.button() == Qt.MouseButton.LeftButton:
            self._current = line
            self.update()
            self.chosen.emit(line)
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if self._choosable and self.lines() and step is not None:
            self._current = min(self.lines() - 1, max(0, self._current + step))
            self.setAccessibleDescription(self.sentence(self._current))
            self.update()
        elif self._choosable and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            if self._current < self.lines():
                self.chosen.emit(self._current)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            line = self.line_at(event.pos().y())
            if line is not None:
                QToolTip.showText(event.globalPos(), self.sentence(line), self)
                return True
        return super().event(event)
