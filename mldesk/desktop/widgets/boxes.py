"""BoxChart: the spread of a number, group by group, as boxes from left to right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from mldesk.desktop import theme
from mldesk.desktop.widgets.lines import LINE, Lines
from mldesk.desktop.widgets.table_model import number

_BOX = 14   # height of a box, pixels at 100 %


@dataclass(frozen=True, slots=True)
class Box:
    """One group: ``cuts`` are its quantiles at 5, 25, 50, 75 and 95 %; ``n`` how many values it has."""

    name: str
    cuts: tuple[float, float, float, float, float]
    n: int


class BoxChart(Lines):
    """Boxes under one another (after Tukey): the middle half, the median, and whiskers over the middle nine tenths."""

    def __init__(self, boxes: Sequence[Box] = (), parent: QWidget | None = None, *, name: str = "") -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name or self.tr("Box plot"))
        self._boxes: list[Box] = []
        self.set_boxes(boxes)

    def set_boxes(self, boxes: Sequence[Box]) -> None:
        """Show ``boxes`` in the order given."""
        self._boxes = list(boxes)
        self.setAccessibleDescription("; ".join(map(self.sentence, range(len(self._boxes)))))
        self.updateGeometry()
        self.update()

    def lines(self) -> int:
        return len(self._boxes)

    def sentence(self, line: int) -> str:
        box = self._boxes[line]
        low, lower, middle, upper, high = map(number, box.cuts)
        return self.tr("{name}: half lies from {lower} to {upper}, the median is {middle}, nine tenths lie from {low} "
                       "to {high}; {n} values").format(name=box.name, lower=lower, upper=upper, middle=middle, low=low,
                                                       high=high, n=number(box.n))

    def sizeHint(self) -> QSize:
        return QSize(320, theme.px(LINE) * (max(1, len(self._boxes)) + 1))

    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font("body"))
        metrics = QFontMetrics(painter.font())
        if not self._boxes:
            return
        names = min(int(self.width() * 0.38), max(metrics.horizontalAdvance(box.name) for box in self._boxes)) + 14
        low, high = min(box.cuts[0] for box in self._boxes), max(box.cuts[-1] for box in self._boxes)
        room = QRectF(names, 0, max(10.0, self.width() - names - 8), self.height())
        scale = room.width() / ((high - low) or 1.0)
        for index, box in enumerate(self._boxes):
            self.paint_current(painter, index)
            top = index * theme.px(LINE)
            painter.setPen(theme.colour("text"))
            painter.drawText(QRectF(0, top, names - 12, theme.px(LINE)), Qt.AlignmentFlag.AlignVCenter,
                             metrics.elidedText(box.name, Qt.TextElideMode.ElideMiddle, names - 12))
            self._paint_box(painter, [room.left() + (cut - low) * scale for cut in box.cuts],
                            top + theme.px(LINE) / 2)
        painter.setPen(theme.colour("muted"))
        ends = QRectF(room.left(), len(self._boxes) * theme.px(LINE), room.width(), theme.px(LINE))
        painter.drawText(ends, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, number(low))
        painter.drawText(ends, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, number(high))

    def _paint_box(self, painter: QPainter, cuts: Sequence[float], middle: float) -> None:
        half = theme.px(_BOX) / 2
        colour = QColor(theme.palette().series[0])
        painter.setPen(QPen(colour, 1.4))
        painter.drawLine(QPointF(cuts[0], middle), QPointF(cuts[4], middle))
        for edge in (cuts[0], cuts[4]):
            painter.drawLine(QPointF(edge, middle - 4), QPointF(edge, middle + 4))
        painter.setBrush(colour)
        painter.drawRoundedRect(QRectF(cuts[1], middle - half, max(2.0, cuts[3] - cuts[1]), 2 * half), 3, 3)
        painter.setPen(QPen(theme.colour("surface"), 2))
        painter.drawLine(QPointF(cuts[2], middle - half + 1), QPointF(cuts[2], middle + half - 1))

    def csv(self) -> str:
        """Return the boxes as a table in CSV."""
        import csv
        import io

        out = io.StringIO()
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["name", "n", "5 %", "25 %", "50 %", "75 %", "95 %"])
        table.writerows([box.name, box.n, *map(repr, box.cuts)] for box in self._boxes)
        return out.getvalue()
