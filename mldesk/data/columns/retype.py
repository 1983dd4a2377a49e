"""Read a column of a new file as the type that the model was trained with."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from mldesk.core.errors import BadInput
from mldesk.data.types import ARROW
from mldesk.wire.schema import Column, ColumnType

_NAMED, _COLUMNS = 3, 5   # cells of a column and columns that are named; more are counted
_HINT = "Mend it, or have such rows left out and written to a file of rejects (--rejects FILE)."
_EASY = {
    (ColumnType.INTEGER, ColumnType.NUMBER), (ColumnType.BOOLEAN, ColumnType.NUMBER),
    (ColumnType.BOOLEAN, ColumnType.INTEGER), (ColumnType.DATE, ColumnType.DATETIME),
}


class Retype:
    """Turns batches of ``have`` into the type of ``want``.

    Whole numbers may come as numbers with decimals (the type becomes number then). An all-missing column fits every
    type. What comes as text was read by the import, see ``ImportOptions.expected``.
    """

    def __init__(self, have: Column, want: Column, source: str) -> None:
        self._have, self._want, self._source = have, want, source

    def __call__(self, values: pa.Array, first: int) -> pa.Array:
        """Return the values. Raises BadInput that names the column, and the row from 1."""
        have, want = self._have.type, self._want.type
        if have is want:
            return values
        if values.null_count == len(values):
            return pa.nulls(len(values), ARROW[want])
        if want is ColumnType.TEXT:
            return pc.cast(values, pa.string())
        if (have, want) in _EASY:
            return pc.cast(pc.cast(values, pa.int64()) if have is ColumnType.BOOLEAN else values, ARROW[want])
        if have is ColumnType.NUMBER and want is ColumnType.INTEGER:
            return values  # 5.5 where 5 was usual: a number all the same
        if have.numeric and want is ColumnType.BOOLEAN and _only_0_and_1(values):
            return pc.cast(values, pa.bool_())
        if have is ColumnType.DATETIME and want is ColumnType.DATE:
            return pc.cast(values, pa.date32(), safe=False)
        row = pc.index(pc.is_valid(values), True).as_py()
        raise not_of_its_type(self._source, self._want, have.value, first + row + 1, str(values[row].as_py()))


class Misread:
    """The cells of a column that hold text which could not be read as its type: how many, and the first few."""

    def __init__(self, column: Column) -> None:
        self.column, self.count = column, 0
        self.cells: list[tuple[int, str]] = []   # row, from 1, and what stands there

    def look(self, values: pa.Array, texts: pa.Array, first: int) -> None:
        """Add those of a batch whose rows begin at ``first``, from 0."""
        rows = pc.indices_nonzero(pc.and_(pc.is_valid(texts), pc.is_null(values))).to_pylist()
        self.count += len(rows)
        for row in rows[:_NAMED - len(self.cells)]:
            self.cells.append((first + row + 1, str(texts[row].as_py())))

    def __str__(self) -> str:
        more = self.count - len(self.cells)
        cells = ", ".join(f"row {row} is {cell[:60]!r}" for row, cell in self.cells)
        return (f"the column {self.column.name[:60]!r} should hold {self.column.type.value} values, but holds text ("
                f"{cells}{f' and {more} more' if more else ''})")


def misread_cells(source: str, missing: Sequence[str], faults: Sequence[Misread]) -> BadInput:
    """Return one sentence of all that is wrong with a file: its columns ``missing``, then its cells, by column."""
    first = faults[0]
    if len(faults) == first.count == 1 and not missing:
        return not_of_its_type(source, first.column, "text", *first.cells[0])
    more = f" and {len(missing) - _COLUMNS} more" if len(missing) > _COLUMNS else ""
    lacking = [f"it has no column {', '.join(repr(name[:60]) for name in missing[:_COLUMNS])}{more}"]
    said = [*(lacking if missing else ()), *map(str, faults[:_COLUMNS])]
    if len(faults) > _COLUMNS:
        said.append(f"and {len(faults) - _COLUMNS} columns more hold such text")
    return BadInput(f"{source}: {'; '.join(said)}.", hint=(
        "Add the missing columns, whose values may be empty, and mend those cells." if missing else _HINT))


def not_of_its_type(source: str, want: Column, holds: str, row: int, cell: str) -> BadInput:
    """Return what is said of a column with a cell, in a row from 1, that does not fit."""
    return BadInput(f"{source}: the column {want.name!r} should hold {want.type.value} values, but holds {holds}; "
                    f"row {row}, for example, is {cell[:60]!r}.",
                    hint=_HINT)


def _only_0_and_1(values: pa.Array) -> bool:
    return bool(pc.all(pc.is_in(values.drop_null(), pa.array([0, 1], values.type))).as_py())
