"""Card: a surface with a title, actions and a body. EmptyState: what a place says when it has nothing yet."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme import Space
from mldesk.desktop.theme.icons import pixmap
from mldesk.desktop.widgets.buttons import make_button
from mldesk.desktop.widgets.text import ElidedLabel, make_label


class Card(QFrame):
    """A titled surface. Put widgets into ``body`` (a vertical layout), or through ``add``."""

    def __init__(self, title: str = "", subtitle: str = "", actions: Sequence[QWidget] = (),
                 parent: QWidget | None = None, *, padding: int = Space.CARD) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        self._title = ElidedLabel(title, "subtitle")
        self._subtitle = make_label(subtitle, "caption", "muted", wrap=True)
        if not title:  # shown before it has a parent, a label would be a window of its own
            self._title.hide()
        if not subtitle:
            self._subtitle.hide()
        self._actions = QHBoxLayout()
        self._actions.setSpacing(Space.XS)
        words = QVBoxLayout()
        words.setSpacing(Space.XXS)
        words.addWidget(self._title)
        words.addWidget(self._subtitle)
        head = QHBoxLayout()
        head.setSpacing(Space.M)
        head.addLayout(words, 1)
        head.addLayout(self._actions)
        self.body = QVBoxLayout()
        self.body.setSpacing(Space.M)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(padding, padding, padding, padding)
        layout.setSpacing(Space.M if title or subtitle or actions else 0)
        layout.addLayout(head)
        layout.addLayout(self.body, 1)
        for action in actions:
            self.add_action(action)
        if title:
            self.setAccessibleName(title)

    def add(self, item: QWidget | QLayout, stretch: int = 0) -> None:
        """Put a widget or layout below what is there."""
        if isinstance(item, QLayout):
            self.body.addLayout(item, stretch)
        else:
            self.body.addWidget(item, stretch)

    def add_action(self, widget: QWidget) -> None:
        """Put a control at the right end of the title's line."""
        self._actions.addWidget(widget, 0, Qt.AlignmentFlag.AlignTop)

    def set_title(self, title: str) -> None:
        self._title.setText(title)
        self._title.setVisible(bool(title))
        self.setAccessibleName(title)

    def set_subtitle(self, subtitle: str) -> None:
        self._subtitle.setText(subtitle)
        self._subtitle.setVisible(bool(subtitle))


class _Medallion(QWidget):
    """An icon on a round soft ground."""

    def __init__(self, icon: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.icon = icon
        self.setFixedSize(72, 72)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("accent_soft"))
        painter.drawEllipse(self.rect())
        image = pixmap(self.icon, theme.palette().accent_text, 32, self.devicePixelRatioF())
        painter.drawPixmap(QRectF(20, 20, 32, 32), image, QRectF(image.rect()))


class EmptyState(QWidget):
    """Says what will be here and offers the next step. Signals: ``acted`` when that step is pressed."""

    acted = Signal()

    def __init__(self, icon: str, title: str, text: str, action_text: str | None = None,
                 parent: QWidget | None = None, *, action_icon: str | None = None) -> None:
        super().__init__(parent)
        self._title = make_label(title, "title", wrap=True)
        self._text = make_label(text, "body", "muted", wrap=True)
        for label in (self._title, self._text):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setMaximumWidth(theme.px(440))
            label.setMinimumWidth(240)
        self._icon = _Medallion(icon)
        self.action: QPushButton | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.XL, Space.XXL, Space.XL, Space.XXL)
        layout.setSpacing(Space.S)
        layout.addStretch(1)
        layout.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(Space.S)
        for label in (self._title, self._text):
            line = QHBoxLayout()  # an alignment would take from the label that its height follows its width
            line.addStretch(1)
            line.addWidget(label, 1000)
            line.addStretch(1)
            layout.addLayout(line)
        if action_text:
            self.action = make_button(action_text, "primary", action_icon)
            self.action.clicked.connect(self.acted)
            layout.addSpacing(Space.S)
            layout.addWidget(self.action, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)

    def set_texts(self, title: str, text: str) -> None:
        """Say something else."""
        self._title.setText(title)
        self._text.setText(text)
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)
