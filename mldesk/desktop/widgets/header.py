"""PageHeader: what a page is, and what can be done on it. SearchField: text that narrows what is shown."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from mldesk.desktop.theme import Space
from mldesk.desktop.widgets.buttons import make_icon_button, set_icon
from mldesk.desktop.widgets.text import ElidedLabel


class PageHeader(QWidget):
    """Title, subtitle, badges and actions of a page; the actions go below the title where it would be cut.

    Signals: ``back`` when the way back is pressed.
    """

    back = Signal()

    def __init__(self, title: str, subtitle: str = "", actions: Sequence[QWidget] = (),
                 parent: QWidget | None = None, *, with_back: bool = False) -> None:
        super().__init__(parent)
        self._title = ElidedLabel(title, "heading", mode=Qt.TextElideMode.ElideMiddle)
        self._subtitle = ElidedLabel(subtitle, "body", "muted")
        if not subtitle:  # shown before it has a parent, a label would be a window of its own
            self._subtitle.hide()
        self._badges = QHBoxLayout()
        self._badges.setSpacing(Space.XS)
        self._bar, self._below = QWidget(), False
        self._actions = QHBoxLayout(self._bar)
        self._actions.setContentsMargins(0, 0, 0, 0)
        self._actions.setSpacing(Space.S)
        line = QHBoxLayout()
        line.setSpacing(Space.S + 2)
        line.addWidget(self._title)
        line.addLayout(self._badges)
        line.addStretch(1)
        words = QVBoxLayout()
        words.setSpacing(Space.XXS)
        words.addLayout(line)
        words.addWidget(self._subtitle)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(Space.M)
        self._grid.setVerticalSpacing(Space.S)
        self._grid.setColumnStretch(1, 1)
        if with_back:
            button = make_icon_button("chevron-left", self.tr("Back"), size=18)
            button.clicked.connect(self.back)
            self._grid.addWidget(button, 0, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addLayout(words, 0, 1)
        self._grid.addWidget(self._bar, 0, 2)
        for action in actions:
            self.add_action(action)

    def set_title(self, title: str) -> None:
        self._title.setText(title)
        self._title.updateGeometry()

    def set_subtitle(self, subtitle: str) -> None:
        self._subtitle.setText(subtitle)
        self._subtitle.setVisible(bool(subtitle))

    def add_action(self, widget: QWidget) -> None:
        """Put a control at the right end."""
        self._actions.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)

    def add_badge(self, widget: QWidget) -> None:
        """Put a badge behind the title."""
        self._badges.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._arrange()
        return super().event(event)

    def _arrange(self) -> None:
        """Put the actions beside the title if there is room for all of it, else below."""
        back = self._grid.itemAtPosition(0, 0)
        needed = self._title.sizeHint().width() + self._badges.sizeHint().width() + self._bar.sizeHint().width() + (
            2 * Space.M + Space.S + (back.sizeHint().width() + Space.M if back is not None else 0))
        below = self._actions.count() > 0 and needed > self.width()
        if below != self._below:
            self._below = below
            self._grid.removeWidget(self._bar)
            self._grid.addWidget(self._bar, *((1, 1, 1, 2, Qt.AlignmentFlag.AlignLeft) if below else (0, 2)))


class SearchField(QLineEdit):
    """Tells what to look for once typing pauses; Esc clears.

    Signals: ``searched`` (the text, stripped), ``again`` (the text) on Enter when it was told already.
    """

    searched = Signal(str)
    again = Signal(str)

    def __init__(self, placeholder: str = "", parent: QWidget | None = None, *, pause: int = 200) -> None:
        super().__init__(parent)
        self.setPlaceholderText(placeholder or self.tr("Search"))
        self.setAccessibleName(placeholder or self.tr("Search"))
        icon = QAction(self)
        set_icon(icon, "search", "muted", 15)
        self.addAction(icon, QLineEdit.ActionPosition.LeadingPosition)
        self._clear = QAction(self.tr("Clear"), self)
        set_icon(self._clear, "close", "muted", 13)
        self._clear.triggered.connect(self._on_clear)
        self.addAction(self._clear, QLineEdit.ActionPosition.TrailingPosition)
        self._clear.setVisible(False)
        self._told = ""
        self._timer = QTimer(self, singleShot=True, interval=pause)  # milliseconds without a key
        self._timer.timeout.connect(self._tell)
        self.textChanged.connect(self._on_text)
        self.returnPressed.connect(self._on_return)

    def _on_text(self, text: str) -> None:
        self._clear.setVisible(bool(text))
        self._timer.start()

    def _on_clear(self) -> None:
        self.clear()
        self._tell()

    def _on_return(self) -> None:
        if (text := self.text().strip()) and text == self._told:
            self.again.emit(text)
        else:
            self._tell()

    def _tell(self) -> None:
        self._timer.stop()
        text = self.text().strip()
        if text != self._told:
            self._told = text
            self.searched.emit(text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self._on_clear()
            return
        super().keyPressEvent(event)
