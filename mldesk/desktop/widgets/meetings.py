"""MeetingMap: how often the values of two columns meet, as a map of squares."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter

from mldesk.desktop import theme
from mldesk.desktop.widgets.axis import short
from mldesk.desktop.widgets.heatmap import HeatMap, heat
from mldesk.desktop.widgets.table_model import number

_NAME = 130   # pixels of a name at 100 %


class MeetingMap(HeatMap):
    """Counts (values of one column downwards, values of the other across); the shade is the share of the greatest."""

    least = 20

    def share(self, row: int, column: int) -> float:
        most = max((max(line, default=0.0) for line in self._counts), default=0.0)
        return self._counts[row][column] / most if most else 0.0

    def sentence(self, row: int, column: int) -> str:
        return self.tr("{down} is {this}, {across} is {that}: {count} rows").format(
            down=self._row_title, this=self._labels[row], across=self._column_title, that=self._columns[column],
            count=number(self._counts[row][column]))

    def _worst(self) -> str:
        cells = sorted(((count, row, column) for row, line in enumerate(self._counts)
                        for column, count in enumerate(line) if count), reverse=True)
        self.setAccessibleName(self.tr("How often {down} and {across} meet").format(
            down=self._row_title, across=self._column_title))
        return "; ".join(self.sentence(row, column) for _, row, column in cells[:5])

    def _shade(self, row: int, column: int) -> str:
        return heat(self.share(row, column) ** 0.5, theme.palette().heat)

    def _words(self, row: int, column: int) -> str:
        count = self._counts[row][column]
        words = number(count)
        room = self._side()[0] - 6
        return words if QFontMetrics(theme.font("caption")).horizontalAdvance(words) <= room else short(count, 1e4)

    def _margins(self) -> tuple[int, int, int]:
        metrics = QFontMetrics(theme.font("caption"))

        def room(names: list[str]) -> int:
            longest = max((metrics.horizontalAdvance(name) for name in names), default=0)
            return min(longest, theme.px(_NAME)) + 14

        return room(self._labels), room(self._columns), metrics.height()

    def _paint_titles(self, painter: QPainter) -> None:
        left, top, _ = self._margins()
        width, height = self._side()
        metrics = QFontMetrics(painter.font())
        painter.setPen(theme.colour("text"))
        for index, name in enumerate(self._labels):
            painter.drawText(QRectF(0, top + index * height, left - 6, height),
                             Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                             metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, left - 8))
        for index, name in enumerate(self._columns):
            painter.save()
            painter.translate(QPointF(left + index * width, top - 4))
            painter.rotate(-90)
            painter.drawText(QRectF(0, 0, top - 4, width), Qt.AlignmentFlag.AlignVCenter,
                             metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, top - 8))
            painter.restore()
