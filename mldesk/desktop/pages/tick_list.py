"""Several of many to tick, found by typing any part of their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets import SearchField, make_button, make_label

_TALLEST = 208   # of what is to tick, pixels at 100 %; more of it scrolls
_LINE = 26       # one of them
_NAME = Qt.ItemDataRole.UserRole


class Tickable(NamedTuple):
    """One thing to tick."""

    name: str
    text: str       # what is read
    icon: str = ""


class CalmList(QListWidget):
    """A list that the wheel scrolls only while it has the focus, so that the page around it can be scrolled."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class TickList(QFrame):
    """Things to tick. The rows are made when they are first seen. Signals: ``changed``."""

    changed = Signal()

    def __init__(self, find: str, named: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._things: tuple[Tickable, ...] = ()
        self._ticked: set[str] = set()
        self._made = False
        self._search = SearchField(find, pause=80)
        self._search.searched.connect(self._on_searched)
        self._all = make_button(self.tr("All"), "ghost", small=True)
        self._none = make_button(self.tr("None"), "ghost", small=True)
        self._all.clicked.connect(lambda: self._tick_shown(True))
        self._none.clicked.connect(lambda: self._tick_shown(False))
        self._said = make_label("", "caption", "muted")
        self.list = CalmList()
        self.list.setAccessibleName(named)
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.itemChanged.connect(self._on_item)
        tools = QHBoxLayout()
        tools.addWidget(self._search, 1)
        tools.addWidget(self._all)
        tools.addWidget(self._none)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.XS)
        layout.addLayout(tools)
        layout.addWidget(self.list)
        layout.addWidget(self._said)
        self.setFocusProxy(self._search)

    def offer(self, things: Sequence[Tickable], *, ticked: bool = False) -> None:
        """Offer other things, all ticked or none."""
        self._things = tuple(things)
        self._ticked = {thing.name for thing in things} if ticked else set()
        self._made = False
        # Before the rows are there: a dialog takes its size from it.
        self.list.setFixedHeight(min(theme.px(_LINE) * max(1, len(things)) + 2 * Space.XS + 2, theme.px(_TALLEST)))
        if self.isVisible():
            self._make()
        self._say()

    def count(self) -> int:
        """Return how many are offered."""
        return len(self._things)

    def values(self) -> list[str]:
        """Return the names that are ticked, in the order in which they are offered."""
        return [thing.name for thing in self._things if thing.name in self._ticked]

    def set_values(self, names: Sequence[str]) -> None:
        """Tick exactly these."""
        self._ticked = set(names) & {thing.name for thing in self._things}
        self._draw_ticks()
        self._to_first()
        self._say()
        self.changed.emit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._made:
            self._make()

    def _make(self) -> None:
        self._made = True
        blocked = self.list.blockSignals(True)
        self.list.clear()
        for thing in self._things:
            item = QListWidgetItem(thing.text)
            item.setData(_NAME, thing.name)
            item.setToolTip(thing.text)
            if thing.icon:
                item.setIcon(theme.icon(thing.icon, "muted", 14))
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(_tick(thing.name in self._ticked))
            self.list.addItem(item)
        self.list.blockSignals(blocked)
        self._on_searched(self._search.text().strip())
        self._to_first()

    def _to_first(self) -> None:
        """Bring the first that is ticked into sight, unless one is."""
        ticked = [item for item in self._items() if item.data(_NAME) in self._ticked and not item.isHidden()]
        area = self.list.viewport().rect()
        if ticked and not any(area.intersects(self.list.visualItemRect(item)) for item in ticked):
            self.list.scrollToItem(ticked[0], QListWidget.ScrollHint.PositionAtCenter)

    def _items(self) -> list[QListWidgetItem]:
        return [item for row in range(self.list.count()) if (item := self.list.item(row)) is not None]

    def _draw_ticks(self) -> None:
        blocked = self.list.blockSignals(True)
        for item in self._items():
            item.setCheckState(_tick(item.data(_NAME) in self._ticked))
        self.list.blockSignals(blocked)
        self.list.viewport().update()

    def _tick_shown(self, on: bool) -> None:
        shown = {item.data(_NAME) for item in self._items() if not item.isHidden()}
        self.set_values([*(self._ticked | shown if on else self._ticked - shown)])

    def _on_searched(self, text: str) -> None:
        for item in self._items():
            found = text.casefold() in item.text().casefold() or text.casefold() in item.data(_NAME).casefold()
            item.setHidden(not found)

    def _on_item(self, item: QListWidgetItem) -> None:
        if item.checkState() == Qt.CheckState.Checked:
            self._ticked.add(item.data(_NAME))
        else:
            self._ticked.discard(item.data(_NAME))
        self._say()
        self.changed.emit()

    def _say(self) -> None:
        self._said.setText(self.tr("{ticked} of {all} chosen").format(ticked=len(self.values()), all=self.count()))


def _tick(on: bool) -> Qt.CheckState:
    return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
