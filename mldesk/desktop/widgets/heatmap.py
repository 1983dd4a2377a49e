"""HeatMap: a confusion matrix. Rows are what was, columns what was predicted; shades are shares of a row."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme.wcag import contrast, mix
from mldesk.desktop.words import locale

_CELL_HIGH = 84   # longest side of a cell, pixels at 100 %
_WORDS_FROM = 30                 # cells narrower than that show no numbers


def heat(share: float, ramp: Sequence[str]) -> str:
    """Return the colour of ``share`` (0..1) on a ramp of colours."""
    place = min(1.0, max(0.0, share)) * (len(ramp) - 1)
    step = min(int(place), len(ramp) - 2)
    return mix(ramp[step + 1], ramp[step], place - step)


class HeatMap(QWidget):
    """Counts (N, N), or (N, M) with names for the columns. Arrow keys move, Enter or a click chooses.

    Signals: ``chosen`` (row, column).
    """

    chosen = Signal(int, int)
    least = 22   # shortest side of a cell, pixels at 100 %

    def __init__(self, labels: Sequence[str] = (), counts: Sequence[Sequence[float]] = (),
                 parent: QWidget | None = None, *, row_title: str = "", column_title: str = "") -> None:
        super().__init__(parent)
        self._percent = False
        self._current = QPoint(-1, -1)
        self._row_title = row_title or self.tr("Actual")
        self._column_title = column_title or self.tr("Predicted")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.set_data(labels, counts)

    def set_data(self, labels: Sequence[str], counts: Sequence[Sequence[float]],
                 columns: Sequence[str] | None = None) -> None:
        """Show ``counts[actual][predicted]``; ``columns`` are the latter's labels where they are others.

        Raises ValueError unless it is as wide and high as there are labels.
        """
        across = labels if columns is None else columns
        if len(counts) != len(labels) or any(len(line) != len(across) for line in counts):
            raise ValueError(f"a matrix for {len(labels)} labels is {len(labels)} by {len(across)}")
        self._labels = [str(label) for label in labels]
        self._columns = [str(label) for label in across]
        self._counts = [[float(count) for count in line] for line in counts]
        self.setAccessibleName(self.tr("Confusion matrix of {count} classes").format(count=len(labels)))
        self.setAccessibleDescription(self._worst())
        self.updateGeometry()
        self.update()

    def set_percent(self, on: bool) -> None:
        """Show shares of a row instead of counts."""
        self._percent = on
        self.update()

    def share(self, row: int, column: int) -> float:
        """Return the part (0..1) of a row's count that is in ``column``."""
        total = sum(self._counts[row])
        return self._counts[row][column] / total if total else 0.0

    def sentence(self, row: int, column: int) -> str:
        """Say in words what a cell holds."""
        count = locale().toString(round(self._counts[row][column]))
        share = f"{self.share(row, column):.1%}"
        if row == column:
            return self.tr("{count} of “{label}” were predicted right ({share})").format(
                count=count, label=self._labels[row], share=share)
        return self.tr("{count} of “{label}” were predicted as “{other}” ({share})").format(
            count=count, label=self._labels[row], other=self._labels[column], share=share)

    def _worst(self) -> str:
        wrong = [(self._counts[row][column], row, column) for row in range(len(self._labels))
                 for column in range(len(self._labels)) if row != column and self._counts[row][column]]
        return "; ".join(self.sentence(row, column) for _, row, column in sorted(wrong, reverse=True)[:5])

    # Geometry.

    def _margins(self) -> tuple[int, int, int]:
        """Return left, top and the height of one line of text."""
        metrics = QFontMetrics(theme.font("caption"))
        longest = max((metrics.horizontalAdvance(label) for label in self._labels), default=0)
        left = min(longest, theme.px(120), max(40, self.width() // 3)) + 10 + metrics.height() + 4
        return left, 2 * metrics.height() + 12, metrics.height()

    def _side(self) -> tuple[float, float]:
        """Return width and height of a cell."""
        left, top, _ = self._margins()
        down, across = max(1, len(self._labels)), max(1, len(self._columns))
        width = min(theme.px(_CELL_HIGH) * 1.6, max(theme.px(self.least), (self.width() - left - 2) / across))
        height = min(theme.px(_CELL_HIGH), max(theme.px(self.least), (self.height() - top - 2) / down))
        return width, min(height, width)

    def _cell(self, row: int, column: int) -> QRectF:
        left, top, _ = self._margins()
        width, height = self._side()
        return QRectF(left + column * width, top + row * height, width, height)

    def cell_at(self, x: float, y: float) -> tuple[int, int] | None:
        """Return (row, column) under a place; None beside the cells."""
        left, top, _ = self._margins()
        width, height = self._side()
        row, column = int((y - top) // height), int((x - left) // width)
        return (row, column) if 0 <= row < len(self._labels) and 0 <= column < len(self._columns) else None

    def sizeHint(self) -> QSize:
        left, top, _ = self._margins()
        down, across = max(1, len(self._labels)), max(1, len(self._columns))
        side = max(theme.px(self.least), min(theme.px(56), theme.px(560) // max(down, across)))
        return QSize(left + across * side + 2, top + down * side + 2)

    def minimumSizeHint(self) -> QSize:
        left, top, _ = self._margins()
        down, across = max(1, len(self._labels)), max(1, len(self._columns))
        return QSize(left + across * theme.px(self.least) + 2, top + down * theme.px(self.least) + 2)

    # Painting.

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font("caption"))
        if not self._labels:
            return
        self._paint_titles(painter)
        width, _ = self._side()
        for row in range(len(self._labels)):
            for column in range(len(self._columns)):
                area = self._cell(row, column).adjusted(1, 1, -1, -1)
                shade = self._shade(row, column)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(shade))
                painter.drawRoundedRect(area, 3, 3)
                if width >= theme.px(_WORDS_FROM):
                    ink = max(("#ffffff", "#101114"), key=lambda one: contrast(one, shade))
                    painter.setPen(QColor(ink))
                    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, self._words(row, column))
        if self._current.x() >= 0 and self.hasFocus():
            painter.setPen(QPen(theme.colour("text"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self._cell(self._current.y(), self._current.x()).adjusted(1, 1, -1, -1), 3, 3)

    def _shade(self, row: int, column: int) -> str:
        return heat(self.share(row, column), theme.palette().heat)

    def _words(self, row: int, column: int) -> str:
        if self._percent:
            return f"{self.share(row, column):.0%}"
        return locale().toString(round(self._counts[row][column]))

    def _paint_titles(self, painter: QPainter) -> None:
        left, top, line = self._margins()
        width, height = self._side()
        metrics = QFontMetrics(painter.font())
        painter.setPen(theme.colour("muted"))
        painter.drawText(QRectF(left, 0, len(self._columns) * width, line + 2), Qt.AlignmentFlag.AlignHCenter,
                         self._column_title)
        painter.save()
        painter.translate(0, top + len(self._labels) * height)
        painter.rotate(-90)
        painter.drawText(QRectF(0, 0, len(self._labels) * height, line + 2), Qt.AlignmentFlag.AlignHCenter,
                         self._row_title)
        painter.restore()
        painter.setPen(theme.colour("text"))
        every = max(1, -(-metrics.height() // max(1, int(height))))
        for index, label in enumerate(self._columns):
            if index % every:
                continue
            across = QRectF(left + index * width + 1, top - line - 5, width * every - 4, line + 2)
            words = metrics.elidedText(label, Qt.TextElideMode.ElideRight, int(across.width()))
            painter.drawText(across, Qt.AlignmentFlag.AlignHCenter, words)
        for index, label in enumerate(self._labels):
            if index % every:
                continue
            down = QRectF(line + 6, top + index * height, left - line - 14, height)
            painter.drawText(down, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                             metrics.elidedText(label, Qt.TextElideMode.ElideMiddle, int(down.width())))

    # Choosing.

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position().x(), event.position().y())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self._current = QPoint(cell[1], cell[0])
            self.update()
            self.chosen.emit(*cell)
        super().mouseReleaseEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self._current.x() < 0 and self._labels:
            self._current = QPoint(0, 0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
        if event.key() in steps and self._labels and self._columns:
            across, down = steps[Qt.Key(event.key())]
            self._current = QPoint(min(len(self._columns) - 1, max(0, self._current.x() + across)),
                                   min(len(self._labels) - 1, max(0, self._current.y() + down)))
            self.setAccessibleDescription(self.sentence(self._current.y(), self._current.x()))
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._current.x() >= 0:
            self.chosen.emit(self._current.y(), self._current.x())
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            cell = self.cell_at(event.pos().x(), event.pos().y())
            QToolTip.showText(event.globalPos(), self.sentence(*cell) if cell else "", self)
            return True
        return super().event(event)

    def csv(self) -> str:
        """Return the counts as a table in CSV, actual classes downwards."""
        out = io.StringIO()
        table = csv.writer(out, lineterminator="\n")
        table.writerow([f"{self._row_title}/{self._column_title}", *self._columns])
        table.writerows([label, *map(repr, line)] for label, line in zip(self._labels, self._counts, strict=True))
        return out.getvalue()
