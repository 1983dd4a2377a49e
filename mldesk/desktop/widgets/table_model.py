"""PagedTableModel: a table of any length, of which only the pages looked at are fetched, off the UI thread."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, Protocol

from PySide6.QtCore import QAbstractTableModel, QLocale, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from mldesk.core.errors import MldeskError
from mldesk.desktop.widgets.later import Later
from mldesk.desktop.words import locale
from mldesk.wire.schema import Column, ColumnType, Order

PAGE = 200              # rows fetched at once
_KEPT = 60              # pages kept; the longest unused goes first
_MOST_IN_FLIGHT = 4     # pages asked for at once: a fast scroll drops what it has passed

Index = QModelIndex | QPersistentModelIndex


class Rows(Protocol):
    """What ``fetch`` must give: the rows of the page, and how many rows there are in all.

    ``places``, where it has them, says which rows of the whole table these are, from 0.
    """

    @property
    def rows(self) -> Sequence[Sequence[Any]]: ...

    @property
    def total(self) -> int: ...


class ByHand(Protocol):
    """What a person changed in a table and nobody kept yet: drawn over the rows by their places."""

    def cell(self, place: int, column: str) -> tuple[Any] | None:
        """Return the new value of a cell as a tuple of one, None where it is as it was."""

    def is_gone(self, place: int) -> bool:
        """Say whether a row was taken out."""

    def put(self, place: int, column: Column, text: str, was: Any) -> str:
        """Change a cell to what was typed; return why that cannot be, "" if it can."""


Fetch = Callable[[int, int, "Order | None"], Any]  # (offset, limit, order) -> Rows, a future of it, or an awaitable

ValueRole = Qt.ItemDataRole.UserRole + 1     # the value itself; None is a missing one
MissingRole = Qt.ItemDataRole.UserRole + 2   # bool: there, but missing
LoadingRole = Qt.ItemDataRole.UserRole + 3   # bool: not fetched yet
ColumnRole = Qt.ItemDataRole.UserRole + 4    # of a header: the Column
ChangedRole = Qt.ItemDataRole.UserRole + 5   # bool: changed by hand, not kept yet
GoneRole = Qt.ItemDataRole.UserRole + 6      # bool: of a row that was taken out by hand
_FLAGS = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
_ROLES = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.EditRole, ValueRole, MissingRole,
          LoadingRole, ChangedRole, GoneRole)


class PagedTableModel(QAbstractTableModel):
    """Rows come in pages through ``fetch``.

    Signals: ``failed`` (the sentence), ``loaded`` (rows in all), ``ordered`` (the order, or None), ``refused`` (why
    what was typed into a cell cannot be).
    """

    failed = Signal(str)
    refused = Signal(str)
    loaded = Signal(int)
    ordered = Signal(object)

    def __init__(self, columns: Sequence[Column], fetch: Fetch, total: int | None = None,
                 parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._columns = tuple(columns)
        self._fetch = fetch
        self._total = total or 0
        self._order: Order | None = None
        self._pages: OrderedDict[int, Sequence[Sequence[Any]]] = OrderedDict()
        self._places: dict[int, Sequence[int]] = {}   # of the rows of a page in the whole table
        self._numbered = False                        # places come with pages
        self._by_hand: ByHand | None = None
        self._asked: set[int] = set()
        self._wanted: list[int] = []
        self._later = Later(self)
        self._error = ""
        if total is None:
            self._ask(0)

    @property
    def columns(self) -> tuple[Column, ...]:
        return self._columns

    @property
    def order(self) -> Order | None:
        return self._order

    def set_by_hand(self, changes: ByHand | None) -> None:
        """Draw changes over the rows and let cells be edited; call it again when they are others."""
        self._by_hand = changes
        if self._total and self._columns:
            self.dataChanged.emit(self.index(0, 0), self.index(self._total - 1, len(self._columns) - 1))

    def place(self, row: int) -> int | None:
        """Return the place of a row in the whole table, from 0; None while that is not known."""
        places = self._places.get(row // PAGE, ())
        return places[row % PAGE] if row % PAGE < len(places) else None

    @property
    def error(self) -> str:
        """Why the last page did not come, "" if it did."""
        return self._error

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else self._total

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= self._total:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            right = self._columns[index.column()].type.numeric
            side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        if role not in _ROLES:
            return None
        row = self._row(index.row())
        if role == LoadingRole:
            return row is None
        if row is None:
            return None
        column, was = self._columns[index.column()], row[index.column()]
        changed = self._changed(index)
        value = was if changed is None else changed[0]
        if role == ChangedRole:
            return changed is not None
        if role == GoneRole:
            return self._is_gone(index.row())
        if role == MissingRole:
            return value is None
        if role == ValueRole:
            return value
        if role == Qt.ItemDataRole.EditRole:
            return typed(value)
        text = shown(value, column.type, whole=role == Qt.ItemDataRole.ToolTipRole)
        if role == Qt.ItemDataRole.ToolTipRole and changed is not None:
            return self.tr("{value}\nIt was {was}.").format(
                value=text or self.tr("missing"), was=shown(was, column.type, whole=True) or self.tr("missing"))
        return text

    def _changed(self, index: Index) -> tuple[Any] | None:
        place = None if self._by_hand is None else self.place(index.row())
        if self._by_hand is None or place is None:
            return None
        return self._by_hand.cell(place, self._columns[index.column()].name)

    def _is_gone(self, row: int) -> bool:
        place = None if self._by_hand is None else self.place(row)
        return self._by_hand is not None and place is not None and self._by_hand.is_gone(place)

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        place = self.place(index.row())
        if role != Qt.ItemDataRole.EditRole or self._by_hand is None or place is None:
            return False
        row = self._row(index.row())
        if row is None or str(value) == typed(index.data(ValueRole)):
            return False
        why_not = self._by_hand.put(place, self._columns[index.column()], str(value), row[index.column()])
        if why_not:
            self.refused.emit(why_not)
        return not why_not

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return self._number(section) if role == Qt.ItemDataRole.DisplayRole else None
        if not 0 <= section < len(self._columns):
            return None
        column = self._columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.name
        if role == ColumnRole:
            return column
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.tr("{name}\n{type}, {missing} missing, {distinct} distinct").format(
                name=column.name, type=column.type.value, missing=locale().toString(column.missing),
                distinct=locale().toString(column.distinct))
        return None

    def _number(self, row: int) -> str:
        """Return the number of a row in the whole table, from 1."""
        place = self.place(row)
        if place is None and self._numbered:
            return ""   # it comes with the row
        return locale().toString((row if place is None else place) + 1)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        if self._by_hand is not None and self.place(index.row()) is not None:
            return _FLAGS | Qt.ItemFlag.ItemIsEditable
        return _FLAGS

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order by a column, on the far side of ``fetch``; -1 goes back to the order of the file."""
        inside = 0 <= column < len(self._columns)
        self.order_by(((self._columns[column].name, order == Qt.SortOrder.DescendingOrder),) if inside else None)

    def order_by(self, wanted: Order | None) -> None:
        """Order by columns, the first of which counts most; None goes back to the order of the file."""
        if wanted == self._order:
            return
        self._order = wanted
        self._drop_pages()
        self.ordered.emit(wanted)

    def reset(self, columns: Sequence[Column] | None = None, fetch: Fetch | None = None,
              total: int | None = None) -> None:
        """Show another table, or the same anew (after a search). The order is kept by the columns still there."""
        self.beginResetModel()
        self._columns = tuple(columns) if columns is not None else self._columns
        self._fetch = fetch if fetch is not None else self._fetch
        self._total = total or 0
        self._numbered = False
        there = {column.name for column in self._columns}
        self._order = tuple(one for one in self._order or () if one[0] in there) or None
        self._forget()
        self.endResetModel()
        if total is None:
            self._ask(0)

    def wait_for(self, first: int, last: int) -> None:
        """Ask for the pages that rows ``first`` to ``last`` are in."""
        for page in range(max(0, first) // PAGE, min(last, max(0, self._total - 1)) // PAGE + 1):
            self._ask(page)

    def collect(self, first: int, last: int, done: Callable[[Sequence[Sequence[Any]]], object]) -> None:
        """Hand rows ``first`` to ``last``, in the present order, to ``done`` once all of them are here.

        Nothing is handed over when the table changes meanwhile; ``failed`` tells when they cannot be had.
        """
        self._gather(first, last, lambda rows, places: done(self._as_changed(rows, places)))

    def collect_places(self, first: int, last: int, done: Callable[[Sequence[int]], object]) -> None:
        """Hand the places of rows in the whole table to ``done``, as ``collect`` does rows."""
        self._gather(first, last, lambda _, places: done([place for place in places if place is not None]))

    def _gather(self, first: int, last: int,
                done: Callable[[Sequence[Sequence[Any]], Sequence[int | None]], object]) -> None:
        pages = range(first // PAGE, last // PAGE + 1)
        if all(page in self._pages for page in pages):
            done([self._pages[row // PAGE][row % PAGE] for row in range(first, last + 1)],
                 [self.place(row) for row in range(first, last + 1)])
            return
        result = self._fetch(first, last - first + 1, self._order)
        self._later.when(result, lambda got: done(got.rows, getattr(got, "places", ())), partial(self._on_failed, -1))

    def _as_changed(self, rows: Sequence[Sequence[Any]], places: Sequence[int | None]) -> Sequence[Sequence[Any]]:
        """Return rows with what was changed in them by hand."""
        if self._by_hand is None:
            return rows
        by_hand, names = self._by_hand, [column.name for column in self._columns]
        return [[value if place is None or (new := by_hand.cell(place, name)) is None else new[0]
                 for name, value in zip(names, row, strict=True)]
                for row, place in zip(rows, places or [None] * len(rows), strict=True)]

    def is_loaded(self, row: int) -> bool:
        return row // PAGE in self._pages

    def _row(self, row: int) -> Sequence[Any] | None:
        page = self._pages.get(row // PAGE)
        if page is None:
            self._ask(row // PAGE)
            page = self._pages.get(row // PAGE)  # a plain function answers at once
            if page is None:
                return None
        self._pages.move_to_end(row // PAGE)
        return page[row % PAGE] if row % PAGE < len(page) else None

    def _ask(self, page: int) -> None:
        if page in self._asked or page in self._pages:
            return
        if page in self._wanted:
            self._wanted.remove(page)
        self._wanted.append(page)
        self._send()

    def _send(self) -> None:
        while self._wanted and len(self._asked) < _MOST_IN_FLIGHT:
            page = self._wanted.pop()  # the one looked at last is looked at still
            self._asked.add(page)
            try:
                result = self._fetch(page * PAGE, PAGE, self._order)
            except MldeskError as error:
                self._on_failed(page, error)
                return
            self._later.when(result, partial(self._on_page, page), partial(self._on_failed, page))
        del self._wanted[:-2 * _MOST_IN_FLIGHT]

    def _on_page(self, page: int, got: Rows) -> None:
        self._asked.discard(page)
        self._error = ""
        self._pages[page] = got.rows
        self._places[page] = getattr(got, "places", ())
        self._numbered = bool(self._places[page])
        while len(self._pages) > _KEPT:
            del self._places[self._pages.popitem(last=False)[0]]
        self._set_total(got.total)
        first, last = page * PAGE, min(self._total, page * PAGE + len(got.rows)) - 1
        if last >= first and self._columns:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(self._columns) - 1))
            self.headerDataChanged.emit(Qt.Orientation.Vertical, first, last)
        self.loaded.emit(self._total)
        self._send()

    def _on_failed(self, page: int, error: BaseException) -> None:
        self._asked.discard(page)
        self._error = str(error) or type(error).__name__
        self.failed.emit(self._error)

    def _set_total(self, total: int) -> None:
        if total > self._total:
            self.beginInsertRows(QModelIndex(), self._total, total - 1)
            self._total = total
            self.endInsertRows()
        elif total < self._total:
            self.beginRemoveRows(QModelIndex(), total, self._total - 1)
            self._total = total
            self.endRemoveRows()

    def _forget(self) -> None:
        self._later.forget()
        self._pages.clear()
        self._places.clear()
        self._asked.clear()
        self._wanted.clear()
        self._error = ""

    def _drop_pages(self) -> None:
        self._forget()
        if self._total and self._columns:
            self.dataChanged.emit(self.index(0, 0), self.index(self._total - 1, len(self._columns) - 1))
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self._columns) - 1)
            self.headerDataChanged.emit(Qt.Orientation.Vertical, 0, self._total - 1)


@cache
def _ungrouped() -> QLocale:
    plain = QLocale(locale())
    plain.setNumberOptions(QLocale.NumberOption.OmitGroupSeparator)
    return plain


_LONGEST = 200  # letters of a cell that are drawn; its tooltip has more


def shown(value: Any, kind: ColumnType | None = None, *, whole: bool = False) -> str:
    """Return ``value`` as a cell shows it: numbers in the locale's digits, text on one line, "" for a missing one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if abs(value) < 10_000:   # four digits are read at a glance, and may be a year or a time of day
            return _ungrouped().toString(value)
        return locale().toString(value) if abs(value) < 2**63 else str(value)
    if isinstance(value, float):
        return number(value)
    text = str(value)
    if whole:
        return text[:2000]
    return " ".join(text[:_LONGEST + 50].split("\n"))[:_LONGEST] if kind is ColumnType.TEXT else text[:_LONGEST]


def typed(value: Any) -> str:
    """Return ``value`` as it is typed: numbers without marks between thousands, "" for a missing one."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def number(value: float) -> str:
    """Return a fraction with six significant digits at most, in the locale's marks."""
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    if value == int(value) and abs(value) < 1e15:
        return locale().toString(int(value))
    if 1e-4 <= abs(value) < 1e9:
        digits = max(0, 6 - len(str(int(abs(value)))))
        text = locale().toString(value, "f", digits)
        point = locale().decimalPoint()
        return text.rstrip("0").rstrip(point) if point in text else text
    return locale().toString(value, "g", 6)
