"""A card that is one large button."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme.manager import RING


class PressCard(QAbstractButton):
    """Draws the card's ground and its border, which says where the mouse or the keyboard is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def let_through(self) -> None:
        """Let a press on what lies on the card press the card. To be called once all of it is there."""
        for child in self.findChildren(QWidget):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ring, over = bool(self.property(RING)), self.underMouse() or self.isDown()
        painter.setPen(QPen(theme.colour("accent_text" if ring or over else "border"), 2 if ring else 1))
        painter.setBrush(theme.colour("surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 8, 8)
