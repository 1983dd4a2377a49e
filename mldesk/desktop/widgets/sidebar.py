"""SideBar: the window's navigation, wide or as icons only."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme import Size, Space
from mldesk.desktop.widgets.buttons import IconLabel, set_icon
from mldesk.desktop.widgets.text import make_label

_WIDE_FROM = 1000  # pixels of the window at 100 % from which the words are shown


class _Entry(QPushButton):
    """One place to go to, with a count at its right end if there is one."""

    def __init__(self, text: str, icon: str) -> None:
        super().__init__(text)
        self.words, self.count, self.compact = text, "", False
        self.setProperty("nav", True)
        self.setCheckable(True)
        self.setAutoDefault(False)
        self.setAccessibleName(text)
        set_icon(self, icon, "muted", 18, checked="accent")

    def set_compact(self, on: bool) -> None:
        self.compact = on
        self.setText("" if on else f"  {self.words}")
        self.setToolTip(self.words if on else "")
        self.setProperty("compact", on)
        theme.repolish(self)

    def set_count(self, count: str) -> None:
        self.count = count
        self.setAccessibleName(f"{self.words}, {count}" if count else self.words)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.count:
            return
        painter = QPainter(self)
        if self.compact:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accent_text"))
            painter.drawEllipse(QRectF(self.width() - 12, 6, 6, 6))
            return
        painter.setFont(theme.font("caption"))
        painter.setPen(theme.colour("muted"))
        painter.drawText(self.rect().adjusted(0, 0, -10, 0),
                         Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self.count)


class SideBar(QFrame):
    """Where one can go. Up and Down move. Signals: ``selected`` (the key of the place chosen when it is another one);
    ``pressed`` (the key) when the place that is shown already is pressed again.
    """

    selected = Signal(str)
    pressed = Signal(str)

    def __init__(self, title: str = "MLDesk", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "sidebar")
        self.setAccessibleName(self.tr("Navigation"))
        self._entries: dict[str, _Entry] = {}
        self._order: list[str] = []
        self._compact = False
        self._group = QButtonGroup(self)
        self._group.buttonToggled.connect(self._on_toggled)
        self._before = ""  # the place that was shown when the button went down
        self._group.buttonPressed.connect(lambda _: setattr(self, "_before", self.current()))
        self._group.buttonClicked.connect(self._on_clicked)
        self._name = make_label(title, "title")
        self._brand = brand = QHBoxLayout()
        brand.setSpacing(Space.S)
        brand.addWidget(IconLabel("logo", "accent", 22))
        brand.addWidget(self._name, 1)
        self._top, self._bottom = QVBoxLayout(), QVBoxLayout()
        for part in (self._top, self._bottom):
            part.setSpacing(Space.XXS)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.S, Space.M, Space.S, Space.M)
        layout.setSpacing(0)
        layout.addLayout(brand)
        layout.addLayout(self._top)
        layout.addStretch(1)
        layout.addLayout(self._bottom)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self._set_width()

    def add_item(self, key: str, text: str, icon: str, *, bottom: bool = False) -> None:
        """Add a place; the first one is chosen. ``bottom`` puts it at the foot."""
        entry = _Entry(text, icon)
        entry.set_compact(self._compact)
        self._entries[key] = entry
        self._order.append(key)
        self._group.addButton(entry)
        (self._bottom if bottom else self._top).addWidget(entry)
        if len(self._order) == 1:
            entry.setChecked(True)

    def add_widget(self, widget: QWidget) -> None:
        """Put a widget above the places at the foot."""
        self._bottom.insertWidget(0, widget)

    def current(self) -> str:
        """Return the key of the place chosen, "" while there are none."""
        return next((key for key, entry in self._entries.items() if entry.isChecked()), "")

    def set_current(self, key: str) -> None:
        """Choose a place. Raises KeyError."""
        self._entries[key].setChecked(True)

    def set_count(self, key: str, count: int | None) -> None:
        """Show a number behind a place; None or 0 shows none. Raises KeyError."""
        self._entries[key].set_count(f"{count:,}" if count else "")

    def set_compact(self, on: bool) -> None:
        """Show icons only."""
        if on == self._compact:
            return
        self._compact = on
        self._name.setVisible(not on)
        for entry in self._entries.values():
            entry.set_compact(on)
        self._set_width()

    def adapt(self, window_width: int) -> None:
        """Show icons only where the window leaves no room for words, at the present text size."""
        self.set_compact(window_width < theme.px(_WIDE_FROM))

    def _set_width(self) -> None:
        self.setFixedWidth(theme.px(Size.SIDEBAR_COMPACT if self._compact else Size.SIDEBAR))
        self._brand.setContentsMargins(0 if self._compact else Space.S + 2, Space.XS, 0, Space.M)

    def _on_toggled(self, button: QPushButton, on: bool) -> None:
        if on:
            for entry in self._entries.values():  # Tab leads to the place chosen; Qt forgets when it is set by code
                stop = Qt.FocusPolicy.StrongFocus if entry is button else Qt.FocusPolicy.ClickFocus
                entry.setFocusPolicy(stop)
            self.selected.emit(next(key for key, entry in self._entries.items() if entry is button))

    def _on_clicked(self, button: QPushButton) -> None:
        """Tell of a press of the place that was shown before it, too; ``selected`` has told of the others."""
        key = next(key for key, entry in self._entries.items() if entry is button)
        if key == self._before:
            self.pressed.emit(key)

    def changeEvent(self, event: QEvent) -> None:
        if theme.is_theme_event(event):
            self._set_width()
        super().changeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if event.key() not in steps or not self._order:
            super().keyPressEvent(event)
            return
        key = self._order[(self._order.index(self.current()) + steps[Qt.Key(event.key())]) % len(self._order)]
        self.set_current(key)
        self._entries[key].setFocus(Qt.FocusReason.TabFocusReason)
