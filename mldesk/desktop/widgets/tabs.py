"""Segmented: one of a few. Tabs: pages behind words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from mldesk.desktop import theme
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets.buttons import disable, enable, set_icon

_ICON, _SMALL = 15, 10   # side of an icon, and where there is little room, pixels
_GAP = Space.L + 4  # between the words of a tab bar


class _Strip(QFrame):
    """Buttons of which one is chosen; arrow keys move, Tab leaves. Signals: ``changed`` (the key chosen)."""

    changed = Signal(object)

    def __init__(self, kind: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind = kind
        self._keys: list[Any] = []
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._group.idToggled.connect(self._on_toggled)
        self.line = QHBoxLayout(self)

    def add(self, key: Any, text: str, icon: str = "") -> QPushButton:
        """Add a choice; the first one is chosen."""
        button = QPushButton(text)
        button.setProperty(self._kind, True)
        button.setCheckable(True)
        button.setAutoDefault(False)
        if icon:
            set_icon(button, icon, "muted", _ICON, checked="text")
        self._group.addButton(button, len(self._keys))
        self._keys.append(key)
        self.line.insertWidget(len(self._keys) - 1, button)
        if len(self._keys) == 1:
            button.setChecked(True)
        self._update_stops()
        return button

    def value(self) -> Any:
        """Return the key chosen; None while there are none."""
        index = self._group.checkedId()
        return self._keys[index] if index >= 0 else None

    def set_value(self, key: Any) -> None:
        """Choose ``key``. Raises ValueError for a key that is not there."""
        self._group.button(self._keys.index(key)).setChecked(True)

    def button(self, key: Any) -> QPushButton:
        """Return the button of ``key``. Raises ValueError."""
        found = self._group.button(self._keys.index(key))
        assert isinstance(found, QPushButton)  # noqa: S101 - add() makes nothing else
        return found

    def set_enabled(self, key: Any, why_not: str = "") -> None:
        """Switch a choice off with its reason; on again with an empty one."""
        if why_not:
            disable(self.button(key), why_not)
        else:
            enable(self.button(key))

    def _on_toggled(self, index: int, on: bool) -> None:
        if on:
            self._update_stops()
            self.changed.emit(self._keys[index])

    def _update_stops(self) -> None:
        for button in self._group.buttons():
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus if button.isChecked() else Qt.FocusPolicy.ClickFocus)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() not in steps:
            super().keyPressEvent(event)
            return
        step = steps[Qt.Key(event.key())] * (-1 if self.isRightToLeft() else 1)
        index = self._group.checkedId()
        for _ in self._keys:
            index = (index + step) % len(self._keys)
            button = self._group.button(index)
            if button.isEnabled():
                button.setChecked(True)
                button.setFocus(Qt.FocusReason.TabFocusReason)
                return


class Segmented(_Strip):
    """A few exclusive choices side by side. Signals: ``changed`` (the key chosen)."""

    def __init__(self, options: Sequence[tuple[Any, str]] = (), current: Any = None,
                 parent: QWidget | None = None) -> None:
        super().__init__("segment", parent)
        self.setProperty("segments", True)
        self.line.setContentsMargins(2, 2, 2, 2)
        self.line.setSpacing(2)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        for key, text in options:
            self.add(key, text)
        if current is not None:
            self.set_value(current)


class TabBar(_Strip):
    """Underlined words over a page. Signals: ``changed`` (the key chosen)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("tab", parent)
        self.setProperty("tabs", True)
        self.line.setContentsMargins(0, 0, 0, 0)
        self.line.setSpacing(_GAP)
        self.line.addStretch(1)

    def event(self, event: QEvent) -> bool:
        """Move the words closer together where they would be clipped, and draw icons smaller if need be."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            seen = [button for button in self._group.buttons() if not button.isHidden()]
            usual, small = theme.px(_ICON), theme.px(_SMALL)
            wide = sum(button.sizeHint().width() + (0 if button.icon().isNull() else
                                                    usual - button.iconSize().height()) for button in seen)
            gap = _GAP if wide + _GAP * len(seen) <= self.width() else Space.XS
            side = usual if wide + gap * len(seen) <= self.width() else small
            for button in self._group.buttons():
                size = button.iconSize()
                if not button.icon().isNull() and size.height() != side:  # it is wider by the air before the words
                    button.setIconSize(QSize(side + size.width() - size.height(), side))
            if gap != self.line.spacing():
                self.line.setSpacing(gap)
        return super().event(event)


class Tabs(QWidget):
    """Pages behind underlined words. Signals: ``changed`` (the key of the page shown)."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bar = TabBar()
        self.pages = QStackedWidget()
        self._order: list[Any] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.L)
        layout.addWidget(self.bar)
        layout.addWidget(self.pages, 1)
        self.bar.changed.connect(self._on_changed)

    def add(self, key: Any, text: str, page: QWidget, icon: str = "") -> None:
        """Add a page behind ``text``."""
        self._order.append(key)
        self.pages.addWidget(page)
        self.bar.add(key, text, icon)

    def value(self) -> Any:
        return self.bar.value()

    def set_value(self, key: Any) -> None:
        """Show the page of ``key``. Raises ValueError."""
        self.bar.set_value(key)

    def set_enabled(self, key: Any, why_not: str = "") -> None:
        """Switch a page off with its reason; on again with an empty one."""
        self.bar.set_enabled(key, why_not)

    def _on_changed(self, key: Any) -> None:
        self.pages.setCurrentIndex(self._order.index(key))
        self.changed.emit(key)
