"""ProgressLine: how far something is and how long it will take. Spinner: that something goes on."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QHideEvent, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme import Space, Tone
from mldesk.desktop.widgets.text import ElidedLabel, make_label, set_tone

_FRAME = 33  # milliseconds between two pictures of something that moves


class _Bar(QProgressBar):
    """A thin bar; None means that nobody knows how far it is. Told to screen readers by its base class."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.share: float | None = 0.0
        self.tone: Tone = "accent"
        self._phase = 0.0
        self._timer = QTimer(self, interval=_FRAME)
        self._timer.timeout.connect(self._step)
        self.setRange(0, 1000)
        self.setTextVisible(False)
        self.setFixedHeight(6)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set(self, share: float | None, tone: Tone) -> None:
        self.share, self.tone = share, tone
        self.setValue(round(1000 * (share or 0.0)))
        self._run()
        self.update()

    def _run(self) -> None:
        if self.share is None and self.isVisible():
            self._timer.start()
        else:
            self._timer.stop()

    def _step(self) -> None:
        self._phase = (self._phase + 0.014) % 1.0
        self.update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._run()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        area = QRectF(self.rect())
        painter.setBrush(theme.colour("pressed"))
        painter.drawRoundedRect(area, 3, 3)
        colours = theme.palette()
        painter.setBrush(QColor(colours.accent if self.tone == "accent" else colours.tone(self.tone)[0]))
        if self.share is None:
            width = area.width() * 0.3
            left = -width + (area.width() + width) * self._phase
            painter.setClipRect(area)
            painter.drawRoundedRect(QRectF(left, 0, width, area.height()), 3, 3)
        elif self.share > 0:
            painter.drawRoundedRect(QRectF(0, 0, max(6.0, area.width() * min(1.0, self.share)), area.height()), 3, 3)


class ProgressLine(QWidget):
    """A thin bar under what is being done (left) and what is known of the remaining time (right)."""

    def __init__(self, value: float | None = None, eta: str = "", text: str = "",
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ElidedLabel("", "body")
        self._eta = make_label("", "caption", "muted")
        self._bar = _Bar()
        words = QHBoxLayout()
        words.setSpacing(Space.M)
        words.addWidget(self._text, 1)
        words.addWidget(self._eta)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.XS + 2)
        layout.addLayout(words)
        layout.addWidget(self._bar)
        self.set(value, text, eta)

    def show_bar(self, shown: bool) -> None:
        """Leave the bar out where nothing has begun."""
        self._bar.setVisible(shown)

    def set(self, value: float | None, text: str = "", eta: str = "", tone: Tone = "accent") -> None:
        """Show ``value`` (0..1; None while nobody knows), what is done, and the remaining time in words."""
        self._bar.set(None if value is None else min(1.0, max(0.0, value)), tone)
        share = "" if value is None else f"{min(1.0, max(0.0, value)):.0%}"
        self._text.setText(" · ".join(part for part in (text, share) if part))
        set_tone(self._text, "" if tone == "accent" else tone)
        self._eta.setText(eta)
        self._bar.setAccessibleName(text or self.tr("Progress"))
        self._bar.setAccessibleDescription(eta)


class Spinner(QWidget):
    """A turning arc. Turns only while it is shown."""

    def __init__(self, size: int = 16, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._size, self._angle = size, 0
        self._timer = QTimer(self, interval=_FRAME)
        self._timer.timeout.connect(self._turn)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Working"))

    def sizeHint(self) -> QSize:
        return QSize(theme.px(self._size), theme.px(self._size))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _turn(self) -> None:
        self._angle = (self._angle - 12) % 360
        self.update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def changeEvent(self, event: QEvent) -> None:
        if theme.is_theme_event(event):
            self.updateGeometry()
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = max(1.75, self.width() / 9)
        area = QRectF(self.rect()).adjusted(width, width, -width, -width)
        painter.setPen(QPen(theme.colour("border_strong"), width))
        painter.drawEllipse(area)
        painter.setPen(QPen(theme.colour("accent_text"), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawArc(area, self._angle * 16, 100 * 16)
