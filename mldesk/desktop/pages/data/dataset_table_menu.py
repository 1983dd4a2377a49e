"""What the menus of a dataset's table add: rows like this cell's, and columns out of the way, pinned or in front."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPoint, Qt
from PySide6.QtWidgets import QHeaderView, QMenu

from mldesk.desktop import words
from mldesk.desktop.pages.data.arrangement import Arrangement
from mldesk.desktop.pages.data.filter_dialog import FilterDialog
from mldesk.desktop.pages.data.hand_editing import HandEditing
from mldesk.desktop.pages.data.range_dialog import RangeDialog
from mldesk.desktop.states.dataset import DatasetState, Picked
from mldesk.desktop.states.row_filter import other_than
from mldesk.desktop.widgets import DataTable
from mldesk.desktop.widgets.table_model import ValueRole, shown
from mldesk.wire.schema import Column, ColumnType


class TableMenu(QObject):
    """Adds to the menu of cells and gives the headers one."""

    def __init__(self, table: DataTable, state: DatasetState, arrangement: Arrangement, editing: HandEditing) -> None:
        super().__init__(table)
        self._table, self._state, self.arrangement, self._editing = table, state, arrangement, editing
        table.more = self.add_to
        for header in (table.header, arrangement.frozen.header):
            header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            header.customContextMenuRequested.connect(partial(self._on_header, header))

    def add_to(self, menu: QMenu, index: QModelIndex | QPersistentModelIndex) -> None:
        """Add what can be done with a cell and its column."""
        model = self._table.paged()
        if model is None or not index.isValid():
            return
        column = model.columns[index.column()]
        menu.addSeparator()
        value = index.data(ValueRole)
        others = [] if value is None else [other_than(column, str(value))]
        for picked in (*like(column, value), *filter(None, others)):  # the same, on either side, and any other
            menu.addAction(self.tr("Only rows: {which}").format(which=picked.words),
                           partial(self.narrow, picked))
        menu.addAction(self.tr("Only rows that contain, are one of, …"), lambda: self.ask_filter(column.name))
        menu.addSeparator()
        self._editing.add_to(menu)
        self._add_column(menu, column)

    def _on_header(self, header: QHeaderView, at: QPoint) -> None:
        model, section = self._table.paged(), header.logicalIndexAt(at)
        if model is None or section < 0:
            return
        menu = QMenu(self._table)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        column = model.columns[section]
        if column.missing:
            for picked in presence(column):
                menu.addAction(self.tr("Only rows: {which}").format(which=picked.words),
                               partial(self.narrow, picked))
        menu.addAction(self.tr("Only rows that contain, are one of, …"), lambda: self.ask_filter(column.name))
        if column.type.numeric or column.type in (ColumnType.DATE, ColumnType.DATETIME):
            menu.addAction(self.tr("Only rows from … to …"), lambda: self.ask_range(column))
        self._add_column(menu, column)
        menu.popup(header.mapToGlobal(at))

    def _add_column(self, menu: QMenu, column: Column) -> None:
        menu.addSeparator()
        menu.setToolTipsVisible(True)
        columns, name = self.arrangement, column.name
        if columns.is_pinned(name):
            menu.addAction(self.tr("Unpin {name}").format(name=name), partial(columns.unpin, name))
        else:
            menu.addAction(self.tr("Pin {name}").format(name=name), partial(columns.pin, name)).setToolTip(
                self.tr("It stays at the left while the others scroll."))
            menu.addAction(self.tr("Move {name} to the front").format(name=name), partial(columns.to_front, name))
        hide = menu.addAction(self.tr("Hide {name}").format(name=name), partial(columns.hide, name))
        if len(self._table.columns_seen()) < 2:
            hide.setEnabled(False)
            hide.setToolTip(self.tr("It is the only column that is seen."))
        if columns.hidden():
            menu.addAction(self.tr("Show all columns"), columns.show_all)

    def ask_range(self, column: Column) -> RangeDialog:
        """Ask between which values a column lies, and leave out the other rows."""
        dialog = RangeDialog(column, self._table.window())
        dialog.confirmed.connect(lambda: self.narrow(dialog.picked()))
        dialog.confirmed.connect(dialog.accept)
        dialog.open()
        return dialog

    def ask_filter(self, column: str = "") -> FilterDialog | None:
        """Ask for a condition on a column, or any, and leave out the other rows."""
        model = self._table.paged()
        if model is None:
            return None
        dialog = FilterDialog(self._state, model.columns, self._table.window(), column)
        dialog.chosen.connect(self.narrow)
        dialog.open()
        return dialog

    def narrow(self, picked: Picked) -> None:
        """Leave out more of the rows that are shown."""
        self._state.picked.value = narrower(self._state.picked.value, picked)


def narrower(before: Picked | None, more: Picked) -> Picked:
    """Return the rows of ``before`` that ``more`` is true of, too."""
    if before is None:
        return more
    where = f"({before.where}) AND ({more.where})" if before.where else more.where
    return Picked(words.tr("{one}; {other}").format(one=before.words, other=more.words), where, before.only)


def presence(column: Column) -> list[Picked]:
    """Return the rows where a column is missing, and where it is not."""
    from mldesk.data.engine import identifier

    name = identifier(column.name)
    return [Picked(words.tr("{column} is missing").format(column=column.name), f"{name} IS NULL"),
            Picked(words.tr("{column} is there").format(column=column.name), f"{name} IS NOT NULL")]


def like(column: Column, value: Any) -> list[Picked]:
    """Return the rows that are like a cell: the same, and of numbers at least or at most it."""
    from mldesk.data.engine import identifier, literal
    from mldesk.data.statistics.charting import valued

    if value is None:
        return presence(column)
    if column.type.numeric:
        name, number = identifier(column.name), literal(value)
        return [Picked(words.tr("{column} {sign} {value}").format(
            column=column.name, sign=sign, value=shown(value, column.type)), f"{name} {sql} {number}")
            for sign, sql in (("=", "="), ("≥", ">="), ("≤", "<="))]
    if column.type in (ColumnType.DATE, ColumnType.DATETIME):
        return days(column, str(value)[:10])
    if column.type not in (ColumnType.TEXT, ColumnType.BOOLEAN):
        return []
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return [Picked(words.tr("{column} is {value:.40}").format(column=column.name, value=text), valued(column, text))]


def days(column: Column, day: str) -> list[Picked]:
    """Return the rows of a day (2024-05-31), from it on, and until it."""
    from mldesk.data.engine import identifier, literal

    cell, date = f"{identifier(column.name)}::DATE", f"{literal(day)}::DATE"
    return [Picked(text.format(column=column.name, day=day), f"{cell} {sign} {date}") for text, sign in (
        (words.tr("{column} is on {day}"), "="), (words.tr("{column} from {day} on"), ">="),
        (words.tr("{column} until {day}"), "<="))]
