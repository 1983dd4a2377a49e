"""RecordTable: the list of a page. Enter or a double click opens a row; columns sort; badges tell states."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from mldesk.desktop import theme
from mldesk.desktop.pages.record_model import Field, FieldRole, Index, RecordModel, RecordRole
from mldesk.desktop.theme.icons import pixmap

R = TypeVar("R")
_ROW = 42          # pixels at 100 %
_DENSE = 30        # of a table beside plots
_PAD = 8
_LEAST_NAME = 160  # pixels at 100 % that the stretching column keeps
_LEAST_DENSE = 84  # the same beside plots


class RecordDelegate(QStyledItemDelegate):
    """Draws one cell: text, or a badge with a bar below it."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(80, theme.px(_ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        field, record = index.data(FieldRole), index.data(RecordRole)
        area = QRect(option.rect)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(area, theme.colour("selected" if selected else "hover"))
        painter.setPen(theme.colour("border"))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        inner = area.adjusted(_PAD, 0, -_PAD, 0)
        if field.badge is not None:
            self._paint_badge(painter, inner, *field.badge(record))
            if field.share is not None and (share := field.share(record)) is not None:
                self._paint_share(painter, inner, share)
        else:
            self._paint_text(painter, inner, field, record)
        painter.restore()

    @staticmethod
    def _paint_text(painter: QPainter, area: QRect, field: Field[R], record: R) -> None:
        if field.icon is not None:
            size = theme.px(16)
            image = pixmap(field.icon(record), theme.palette().muted, size)
            painter.drawPixmap(area.left(), area.center().y() - size // 2, size, size, image)
            area = area.adjusted(size + 10, 0, 0, 0)
        painter.setFont(theme.font("strong" if field.strong else "body"))
        painter.setPen(theme.colour("muted" if field.muted else "text"))
        side = Qt.AlignmentFlag.AlignRight if field.right else Qt.AlignmentFlag.AlignLeft
        how = Qt.TextElideMode.ElideMiddle if field.middle else Qt.TextElideMode.ElideRight
        text = painter.fontMetrics().elidedText(field.text(record), how, area.width())
        painter.drawText(area, int(side | Qt.AlignmentFlag.AlignVCenter), text)

    @staticmethod
    def _paint_badge(painter: QPainter, area: QRect, text: str, tone: theme.Tone, icon: str) -> None:
        if not text:
            return
        front, back = theme.palette().tone(tone)
        metrics = QFontMetrics(theme.font("caption"))
        mark = theme.px(12) + 4 if icon else 0
        height = metrics.height() + 6
        pill = QRectF(area.left(), area.center().y() - height / 2 + 0.5,
                      min(area.width(), metrics.horizontalAdvance(text) + mark + 18), height)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(front) if theme.palette().name == "contrast" else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(back))
        painter.drawRoundedRect(pill, height / 2, height / 2)
        left = pill.left() + 9
        if icon:
            size = theme.px(12)
            top = round(pill.center().y() - size / 2)
            painter.drawPixmap(round(left - 1), top, size, size, pixmap(icon, front, size))
            left += size + 4
        painter.setFont(theme.font("caption"))
        painter.setPen(QColor(front))
        room = QRectF(left, pill.top(), pill.right() - left - 6, height)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter,
                         metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(room.width()) + 2))

    @staticmethod
    def _paint_share(painter: QPainter, area: QRect, share: float) -> None:
        line = QRectF(area.left(), area.bottom() - 4, min(area.width(), theme.px(92)), 3)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("pressed"))
        painter.drawRoundedRect(line, 1.5, 1.5)
        painter.setBrush(theme.colour("accent"))
        painter.drawRoundedRect(QRectF(line.left(), line.top(), line.width() * min(1.0, max(0.0, share)), 3), 1.5, 1.5)


class RecordTable(QTableView, Generic[R]):
    """Alt+Up and Alt+Down sort by the column that the arrows went to, Alt+Backspace by none.

    Signals: ``opened`` (the record) at Enter or a double click, ``chosen`` when the selection changed.
    """

    opened = Signal(object)
    chosen = Signal()

    def __init__(self, fields: Sequence[Field[R]], key: Callable[[R], Hashable], name: str, *, many: bool = False,
                 dense: bool = False, least: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._line, usual = (_DENSE, _LEAST_DENSE) if dense else (_ROW, _LEAST_NAME)
        self._least = least or usual
        self.records = self._make_model(fields, key)
        self._key = key
        self._absent: set[int] = set()
        self._own_wheel = True
        self.setProperty("flush", True)
        self.setAccessibleName(name)
        self.setItemDelegate(RecordDelegate(self))
        self.setModel(self.records)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection if many
                              else QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.verticalHeader().setVisible(False)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionsClickable(True)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setMinimumHeight(theme.px(34))
        header.sectionClicked.connect(self._on_header)
        self._sorted: tuple[int, bool] | None = None
        self.doubleClicked.connect(lambda index: self.opened.emit(index.data(RecordRole)))
        self.selectionModel().selectionChanged.connect(lambda *_: self.chosen.emit())
        self._fit()

    def _make_model(self, fields: Sequence[Field[R]], key: Callable[[R], Hashable]) -> RecordModel[R]:
        return RecordModel(fields, key, self)

    def set_records(self, records: Sequence[R]) -> None:
        """Show other records; what was selected and is still there stays selected."""
        keys = [self._key(record) for record in self.selected()]
        if self.records.set_records(records):
            self._select(keys)

    def set_filter(self, text: str) -> None:
        """Narrow the list to records in which every word of ``text`` occurs."""
        keys = [self._key(record) for record in self.selected()]
        if self.records.set_filter(text):
            self._select(keys)

    def scroll_with_page(self) -> None:
        """Leave the wheel to the page that it lies on, and show no bar: its height shows what is to be seen.

        The keys still reach every row.
        """
        self._own_wheel = False
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._own_wheel or event.angleDelta().x():
            super().wheelEvent(event)
        else:
            event.ignore()

    def leave_out(self, numbers: Sequence[int]) -> None:
        """Show every column but these."""
        if self._absent != set(numbers):
            self._absent = set(numbers)
            self._fit()

    def selected(self) -> list[R]:
        """Return the records of the selected rows, from top to bottom."""
        rows = sorted({index.row() for index in self.selectionModel().selectedIndexes()})
        return [self.records.records[row] for row in rows if row < len(self.records.records)]

    def select(self, keys: Sequence[Hashable]) -> None:
        """Select the rows of ``keys``."""
        self._select(keys)

    def _select(self, keys: Sequence[Hashable]) -> None:
        selection = self.selectionModel()
        flags = selection.SelectionFlag.Select | selection.SelectionFlag.Rows
        selection.clearSelection()
        for key in keys:
            row = self.records.row_of(key)
            if row is not None:
                selection.select(self.records.index(row, 0), flags)
                if key == keys[0]:
                    selection.setCurrentIndex(self.records.index(row, 0), selection.SelectionFlag.NoUpdate)

    def _on_header(self, section: int) -> None:
        before = self._sorted
        if before is None or before[0] != section:
            self._sort((section, False))
        else:
            self._sort((section, True) if not before[1] else None)

    def sorted_by(self) -> str:
        """Return the title of the column that sorts, "-" before it where it does so downwards; "" for none."""
        if self._sorted is None:
            return ""
        return f"{'-' if self._sorted[1] else ''}{self.records.fields[self._sorted[0]].title}"

    def sort_by(self, column: str) -> None:
        """Sort as ``sorted_by`` says; a column that is not there sorts nothing."""
        titles = [field.title for field in self.records.fields]
        title = column.removeprefix("-")
        self._sort((titles.index(title), column.startswith("-")) if title in titles else None)

    def _sort(self, wanted: tuple[int, bool] | None) -> None:
        self._sorted = wanted
        header = self.horizontalHeader()
        keys = [self._key(record) for record in self.selected()]
        if self._sorted is None:
            header.setSortIndicatorShown(False)
            self.records.sort(-1)
        else:
            section = self._sorted[0]
            order = Qt.SortOrder.DescendingOrder if self._sorted[1] else Qt.SortOrder.AscendingOrder
            header.setSortIndicatorShown(True)
            header.setSortIndicator(section, order)
            self.records.sort(section, order)
        self._select(keys)

    def _fit(self) -> None:
        """Give every column its width and the rest to the one that stretches."""
        self.verticalHeader().setDefaultSectionSize(theme.px(self._line))
        self.verticalHeader().setMinimumSectionSize(theme.px(24))
        fields = self.records.fields
        kept = self._kept()
        fixed = sum(theme.px(fields[number].width) for number in kept if fields[number].width)
        stretching = [number for number in kept if not fields[number].width]
        room = max(theme.px(self._least) * len(stretching), self.viewport().width() - fixed)
        for number, field in enumerate(fields):
            self.setColumnHidden(number, number not in kept)
            self.setColumnWidth(number, theme.px(field.width) if field.width else room // max(1, len(stretching)))

    def _kept(self) -> set[int]:
        """Return the columns there is room for; those that can be spared go first."""
        fields = self.records.fields
        kept = set(range(len(fields))) - self._absent
        for number in sorted(kept, key=lambda number: -fields[number].spare):
            needed = sum(theme.px(fields[other].width or self._least) for other in kept)
            if needed <= self.viewport().width() or not fields[number].spare:
                break
            kept.discard(number)
        return kept

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():   # it has no border that could say so
            painter = QPainter(self.viewport())
            painter.setPen(theme.colour("accent_text"))
            painter.drawRect(self.viewport().rect().adjusted(0, 0, -1, -1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if theme.is_theme_event(event) and hasattr(self, "_sorted"):
            self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.opened.emit(self.currentIndex().data(RecordRole))
            return
        order = {Qt.Key.Key_Up: False, Qt.Key.Key_Down: True, Qt.Key.Key_Backspace: None}   # as in a dataset's table
        if event.modifiers() == Qt.KeyboardModifier.AltModifier and event.key() in order:
            downwards = order[Qt.Key(event.key())]
            self._sort(None if downwards is None else (max(0, self.currentIndex().column()), downwards))
            return
        super().keyPressEvent(event)
