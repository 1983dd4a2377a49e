"""The cheat sheet (``?``): every shortcut there is, by menu, read from the registry of actions."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QGridLayout, QWidget

from mldesk.desktop.actions import MENUS, Actions
from mldesk.desktop.theme import Space
from mldesk.desktop.widgets.badges import Badge
from mldesk.desktop.widgets.sheet import Sheet
from mldesk.desktop.widgets.text import make_label


class CheatSheet(Sheet):
    """Two columns of shortcuts."""

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(self.tr("Keyboard shortcuts"), parent, primary=self.tr("Close"), width=800, scrolls=True)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.secondary.hide()
        self.confirmed.connect(self.accept)
        grid = QGridLayout()
        grid.setHorizontalSpacing(Space.XL)
        grid.setVerticalSpacing(Space.S)
        rows = [0, 0]
        for menu in MENUS:
            with_keys = [action for action in actions if action.menu == menu and action.shortcut]
            if not with_keys:
                continue
            side = 0 if rows[0] <= rows[1] else 1
            grid.addWidget(make_label(menu, "strong", "muted"), rows[side], side * 3, 1, 2)
            rows[side] += 1
            for action in with_keys:
                keys = QKeySequence(action.shortcut).toString(QKeySequence.SequenceFormat.NativeText)
                grid.addWidget(make_label(action.title), rows[side], side * 3)
                grid.addWidget(Badge(keys), rows[side], side * 3 + 1, Qt.AlignmentFlag.AlignRight)
                rows[side] += 1
            grid.setRowMinimumHeight(rows[side], Space.S)
            rows[side] += 1
        grid.setColumnMinimumWidth(2, Space.XL)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(3, 1)
        self.add(grid)
