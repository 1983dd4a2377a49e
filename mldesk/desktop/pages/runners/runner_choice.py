"""One of several runners, each on a line of its own: what it has, how long it would take, or why it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QSizePolicy, QVBoxLayout, QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme import Space
from mldesk.desktop.theme.icons import pixmap
from mldesk.desktop.theme.manager import RING


@dataclass(frozen=True, slots=True)
class Option:
    """A line of the list. ``why_not`` switches it off and stands in place of ``line``."""

    key: str
    title: str
    icon: str
    line: str = ""      # what it has, or what it would take
    right: str = ""     # the figure that is compared
    why_not: str = ""
    tip: str = ""       # more about it, while it can be chosen


class _Line(QAbstractButton):
    """A round mark, an icon, a name with a figure at its right, and a muted line below."""

    def __init__(self, option: Option) -> None:
        super().__init__()
        self.option = option
        self.setCheckable(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.show_option(option)

    def show_option(self, option: Option) -> None:
        self.option = option
        self.setEnabled(not option.why_not)
        self.setToolTip(option.why_not or option.tip or option.line)
        self.setAccessibleName(", ".join(filter(None, (option.title, option.right))))
        self.setAccessibleDescription(option.why_not or option.line)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        strong, caption = QFontMetrics(theme.font("strong")), QFontMetrics(theme.font("caption"))
        second = caption.height() + 2 if self.option.line or self.option.why_not else 0
        return QSize(theme.px(240), strong.height() + second + theme.px(16))

    def paintEvent(self, event: QPaintEvent) -> None:
        option, on, live = self.option, self.isChecked(), self.isEnabled()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ring = bool(self.property(RING))
        painter.setPen(QPen(theme.colour("accent_text" if on or ring else "border"), 2 if ring else 1))
        painter.setBrush(theme.colour("selected" if on else "hover" if live and self.underMouse() else "surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        mark, middle = theme.px(14), self.height() / 2
        painter.setPen(QPen(theme.colour("accent" if on else "border_strong"), 1.4))
        painter.setBrush(theme.colour("surface"))
        painter.drawEllipse(QRectF(12, middle - mark / 2, mark, mark))
        if on:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accent"))
            painter.drawEllipse(QRectF(12 + mark * 0.25, middle - mark * 0.25, mark * 0.5, mark * 0.5))
        size, left = theme.px(16), 12 + mark + 10
        colour = theme.palette().muted if live else theme.palette().faint
        painter.drawPixmap(left, round(middle - size / 2), size, size,
                           pixmap(option.icon, colour, size, self.devicePixelRatioF()))
        self._paint_words(painter, left + size + 10, live)

    def _paint_words(self, painter: QPainter, left: int, live: bool) -> None:
        option, right = self.option, self.width() - 12
        second = option.why_not or option.line
        strong = QFontMetrics(theme.font("strong"))
        caption = QFontMetrics(theme.font("caption"))
        top = (self.height() - strong.height() - (caption.height() + 2 if second else 0)) / 2
        room = right - left
        if option.right and live:
            painter.setFont(theme.font("strong"))
            wide = strong.horizontalAdvance(option.right)
            painter.setPen(theme.colour("text"))
            painter.drawText(QRectF(right - wide, top, wide + 1, strong.height()),
                             Qt.AlignmentFlag.AlignVCenter, option.right)
            room -= wide + 10
        painter.setFont(theme.font("strong"))
        painter.setPen(theme.colour("text" if live else "faint"))
        painter.drawText(QRectF(left, top, room, strong.height()), Qt.AlignmentFlag.AlignVCenter,
                         strong.elidedText(option.title, Qt.TextElideMode.ElideRight, round(room)))
        if second:
            painter.setFont(theme.font("caption"))
            painter.setPen(theme.colour("muted"))
            painter.drawText(QRectF(left, top + strong.height() + 2, right - left, caption.height()),
                             Qt.AlignmentFlag.AlignVCenter,
                             caption.elidedText(second, Qt.TextElideMode.ElideRight, right - left))


class ChoiceList(QWidget):
    """Lines of which one is chosen; arrow keys move. Signals: ``changed`` (the key)."""

    changed = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._lines: dict[str, _Line] = {}
        self._group = QButtonGroup(self)
        self._group.buttonToggled.connect(self._on_toggled)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(Space.XS + 2)

    def set_options(self, options: Sequence[Option]) -> None:
        """Show other lines; what is chosen stays chosen while it is there, even switched off."""
        chosen = self.value()
        if [option.key for option in options] == list(self._lines):
            for option in options:
                self._lines[option.key].show_option(option)
            return
        for line in self._lines.values():
            self._group.removeButton(line)
            line.hide()
            line.deleteLater()
        self._lines = {option.key: _Line(option) for option in options}
        for line in self._lines.values():
            self._group.addButton(line)
            self._layout.addWidget(line)
        if chosen in self._lines:
            self.set_value(chosen)

    def value(self) -> str:
        """Return the key of the line chosen, "" while there is none."""
        return next((key for key, line in self._lines.items() if line.isChecked()), "")

    def set_value(self, key: str) -> None:
        """Choose a line; an unknown key changes nothing."""
        if key in self._lines:
            self._lines[key].setChecked(True)

    def option(self, key: str) -> Option | None:
        """Return what a line shows."""
        line = self._lines.get(key)
        return line.option if line is not None else None

    def _on_toggled(self, line: QAbstractButton, on: bool) -> None:
        if on:
            self.changed.emit(next(key for key, one in self._lines.items() if one is line))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        live = [key for key, line in self._lines.items() if line.isEnabled()]
        if event.key() not in steps or not live:
            super().keyPressEvent(event)
            return
        at = live.index(self.value()) if self.value() in live else 0
        key = live[(at + steps[Qt.Key(event.key())]) % len(live)]
        self.set_value(key)
        self._lines[key].setFocus(Qt.FocusReason.TabFocusReason)
