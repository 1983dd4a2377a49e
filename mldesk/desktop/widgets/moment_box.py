"""A moment to come: its day and time here, with the zone beside it."""

from __future__ import annotations

from PySide6.QtCore import QDateTime, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QDateTimeEdit, QWidget

from mldesk.desktop.widgets.text import make_label, row
from mldesk.desktop.words import clock_format

_INSET = 6   # pixels left of the text: the stylesheet does not reach the field inside


class MomentBox(QWidget):
    """Signals: ``changed`` when another moment is chosen."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.edit = _Edit()
        self._zone = make_label("", "body", "muted")
        self.edit.dateTimeChanged.connect(lambda _: self._on_changed())
        line = row(self.edit, self._zone, None)
        line.setContentsMargins(0, 0, 0, 0)
        self.setLayout(line)
        self.setFocusProxy(self.edit)
        self.set_value(next_hour())

    def value(self) -> float:
        """Return it in seconds since the epoch."""
        return float(self.edit.dateTime().toSecsSinceEpoch())

    def set_value(self, moment: float) -> None:
        """Show another moment."""
        self.edit.setDateTime(QDateTime.fromSecsSinceEpoch(int(moment)))
        self._on_changed()

    def setAccessibleName(self, name: str) -> None:
        self.edit.setAccessibleName(name)

    def _on_changed(self) -> None:
        self._zone.setText(self.edit.dateTime().timeZoneAbbreviation())   # summer's differs from winter's
        self.changed.emit()


class _Edit(QDateTimeEdit):
    """The wheel changes it only while it has the focus."""

    def __init__(self) -> None:
        super().__init__()
        self.setDisplayFormat(f"ddd d MMM yyyy  {clock_format()}")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.lineEdit().setTextMargins(_INSET, 0, 0, 0)
        self.setCurrentSection(QDateTimeEdit.Section.HourSection)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


def next_hour() -> float:
    """Return the next full hour, in seconds since the epoch."""
    now = QDateTime.currentDateTime()
    time = now.time()
    return float(now.addSecs(3600 - 60 * time.minute() - time.second()).toSecsSinceEpoch())
