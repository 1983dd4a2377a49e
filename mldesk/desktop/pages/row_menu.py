"""What can be done with one row of a list, as a menu: at the right mouse button, the menu key, or a More button."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from mldesk.desktop.widgets.buttons import set_icon

if TYPE_CHECKING:
    from mldesk.desktop.pages.record_table import RecordTable

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to do. An empty title is a line between two groups; ``why_not`` switches it off and is its tip."""

    icon: str
    title: str
    act: Callable[[], object] = lambda: None
    why_not: str = ""


LINE = Entry("", "")


def popup(host: QWidget, entries: Sequence[Entry], at: QPoint) -> QMenu:
    """Show a menu at ``at`` on the screen."""
    menu = QMenu(host)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.setToolTipsVisible(True)
    for entry in entries:
        if not entry.title:
            menu.addSeparator()
            continue
        action = menu.addAction(entry.title, entry.act)
        set_icon(action, entry.icon, "muted")
        action.setEnabled(not entry.why_not)
        action.setToolTip(entry.why_not or entry.title)
    menu.popup(at)
    return menu


def give_menu(table: RecordTable[R], entries: Callable[[R], Sequence[Entry]]) -> None:
    """Give every row of a list a menu."""
    def show(at: QPoint) -> None:
        index = table.indexAt(at)
        if not index.isValid():  # the menu key: at the row that is chosen
            index = table.currentIndex()
            at = table.visualRect(index).center()
        if not index.isValid() or index.row() >= len(table.records.records):
            return
        record = table.records.records[index.row()]
        if record not in table.selected():
            table.selectRow(index.row())
        popup(table, entries(record), table.viewport().mapToGlobal(at))

    table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
    table.customContextMenuRequested.connect(show)


def copy(text: str) -> None:
    """Put text on the clipboard."""
    QGuiApplication.clipboard().setText(text)
