"""BarChart: named values as bars from left to right, with a whisker for their spread."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from mldesk.desktop import theme
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


class BarChart(Lines):
    """Bars under one another, longest names elided. Negative values go to the left. For choosing see ``Lines``."""

    def __init__(self, bars: Sequence[Bar] = (), parent: QWidget | None = None, *, name: str = "",
                 most: int = 30) -> None:
        super().__init__(parent)
        self._most = most
        self._name = name or self.tr("Bar chart")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_bars(bars)

    def set_bars(self, bars: Sequence[Bar]) -> None:
        """Show ``bars``, in the order given, the first ``most`` of them."""
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
        return f"{bar.name}: {number(bar.value)}{spread}"

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
        low = min(0.0, *(bar.value - bar.spread for bar in self._bars))
        high = max(0.0, *(bar.value + bar.spread for bar in self._bars)) or 1.0
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

    def _paint_bar(self, painter: QPainter, bar: Bar, line: QRectF, zero: float, scale: float) -> None:
        height = theme.px(_BAR)
        middle = line.center().y()
        end = zero + bar.value * scale
        painter.setPen(Qt.PenStyle.NoPen)
        colours = theme.palette().series
        painter.setBrush(QColor(colours[bar.slot % len(colours)]))
        left, right = sorted((zero, end))
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
        table.writerow(["name", "value", "spread"])
        table.writerows((bar.name, repr(bar.value), repr(bar.spread)) for bar in self._all)
        return out.getvalue()
