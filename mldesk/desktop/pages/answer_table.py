"""A table whose rows are all here already: a query's answer, a preview of a recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mldesk.desktop.widgets import DataTable, PagedTableModel
from mldesk.wire.schema import Column, ColumnType, Order

if TYPE_CHECKING:
    from mldesk.workbench.pages import Page


def columns_of(page: Page, known: Sequence[Column] = ()) -> list[Column]:
    """Return a column per column of ``page``: as known by name, else by what its values are."""
    by_name = {column.name: column for column in known}
    columns = []
    for index, name in enumerate(page.columns):
        values = [row[index] for row in page.rows if row[index] is not None]
        missing = len(page.rows) - len(values)
        kind = by_name[name].type if name in by_name else _kind(values)
        columns.append(Column(name, kind, missing))
    return columns


def show_page(table: DataTable, page: Page, known: Sequence[Column] = ()) -> None:
    """Show all rows of ``page`` in ``table``."""
    columns = columns_of(page, known)
    model = table.paged()
    whole = _Whole(page.columns, page.rows, page.places)
    if model is None:
        table.set_model(PagedTableModel(columns, whole.part, len(page.rows), table))
    else:
        model.reset(columns, whole.part, len(page.rows))


class _Whole:
    """Rows that are here, handed out in parts, in the order that was asked for."""

    def __init__(self, names: Sequence[str], rows: Sequence[Sequence[Any]], places: Sequence[int] = ()) -> None:
        self._names, self._rows, self._places = list(names), rows, places
        self._ordered: tuple[Order | None, Sequence[int]] = (None, range(len(rows)))

    def part(self, offset: int, limit: int, order: Order | None) -> Part:
        """Return rows ``offset`` to ``offset + limit``; missing values come last."""
        if order != self._ordered[0]:
            places: Sequence[int] = range(len(self._rows))
            for name, descending in reversed(order or ()):   # the last first, as each keeps what was before
                places = _sorted(self._rows, places, self._names.index(name), descending=descending)
            self._ordered = (order, places)
        wanted = self._ordered[1][offset:offset + limit]
        return Part([self._rows[index] for index in wanted], len(self._rows),
                    [self._places[index] for index in wanted] if self._places else ())


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows, how many there are in all, and their places in the whole table where these are known."""

    rows: Sequence[Sequence[Any]]
    total: int
    places: Sequence[int] = ()


def _sorted(rows: Sequence[Sequence[Any]], places: Sequence[int], column: int, *, descending: bool) -> list[int]:
    known = [index for index in places if rows[index][column] is not None]
    numeric = all(isinstance(rows[index][column], (int, float)) for index in known)
    known.sort(key=lambda index: rows[index][column] if numeric else str(rows[index][column]), reverse=descending)
    return known + [index for index in places if rows[index][column] is None]


def _kind(values: Sequence[Any]) -> ColumnType:
    if values and all(isinstance(value, bool) for value in values):
        return ColumnType.BOOLEAN
    if values and all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return ColumnType.INTEGER
    if values and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        return ColumnType.NUMBER
    return ColumnType.TEXT
