"""Buttons in their roles, icons that keep their tint, and controls that say why they are off."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QAction, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QToolButton,
    QWidget,
)
from shiboken6 import isValid

from mldesk.desktop import theme
from mldesk.desktop.theme import Size, Space
from mldesk.desktop.theme.icons import Role as IconRole
from mldesk.desktop.theme.icons import colour_of, pixmap
from mldesk.desktop.widgets.text import make_label

ButtonRole = Literal["primary", "secondary", "ghost", "danger", "danger_fill", "link", "fold"]
_ICON_ROLES: dict[str, IconRole] = {"primary": "on_accent", "danger": "danger", "danger_fill": "on_danger",
                                    "link": "accent"}


_LEAST_LINK = 9   # characters that a link keeps
_AIR = 4  # pixels between a button's icon and its words, beyond what Qt leaves there


class _Tint(QObject):
    """Keeps the icon of one button or action in the colours of the theme. Lives as its child."""

    def __init__(self, target: QAbstractButton | QAction, name: str, role: IconRole, size: int,
                 checked: IconRole | None) -> None:
        super().__init__(target)
        self.target, self.name, self.role, self.size, self.checked = target, name, role, size, checked
        theme.changed.connect(self.retint)
        self.retint()

    def retint(self) -> None:
        air = _AIR if isinstance(self.target, QPushButton) and self.target.text() else 0
        self.target.setIcon(theme.icon(self.name, self.role, self.size, checked=self.checked, air=air))
        if isinstance(self.target, QAbstractButton):
            room = theme.px(air) if air else 0
            self.target.setIconSize(QSize(theme.px(self.size) + room, theme.px(self.size)))


def set_icon(target: QAbstractButton | QAction, name: str, role: IconRole = "text", size: int = Size.ICON, *,
             checked: IconRole | None = None) -> None:
    """Give a button or action icon ``name``, re-tinted with the theme. ``checked`` is its role while checked."""
    old = target.findChild(_Tint, options=Qt.FindChildOption.FindDirectChildrenOnly)
    if old is None:
        _Tint(target, name, role, size, checked)
    else:
        old.name, old.role, old.size, old.checked = name, role, size, checked
        old.retint()


class IconLabel(QLabel):
    """An icon that is not a button. Decoration: hidden from screen readers by having no name."""

    def __init__(self, name: str, role: IconRole = "muted", size: int = Size.ICON,
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._role, self._size = name, role, size
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        theme.changed.connect(self._retint)
        self._retint()

    def set(self, name: str, role: IconRole) -> None:
        """Show another icon."""
        self._name, self._role = name, role
        self._retint()

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.DevicePixelRatioChange, QEvent.Type.Show):
            self._retint()
        return super().event(event)

    def _retint(self) -> None:
        colours = theme.palette()
        colour = colour_of(self._role, colours)
        self.setPixmap(pixmap(self._name, colour, theme.px(self._size), self.devicePixelRatioF()))


def make_button(text: str, role: ButtonRole = "secondary", icon: str | None = None, *, small: bool = False,
                tooltip: str = "", menu: QMenu | None = None) -> QPushButton:
    """Return a button in ``role``. One primary button at most belongs on a page."""
    button = QPushButton(text)
    button.setProperty("role", role)
    button.setCursor(Qt.CursorShape.ArrowCursor)
    button.setAutoDefault(False)
    if small:
        button.setProperty("small", True)
    if icon:
        set_icon(button, icon, _ICON_ROLES.get(role, "text"), 14 if small else Size.ICON)
    if tooltip:
        button.setToolTip(tooltip)
    if menu is not None:
        button.setMenu(menu)
    return button


class ElidedLink(QPushButton):
    """A link of one line that loses its middle where there is no room; the whole text is its tooltip then."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text.replace("&", "&&"), parent)
        self.setProperty("role", "link")
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.setAutoDefault(False)
        self.setAccessibleName(text)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(min(hint.width(), self.fontMetrics().averageCharWidth() * _LEAST_LINK), hint.height())

    def shown(self) -> str:
        """Return as much of the text as there is room for."""
        missing = self.sizeHint().width() - self.width()
        metrics, whole = self.fontMetrics(), self.accessibleName()
        return whole if missing <= 0 else metrics.elidedText(
            whole, Qt.TextElideMode.ElideMiddle, metrics.horizontalAdvance(whole) - missing)

    def paintEvent(self, event: QPaintEvent) -> None:
        shown = self.shown()
        self.setToolTip("" if shown == self.accessibleName() else self.accessibleName())
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = shown.replace("&", "&&")
        QStylePainter(self).drawControl(QStyle.ControlElement.CE_PushButton, option)


def make_icon_button(icon: str, name: str, *, role: IconRole = "muted", size: int = Size.ICON,
                     checkable: bool = False) -> QToolButton:
    """Return a button that shows only an icon; ``name`` is its tooltip and its name for screen readers."""
    button = QToolButton()
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    button.setToolTip(name)
    button.setAccessibleName(name)
    button.setCheckable(checkable)
    set_icon(button, icon, role, size, checked="accent" if checkable else None)
    return button


_WHY, _TOOLTIP = "why_disabled", "tooltip_when_enabled"


def disable(widget: QWidget, why: str) -> None:
    """Switch a control off and say why: as tooltip, to screen readers, and on a ``ReasonLine`` that watches it."""
    if widget.property(_WHY) is None:
        widget.setProperty(_TOOLTIP, widget.toolTip())
    widget.setProperty(_WHY, why)
    widget.setToolTip(why)
    widget.setAccessibleDescription(why)
    widget.setEnabled(False)


def enable(widget: QWidget) -> None:
    """Undo ``disable``."""
    if widget.property(_WHY) is not None:
        widget.setToolTip(str(widget.property(_TOOLTIP) or ""))
        widget.setAccessibleDescription("")
        widget.setProperty(_WHY, None)
    widget.setEnabled(True)


def why_disabled(widget: QWidget) -> str:
    """Return the reason a control is off, "" where none was given or it is on."""
    return "" if widget.isEnabled() else str(widget.property(_WHY) or "")


class ReasonLine(QWidget):
    """One visible line that says why a control is off; gone while it is on."""

    def __init__(self, watched: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._watched = watched
        self._text = make_label("", "caption", "muted", wrap=True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.XS + 2)
        layout.addWidget(IconLabel("info", "muted", 14), 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._text, 1)
        self._text.setAlignment(Qt.AlignmentFlag.AlignTop)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        watched.installEventFilter(self)
        self._show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.EnabledChange, QEvent.Type.DynamicPropertyChange):
            self._show()
        return super().eventFilter(watched, event)

    def _show(self) -> None:
        why = why_disabled(self._watched) if isValid(self._watched) else ""  # its last events come as it is torn down
        self._text.setText(why)
        self.setVisible(bool(why))
