"""How strongly columns go together, as a map of squares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme.wcag import mix
from mldesk.desktop.widgets import HeatMap
from mldesk.desktop.widgets.table_model import number

MOST = 20      # columns shown, those that go most with any other
_NAME = 110    # pixels of a name at 100 %


class AssociationMap(HeatMap):
    """Associations of columns with one another, -1 to 1. Negative ones have another hue."""

    least = 16

    def __init__(self, parent: QWidget | None = None) -> None:
        self._pairs: dict[tuple[str, str], Mapping[str, Any]] = {}
        super().__init__(parent=parent)

    def show_pairs(self, found: Mapping[str, Any]) -> None:
        """Show what ``mldesk.data.statistics.associations`` returned."""
        names = strongest(found, MOST)
        self._pairs = {key: pair for pair in found["pairs"] for key in ((pair["a"], pair["b"]), (pair["b"], pair["a"]))}
        self.set_data(names, [[1.0 if a == b else self._pairs[a, b]["value"] or 0.0 for b in names] for a in names])
        self.setAccessibleName(self.tr("How {count} columns go together").format(count=len(names)))

    def name(self, place: int) -> str:
        """Return the column at a place."""
        return self._labels[place]

    def share(self, row: int, column: int) -> float:
        return abs(self._counts[row][column])

    def sentence(self, row: int, column: int) -> str:
        a, b = self._labels[row], self._labels[column]
        if row == column:
            return a
        pair = self._pairs[a, b]
        measure = {"pearson": self.tr("correlation"), "cramers_v": self.tr("Cramér's V"),
                   "correlation_ratio": self.tr("correlation ratio")}[pair["measure"]]
        if not pair["n"]:
            return self.tr("{a} and {b}: nothing to compare, as they are never there in the same row").format(a=a, b=b)
        if pair["value"] is None:
            return self.tr("{a} and {b}: nothing to compare, as one of them has no other value in the {rows} rows "
                           "where both are there").format(a=a, b=b, rows=number(pair["n"]))
        value = number(round(pair["value"], 3))
        words = self.tr("{a} and {b}: {measure} {value}, {rows} rows").format(
            a=a, b=b, measure=measure, value=value, rows=number(pair["n"]))
        if pair.get("spearman") is not None:
            words += self.tr("; by rank {value}").format(value=number(round(pair["spearman"], 3)))
        return words

    def _worst(self) -> str:
        pairs = sorted(((self.share(row, column), row, column) for row in range(len(self._labels))
                        for column in range(row)), reverse=True)
        return "; ".join(self.sentence(row, column) for _, row, column in pairs[:5])

    def _words(self, row: int, column: int) -> str:
        if row == column:
            return ""
        if self._pairs[self._labels[row], self._labels[column]]["value"] is None:
            return "–"
        return f"{self._counts[row][column]:.2f}".replace("0.", ".", 1)

    def _shade(self, row: int, column: int) -> str:
        if row == column:
            return theme.palette().border
        if self._counts[row][column] < 0:
            return mix(theme.palette().series[1], theme.palette().heat[0], self.share(row, column))
        return super()._shade(row, column)

    def _margins(self) -> tuple[int, int, int]:
        metrics = QFontMetrics(theme.font("caption"))
        longest = max((metrics.horizontalAdvance(label) for label in self._labels), default=0)
        room = min(longest, theme.px(_NAME)) + 12   # a pixel less, and the longest would lose its middle
        return room, room, metrics.height()

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint() + QSize(0, theme.px(3) * len(self._labels))   # squares are as wide as high

    def _paint_titles(self, painter: QPainter) -> None:
        left, top, _ = self._margins()
        width, height = self._side()
        metrics = QFontMetrics(painter.font())
        painter.setPen(theme.colour("text"))
        for index, label in enumerate(self._labels):
            words = metrics.elidedText(label, Qt.TextElideMode.ElideMiddle, left - 8)
            painter.drawText(QRectF(0, top + index * height, left - 6, height),
                             Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
            painter.save()
            painter.translate(QPointF(left + index * width, top - 4))
            painter.rotate(-90)
            painter.drawText(QRectF(0, 0, top - 4, width), Qt.AlignmentFlag.AlignVCenter, words)
            painter.restore()


def strongest(found: Mapping[str, Any], most: int) -> Sequence[str]:
    """Return the columns that go most with any other, ``most`` of them, in the order of the table."""
    best: dict[str, float] = {column["name"]: 0.0 for column in found["columns"]}
    for pair in found["pairs"]:
        for name in (pair["a"], pair["b"]):
            best[name] = max(best[name], abs(pair["value"] or 0.0))
    chosen = set(sorted(best, key=lambda name: -best[name])[:most])
    return [name for name in best if name in chosen]
