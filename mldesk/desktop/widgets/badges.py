"""Badges: one or two words in a pill. State is told by word and icon, never by colour alone."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme import Tone
from mldesk.desktop.theme.icons import pixmap
from mldesk.wire.states import JobState


class Badge(QWidget):
    """A pill with a few words in a tone, and an icon if one is given."""

    def __init__(self, text: str, tone: Tone = "neutral", parent: QWidget | None = None, *, icon: str = "") -> None:
        super().__init__(parent)
        self._text, self._tone, self._icon = text, tone, icon
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(text)

    @property
    def text(self) -> str:
        return self._text

    @property
    def tone(self) -> Tone:
        return self._tone

    def set(self, text: str, tone: Tone | None = None, icon: str | None = None) -> None:
        """Show something else."""
        self._text = text
        self._tone = tone if tone is not None else self._tone
        self._icon = icon if icon is not None else self._icon
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(theme.font("caption"))
        icon = theme.px(12) + 5 if self._icon else 0
        return QSize(metrics.horizontalAdvance(self._text) + icon + 18, metrics.height() + 6)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def changeEvent(self, event: QEvent) -> None:
        if theme.is_theme_event(event):
            self.updateGeometry()
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        front, back = theme.palette().tone(self._tone)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QColor(front) if theme.palette().name == "contrast" else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(back))
        painter.drawRoundedRect(area, area.height() / 2, area.height() / 2)
        left = 9.0
        if self._icon:
            size = theme.px(12)
            image = pixmap(self._icon, front, size, self.devicePixelRatioF())
            painter.drawPixmap(QRectF(left - 1, (self.height() - size) / 2, size, size), image, QRectF(image.rect()))
            left += size + 4
        painter.setFont(theme.font("caption"))
        painter.setPen(QColor(front))
        room = QRectF(left, 0, self.width() - left - 4, self.height())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, self._text)


def state_words(state: JobState) -> tuple[str, Tone, str]:
    """Return the words, the tone and the icon of a state."""
    tr = QCoreApplication.translate
    known: dict[JobState, tuple[str, Tone, str]] = {
        JobState.CREATED: (tr("StateBadge", "Not sent yet"), "neutral", "clock"),
        JobState.QUEUED: (tr("StateBadge", "Waiting"), "neutral", "clock"),
        JobState.STAGING: (tr("StateBadge", "Sending data"), "info", "import"),
        JobState.PREPARING: (tr("StateBadge", "Preparing"), "info", "settings"),
        JobState.RUNNING: (tr("StateBadge", "Running"), "accent", "run"),
        JobState.STOPPING: (tr("StateBadge", "Stopping"), "warning", "stop"),
        JobState.SUCCEEDED: (tr("StateBadge", "Succeeded"), "success", "check"),
        JobState.FAILED: (tr("StateBadge", "Failed"), "danger", "error"),
        JobState.CANCELLED: (tr("StateBadge", "Cancelled"), "neutral", "cancel"),
        JobState.INTERRUPTED: (tr("StateBadge", "Interrupted"), "warning", "pause"),
        JobState.LOST: (tr("StateBadge", "Lost"), "danger", "warning"),
    }
    return known[state]


class StateBadge(Badge):
    """The badge of a job's state."""

    @classmethod
    def for_state(cls, state: JobState, parent: QWidget | None = None) -> StateBadge:
        text, tone, icon = state_words(state)
        return cls(text, tone, parent, icon=icon)

    def set_state(self, state: JobState) -> None:
        """Show another state."""
        self.set(*state_words(state))
