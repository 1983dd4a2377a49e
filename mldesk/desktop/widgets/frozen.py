"""FrozenColumns: the pinned columns of a DataTable, which stay at its left while the others scroll."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QContextMenuEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView, QWidget

from mldesk.desktop import theme
from mldesk.desktop.widgets.cells import CellDelegate
from mldesk.desktop.widgets.table import DataTable
from mldesk.desktop.widgets.table_header import TableHeader
from mldesk.desktop.widgets.table_model import Index

_LEFT = 200   # pixels at 100 % that the columns which scroll keep at least


class FrozenColumns(QTableView):
    """A second view over the first columns of ``table``, of the same model and selection, scrolled by it.

    The frozen columns must be the first of ``table``, too. As many are frozen as leave room for others to scroll.
    """

    def __init__(self, table: DataTable) -> None:
        super().__init__(table)
        self._table = table
        self._wanted: tuple[int, ...] = ()
        self.header = TableHeader(self)
        self.header.setSectionsMovable(False)
        self.setHorizontalHeader(self.header)
        self.setItemDelegate(CellDelegate(self))
        self._dress()
        self._edge = _Edge(self)
        table.edit_fixed = self._edit
        self.setEditTriggers(table.editTriggers())
        self._follow()
        self.hide()

    def _dress(self) -> None:
        self.setProperty("flush", True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(self.tr("Pinned columns"))
        self.header.setAccessibleName(self.tr("Pinned columns"))
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        self.setAutoScroll(False)   # the table scrolls, this follows
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setFocusProxy(self._table)

    def _follow(self) -> None:
        table = self._table
        table.verticalScrollBar().valueChanged.connect(self.verticalScrollBar().setValue)
        self.verticalScrollBar().rangeChanged.connect(
            lambda _low, _high: self.verticalScrollBar().setValue(table.verticalScrollBar().value()))
        self.header.chosen.connect(table.header.chosen)
        self.header.sectionResized.connect(self._on_own_width)
        table.header.sectionResized.connect(self._on_width)
        table.framed.connect(self._place)

    def _edit(self, index: Index) -> None:
        self.edit(self._table.model().index(index.row(), index.column()))

    def freeze(self, sections: Sequence[int]) -> None:
        """Freeze columns, from the left; none gives back the memory that a second view takes."""
        self._wanted = tuple(sections)
        self._take_model()
        for visual, section in enumerate(self._wanted):
            self.header.moveSection(self.header.visualIndex(section), visual)
        self._place()

    def _take_model(self) -> None:
        model = self._table.paged() if self._wanted else None
        if model is self.model():
            return
        if (before := self.model()) is not None:
            before.disconnect(self)
        self._take_heights()
        self.setModel(model)
        if model is not None:
            own = self.selectionModel()
            self.setSelectionModel(self._table.selectionModel())
            own.deleteLater()
            model.ordered.connect(self._mirror)
            model.loaded.connect(self._mirror)

    def _take_heights(self) -> None:
        own, its = self.verticalHeader(), self._table.verticalHeader()
        if own.defaultSectionSize() != its.defaultSectionSize():   # else every row would be visited
            own.setMinimumSectionSize(its.minimumSectionSize())
            own.setDefaultSectionSize(its.defaultSectionSize())

    def _place(self) -> None:
        """Cover the columns that are frozen, as far as there is room."""
        table, area = self._table, self._table.viewport().geometry()
        shown: list[int] = []
        width = 0
        for section in self._wanted:
            if width + table.columnWidth(section) > area.width() - theme.px(_LEFT):
                break
            shown.append(section)
            width += table.columnWidth(section)
        table.fixed, table.covered = frozenset(shown), width
        self.setVisible(bool(shown))
        if shown:
            self._take_heights()
            for section in range(self.header.count()):
                self.setColumnHidden(section, section not in table.fixed)
            for section in shown:
                self.setColumnWidth(section, table.columnWidth(section))
            top = area.top() - table.header.height()
            self.setGeometry(area.left(), top, width, area.bottom() + 1 - top)
            self._edge.setGeometry(width - 2, 0, 2, self.height())
            self._edge.raise_()
            self.raise_()
            self.viewport().update()   # the frame of the current cell comes and goes with the focus
            self._mirror()

    def _mirror(self, _: object = None) -> None:
        theirs = self._table.header
        self.header.rows = theirs.rows
        self.header.order = theirs.order
        self.header.viewport().update()
        self.verticalScrollBar().setValue(self._table.verticalScrollBar().value())

    def _on_width(self, section: int, _old: int, _new: int) -> None:
        if section in self._wanted:
            self._place()

    def _on_own_width(self, section: int, old: int, new: int) -> None:
        if old and new and section in self._table.fixed:   # not shown or hidden
            self._table.setColumnWidth(section, new)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), theme.colour("surface"))   # else what scrolls below would shine through
        painter.end()
        super().paintEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._table.wheelEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self._table.contextMenuEvent(event)


class _Edge(QWidget):
    """The line between what stays and what scrolls."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), theme.colour("border_strong"))
