"""RidgeChart: how values were spread, step by step: one hill behind another, the newest in front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from mldesk.desktop import theme
from mldesk.desktop.widgets.table_model import number

_MOST = 24        # hills; of more every so-manyth is drawn
_TALL = 0.35      # of the height: the tallest hill


class RidgeChart(QWidget):
    """Draws histograms of one name: mappings with "step", "edges" (one more than counts) and "counts"."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = ""
        self._hills: list[Mapping[str, Any]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_histograms(self, name: str, histograms: Sequence[Mapping[str, Any]]) -> None:
        """Show others."""
        size = -(-len(histograms) // _MOST) if histograms else 1
        self._name, self._hills = name, list(histograms[::-1][::size][::-1])
        self.setAccessibleName(name)
        self.setAccessibleDescription(self.summary())
        self.update()

    def summary(self) -> str:
        """Return what is shown in words."""
        if not self._hills:
            return self.tr("Nothing is known yet")
        last = self._hills[-1]
        return self.tr("{count} steps; at step {step} the values lie between {low} and {high}").format(
            count=number(len(self._hills)), step=number(last["step"]), low=_short(last["edges"][0]),
            high=_short(last["edges"][-1]))

    def sizeHint(self) -> QSize:
        return QSize(theme.px(420), theme.px(260))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font("caption"))
        metrics = painter.fontMetrics()
        if not self._hills:
            return
        right = max(metrics.horizontalAdvance(number(hill["step"])) for hill in self._hills) + 12
        area = QRectF(4, metrics.height(), max(20.0, self.width() - right - 8),
                      max(20.0, self.height() - 2 * metrics.height() - 10))
        low, high = _reach(self._hills)
        top = max(max(_heights(hill), default=0.0) for hill in self._hills) or 1.0
        written = -1e9
        for place, hill in enumerate(self._hills):
            share = place / (len(self._hills) - 1) if len(self._hills) > 1 else 1.0   # 1: the newest
            base = area.top() + area.height() * (_TALL + (1 - _TALL) * share)
            self._paint_hill(painter, area, hill, base, (low, high), top, share)
            if base - written >= metrics.height():
                painter.setPen(theme.colour("muted"))
                painter.drawText(QPointF(area.right() + 8, base + metrics.ascent() / 2 - 1), number(hill["step"]))
                written = base
        self._paint_axis(painter, area, low, high, metrics)

    def _paint_hill(self, painter: QPainter, area: QRectF, hill: Mapping[str, Any], base: float,
                    reach: tuple[float, float], top: float, share: float) -> None:
        low, high = reach
        edges, line = hill["edges"], QPolygonF()
        line.append(QPointF(area.left() + area.width() * (edges[0] - low) / (high - low), base))
        for left, right, height in zip(edges, edges[1:], _heights(hill), strict=False):
            x = area.left() + area.width() * ((left + right) / 2 - low) / (high - low)
            line.append(QPointF(x, base - _TALL * area.height() * height / top))
        line.append(QPointF(area.left() + area.width() * (edges[-1] - low) / (high - low), base))
        fill = QColor(theme.palette().series[0])
        fill.setAlphaF(0.25 + 0.5 * share)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("surface"))   # what is behind does not shine through
        painter.drawPolygon(line)
        painter.setBrush(fill)
        painter.drawPolygon(line)
        painter.setPen(QPen(theme.colour("surface"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(line)

    def _paint_axis(self, painter: QPainter, area: QRectF, low: float, high: float, metrics: QFontMetrics) -> None:
        painter.setPen(theme.colour("border"))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.setPen(theme.colour("muted"))
        for share, side in ((0.0, Qt.AlignmentFlag.AlignLeft), (0.5, Qt.AlignmentFlag.AlignHCenter),
                            (1.0, Qt.AlignmentFlag.AlignRight)):
            painter.drawText(QRectF(area.left(), area.bottom() + 4, area.width(), metrics.height()), side,
                             _short(low + (high - low) * share))
        painter.drawText(QRectF(area.right(), 0, self.width() - area.right() - 2, metrics.height()),
                         Qt.AlignmentFlag.AlignRight, self.tr("step"))


def _heights(hill: Mapping[str, Any]) -> list[float]:
    """Return how dense each bin is: its share of all over its width; a bin without width adds none."""
    total = sum(hill["counts"]) or 1.0
    return [count / total / (right - left) if right > left else 0.0
            for left, right, count in zip(hill["edges"], hill["edges"][1:], hill["counts"], strict=False)]


def _reach(hills: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    low = min(hill["edges"][0] for hill in hills)
    high = max(hill["edges"][-1] for hill in hills)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _short(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
