"""Small pictures of a column or a metric: MiniHistogram, Sparkline. They paint themselves."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from mldesk.desktop import theme
from mldesk.desktop.widgets.table_model import number


class MiniHistogram(QWidget):
    """Bars over the range of a column. Hovering one says its range and count."""

    def __init__(self, counts: Sequence[float] = (), edges: Sequence[float] = (), parent: QWidget | None = None,
                 height: int = 44) -> None:
        super().__init__(parent)
        self._height = height
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_data(counts, edges)

    def set_data(self, counts: Sequence[float], edges: Sequence[float] = ()) -> None:
        """Show ``counts`` (N) over ``edges`` (N + 1 numbers, or none)."""
        self._counts, self._edges = list(counts), list(edges)
        words = self.tr("Histogram with {n} bars").format(n=len(self._counts))
        if self._edges:
            words += self.tr(" from {low} to {high}").format(low=number(self._edges[0]), high=number(self._edges[-1]))
        self.setAccessibleName(words)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(160, theme.px(self._height))

    def minimumSizeHint(self) -> QSize:
        return QSize(60, theme.px(self._height))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        most = max(self._counts, default=0)
        base = self.height() - 1
        painter.fillRect(QRectF(0, base, self.width(), 1), theme.colour("border"))
        if not most:
            return
        step = self.width() / len(self._counts)
        gap = 1.0 if step > 4 else 0.0
        for index, count in enumerate(self._counts):
            if count > 0:
                height = max(2.0, (base - 2) * count / most)
                bar = QRectF(index * step, base - height, max(1.0, step - gap), height)
                painter.fillRect(bar, theme.colour("accent"))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and self._counts:
            index = min(len(self._counts) - 1, max(0, int(event.pos().x() / self.width() * len(self._counts))))
            words = number(self._counts[index])
            if len(self._edges) == len(self._counts) + 1:
                words = f"{number(self._edges[index])} – {number(self._edges[index + 1])}: {words}"
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)


class Sparkline(QWidget):
    """A curve without axes, its last value marked. ``scale`` is the bottom and the top; None fits what is shown."""

    def __init__(self, values: Sequence[float] = (), parent: QWidget | None = None, *,
                 scale: tuple[float, float] | None = None) -> None:
        super().__init__(parent)
        self._scale = scale
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_values(values)

    def set_values(self, values: Sequence[float]) -> None:
        """Show ``values`` from left to right; NaN is a gap. A long list is thinned to what can be seen."""
        self._values = [float(value) for value in values]
        known = [value for value in self._values if math.isfinite(value)]
        self.setAccessibleName(self.tr("Curve, last value {value}").format(value=number(known[-1])) if known
                               else self.tr("Empty curve"))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(96, theme.px(24))

    def minimumSizeHint(self) -> QSize:
        return QSize(48, theme.px(18))

    def paintEvent(self, event: QPaintEvent) -> None:
        known = [value for value in self._values if math.isfinite(value)]
        if not known:
            return
        low, high = self._scale or (min(known), max(known))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("accent_text"), 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        line = QPolygonF()
        every = max(1, len(self._values) // max(1, 2 * self.width()))
        last = len(self._values) - 1
        point = QPointF()
        for index in [*range(0, last, every), last]:
            value = self._values[index]
            if not math.isfinite(value):
                painter.drawPolyline(line)
                line = QPolygonF()
                continue
            across = 3 + (self.width() - 8) * (index / last if last else 1.0)
            share = min(1.0, max(0.0, (value - low) / (high - low))) if high > low else 0.5
            point = QPointF(across, 3 + (self.height() - 7) * (1 - share))
            line.append(point)
        painter.drawPolyline(line)
        painter.setBrush(theme.colour("accent_text"))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawEllipse(point, 2.5, 2.5)
