"""Sheet: the base of every dialog. It is opened, never executed: nothing waits for it."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QLayout, QPushButton, QVBoxLayout, QWidget

from mldesk.desktop.theme import Space
from mldesk.desktop.widgets.buttons import IconLabel, ReasonLine, disable, enable, make_button
from mldesk.desktop.widgets.progress import Spinner
from mldesk.desktop.widgets.text import ScrollPage, make_label


class Sheet(QDialog):
    """Title, body, an error line, two buttons. Esc closes. Signals: ``confirmed`` when the primary button is pressed.

    The sheet stays open when it is confirmed: close it with ``accept()`` once the work has been taken on, or show what
    went wrong with ``set_error()``.
    """

    confirmed = Signal()

    def __init__(self, title: str, parent: QWidget | None = None, *, text: str = "", primary: str = "",
                 secondary: str = "", danger: bool = False, width: int = 520, scrolls: bool = False) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setModal(True)
        self.setMinimumWidth(width)
        self.body = QVBoxLayout()
        self.body.setSpacing(Space.L)
        self.primary: QPushButton = make_button(primary or self.tr("OK"), "danger_fill" if danger else "primary")
        self.secondary: QPushButton = make_button(secondary or self.tr("Cancel"), "secondary")
        self.primary.setDefault(True)
        self.primary.clicked.connect(self.confirmed)
        self.secondary.clicked.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._make_top(title, text, scrolls), 1)
        layout.addWidget(self._make_foot())

    def _make_top(self, title: str, text: str, scrolls: bool) -> QWidget:
        top = QFrame()
        top.setProperty("surface", "dialog")
        layout = QVBoxLayout(top)
        layout.setContentsMargins(Space.XL, Space.XL, Space.XL, Space.L + 4)
        layout.setSpacing(Space.S)
        self._title = make_label(title, "title", wrap=True)
        layout.addWidget(self._title)
        if text:
            layout.addWidget(make_label(text, "body", "muted", wrap=True))
        layout.addSpacing(Space.XS)
        if scrolls:
            page = ScrollPage(margin=0)
            page.body.setContentsMargins(0, 0, Space.M, 0)
            page.body.addLayout(self.body)
            page.body.addStretch(1)
            layout.addWidget(page, 1)
        else:
            layout.addLayout(self.body, 1)
        self._error = QFrame()
        self._error.setVisible(False)
        self._error_text = make_label("", "body", "danger", wrap=True, selectable=True)
        line = QHBoxLayout(self._error)
        line.setContentsMargins(0, Space.XS, 0, 0)
        line.setSpacing(Space.S)
        line.addWidget(IconLabel("error", "danger"), 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self._error_text, 1)
        layout.addWidget(self._error)
        return top

    def _make_foot(self) -> QWidget:
        foot = QFrame()
        foot.setProperty("surface", "footer")
        self._spinner = Spinner(16)
        self._spinner.setVisible(False)
        self.reason = ReasonLine(self.primary)
        self.extra = QHBoxLayout()
        line = QHBoxLayout(foot)
        line.setContentsMargins(Space.XL, Space.M, Space.XL, Space.M)
        line.setSpacing(Space.S)
        line.addLayout(self.extra)
        line.addWidget(self.reason, 1, Qt.AlignmentFlag.AlignVCenter)
        line.addStretch(0)
        line.addWidget(self._spinner)
        line.addWidget(self.secondary)
        line.addWidget(self.primary)
        return foot

    def set_title(self, title: str) -> None:
        """Say what the sheet is for now."""
        self.setWindowTitle(title)
        self._title.setText(title)

    def add(self, item: QWidget | QLayout) -> None:
        """Put a widget or layout below what is there."""
        if isinstance(item, QLayout):
            self.body.addLayout(item)
        else:
            self.body.addWidget(item)

    def set_error(self, text: str) -> None:
        """Say what went wrong; an empty text takes it away."""
        self._error_text.setText(text)
        self._error.setVisible(bool(text))
        if text:
            QTimer.singleShot(0, self, self._make_room)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._make_room()   # Qt makes no window of itself higher than two thirds of the screen

    def _make_room(self) -> None:
        """Grow, where what is there would be cut."""
        layout, screen = self.layout(), self.screen().availableSize().height()
        needed = layout.minimumHeightForWidth(self.width()) if layout is not None else 0
        if self.height() < needed:
            self.resize(self.width(), min(needed, screen - Space.XXL))

    def set_primary_enabled(self, why_not: str = "") -> None:
        """Switch the primary button off with its reason; on again with an empty one."""
        if why_not:
            disable(self.primary, why_not)
        else:
            enable(self.primary)

    def set_busy(self, why: str = "") -> None:
        """Show that the sheet is at work ("Importing…") and take no second order; an empty text ends it."""
        self._spinner.setVisible(bool(why))
        self.set_primary_enabled(why)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ctrl = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if ctrl and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.primary.isEnabled():
            self.primary.click()
            return
        super().keyPressEvent(event)
