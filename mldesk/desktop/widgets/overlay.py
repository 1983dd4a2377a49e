"""What lies over a plot while the pointer is there: crosshair, readout, the band of a zoom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from mldesk.desktop import theme

_LINES = 10  # of a readout


@dataclass(frozen=True, slots=True)
class Reading:
    """One line of a readout: where its dot is (in view coordinates) and what it says."""

    name: str
    words: str
    colour: str
    x: float
    y: float


class Overlay(QWidget):
    """What lies over the curves while the pointer is there: the crosshair, its readout, the band of a zoom."""

    def __init__(self, parent: QWidget, area: Callable[[], QRectF]) -> None:
        super().__init__(parent)
        self._area = area
        self.title = ""
        self.pointed = ""                           # name of the reading that the pointer is at
        self.more = ""                              # said below a readout that has no room for all, with {count}
        self.cross: float | None = None             # pixels from the left
        self.dots: list[tuple[QPointF, Reading]] = []
        self.band: tuple[float, float] | None = None
        self.box: QRectF | None = None              # a part of the plane that is chosen
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)

    def paintEvent(self, event: QPaintEvent) -> None:
        area = self._area()
        painter = QPainter(self)
        if self.band is not None:
            left, right = sorted(self.band)
            shade = theme.colour("accent")
            shade.setAlpha(40)
            painter.fillRect(QRectF(left, area.top(), right - left, area.height()), shade)
        if self.box is not None:
            self._paint_chosen(painter, self.box.intersected(area))
        if self.cross is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("faint"), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(self.cross, area.top()), QPointF(self.cross, area.bottom()))
        for point, reading in self.dots:
            painter.setPen(QPen(theme.colour("surface"), 1.5))
            painter.setBrush(QColor(reading.colour))
            painter.drawEllipse(point, 4, 4)
        if self.dots:
            self._paint_box(painter, area)

    def _paint_chosen(self, painter: QPainter, box: QRectF) -> None:
        shade = theme.colour("accent")
        shade.setAlpha(40)
        painter.fillRect(box, shade)
        painter.setPen(QPen(theme.colour("accent_text"), 1))
        painter.drawRect(box)

    def _paint_box(self, painter: QPainter, area: QRectF) -> None:
        shown, left_out = self._lines()
        painter.setFont(theme.font("caption"))
        metrics = QFontMetrics(painter.font())
        names = max(min(220, metrics.horizontalAdvance(reading.name)) for reading in shown)
        values = max(metrics.horizontalAdvance(reading.words) for reading in shown)
        height = metrics.height() + 3
        width = max(names + values + 44, metrics.horizontalAdvance(self.title) + 24)
        lines = len(shown) + 1 + bool(left_out)
        cross = self.cross or 0.0
        left = cross + 12 if cross + 12 + width < area.right() else cross - 12 - width
        box = QRectF(max(area.left(), left), area.top() + 6, width, height * lines + 12)
        painter.setPen(QPen(theme.colour("border_strong"), 1))
        painter.setBrush(theme.colour("raised"))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(theme.colour("muted"))
        line = QRectF(box.left() + 10, box.top() + 6, box.width() - 20, height)
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, self.title)
        for reading in shown:
            line.translate(0, height)
            if reading.name == self.pointed:
                painter.fillRect(line.adjusted(-6, 0, 6, 0), theme.colour("selected"))
            painter.setPen(QPen(QColor(reading.colour), 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(QPointF(line.left() + 1, line.center().y()), QPointF(line.left() + 9, line.center().y()))
            painter.setPen(theme.colour("text"))
            painter.drawText(line.adjusted(16, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter,
                             metrics.elidedText(reading.name, Qt.TextElideMode.ElideMiddle, 220))
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, reading.words)
        if left_out:
            painter.setPen(theme.colour("muted"))
            painter.drawText(line.translated(0, height), Qt.AlignmentFlag.AlignVCenter,
                             self.more.format(count=left_out))

    def _lines(self) -> tuple[list[Reading], int]:
        """Return the readings there is room for, those around the one that is pointed at, and how many are left out."""
        readings = [reading for _, reading in self.dots]
        at = next((place for place, reading in enumerate(readings) if reading.name == self.pointed), 0)
        first = max(0, min(at - _LINES // 2, len(readings) - _LINES))
        return readings[first:first + _LINES], max(0, len(readings) - _LINES)
