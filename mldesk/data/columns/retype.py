"""Read a column of a new file as the type that the model was trained with."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from mldesk.core.errors import BadInput
from mldesk.data.columns import forms
from mldesk.data.types import ARROW
from mldesk.wire.schema import Column, ColumnType

_EASY = {
    (ColumnType.INTEGER, ColumnType.NUMBER), (ColumnType.BOOLEAN, ColumnType.NUMBER),
    (ColumnType.BOOLEAN, ColumnType.INTEGER), (ColumnType.DATE, ColumnType.DATETIME),
}


class Retype:
    """Turns batches of ``have`` into the type of ``want``.

    Whole numbers may come as numbers with decimals (the type becomes number then); anything may come as text. An
    all-missing column fits every type.
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
        odd = pc.is_valid(values)
        if have is ColumnType.TEXT and want.numeric:
            trimmed = pc.utf8_trim_whitespace(values)
            odd = pc.and_(odd, pc.invert(pc.fill_null(forms.matches(trimmed, forms.NUMBER), True)))
            if not pc.any(odd).as_py():
                return forms.to_number(trimmed)
        row = pc.index(odd, True).as_py()
        raise BadInput(
            f"{self._source}: the column {self._want.name!r} should hold {want.value} values, but holds {have.value}; "
            f"row {first + row + 1}, for example, is {str(values[row].as_py())[:60]!r}.",
            hint="Mend it, or have such rows left out and written to a file of rejects (--rejects FILE).")


def _only_0_and_1(values: pa.Array) -> bool:
    return bool(pc.all(pc.is_in(values.drop_null(), pa.array([0, 1], values.type))).as_py())
