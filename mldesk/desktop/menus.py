"""Qt's menus and shortcuts, made of the registry of actions. Each menu looks at what can be done when it opens."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from mldesk.desktop.actions import MENUS, Actions
from mldesk.desktop.widgets.buttons import set_icon


def install(window: QMainWindow, actions: Actions) -> dict[str, QAction]:
    """Give ``window`` its menu bar and every shortcut; return Qt's actions by id."""
    made: dict[str, QAction] = {}
    menus = {name: window.menuBar().addMenu(_title(name)) for name in MENUS
             if any(action.menu == name for action in actions)}
    for action in actions:
        qt_action = QAction(action.title, window)
        qt_action.setObjectName(action.id)
        if action.shortcut:
            qt_action.setShortcut(QKeySequence(action.shortcut))
        if action.icon:
            set_icon(qt_action, action.icon, "muted", 15)
        qt_action.triggered.connect(lambda _checked=False, name=action.id: actions.trigger(name))
        made[action.id] = qt_action
        window.addAction(qt_action)
        if action.menu:
            menus[action.menu].addAction(qt_action)
    for menu in menus.values():
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(lambda menu=menu: _refresh(menu, actions))
        menu.aboutToHide.connect(lambda menu=menu: _enable_all(menu))
    return made


def _refresh(menu: QMenu, actions: Actions) -> None:
    for qt_action in menu.actions():
        if name := qt_action.objectName():
            reason = actions[name].why_not()
            qt_action.setEnabled(not reason)
            qt_action.setToolTip(reason or actions[name].title)


def _enable_all(menu: QMenu) -> None:
    """A disabled QAction would swallow its shortcut; triggering it says why it cannot be done instead."""
    for qt_action in menu.actions():
        qt_action.setEnabled(True)


def _title(menu: str) -> str:
    titles = {"File": "&File", "Go": "&Go", "Data": "&Data", "Run": "&Run", "Model": "&Model", "View": "&View",
              "Help": "&Help"}
    return QCoreApplication.translate("Menus", titles[menu])
