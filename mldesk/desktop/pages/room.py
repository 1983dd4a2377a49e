"""Room: how large a dialog may be, and parts that go below one another where there is none beside."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import hairline

_AROUND = 64  # pixels left free for the frame and for what is behind


def fitting(widget: QWidget, width: int, height: int) -> QSize:
    """Return ``width`` by ``height`` (pixels at 100 %) at the present text size, cut to the screen."""
    screen = widget.screen().availableSize()
    return QSize(min(theme.px(width), screen.width() - _AROUND), min(theme.px(height), screen.height() - _AROUND))


class SideBySide(QWidget):
    """Two parts beside one another with a line between them; one below the other where it is narrow.

    ``least`` is the width from which they stand beside one another, in pixels at 100 %.
    """

    def __init__(self, first: QWidget, second: QWidget, *, least: int, shares: tuple[int, int] = (1, 1),
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._least = least
        self._line = hairline(vertical=True)
        self._layout = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(Space.XL)
        self._layout.addWidget(first, shares[0], Qt.AlignmentFlag.AlignTop)
        self._layout.addWidget(self._line)
        self._layout.addWidget(second, shares[1], Qt.AlignmentFlag.AlignTop)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = self.width() >= theme.px(self._least)
        self._line.setVisible(beside)
        self._layout.setDirection(
            QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)

    def minimumSizeHint(self) -> QSize:
        """No wider than the wider of the two: they can always stand below one another."""
        hint = super().minimumSizeHint()
        parts = [item.widget() for index in range(self._layout.count()) if (item := self._layout.itemAt(index))]
        return QSize(max(part.minimumSizeHint().width() for part in parts if part is not None), hint.height())
