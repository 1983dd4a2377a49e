"""Notice: a line on a page that something needs attention, in a tone, with what can be done about it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme import Space, Tone
from mldesk.desktop.theme.icons import Role
from mldesk.desktop.widgets import IconLabel, make_button, make_label, set_role

_ICONS: dict[Tone, tuple[str, Role]] = {
    "neutral": ("info", "muted"), "info": ("info", "info"), "accent": ("info", "accent"),
    "success": ("success", "success"), "warning": ("warning", "warning"), "danger": ("error", "danger"),
}


class Notice(QFrame):
    """Hidden until ``say``; its button stands ``below`` where there is little room. Signals: ``acted`` at its press."""

    acted = Signal()

    def __init__(self, parent: QWidget | None = None, *, below: bool = False) -> None:
        super().__init__(parent)
        self._tone: Tone = "info"
        self._icon = IconLabel("info", "info", 18)
        self._title = make_label("", "strong", wrap=True, selectable=True)
        self._text = make_label("", wrap=True, selectable=True)
        self.button = make_button("", "secondary", small=True)
        self.button.clicked.connect(self.acted)
        text = QVBoxLayout()
        text.setSpacing(Space.XXS)
        text.addWidget(self._title)
        text.addWidget(self._text)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(Space.M + 2, Space.M, Space.M + 2, Space.M)
        layout.setSpacing(Space.M)
        layout.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(text, 1)
        if below:
            text.addSpacing(Space.XS)
            text.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        else:
            layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignVCenter)
        self.hide()

    def say(self, tone: Tone, title: str, text: str = "", button: str = "", *, small: bool = False) -> None:
        """Show a title, a line below it (``small``: a note only) and a button; what is empty is left out."""
        self._tone = tone
        self._icon.set(*_ICONS[tone])
        self._title.setText(title)
        self._title.setVisible(bool(title))
        self._text.setText(text)
        set_role(self._text, "caption" if small else "body")
        self._text.setVisible(bool(text))
        self.button.setText(button)
        self.button.setVisible(bool(button))
        self.setAccessibleName(f"{title} {text}".strip())
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        front, back = theme.palette().tone(self._tone)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(front) if theme.palette().name == "contrast" else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(back))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
