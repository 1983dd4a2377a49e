"""Records of the library as rows: what a list shows of each is declared field by field."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from mldesk.desktop.theme import Tone

R = TypeVar("R")
Index = QModelIndex | QPersistentModelIndex

RecordRole = Qt.ItemDataRole.UserRole + 1  # the record
FieldRole = Qt.ItemDataRole.UserRole + 2   # its Field


@dataclass(frozen=True, slots=True)
class Field(Generic[R]):
    """One column of a list."""

    title: str
    text: Callable[[R], str]
    width: int = 0                                              # pixels at 100 %; 0 takes the room that is left
    sort: Callable[[R], Any] | None = None                      # what to order by, if not the text; must not be None
    right: bool = False                                         # numbers stand at the right
    strong: bool = False
    muted: bool = False
    middle: bool = False                                        # too long, it loses its middle: names differ at the end
    icon: Callable[[R], str] | None = None                      # before the text
    badge: Callable[[R], tuple[str, Tone, str]] | None = None   # words, tone, icon; drawn instead of the text
    share: Callable[[R], float | None] | None = None            # a bar below the badge while something goes on
    tip: Callable[[R], str] | None = None
    spare: int = 0                                              # the higher, the sooner it is left out for want of room


class RecordModel(QAbstractTableModel, Generic[R]):
    """The rows of a list: ordered by a field, narrowed by a text."""

    def __init__(self, fields: Sequence[Field[R]], key: Callable[[R], Hashable], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.fields, self.key = tuple(fields), key
        self._all: list[R] = []
        self.records: list[R] = []
        self._order: tuple[int, bool] | None = None  # field, descending
        self._filter = ""

    def set_records(self, records: Sequence[R]) -> bool:
        """Show other records; True when rows came, went or moved (the view then restores its selection)."""
        self._all = list(records)
        return self._show()

    def set_filter(self, text: str) -> bool:
        """Show only records in which every word of ``text`` occurs; True as for ``set_records``."""
        self._filter = text.casefold()
        return self._show()

    def row_of(self, key: Hashable) -> int | None:
        """Return where the record with ``key`` is."""
        return next((row for row, record in enumerate(self.records) if self.key(record) == key), None)

    def _show(self) -> bool:
        wanted = [record for record in self._all if self._matches(record)]
        if self._order is not None:
            field, descending = self.fields[self._order[0]], self._order[1]
            wanted.sort(key=field.sort or (lambda record: field.text(record).casefold()), reverse=descending)
        same = [self.key(record) for record in wanted] == [self.key(record) for record in self.records]
        if not same:
            self.beginResetModel()
        self.records = wanted
        if not same:
            self.endResetModel()
        elif wanted:
            self.dataChanged.emit(self.index(0, 0), self.index(len(wanted) - 1, len(self.fields) - 1))
        return not same

    def _matches(self, record: R) -> bool:
        if not self._filter:
            return True
        cells = (field.badge(record)[0] if field.badge else field.text(record) for field in self.fields)
        text = " ".join(cells).casefold()
        return all(word in text for word in self._filter.split())

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order by a field; -1 goes back to the order the records came in."""
        self._order = None if column < 0 else (column, order == Qt.SortOrder.DescendingOrder)
        self._show()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self.records)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self.fields)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.records):
            return None
        record, field = self.records[index.row()], self.fields[index.column()]
        if role == RecordRole:
            return record
        if role == FieldRole:
            return field
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return field.badge(record)[0] if field.badge is not None else field.text(record)
        if role == Qt.ItemDataRole.ToolTipRole:
            return (field.tip or field.text)(record)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.fields):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.fields[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if self.fields[section].right else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None
