"""ParallelChart: parallel coordinates. Every line is one thing, every axis one of its properties (Inselberg 1985)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme.wcag import mix
from mldesk.desktop.widgets.table_model import number

_HEIGHT = 300    # pixels at 100 %
_NEAR = 8        # pixels at 100 % from the pointer to a line that it is at, and half the width of a brush
_FEW = 60        # lines drawn with smooth edges


@dataclass(frozen=True, slots=True)
class Property:
    """One axis. ``values`` are numbers (nan: the line has none), or places in ``labels`` where those are given."""

    name: str
    values: Sequence[float]
    labels: tuple[str, ...] = ()
    downwards: bool = False     # less is better: the least is at the top

    def extent(self) -> tuple[float, float]:
        """Return lowest and highest value, apart from one another."""
        known = [value for value in self.values if math.isfinite(value)]
        low, high = (min(known), max(known)) if known else (0.0, 1.0)
        return (low, high) if high > low else (low - 0.5, high + 0.5)

    def share(self, value: float) -> float:
        """Return how far down from the top a value is, 0 to 1; nan for none."""
        low, high = self.extent()
        up = (value - low) / (high - low)
        return up if self.downwards else 1 - up

    def words(self, value: float) -> str:
        """Return a value as people read it."""
        if not math.isfinite(value):
            return "—"
        return self.labels[int(value)] if self.labels else number(value)


class ParallelChart(QWidget):
    """Lines over axes. Dragging along an axis brushes it: lines outside are pale. A click on it takes the brush off.

    With the keyboard: up and down go from line to line, Enter opens it, left and right choose an axis, Page Up and Page
    Down brush its upper and lower half, Escape takes all brushes off.
    Signals: ``pointed`` (line, or -1), ``opened`` (line), ``brushed`` (list of the lines that are left).
    """

    pointed = Signal(int)
    opened = Signal(int)
    brushed = Signal(list)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: Sequence[str] = ()
        self._axes: Sequence[Property] = ()
        self._brushes: dict[int, tuple[float, float]] = {}   # by axis: shares from the top, ascending
        self._line = -1
        self._axis = 0
        self._pressed: tuple[int, float] | None = None
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._on_theme)

    def sizeHint(self) -> QSize:
        return QSize(480, theme.px(_HEIGHT))

    def _on_theme(self) -> None:
        self.updateGeometry()
        self.update()

    def show_lines(self, names: Sequence[str], axes: Sequence[Property]) -> None:
        """Show a line per name. Raises ValueError for an axis with another number of values."""
        if any(len(axis.values) != len(names) for axis in axes):
            raise ValueError("every axis needs a value for every line")
        if [axis.name for axis in axes] != [axis.name for axis in self._axes]:
            self._brushes.clear()
        self._names, self._axes = tuple(names), tuple(axes)
        self.update()

    def left(self) -> list[int]:
        """Return the lines that lie within every brush."""
        return [line for line in range(len(self._names)) if self._within(line)]

    def brush(self, axis: int, part: tuple[float, float] | None) -> None:
        """Brush a part of an axis, as shares from the top; None takes it off."""
        if part is None:
            self._brushes.pop(axis, None)
        else:
            self._brushes[axis] = (min(part), max(part))
        self.update()
        self.brushed.emit(self.left())

    def point_at(self, line: int) -> None:
        """Single out a line; -1 none."""
        if line != self._line:
            self._line = line
            self.update()

    def sentence(self, line: int) -> str:
        """Say in words what a line shows."""
        return ", ".join([self._names[line], *(f"{axis.name} {axis.words(axis.values[line])}" for axis in self._axes)])

    # Where things are.

    def _area(self) -> QRectF:
        side = theme.px(56)
        line = QFontMetrics(theme.font("caption")).height()
        return QRectF(self.rect()).adjusted(side, 2 * line + 8, -side, -3 * line - 4)

    def _x(self, axis: int) -> float:
        area = self._area()
        return area.left() + area.width() * (axis / (len(self._axes) - 1) if len(self._axes) > 1 else 0.5)

    def _points(self, line: int) -> list[QPointF]:
        """Return where a line meets each axis; below it where it has no value, so that it can be followed on."""
        area, found = self._area(), []
        for place, axis in enumerate(self._axes):
            share = axis.share(axis.values[line])
            height = area.top() + share * area.height() if math.isfinite(share) else self._below()
            found.append(QPointF(self._x(place), height))
        return found

    def _below(self) -> float:
        return self.height() - QFontMetrics(theme.font("caption")).height() * 0.5 - 1

    def _within(self, line: int) -> bool:
        for place, (top, bottom) in self._brushes.items():
            share = self._axes[place].share(self._axes[place].values[line])
            if not top - 1e-9 <= share <= bottom + 1e-9:   # nan is outside
                return False
        return True

    def _axis_at(self, x: float) -> int | None:
        near = min(range(len(self._axes)), key=lambda place: abs(self._x(place) - x), default=None)
        return near if near is not None and abs(self._x(near) - x) <= 2 * theme.px(_NEAR) else None

    def _line_at(self, at: QPointF) -> int:
        """Return the line nearest above or below a place, of those that are left; -1 where none is near."""
        best, nearest = float(theme.px(_NEAR)), -1
        for line in self.left():
            points = self._points(line)
            for one, two in pairwise(points):
                if not one.x() <= at.x() <= two.x():
                    continue
                share = (at.x() - one.x()) / max(1e-9, two.x() - one.x())
                distance = abs(one.y() + share * (two.y() - one.y()) - at.y())
                if distance <= best:
                    best, nearest = distance, line
        return nearest

    # Drawing.

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if not self._axes:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, len(self._names) <= _FEW)
        left = set(self.left())
        for line in sorted(range(len(self._names)), key=lambda line: (line in left, line == self._line)):
            self._paint_line(painter, line, pale=line not in left)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place, axis in enumerate(self._axes):
            self._paint_axis(painter, place, axis)

    def _paint_line(self, painter: QPainter, line: int, *, pale: bool) -> None:
        colour, surface = self._colour(line), theme.palette().surface
        if pale:
            colour = mix(theme.palette().faint, surface, 0.25)
        elif self._line >= 0 and line != self._line:
            colour = mix(colour, surface, 0.35)
        painter.setPen(QPen(QColor(colour), 3.0 if line == self._line and not pale else 1.4))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        points = self._points(line)
        path = QPainterPath(points[0])
        for point in points[1:]:
            path.lineTo(point)
        painter.drawPath(path)

    def _colour(self, line: int) -> str:
        """Return a colour by the last axis: the better, the more of the accent."""
        share = self._axes[-1].share(self._axes[-1].values[line])
        colours = theme.palette()
        return colours.faint if math.isnan(share) else mix(colours.accent_text, colours.series[1], 1 - share)

    def _paint_axis(self, painter: QPainter, place: int, axis: Property) -> None:
        area, x = self._area(), self._x(place)
        current = self.hasFocus() and place == self._axis
        painter.setPen(QPen(theme.colour("accent_text" if current else "border_strong"), 2 if current else 1))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        if place in self._brushes:
            top, bottom = (area.top() + share * area.height() for share in self._brushes[place])
            half = theme.px(_NEAR)
            shade = theme.colour("accent")
            shade.setAlpha(70)
            painter.setPen(QPen(theme.colour("accent_text"), 1))
            painter.setBrush(shade)
            painter.drawRoundedRect(QRectF(x - half, top - 2, 2 * half, bottom - top + 4), 3, 3)
        room = area.width() / max(1, len(self._axes) - 1) - 8
        line = QFontMetrics(theme.font("caption")).height()
        self._write(painter, x, 0, axis.name, room, "text")
        for share, word in self._ticks(axis):
            at = area.top() + share * area.height()
            height = at - line - 2 if share == 0 else at + 2 if share == 1 else at - line / 2
            self._write(painter, x, height, word, room, "muted")
        if any(map(math.isnan, axis.values)):
            self._write(painter, x, self._below() - line / 2, "—", room, "muted")

    @staticmethod
    def _ticks(axis: Property) -> list[tuple[float, str]]:
        values = sorted({value for value in axis.values if math.isfinite(value)})
        if axis.labels and len(values) <= 8:
            return [(axis.share(value), axis.words(value)) for value in values]
        return [(axis.share(value), axis.words(value)) for value in (values[:1] + values[-1:])]

    def _write(self, painter: QPainter, x: float, top: float, text: str, room: float, tone: str) -> None:
        """Write centred on an axis, on a patch of the surface, within the widget."""
        metrics = QFontMetrics(theme.font("caption"))
        text = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, int(max(40, room)))
        width = metrics.horizontalAdvance(text)
        box = QRectF(min(max(1.0, x - width / 2), self.width() - width - 1.0), top, width, metrics.height())
        painter.fillRect(box.adjusted(-2, 0, 2, 0), theme.colour("surface"))
        painter.setFont(theme.font("caption"))
        painter.setPen(theme.colour(tone))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    # Mouse and keyboard.

    def mousePressEvent(self, event: QMouseEvent) -> None:
        axis = self._axis_at(event.position().x())
        if event.button() == Qt.MouseButton.LeftButton and axis is not None:
            self._axis, self._pressed = axis, (axis, self._share(event.position()))
        super().mousePressEvent(event)

    def _share(self, at: QPointF) -> float:
        area = self._area()
        return min(1.0, max(0.0, (at.y() - area.top()) / max(1.0, area.height())))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is not None:
            axis, start = self._pressed
            self.brush(axis, (start, self._share(event.position())))
        else:
            self._point(self._line_at(event.position()))
            on_axis = self._axis_at(event.position().x()) is not None
            self.setCursor(Qt.CursorShape.SplitVCursor if on_axis else Qt.CursorShape.PointingHandCursor
                           if self._line >= 0 else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, self._pressed = self._pressed, None
        if pressed is not None:
            if abs(self._share(event.position()) - pressed[1]) * self._area().height() < 4:
                self.brush(pressed[0], None)
        elif event.button() == Qt.MouseButton.LeftButton and self._line >= 0:
            self.opened.emit(self._line)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point(-1)

    def _point(self, line: int) -> None:
        if line != self._line:
            self.point_at(line)
            self.pointed.emit(line)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, left = event.key(), self.left()
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down) and left:
            step = 1 if key == Qt.Key.Key_Down else -1
            at = left.index(self._line) + step if self._line in left else 0
            self._point(left[at % len(left)])
            self.setAccessibleDescription(self.sentence(self._line))
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and self._axes:
            self._axis = (self._axis + (1 if key == Qt.Key.Key_Right else -1)) % len(self._axes)
            self.setAccessibleDescription(self._axes[self._axis].name)
            self.update()
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown) and self._axes:
            self.brush(self._axis, (0.0, 0.5) if key == Qt.Key.Key_PageUp else (0.5, 1.0))
        elif key == Qt.Key.Key_Escape and self._brushes:
            self._brushes.clear()
            self.update()
            self.brushed.emit(self.left())
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._line >= 0:
            self.opened.emit(self._line)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            line = self._line_at(QPointF(event.pos()))
            if line >= 0:
                QToolTip.showText(event.globalPos(), self.sentence(line), self)
            return True
        return super().event(event)
