"""BarChart: named values as bars from left to right, with a whisker for their spread."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from mldesk.desktop import theme
from mldesk.desktop.widgets.flow import FlowBox
from mldesk.desktop.widgets.lines import LINE, Lines
from mldesk.desktop.widgets.table_model import number

_BAR = 14                 # height of a bar, pixels at 100 %
_NAMES = 0.38             # share of the width that names may take


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. ``spread`` is the half length of its whisker, in the unit of ``value``; 0 draws none."""

    name: str
    value: float
    spread: float = 0.0
    slot: int = 0
    words: str = ""         # shown at its end instead of the number
    down: float = 0.0       # 0 or less: a second bar, to the left of zero, in the colour after that of ``slot``

    @property
    def edges(self) -> tuple[float, float]:
        """Return how far to the left and to the right it goes."""
        return min(0.0, self.value - self.spread, self.down), max(0.0, self.value + self.spread)


class BarChart(Lines):
    """Bars under one another, longest names elided. Negative values go to the left. For choosing see ``Lines``."""

    def __init__(self, bars: Sequence[Bar] = (), parent: QWidget | None = None, *, name: str = "",
                 most: int = 30) -> None:
        super().__init__(parent)
        self._most = most
        self._name = name or self.tr("Bar chart")
        self._span: tuple[float, float] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_bars(bars)

    def set_bars(self, bars: Sequence[Bar], span: tuple[float, float] | None = None) -> None:
        """Show ``bars``, in the order given, the first ``most`` of them.

        ``span``: the values at the left and the right end of the scale, so that several charts share one; None fits it.
        """
        self._span = span
        self._all = list(bars)
        self._bars = self._all[:self._most]
        self.setAccessibleName(self._name)
        self.setAccessibleDescription("; ".join(f"{bar.name} {bar.words or number(bar.value)}" for bar in self._bars))
        self.updateGeometry()
        self.update()

    def lines(self) -> int:
        return len(self._bars)

    def sentence(self, line: int) -> str:
        bar = self._bars[line]
        spread = f" ± {number(bar.spread)}" if bar.spread else ""
        down = f", {number(bar.down)}" if bar.down else ""
        return f"{bar.name}: {number(bar.value)}{spread}{down}"

    def sizeHint(self) -> QSize:
        return QSize(320, theme.px(LINE) * max(1, len(self._bars)) + 4)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.sizeHint().height())

    def changeEvent(self, event: QEvent) -> None:
        if theme.is_theme_event(event):
            self.updateGeometry()
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font("body"))
        metrics = QFontMetrics(painter.font())
        if not self._bars:
            painter.setPen(theme.colour("muted"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, self.tr("Nothing to show yet"))
            return
        names = min(int(self.width() * _NAMES), max(metrics.horizontalAdvance(bar.name) for bar in self._bars)) + 14
        values = max(metrics.horizontalAdvance(self._words(bar)) for bar in self._bars) + 10
        low, high = self._scale()
        room = QRectF(names, 0, max(10.0, self.width() - names - values), self.height())
        zero = room.left() + room.width() * -low / (high - low)
        for index, bar in enumerate(self._bars):
            self.paint_current(painter, index)
            line = QRectF(0, index * theme.px(LINE), self.width(), theme.px(LINE))
            painter.setPen(theme.colour("text"))
            painter.drawText(QRectF(0, line.top(), names - 12, line.height()), Qt.AlignmentFlag.AlignVCenter,
                             metrics.elidedText(bar.name, Qt.TextElideMode.ElideMiddle, names - 12))
            scale = room.width() / (high - low)
            self._paint_bar(painter, bar, line, zero, scale)
            painter.setPen(theme.colour("muted"))
            end = QRectF(room.right() + 8, line.top(), values - 8, line.height())
            painter.drawText(end, Qt.AlignmentFlag.AlignVCenter, self._words(bar))

    def _scale(self) -> tuple[float, float]:
        if self._span is not None:
            return self._span
        lows, highs = zip(*(bar.edges for bar in self._bars), strict=True)
        low, high = min(lows), max(highs)
        return low, high if high > low else low + 1.0

    def _paint_bar(self, painter: QPainter, bar: Bar, line: QRectF, zero: float, scale: float) -> None:
        height = theme.px(_BAR)
        middle = line.center().y()
        end = zero + bar.value * scale
        painter.setPen(Qt.PenStyle.NoPen)
        colours = theme.palette().series
        for slot, far in ((bar.slot, end), (bar.slot + 1, zero + bar.down * scale)):
            left, right = sorted((zero, far))
            if slot == bar.slot or right > left:
                painter.setBrush(QColor(colours[slot % len(colours)]))
                painter.drawRoundedRect(QRectF(left, middle - height / 2, max(2.0, right - left), height), 3, 3)
        if bar.spread > 0:
            painter.setPen(QPen(theme.colour("text"), 1.2))
            low, high = end - bar.spread * scale, end + bar.spread * scale
            painter.drawLine(QPointF(low, middle), QPointF(high, middle))
            for edge in (low, high):
                painter.drawLine(QPointF(edge, middle - 3), QPointF(edge, middle + 3))

    def _words(self, bar: Bar) -> str:
        return bar.words or number(bar.value)

    def csv(self) -> str:
        """Return all bars as a table in CSV."""
        out = io.StringIO()
        table = csv.writer(out, lineterminator="\n")
        both = any(bar.down for bar in self._all)
        table.writerow(["name", "value", "spread", *(["down"] if both else [])])
        table.writerows((bar.name, repr(bar.value), repr(bar.spread), *([repr(bar.down)] if both else []))
                        for bar in self._all)
        return out.getvalue()


def even_span(values: Iterable[float]) -> tuple[float, float]:
    """Return a scale with zero in its middle that ends at 1, 2 or 5 times a power of ten, and so seldom changes."""
    most = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if most <= 0:
        return -1.0, 1.0
    power = 10.0 ** math.floor(math.log10(most))
    end = next(step * power for step in (1.0, 2.0, 5.0, 10.0, 20.0) if step * power >= most)
    return -end, end


class Swatch(QWidget):
    """One entry of the legend of bars: their colour and what it means."""

    def __init__(self, slot: int, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slot, self._text = slot, text
        self.setAccessibleName(text)
        self.setToolTip(text)

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(theme.font("caption"))
        return QSize(metrics.horizontalAdvance(self._text) + 28, metrics.height() + 6)

    def changeEvent(self, event: QEvent) -> None:
        if theme.is_theme_event(event):
            self.updateGeometry()
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = theme.palette().series
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours[self._slot % len(colours)]))
        painter.drawRoundedRect(QRectF(0, self.height() / 2 - 5, 10, 10), 3, 3)
        painter.setFont(theme.font("caption"))
        painter.setPen(theme.colour("muted"))
        words = painter.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideRight, self.width() - 18)
        painter.drawText(self.rect().adjusted(18, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, words)


def swatches(entries: Sequence[tuple[int, str]]) -> FlowBox:
    """Return the legend of bars: the place of each colour and what it means."""
    box = FlowBox()
    for slot, text in entries:
        box.add(Swatch(slot, text))
    return box
