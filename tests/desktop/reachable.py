"""Whether what is seen can be worked without a mouse and without eyes: names, the Tab key, where the keys are."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QMenu,
    QMenuBar,
    QPlainTextEdit,
    QScrollBar,
    QTextEdit,
    QWidget,
)

_WORKED = (QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox, QAbstractItemView, QPlainTextEdit, QTextEdit,
           QAbstractSlider)
_NOT = (QHeaderView, QScrollBar, QMenu, QMenuBar)   # the keys of what they belong to do what they do
_WHOLE = (QAbstractSpinBox, QComboBox, QLineEdit)   # with fields and buttons of Qt's own in them
_MOST = 300   # presses of Tab


def worked(root: QWidget) -> Iterator[QWidget]:
    """Yield what a person works with of all that is seen in a window."""
    for widget in root.findChildren(QWidget):
        if widget.isVisible() and widget.window() is root and not isinstance(widget, _NOT) and not _inside(widget) \
                and (isinstance(widget, _WORKED) or stops_there(widget)):
            yield widget


def nameless(root: QWidget) -> list[str]:
    """Say which of it a screen reader has no name for."""
    return [where(widget) for widget in worked(root) if not _name(widget)]


def out_of_reach(root: QWidget) -> list[str]:
    """Say which of it the Tab key does not stop at; of a group it stops at one, and arrows lead to the others."""
    return [where(widget) for widget in worked(root)
            if widget.isEnabled() and not stops_there(widget) and not _led_to(widget)]


def traps(root: QWidget) -> list[str]:
    """Say which of it takes the Tab key for itself."""
    return [where(widget) for widget in worked(root)
            if (isinstance(widget, QPlainTextEdit | QTextEdit) and not widget.isReadOnly() and
            not widget.tabChangesFocus()) or (isinstance(widget, QAbstractItemView) and widget.tabKeyNavigation())]


def tab_around(root: QWidget) -> tuple[list[QWidget], list[str]]:
    """Press Tab until the keys are where they were at first; return the stops, and those that do not show it."""
    stops: list[QWidget] = []
    unseen: list[str] = []
    for _ in range(_MOST):
        there = _drawn(stops[-1]) if stops else None
        QTest.keyClick(root.focusWidget() or root, Qt.Key.Key_Tab)
        QApplication.sendPostedEvents()
        if stops and there == _drawn(stops[-1]):
            unseen.append(where(stops[-1]))
        now = QApplication.focusWidget()
        if now is None or now in stops:
            return stops, unseen
        stops.append(now)
    raise AssertionError(f"Tab goes on and on: {[where(stop) for stop in stops[-5:]]}")


def _drawn(widget: QWidget) -> QImage:
    return (widget.parentWidget() or widget).grab().toImage()


def stops_there(widget: QWidget) -> bool:
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.focusProxy() is None


def _led_to(widget: QWidget) -> bool:
    """Say whether arrows lead to it: to a button from another one of its group, to the columns of a table that a view
    of their own draws from the table itself.
    """
    table = widget.parentWidget()
    if isinstance(widget, QAbstractItemView) and isinstance(table, QAbstractItemView):
        return stops_there(table) and widget.selectionModel() is table.selectionModel()
    group = widget.group() if isinstance(widget, QAbstractButton) else None
    return group is not None and any(stops_there(other) for other in group.buttons())


def _inside(widget: QWidget) -> bool:
    """Say whether a widget is a part of Qt's own of another one."""
    above = widget.parentWidget()
    while above is not None:
        if isinstance(above, _WHOLE) or (isinstance(above, QAbstractItemView) and isinstance(widget, QAbstractButton)):
            return True
        above = above.parentWidget()
    return widget.objectName().startswith("qt_")


def _name(widget: QWidget) -> str:
    read = QAccessible.queryAccessibleInterface(widget)
    return read.text(QAccessible.Text.Name).strip() if read is not None else ""


def where(widget: QWidget) -> str:
    kinds: list[str] = []
    above: QWidget | None = widget
    while above is not None and len(kinds) < 5:
        if type(above) is not QWidget:
            kinds.append(type(above).__name__)
        above = above.parentWidget()
    return " in ".join([f"{kinds[0]} {_name(widget)!r}", *kinds[1:]])
