"""DataTable: the view of a PagedTableModel, with a two-line header, muted missing cells, and copying as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QModelIndex, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from mldesk.desktop import theme
from mldesk.desktop.theme import Size, Space
from mldesk.desktop.theme.icons import pixmap
from mldesk.desktop.widgets.buttons import set_icon
from mldesk.desktop.widgets.table_model import ColumnRole, Index, LoadingRole, MissingRole, PagedTableModel
from mldesk.wire.schema import Column, ColumnType

TYPE_ICONS = {ColumnType.INTEGER: "type-number", ColumnType.NUMBER: "type-number", ColumnType.BOOLEAN: "type-boolean",
              ColumnType.TEXT: "type-text", ColumnType.DATE: "calendar", ColumnType.DATETIME: "calendar",
              ColumnType.TIME: "clock"}
_NARROWEST, _WIDEST = 72, 340   # columns, pixels at 100 %
_MEASURED, _USUAL = 300, 116     # columns whose content is measured, and the width of those beyond, pixels at 100 %
_MOST_COPIED = 200_000          # cells


class TableHeader(QHeaderView):
    """Per column: the type's icon, the name, the order, and below them the type and the share that is missing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setSectionsClickable(True)
        self.setHighlightSections(False)
        self.setSectionsMovable(True)
        self.setAccessibleName(self.tr("Columns"))
        self.rows = 0

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
        painter.fillRect(rect, theme.colour("sunken"))
        painter.setPen(theme.colour("border"))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        painter.drawLine(rect.topRight(), rect.bottomRight())
        self._paint_words(painter, rect.adjusted(Space.S + 2, 0, -Space.S - 2, -1), column, logical)
        painter.restore()

    def _paint_words(self, painter: QPainter, area: QRect, column: Column, logical: int) -> None:
        size = theme.px(14)
        upper = QRect(area.left(), area.top() + area.height() // 2 - theme.px(19), area.width(), theme.px(19))
        lower = QRect(area.left(), upper.bottom(), area.width(), theme.px(17))
        painter.setFont(theme.font("strong"))
        painter.setPen(theme.colour("text"))
        right = 0
        if self.isSortIndicatorShown() and self.sortIndicatorSection() == logical:
            name = "sort-up" if self.sortIndicatorOrder() == Qt.SortOrder.AscendingOrder else "sort-down"
            _draw_icon(painter, name, theme.palette().accent_text, upper.right() - size + 1, upper, size)
            right = size + 4
        words = QFontMetrics(painter.font()).elidedText(
            " ".join(column.name.split("\n")), Qt.TextElideMode.ElideMiddle, upper.width() - right)
        painter.drawText(upper.adjusted(0, 0, -right, 0), Qt.AlignmentFlag.AlignVCenter, words)
        painter.setFont(theme.font("caption"))
        painter.setPen(theme.colour("muted"))
        icon = theme.px(13)
        _draw_icon(painter, TYPE_ICONS[column.type], theme.palette().muted, lower.left(), lower, icon)
        text = column.type.value
        if column.missing and self.rows:
            text += f" · {missing_share(column.missing, self.rows)}"
        text = QFontMetrics(painter.font()).elidedText(text, Qt.TextElideMode.ElideRight, lower.width() - icon - 5)
        painter.drawText(lower.adjusted(icon + 5, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)

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


class CellDelegate(QStyledItemDelegate):
    """Draws a cell: its value, a muted dash where it is missing, a faint bar while it is on its way."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        area: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, theme.colour("selected"))
        inner = area.adjusted(Space.S + 2, 0, -Space.S - 2, 0)
        if index.data(LoadingRole):
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("hover"))
            width = min(inner.width(), 28 + (index.row() * 37 + index.column() * 61) % 70)
            painter.drawRoundedRect(QRect(inner.left(), inner.center().y() - 4, width, 8), 4, 4)
        else:
            missing = bool(index.data(MissingRole))
            painter.setPen(theme.colour("muted" if missing else "text"))
            text = "—" if missing else str(index.data() or "")
            side = index.data(Qt.ItemDataRole.TextAlignmentRole) or int(Qt.AlignmentFlag.AlignVCenter)
            shown = QFontMetrics(painter.font()).elidedText(text, Qt.TextElideMode.ElideRight, inner.width())
            painter.drawText(inner, int(side), shown)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(theme.colour("accent_text"))
            painter.drawRect(area.adjusted(0, 0, -1, -1))
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        text = "—" if index.data(MissingRole) else str(index.data() or "")
        width = QFontMetrics(theme.font("body")).horizontalAdvance(text[:80]) + 2 * Space.S + 8
        return QSize(width, theme.px(Size.ROW))


class DataTable(QTableView):
    """A table to look at. Click a header to order by it, once more to turn it round, a third time to undo it.

    Alt+Up and Alt+Down order by the current column, Alt+Backspace undoes it. Signals: ``column_chosen`` (the name of
    the current cell's column), ``copied`` (rows put on the clipboard, rows of the selection that were too many),
    ``renewed`` when another table, or the same anew, is shown, ``framed`` when its size or its focus changed.
    """

    column_chosen = Signal(str)
    copied = Signal(int, int)
    renewed = Signal()
    framed = Signal()

    def __init__(self, model: PagedTableModel | None = None, parent: QWidget | None = None, *,
                 flush: bool = False) -> None:
        super().__init__(parent)
        self._sized = False
        self.sizing = False                # columns are given widths, not by hand
        self.widths: Mapping[str, int] = {}   # of columns whose content is not measured; pixels at 100 %
        self.fixed, self.covered = frozenset[int](), 0   # columns that FrozenColumns shows, pixels that it covers
        self.more: Callable[[QMenu, Index], None] | None = None   # adds to the menu of a cell
        if flush:
            self.setProperty("flush", True)
        self.header = TableHeader(self)
        self.setHorizontalHeader(self.header)
        self.setItemDelegate(CellDelegate(self))
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        self.setWordWrap(False)
        self.setShowGrid(True)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        self.setAccessibleName(self.tr("Table"))
        numbers = self.verticalHeader()
        numbers.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        numbers.setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        numbers.setSectionsClickable(False)
        self.header.sectionClicked.connect(self._on_header_clicked)
        self._settle = QTimer(self, singleShot=True, interval=0)
        self._settle.timeout.connect(self._size_columns)
        self._set_heights()
        if model is not None:
            self.set_model(model)

    def set_model(self, model: PagedTableModel) -> None:
        """Show ``model``."""
        old = self.model()
        if isinstance(old, PagedTableModel):
            old.disconnect(self)
        self.setModel(model)
        self.header.setSortIndicatorShown(False)
        model.loaded.connect(self._on_loaded)
        model.modelReset.connect(self._on_reset)
        self.selectionModel().currentChanged.connect(self._on_current)
        self._on_reset()
        self._on_loaded(model.rowCount())

    def paged(self) -> PagedTableModel | None:
        """Return the model shown."""
        model = self.model()
        return model if isinstance(model, PagedTableModel) else None

    def _on_reset(self) -> None:
        self._sized = False
        self._settle.start()
        self.renewed.emit()

    def _on_loaded(self, rows: int) -> None:
        self.header.rows = max(rows, self.header.rows if self._sized else 0)
        if not self._sized:
            self._settle.start()

    def _size_columns(self) -> None:
        model = self.paged()
        if model is None or self._sized:
            return
        self.sizing = True
        self._sized = self._measure(model)
        self.sizing = False

    def _measure(self, model: PagedTableModel) -> bool:
        """Give the columns widths; False before the first rows have come: then once more."""
        strong, caption = QFontMetrics(theme.font("strong")), QFontMetrics(theme.font("caption"))
        delegate, option, own = self.itemDelegate(), QStyleOptionViewItem(), self.widths
        filled = model.rowCount() > 0 and model.is_loaded(0)
        few = range(min(model.rowCount(), 40 if model.columnCount() <= 100 else 3)) if filled else range(0)
        self.header.setDefaultSectionSize(theme.px(_USUAL))
        for number, column in enumerate(model.columns):
            if number >= _MEASURED or column.name in own:
                self.setColumnWidth(number, theme.px(own.get(column.name, _USUAL)))
                continue
            words = column.type.value + (f" · {missing_share(column.missing, self.header.rows)}"
                                         if column.missing and self.header.rows else "")
            width = max(strong.horizontalAdvance(column.name), caption.horizontalAdvance(words))
            width += theme.px(18) + 2 * Space.S + 8
            for line in few:
                width = max(width, delegate.sizeHint(option, model.index(line, number)).width())
            self.setColumnWidth(number, min(theme.px(_WIDEST), max(theme.px(_NARROWEST), width)))
        return filled

    def _set_heights(self) -> None:
        self.verticalHeader().setDefaultSectionSize(theme.px(Size.ROW))
        self.verticalHeader().setMinimumSectionSize(theme.px(20))
        self.header.setMinimumSectionSize(theme.px(48))

    def _on_header_clicked(self, section: int) -> None:
        model = self.paged()
        if model is None:
            return
        name = model.columns[section].name
        if model.order is None or model.order[0] != name:
            self._order(section, Qt.SortOrder.AscendingOrder)
        elif not model.order[1]:
            self._order(section, Qt.SortOrder.DescendingOrder)
        else:
            self.undo_order()

    def undo_order(self) -> None:
        """Go back to the order of the file."""
        self.header.setSortIndicatorShown(False)
        self.model().sort(-1)

    def order_by_current(self, order: Qt.SortOrder) -> None:
        """Order by the column that the current cell is in."""
        if self.currentIndex().isValid():
            self._order(self.currentIndex().column(), order)

    def _order(self, section: int, order: Qt.SortOrder) -> None:
        self.header.setSortIndicatorShown(True)
        self.header.setSortIndicator(section, order)
        model = self.paged()
        if model is not None:
            model.sort(section, order)

    def _on_current(self, index: QModelIndex) -> None:
        model = self.paged()
        if model is not None and index.isValid():
            self.column_chosen.emit(model.columns[index.column()].name)

    def copy(self) -> None:
        """Put the selected cells on the clipboard as a table that spreadsheets take; missing ones are empty.

        Rows that have not been looked at are fetched first.
        """
        model = self.paged()
        chosen = self.selectionModel().selection() if model is not None else None
        if model is None or chosen is None or chosen.isEmpty():
            return
        blocks = [chosen.at(number) for number in range(chosen.count())]   # several where columns were moved
        across = [number for number in self.columns_seen()
                  if any(block.left() <= number <= block.right() for block in blocks)]
        top, bottom = min(block.top() for block in blocks), max(block.bottom() for block in blocks)
        last = min(bottom, top + max(1, _MOST_COPIED // max(1, len(across))) - 1)
        left_out = bottom - last

        def put(rows: Sequence[Sequence[Any]]) -> None:
            lines = ("\t".join(_plain(row[number]) for number in across) for row in rows)
            QGuiApplication.clipboard().setText("\n".join(lines))
            self.copied.emit(len(rows), left_out)

        model.collect(top, last, put)

    def columns_seen(self) -> list[int]:
        """Return the columns that are not hidden, from left to right."""
        sections = (self.header.logicalIndex(visual) for visual in range(self.header.count()))
        return [section for section in sections if not self.header.isSectionHidden(section)]

    def scrollTo(self, index: Index, hint: QAbstractItemView.ScrollHint =
                 QAbstractItemView.ScrollHint.EnsureVisible) -> None:
        bar = self.horizontalScrollBar()
        before = bar.value()
        super().scrollTo(index, hint)
        if index.column() in self.fixed:   # seen wherever one has scrolled to
            bar.setValue(before)
        elif self.covered and (under := self.covered - self.visualRect(index).left()) > 0:
            bar.setValue(bar.value() - under)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
            return
        key, keys = event.key(), event.modifiers()
        alone = {Qt.Key.Key_Up: lambda: self.order_by_current(Qt.SortOrder.AscendingOrder),
                 Qt.Key.Key_Down: lambda: self.order_by_current(Qt.SortOrder.DescendingOrder),
                 Qt.Key.Key_Backspace: self.undo_order}
        if keys & Qt.KeyboardModifier.AltModifier and key in alone and self.paged() is not None:
            alone[Qt.Key(key)]()
        elif keys & Qt.KeyboardModifier.ControlModifier and key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._go_to_end(first=key == Qt.Key.Key_Home)
        else:
            super().keyPressEvent(event)

    def go_to_row(self, row: int) -> None:
        """Select a row, from 0, and bring it into the middle of what is seen."""
        model = self.paged()
        if model is not None and 0 <= row < model.rowCount():
            first = model.index(row, next(iter(self.columns_seen()), 0))
            self.setCurrentIndex(first)
            self.selectRow(row)
            self.scrollTo(first, QAbstractItemView.ScrollHint.PositionAtCenter)

    def _go_to_end(self, *, first: bool) -> None:
        model = self.paged()
        if model is not None and model.rowCount():
            line = 0 if first else model.rowCount() - 1
            self.setCurrentIndex(model.index(line, max(0, self.currentIndex().column())))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        entries: tuple[tuple[str, str, str, Callable[[], object]], ...] = (
            (self.tr("Copy"), "copy", "Ctrl+C", self.copy),
            (self.tr("Order ascending"), "sort-up", "Alt+Up",
             lambda: self.order_by_current(Qt.SortOrder.AscendingOrder)),
            (self.tr("Order descending"), "sort-down", "Alt+Down",
             lambda: self.order_by_current(Qt.SortOrder.DescendingOrder)),
            (self.tr("Order of the file"), "undo", "Alt+Backspace", self.undo_order))
        for words, icon, keys, work in entries:
            entry = menu.addAction(words, work)
            set_icon(entry, icon, "muted")
            entry.setShortcut(QKeySequence(keys))
            entry.setShortcutVisibleInContextMenu(True)
            entry.setEnabled(self.currentIndex().isValid())
        if self.more is not None:
            self.more(menu, self.currentIndex())
        menu.popup(event.globalPos())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.framed.emit()

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.framed.emit()
        return done

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if theme.is_theme_event(event) and hasattr(self, "_settle"):
            self._set_heights()


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return str(value).replace("\t", " ").replace("\r", " ").replace("\n", " ")
