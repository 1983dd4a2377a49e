"""StripChart: the last minutes of one or a few readings, painted straight: a picture a second costs next to nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from mldesk.desktop import theme
from mldesk.desktop.widgets.table_model import number

SPAN = 600.0     # seconds shown
_GAP = 4.0       # seconds between two readings from which the line is broken
_LINES = 4       # horizontal parts of the grid
_MINUTES, _FEW_MINUTES = 2, 5  # minutes between two upright lines, where there is room and where there is little


@dataclass(slots=True)
class Strip:
    """One curve: a name for the legend, and a reading per age."""

    name: str
    values: Sequence[float] = field(default_factory=list)  # nan where nothing is known
    slot: int = 0                                          # which colour


class StripChart(QWidget):
    """A title, what it is now, and its past. ``write`` puts a value into words; ``high`` is the top of the scale.

    The pointer, or Left and Right, read the past. ``high`` None fits the scale to what was seen.
    """

    def __init__(self, title: str, write: Callable[[float], str], high: float | None = 1.0, *, low: float = 0.0,
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title, self._write, self._high, self._low = title, write, high, low
        self._strips: list[Strip] = []
        self._ages: Sequence[float] = []
        self._note = ""
        self._at: float | None = None  # seconds ago that is read
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(title)

    def show_strips(self, ages: Sequence[float], strips: Sequence[Strip], *, high: float | None = None,
                    note: str = "") -> None:
        """Show curves over ``ages`` (N seconds before now, falling). ``note`` stands behind the value, muted."""
        self._ages, self._strips, self._note = ages, list(strips), note
        if high is not None:
            self._high = high
        self.setAccessibleDescription(self.summary())
        self.update()

    def summary(self) -> str:
        """Return what is shown in words."""
        parts = []
        for strip in self._strips:
            known = [value for value in strip.values if math.isfinite(value)]
            if known:
                parts.append(self.tr("{name} {now}, between {low} and {high} in the last {minutes} minutes").format(
                    name=strip.name or self._title, now=self._write(known[-1]), low=self._write(min(known)),
                    high=self._write(max(known)), minutes=number(round(SPAN / 60))))
        return "; ".join(parts) or self.tr("Nothing is known yet")

    def sizeHint(self) -> QSize:
        return QSize(theme.px(300), theme.px(168))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(200), theme.px(168))

    # Drawing

    def _area(self) -> QRectF:
        """Return where the curves are."""
        top = QFontMetrics(theme.font("strong")).height() + 10
        bottom = QFontMetrics(theme.font("caption")).height() + 4
        left = QFontMetrics(theme.font("caption")).horizontalAdvance(self._write(self._top())) + 10
        return QRectF(left, top, max(20.0, self.width() - left - 4), max(20.0, self.height() - top - bottom))

    def _top(self) -> float:
        if self._high is not None:
            return self._high
        most = max((value for strip in self._strips for value in strip.values if math.isfinite(value)), default=1.0)
        step = 10.0 ** math.floor(math.log10(most)) if most > 0 else 1.0
        return max(step, math.ceil(most * 1.1 / step) * step)

    def _x(self, area: QRectF, age: float) -> float:
        return area.right() - area.width() * age / SPAN

    def _y(self, area: QRectF, value: float) -> float:
        share = (value - self._low) / max(1e-12, self._top() - self._low)
        return area.bottom() - area.height() * min(1.0, max(0.0, share))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        area = self._area()
        self._paint_head(painter)
        self._paint_grid(painter, area)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.save()
        painter.setClipRect(area.adjusted(-1, -2, 2, 2))
        for strip in reversed(self._strips):
            self._paint_strip(painter, area, strip)
        painter.restore()
        if self._at is not None:
            self._paint_reading(painter, area)
        if not self._ages:
            painter.setPen(theme.colour("faint"))
            painter.setFont(theme.font("caption"))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, self.tr("waiting for the first reading"))
        if self.hasFocus() and self.property("by_key"):
            painter.setPen(QPen(theme.colour("accent_text"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)

    def _paint_head(self, painter: QPainter) -> None:
        painter.setFont(theme.font("caption"))
        metrics = painter.fontMetrics()
        painter.setPen(theme.colour("muted"))
        height = QFontMetrics(theme.font("strong")).height()
        painter.drawText(QRectF(0, 0, self.width(), height), Qt.AlignmentFlag.AlignVCenter, self._title)
        right = float(self.width() - 4)
        left = metrics.horizontalAdvance(self._title) + 12
        if len(self._strips) > 1:
            self._paint_legend(painter, left, right, height)
            return
        now = self._now(self._strips[0]) if self._strips else "–"
        if self._note:
            wide = metrics.horizontalAdvance(self._note) + 6
            painter.drawText(QRectF(right - wide, 0, wide, height),
                             int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), self._note)
            right -= wide
        painter.setFont(theme.font("strong"))
        painter.setPen(theme.colour("text"))
        painter.drawText(QRectF(left, 0, right - left, height),
                         int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), now)

    def _paint_legend(self, painter: QPainter, left: float, right: float, height: float) -> None:
        """Name every curve with its colour and what it is now, from the right, as many as there is room for."""
        for strip in reversed(self._strips):
            words = f"{strip.name} {self._now(strip)}"
            wide = painter.fontMetrics().horizontalAdvance(words)
            if right - wide - 14 < left:
                break
            painter.setPen(theme.colour("text"))
            painter.drawText(QRectF(right - wide, 0, wide + 1, height), Qt.AlignmentFlag.AlignVCenter, words)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._colour(strip))
            painter.drawEllipse(QPointF(right - wide - 8, height / 2), 3.5, 3.5)
            right -= wide + 26

    def _now(self, strip: Strip) -> str:
        known = [value for value in strip.values[-3:] if math.isfinite(value)]
        return self._write(known[-1]) if known else "–"

    def _paint_grid(self, painter: QPainter, area: QRectF) -> None:
        painter.setFont(theme.font("caption"))
        metrics = painter.fontMetrics()
        for part in range(_LINES + 1):
            y = round(area.bottom() - area.height() * part / _LINES) + 0.5
            painter.setPen(theme.colour("grid" if part else "border"))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            if part in (0, _LINES // 2, _LINES):
                value = self._low + (self._top() - self._low) * part / _LINES
                painter.setPen(theme.colour("muted"))
                painter.drawText(QRectF(0, y - metrics.height() / 2, area.left() - 6, metrics.height()),
                                 int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), self._write(value))
        widest = metrics.horizontalAdvance(self.tr("−{n} min").format(n=10)) + 14
        every = _MINUTES if area.width() >= widest * SPAN / 60 / _MINUTES else _FEW_MINUTES
        for minutes in range(0, round(SPAN / 60) + 1, every):
            x = round(self._x(area, 60.0 * minutes)) + 0.5
            painter.setPen(theme.colour("grid"))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            words = self.tr("now") if not minutes else self.tr("−{n} min").format(n=minutes)
            wide = metrics.horizontalAdvance(words)
            left = min(max(area.left() - 4, x - wide / 2), self.width() - wide)
            painter.setPen(theme.colour("muted"))
            painter.drawText(QPointF(left, self.height() - metrics.descent() - 1), words)

    def _paint_strip(self, painter: QPainter, area: QRectF, strip: Strip) -> None:
        colour = self._colour(strip)
        for line in self._lines(area, strip):
            if len(self._strips) == 1 and line.count() > 1:
                fill = QPainterPath()
                fill.addPolygon(line)
                fill.lineTo(line.last().x(), area.bottom())
                fill.lineTo(line.first().x(), area.bottom())
                fill.closeSubpath()
                soft = QColor(colour)
                soft.setAlphaF(0.14)
                painter.fillPath(fill, soft)
            painter.setPen(QPen(colour, 1.4))
            painter.setBrush(colour)
            if line.count() > 1:
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawPolyline(line)
            else:
                painter.drawEllipse(line.first(), 1.2, 1.2)

    def _lines(self, area: QRectF, strip: Strip) -> list[QPolygonF]:
        """Return the curve in pieces: gaps part it."""
        lines: list[QPolygonF] = []
        before = math.inf
        for age, value in zip(self._ages, strip.values, strict=False):
            if not math.isfinite(value):
                before = math.inf
                continue
            if before - age > _GAP:
                lines.append(QPolygonF())
            lines[-1].append(QPointF(self._x(area, age), self._y(area, value)))
            before = age
        return lines

    @staticmethod
    def _colour(strip: Strip) -> QColor:
        series = theme.palette().series
        return QColor(series[strip.slot % len(series)])

    # Reading the past

    def _nearest(self) -> int | None:
        if self._at is None or not self._ages:
            return None
        at = self._at
        index = min(range(len(self._ages)), key=lambda item: abs(self._ages[item] - at))
        return index if abs(self._ages[index] - at) < 15 else None

    def _paint_reading(self, painter: QPainter, area: QRectF) -> None:
        index = self._nearest()
        if index is None:
            return
        age = self._ages[index]
        x = self._x(area, age)
        painter.setPen(QPen(theme.colour("border_strong"), 1))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        parts = []
        for strip in self._strips:
            value = strip.values[index] if index < len(strip.values) else math.nan
            if math.isfinite(value):
                painter.setPen(QPen(theme.colour("surface"), 1.5))
                painter.setBrush(self._colour(strip))
                painter.drawEllipse(QPointF(x, self._y(area, value)), 3.5, 3.5)
                name = f"{strip.name} " if len(self._strips) > 1 else ""
                parts.append(f"{name}{self._write(value)}")
        ago = self.tr("now") if age < 1 else self.tr("{seconds} s ago").format(seconds=round(age)) if age < 90 \
            else self.tr("{minutes} min ago").format(minutes=round(age / 60))
        self._paint_note(painter, area, x, "   ".join([ago, *parts]))

    @staticmethod
    def _paint_note(painter: QPainter, area: QRectF, x: float, words: str) -> None:
        painter.setFont(theme.font("caption"))
        metrics = painter.fontMetrics()
        wide, high = metrics.horizontalAdvance(words) + 14, metrics.height() + 6
        left = x + 8 if x + 8 + wide < area.right() else x - 8 - wide
        box = QRectF(max(area.left(), left), area.top() + 2, wide, high)
        painter.setPen(theme.colour("border"))
        painter.setBrush(theme.colour("raised"))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(theme.colour("text"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        area = self._area()
        inside = area.adjusted(-2, -2, 2, 2).contains(event.position())
        self._at = (area.right() - event.position().x()) / area.width() * SPAN if inside else None
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._at = None
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: 10.0, Qt.Key.Key_Right: -10.0}
        if event.key() not in steps:
            super().keyPressEvent(event)
            return
        self._at = min(SPAN, max(0.0, (self._at or 0.0) + steps[Qt.Key(event.key())]))
        self.setProperty("by_key", True)
        self.update()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut:
            self._at = None
            self.setProperty("by_key", False)
            self.update()
        elif event.type() == QEvent.Type.FocusIn:
            reason = event.reason()  # type: ignore[attr-defined]
            self.setProperty("by_key", reason in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason))
            self.update()
        return super().event(event)
