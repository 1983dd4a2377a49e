"""Turn a column of text into its type, as decided."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from mldesk.data.columns import forms
from mldesk.data.columns.decide import FORCED, MONEY, PERCENT, Decision
from mldesk.data.columns.forced import forced_values
from mldesk.data.columns.guess import marker_array
from mldesk.data.columns.money import regrouped
from mldesk.data.columns.plain import Cells, cells_of, has_values, surely_texts
from mldesk.data.types import ARROW
from mldesk.wire.schema import ColumnType


class Converter:
    """Reads batches of one column."""

    def __init__(self, decision: Decision, *, ltrim: bool = False) -> None:
        self._decision, self._ltrim = decision, ltrim
        self._missing = marker_array(decision.missing)
        self._marked_values = has_values(decision.missing)
        self.infinite = 0   # values that are infinite so far
        self.unfit = 0      # values so far that do not fit the type the user chose
        self.example = ""   # one of them

    @property
    def type(self) -> ColumnType:
        return self._decision.type

    def __call__(self, values: pa.Array, cells: Cells | None = None) -> pa.Array:
        """Return the values in the column's Arrow type, null where missing; ``cells`` are theirs, if they are known.

        Raises ArrowInvalid for a value that does not fit, which the decision ruled out.
        """
        cells = cells_of(values) if cells is None else cells
        plain = self._plain(cells) if cells is not None else None
        if plain is not None:
            return plain
        if self._decision.type is ColumnType.TEXT:
            return self._text(values)
        encoded = values.dictionary_encode()
        texts = pc.utf8_trim_whitespace(encoded.dictionary)
        texts = pc.if_else(pc.is_in(texts, self._missing), pa.scalar(None, pa.string()), texts)
        lenient = self._decision.form in (FORCED, MONEY, PERCENT)
        typed = self._forced(texts, encoded.indices) if lenient else self._typed(texts)
        result = typed.take(encoded.indices)
        if self._decision.type is ColumnType.NUMBER:
            self.infinite += pc.sum(pc.is_inf(result)).as_py() or 0
        return result

    def _plain(self, cells: Cells) -> pa.Array | None:
        """Return values that are spelled plainly, None for others."""
        kind, form = self._decision.type, self._decision.form
        if kind is ColumnType.TEXT:
            return cells.values if not self._ltrim and surely_texts(cells, self._decision.missing) else None
        if self._marked_values:
            return None
        if form == "ymd":
            found = cells.moments
            return None if found is None else pc.cast(found[0], ARROW[kind])
        if form == "boolean":
            return cells.truths
        return self._plain_number(cells) if form in ("integer", "number") else None

    def _plain_number(self, cells: Cells) -> pa.Array | None:
        if self._decision.type is ColumnType.INTEGER:
            return cells.integers
        read = cells.floats
        if read is not None and not pc.all(pc.is_finite(read)).as_py():
            if pc.any(pc.is_nan(read)).as_py():  # a marker
                return None
            self.infinite += pc.sum(pc.is_inf(read)).as_py() or 0
        return read

    def _text(self, values: pa.Array) -> pa.Array:
        trimmed = pc.utf8_trim_whitespace(values)
        absent = pc.is_in(trimmed, self._missing)
        kept = pc.utf8_ltrim_whitespace(values) if self._ltrim else values
        return pc.if_else(absent, pa.scalar(None, pa.string()), kept) if pc.any(absent).as_py() else kept

    def _forced(self, texts: pa.Array, indices: pa.Array) -> pa.Array:
        typed = forced_values(texts, self._decision.type, self._decision.reading)
        unfit = pc.and_(pc.is_valid(texts), pc.is_null(typed))
        self.unfit += pc.sum(unfit.take(indices)).as_py() or 0
        if not self.example and pc.any(unfit).as_py():
            self.example = str(texts.filter(unfit)[0].as_py())[:60]
        return typed

    def _typed(self, texts: pa.Array) -> pa.Array:
        kind, form = self._decision.type, self._decision.form
        there = regrouped(texts.drop_null(), self._decision.reading.grouping)
        if kind is ColumnType.BOOLEAN:
            read = forms.to_boolean(there)
        elif kind.numeric:
            read = _READERS[form](there)
            if read.type != ARROW[kind]:
                read = pc.cast(read, ARROW[kind])
        else:
            read = forms.to_moment(there, form, kind)
        if not texts.null_count:
            return read
        return read.take(_places(texts))


_READERS: dict[str, forms.Convert] = {
    "integer": forms.to_integer, "number": forms.to_number, "point": forms.to_number_grouped,
    "comma": forms.to_number_comma,
}


def _places(texts: pa.Array) -> pa.Array:
    """Return for each text its place among those that are not null; null stays null."""
    there = pc.is_valid(texts)
    return pc.if_else(there, pc.subtract(pc.cumulative_sum(pc.cast(there, pa.int64())), 1), None)
