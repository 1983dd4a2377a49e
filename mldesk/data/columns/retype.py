"""Read a column of a new file as the type that the model was trained with."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from mldesk.core.errors import BadInput
from mldesk.data.types import ARROW
from mldesk.wire.schema import Column, ColumnType

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


def not_of_its_type(source: str, want: Column, holds: str, row: int, cell: str) -> BadInput:
    """Return what is said of a column with a cell, in a row from 1, that does not fit."""
    return BadInput(f"{source}: the column {want.name!r} should hold {want.type.value} values, but holds {holds}; "
                    f"row {row}, for example, is {cell[:60]!r}.",
                    hint="Mend it, or have such rows left out and written to a file of rejects (--rejects FILE).")


def _only_0_and_1(values: pa.Array) -> bool:
    return bool(pc.all(pc.is_in(values.drop_null(), pa.array([0, 1], values.type))).as_py())
