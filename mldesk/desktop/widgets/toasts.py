"""Toasts: short notices at the foot of a window, read out to screen readers, with one action at most.

They lie over the bottom right corner, or, given a ``tray``, stand below the page, where they cover nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QEnterEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme import Space, Tone
from mldesk.desktop.theme.icons import Role as IconRole
from mldesk.desktop.widgets.buttons import IconLabel, make_button, make_icon_button
from mldesk.desktop.widgets.text import make_label

_ICONS: dict[str, tuple[str, IconRole]] = {
    "neutral": ("info", "muted"), "info": ("info", "info"), "accent": ("info", "accent"),
    "success": ("success", "success"), "warning": ("warning", "warning"), "danger": ("error", "danger"),
}
_MOST = 3          # shown at once; older ones make room
_WIDTH = 380       # pixels at 100 %
_SECONDS = 6.0


class Toast(QFrame):
    """One notice. Signals: ``closed``. Its time stands still while the pointer is on it."""

    closed = Signal(QObject)

    def __init__(self, text: str, tone: Tone, action: tuple[str, Callable[[], object]] | None, seconds: float,
                 parent: QWidget, *, wide: bool = False) -> None:
        super().__init__(parent)
        self.text = text
        self.setProperty("surface", "raised")
        self.setAccessibleName(text)
        self._act = action[1] if action else None
        icon, role = _ICONS[tone]
        words = QHBoxLayout() if wide else QVBoxLayout()
        words.setSpacing(Space.L if wide else Space.XS)
        words.addWidget(make_label(text, wrap=True, selectable=True), 1 if wide else 0)
        if action:
            button = make_button(action[0], "link")
            button.clicked.connect(self._on_acted)
            side = Qt.AlignmentFlag.AlignVCenter if wide else Qt.AlignmentFlag.AlignLeft
            words.addWidget(button, 0, side)
        if not wide:
            words.addStretch(1)
        close = make_icon_button("close", self.tr("Dismiss"), size=14)
        close.clicked.connect(self.close_now)
        layout = QHBoxLayout(self)
        above = Space.XXS if wide else Space.S + 2
        layout.setContentsMargins(Space.M, above, Space.S, above)
        layout.setSpacing(Space.S + 2)
        mark = IconLabel(icon, role, 18)
        mark.setContentsMargins(0, 0 if wide else 2, 0, 0)
        where = Qt.AlignmentFlag.AlignVCenter if wide else Qt.AlignmentFlag.AlignTop
        layout.addWidget(mark, 0, where)
        layout.addLayout(words, 1)
        words.setContentsMargins(0, 2, 0, 2)
        layout.addWidget(close, 0, where)
        self._timer = QTimer(self, singleShot=True, interval=round(seconds * 1000))
        self._timer.timeout.connect(self.close_now)
        if seconds > 0:
            self._timer.start()

    def close_now(self) -> None:
        """Take the notice away."""
        self._timer.stop()
        self.hide()
        self.closed.emit(self)

    @property
    def can_act(self) -> bool:
        """Whether it offers to do something."""
        return self._act is not None

    def _on_acted(self) -> None:
        if self._act is not None:
            self._act()
        self.close_now()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        if self._timer.isActive():
            self._timer.stop()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        if self._timer.interval() > 0 and self.isVisible():
            self._timer.start()


class Toasts(QObject):
    """The stack of notices of one window."""

    def __init__(self, parent: QWidget, tray: QVBoxLayout | None = None) -> None:
        super().__init__(parent)
        self._host, self._tray = parent, tray
        self._shown: list[Toast] = []
        parent.installEventFilter(self)

    def show(self, text: str, tone: Tone = "info", action: tuple[str, Callable[[], object]] | None = None, *,
             seconds: float | None = None) -> Toast:
        """Show ``text``. ``action`` is (words, what they do). A danger stays until closed, as all do with 0 seconds."""
        if seconds is None:
            seconds = 0.0 if tone == "danger" else _SECONDS + (4.0 if action else 0.0)
        if action:  # what was done before can still be undone where it is kept, in the bin or among the versions
            for older in [one for one in self._shown if one.can_act]:
                older.close_now()
        toast = Toast(text, tone, action, seconds, self._host, wide=self._tray is not None)
        toast.closed.connect(self._on_closed)
        self._shown.append(toast)
        if self._tray is not None:
            self._tray.addWidget(toast)
        while len(self._shown) > _MOST:
            self._shown[0].close_now()
        toast.show()
        self._arrange()
        announcement = QAccessibleAnnouncementEvent(self._host, text)
        if tone == "danger":
            announcement.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
        QAccessible.updateAccessibility(announcement)
        return toast

    def texts(self) -> list[str]:
        """Return what is shown now, oldest first."""
        return [toast.text for toast in self._shown]

    def clear(self) -> None:
        """Take all away."""
        for toast in tuple(self._shown):
            toast.close_now()

    def _on_closed(self, toast: Toast) -> None:
        if toast in self._shown:
            self._shown.remove(toast)
            if self._tray is not None:
                self._tray.removeWidget(toast)
            toast.deleteLater()
            self._arrange()

    def _arrange(self) -> None:
        if self._tray is not None:
            self._tray.setContentsMargins(Space.L, 0, Space.L, Space.M if self._shown else 0)
            return
        width = min(theme.px(_WIDTH), self._host.width() - 2 * Space.L)
        bottom = self._host.height() - Space.L
        for toast in reversed(self._shown):
            toast.setFixedWidth(width)
            height = toast.heightForWidth(width) if toast.hasHeightForWidth() else toast.sizeHint().height()
            toast.setGeometry(self._host.width() - width - Space.L, bottom - height, width, height)
            toast.raise_()
            bottom -= height + Space.S

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.StyleChange) and self._shown:
            self._arrange()
        return super().eventFilter(watched, event)
