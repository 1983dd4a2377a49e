"""TableHeader: the two lines above each column of a table."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter
from PySide6.QtWidgets import QHeaderView, QWidget

from mldesk.desktop import theme
from mldesk.desktop.theme import Size, Space
from mldesk.desktop.theme.icons import pixmap
from mldesk.desktop.widgets.table_model import ColumnRole
from mldesk.desktop.words import locale
from mldesk.wire.schema import Column, ColumnType, Order

TYPE_ICONS = {ColumnType.INTEGER: "type-number", ColumnType.NUMBER: "type-number", ColumnType.BOOLEAN: "type-boolean",
              ColumnType.TEXT: "type-text", ColumnType.DATE: "calendar", ColumnType.DATETIME: "calendar",
              ColumnType.TIME: "clock"}


class TableHeader(QHeaderView):
    """Per column: the type's icon, the name, the order, and below them the type and the share that is missing.

    Signals: ``chosen`` (a column was clicked, whether with Shift).
    """

    chosen = Signal(int, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setSectionsClickable(True)
        self.setHighlightSections(False)
        self.setSectionsMovable(True)
        self.setAccessibleName(self.tr("Columns"))
        self.rows = 0
        self.order: Order = ()            # what the rows are ordered by
        self._shift = False
        self.sectionClicked.connect(lambda section: self.chosen.emit(section, self._shift))
        self.marks: dict[str, str] = {}   # columns that stand out, and the word that says why

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), theme.px(Size.TABLE_HEADER))

    def paintSection(self, painter: QPainter, rect: QRect, logical: int) -> None:
        model = self.model()
        column = model.headerData(logical, Qt.Orientation.Horizontal, ColumnRole) if model else None
        if not isinstance(column, Column) or rect.width() <= 0:
            super().paintSection(painter, rect, logical)
            return
        painter.save()
        painter.setClipRect(rect)
        mark = self.marks.get(column.name, "")
        painter.fillRect(rect, theme.colour("accent_soft" if mark else "sunken"))
        painter.setPen(theme.colour("border"))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        painter.drawLine(rect.topRight(), rect.bottomRight())
        if mark:
            painter.fillRect(QRect(rect.left(), rect.top(), rect.width() - 1, 2), theme.colour("accent"))
        self._paint_words(painter, rect.adjusted(Space.S + 2, 0, -Space.S - 2, -1), column, logical)
        painter.restore()

    def _paint_words(self, painter: QPainter, area: QRect, column: Column, logical: int) -> None:
        size = theme.px(14)
        upper = QRect(area.left(), area.top() + area.height() // 2 - theme.px(19), area.width(), theme.px(19))
        lower = QRect(area.left(), upper.bottom(), area.width(), theme.px(17))
        painter.setFont(theme.font("strong"))
        painter.setPen(theme.colour("text"))
        right = 0
        if (rank := next((rank for rank, one in enumerate(self.order) if one[0] == column.name), None)) is not None:
            name = "sort-down" if self.order[rank][1] else "sort-up"
            right = size + 4 + self._paint_rank(painter, upper, rank)
            _draw_icon(painter, name, theme.palette().accent_text, upper.right() - right + 5, upper, size)
            painter.setFont(theme.font("strong"))
            painter.setPen(theme.colour("text"))
        words = QFontMetrics(painter.font()).elidedText(
            " ".join(column.name.split("\n")), Qt.TextElideMode.ElideMiddle, upper.width() - right)
        painter.drawText(upper.adjusted(0, 0, -right, 0), Qt.AlignmentFlag.AlignVCenter, words)
        painter.setFont(theme.font("caption"))
        painter.setPen(theme.colour("muted"))
        icon = theme.px(13)
        _draw_icon(painter, TYPE_ICONS[column.type], theme.palette().muted, lower.left(), lower, icon)
        text = " · ".join(filter(None, (self.marks.get(column.name, ""), column.type.value)))
        if column.missing and self.rows:
            text += f" · {missing_share(column.missing, self.rows)}"
        text = QFontMetrics(painter.font()).elidedText(text, Qt.TextElideMode.ElideRight, lower.width() - icon - 5)
        painter.drawText(lower.adjusted(icon + 5, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_rank(self, painter: QPainter, area: QRect, rank: int) -> int:
        """Say which of several columns this is in the order; return the room that it takes."""
        if len(self.order) < 2:
            return 0
        text = locale().toString(rank + 1)
        painter.setFont(theme.font("caption"))
        painter.setPen(theme.colour("accent_text"))
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)
        return QFontMetrics(painter.font()).horizontalAdvance(text) + 2

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        super().mouseReleaseEvent(event)
        self._shift = False

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if theme.is_theme_event(event):
            self.viewport().update()
            self.updateGeometry()


def missing_share(missing: int, rows: int) -> str:
    """Return how much is missing in words that do not round a little to nothing."""
    share = min(100.0, 100 * missing / rows)
    if 0 < share < 1:
        return QCoreApplication.translate("TableHeader", "<1 % missing")
    words = QCoreApplication.translate("TableHeader", "{share} % missing")
    return words.format(share=99 if 99 <= share < 100 else round(share))


def _draw_icon(painter: QPainter, name: str, colour: str, left: int, line: QRect, size: int) -> None:
    device = painter.device()
    image = pixmap(name, colour, size, device.devicePixelRatioF() if device is not None else 1.0)
    painter.drawPixmap(QRectF(left, line.top() + (line.height() - size) / 2, size, size), image, QRectF(image.rect()))
