"""DataTable: the view of a PagedTableModel, with a two-line header, muted missing cells, and copying as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from mldesk.desktop import theme
from mldesk.desktop.theme import Size, Space
from mldesk.desktop.widgets.buttons import set_icon
from mldesk.desktop.widgets.cells import WIDEST, CellDelegate
from mldesk.desktop.widgets.copying import How, as_text
from mldesk.desktop.widgets.table_header import TableHeader, missing_share
from mldesk.desktop.widgets.table_model import Index, PagedTableModel
from mldesk.desktop.words import locale
from mldesk.wire.schema import Order

_NARROWEST = 72                 # a column, pixels at 100 %
_MEASURED, _USUAL = 300, 116     # columns whose content is measured, and the width of those beyond, pixels at 100 %
_CONTROL = Qt.KeyboardModifier.ControlModifier
_COPIES: Mapping[Qt.KeyboardModifier, How] = {
    _CONTROL: "cells", _CONTROL | Qt.KeyboardModifier.ShiftModifier: "named",
    _CONTROL | Qt.KeyboardModifier.AltModifier: "markdown"}
_MOST_COPIED = 200_000          # cells
_MOST_MARKED = 2_000            # rows


class DataTable(QTableView):
    """A table to look at, and to edit (F2, a double click) where its model allows it.

    Click a header to order by it, once more to turn it round, a third time to undo it; with Shift, where rows are alike
    in what they are ordered by already.

    Alt+Up and Alt+Down order by the current column, with Shift after the others, Alt+Backspace undoes it. Signals:
    ``column_chosen`` (the name of the current cell's column), ``copied`` (rows put on the clipboard, rows of the
    selection that were too many), ``renewed`` when another table, or the same anew, is shown, ``framed`` when its size
    or its focus changed, ``delete_pressed``, ``sized`` when columns were given widths by what is in them.
    """

    column_chosen = Signal(str)
    copied = Signal(int, int)
    renewed = Signal()
    delete_pressed = Signal()
    sized = Signal()
    framed = Signal()

    def __init__(self, model: PagedTableModel | None = None, parent: QWidget | None = None, *,
                 flush: bool = False) -> None:
        super().__init__(parent)
        self._sized = False
        self._whole = 0   # rows of the version, however few of them are shown
        self.sizing = False                # columns are given widths, not by hand
        self.widths: Mapping[str, int] = {}   # of columns whose content is not measured; pixels at 100 %
        self.fixed, self.covered = frozenset[int](), 0   # columns that FrozenColumns shows, pixels that it covers
        self.more: Callable[[QMenu, Index], None] | None = None   # adds to the menu of a cell
        self.edit_fixed: Callable[[Index], None] | None = None    # edits a cell of a column in ``fixed``
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
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
        self.header.chosen.connect(self._on_header_clicked)
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
        self._on_ordered(model.order)
        model.ordered.connect(self._on_ordered)
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
        self.header.rows = max(rows, self._whole, self.header.rows if self._sized else 0)
        if not self._sized:
            self._settle.start()

    def _size_columns(self) -> None:
        model = self.paged()
        if model is None or self._sized:
            return
        self.sizing = True
        self._sized = self._measure(model)
        self.sizing = False
        self.sized.emit()

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
            self.setColumnWidth(number, min(theme.px(WIDEST), max(theme.px(_NARROWEST), width)))
        return filled

    def set_numbers_up_to(self, rows: int) -> None:
        """Leave room for row numbers up to ``rows``; of so many rows the columns say how many lack, too."""
        self._whole = rows
        widest = QFontMetrics(self.verticalHeader().font()).horizontalAdvance(locale().toString(rows))
        self.verticalHeader().setMinimumWidth(widest + 2 * Space.M)

    def _set_heights(self) -> None:
        self.verticalHeader().setDefaultSectionSize(theme.px(Size.ROW))
        self.verticalHeader().setMinimumSectionSize(theme.px(20))
        self.header.setMinimumSectionSize(theme.px(48))

    def _on_header_clicked(self, section: int, more: bool) -> None:
        model = self.paged()
        if model is None:
            return
        name = model.columns[section].name
        known = dict(model.order or ()) if more or len(model.order or ()) == 1 else {}
        if name not in known:
            self._order(section, False, more)
        elif not known[name]:
            self._order(section, True, more)
        else:
            model.order_by(tuple(one for one in known.items() if one[0] != name) or None)

    def undo_order(self) -> None:
        """Go back to the order of the file."""
        self.model().sort(-1)

    def order_by_current(self, descending: bool, more: bool = False) -> None:
        """Order by the column that the current cell is in; ``more``: after the columns that there are already."""
        if self.currentIndex().isValid():
            self._order(self.currentIndex().column(), descending, more)

    def _order(self, section: int, descending: bool, more: bool) -> None:
        model = self.paged()
        if model is not None:
            kept = dict(model.order or ()) if more else {}
            model.order_by(tuple({**kept, model.columns[section].name: descending}.items()))

    def _on_ordered(self, order: Order | None) -> None:
        self.header.order = order or ()
        self.header.viewport().update()

    def _on_current(self, index: QModelIndex) -> None:
        model = self.paged()
        if model is not None and index.isValid():
            self.column_chosen.emit(model.columns[index.column()].name)

    def copy(self, how: How = "cells") -> None:
        """Put the selected cells on the clipboard, as ``copying`` writes them.

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
            QGuiApplication.clipboard().setText(as_text([model.columns[number].name for number in across], [
                [row[number] for number in across] for row in rows], how))
            self.copied.emit(len(rows), left_out)

        model.collect(top, last, put)

    def chosen_places(self) -> frozenset[int]:
        """Return the places of the selected rows in the whole table, from 0, of those that were looked at; no more than
        a chart can tell apart.
        """
        model, found = self.paged(), set[int]()
        if model is None:
            return frozenset()
        whole = model.order is None and model.rowCount() == self._whole   # each row is at its own place
        chosen = self.selectionModel().selection()
        for block in map(chosen.at, range(chosen.count())):
            for line in range(block.top(), min(block.bottom() + 1, block.top() + _MOST_MARKED)):
                place = model.place(line)
                if place is not None or whole:
                    found.add(line if place is None else place)
        return frozenset(found)

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
        if event.key() == Qt.Key.Key_C and event.modifiers() in _COPIES:
            self.copy(_COPIES[event.modifiers()])
            return
        if event.key() == Qt.Key.Key_F2:
            self.edit_current()
            return
        if event.key() == Qt.Key.Key_Delete and not event.modifiers():
            self.delete_pressed.emit()
            return
        key, keys = event.key(), event.modifiers()
        more = bool(keys & Qt.KeyboardModifier.ShiftModifier)
        alone = {Qt.Key.Key_Up: lambda: self.order_by_current(False, more),
                 Qt.Key.Key_Down: lambda: self.order_by_current(True, more),
                 Qt.Key.Key_Backspace: self.undo_order}
        if keys & Qt.KeyboardModifier.AltModifier and key in alone and self.paged() is not None:
            alone[Qt.Key(key)]()
        elif keys & Qt.KeyboardModifier.ControlModifier and key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._go_to_end(first=key == Qt.Key.Key_Home)
        else:
            super().keyPressEvent(event)

    def edit_current(self) -> None:
        """Begin to edit the current cell, where it can be."""
        index = self.currentIndex()
        if not index.flags() & Qt.ItemFlag.ItemIsEditable:
            return
        if index.column() in self.fixed and self.edit_fixed is not None:
            self.edit_fixed(index)
        else:
            self.scrollTo(index)
            self.edit(index)

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
            (self.tr("Copy with the columns' names"), "copy", "Ctrl+Shift+C", lambda: self.copy("named")),
            (self.tr("Copy as Markdown"), "copy", "Ctrl+Alt+C", lambda: self.copy("markdown")),
            (self.tr("Order ascending"), "sort-up", "Alt+Up", lambda: self.order_by_current(False)),
            (self.tr("Order descending"), "sort-down", "Alt+Down", lambda: self.order_by_current(True)),
            *self._further_orders(),
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

    def _further_orders(self) -> tuple[tuple[str, str, str, Callable[[], object]], ...]:
        """Return what orders rows that are alike in what they are ordered by already, where they are."""
        if not self.header.order:
            return ()
        return (
            (self.tr("Then ascending by this"), "sort-up", "Shift+Alt+Up", lambda: self.order_by_current(False, True)),
            (self.tr("Then descending by this"), "sort-down", "Shift+Alt+Down",
             lambda: self.order_by_current(True, True)))

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
