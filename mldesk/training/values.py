"""Columns as the encoder takes them: numpy arrays, whatever the values came from. numpy and the standard library only.

Numeric and boolean columns are float64 with NaN for missing; temporal ones datetime64[us] with NaT (a time of day lies
on 1970-01-01); text is a ``TextColumn``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timezone
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mldesk.core.errors import BadInput
from mldesk.wire.schema import Column, ColumnType

Array: TypeAlias = "npt.NDArray[Any]"


def stated(value: object) -> float:
    """Return a finite number that a stranger's JSON states; no text and no boolean is one. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{value!r:.40} is no number")
    return float(value)


@dataclass(frozen=True, slots=True, eq=False)
class TextColumn:
    """Text, each different value held once."""

    codes: npt.NDArray[np.int32]   # (N,); -1 where missing, else an index into ``values``
    values: tuple[str, ...]        # all different, in no order that means anything

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: Array) -> TextColumn:
        """Return the rows chosen by a mask or by indices; ``values`` may then hold some that do not occur."""
        return TextColumn(self.codes[rows], self.values)

    def counts(self) -> Array:
        """Return how often each of ``values`` occurs, (len(values),) int64."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.values))

    def map(self, table: Mapping[str, float], unseen: float, missing: float) -> Array:
        """Return each row's number in ``table``, (N,) float64."""
        numbers = np.array([*(table.get(value, unseen) for value in self.values), missing], np.float64)
        return numbers[self.codes]  # code -1 is the last one

    @classmethod
    def of(cls, values: Iterable[object]) -> TextColumn:
        """Read any values as text; None and NaN are missing."""
        seen: dict[str, int] = {}
        codes = [-1 if _absent(value) else seen.setdefault(str(value), len(seen)) for value in values]
        return cls(np.array(codes, np.int32), tuple(seen))


ColumnData: TypeAlias = "Array | TextColumn"


def text_of(data: ColumnData) -> TextColumn:
    """Return ``data`` as text. Raises TypeError if it is not."""
    if not isinstance(data, TextColumn):
        raise TypeError("text expected, not an array")
    return data


def array_of(data: ColumnData) -> Array:
    """Return ``data`` as an array. Raises TypeError if it is text."""
    if isinstance(data, TextColumn):
        raise TypeError("an array expected, not text")
    return data


def take(columns: Mapping[str, ColumnData], rows: Array) -> dict[str, ColumnData]:
    """Return the same rows (mask or indices) of every column."""
    return {name: data.take(rows) if isinstance(data, TextColumn) else data[rows] for name, data in columns.items()}


def length(columns: Mapping[str, ColumnData]) -> int:
    """Return the number of rows; zero without columns."""
    return len(next(iter(columns.values()))) if columns else 0


def as_column(values: Sequence[object] | Array, column: Column) -> ColumnData:
    """Read plain values (or text that spells them) as ``column`` holds them.

    Raises BadInput that names the column and the row, counted from 1, of the first value that cannot be read.
    """
    if column.type is ColumnType.TEXT:
        return values if isinstance(values, TextColumn) else TextColumn.of(values)
    if isinstance(values, np.ndarray):
        if not column.type.temporal and values.dtype.kind in "fiub":
            return np.asarray(values, np.float64)
        if column.type.temporal and values.dtype.kind == "M":
            return values.astype("datetime64[us]")
    read = _temporal if column.type.temporal else _truth if column.type is ColumnType.BOOLEAN else _number
    kind = "datetime64[us]" if column.type.temporal else "float64"
    result = np.empty(len(values), kind)
    for row, value in enumerate(values):
        try:
            result[row] = read(value)
        except (ValueError, TypeError, OverflowError) as error:
            raise BadInput(f"Row {row + 1} of {column.name[:60]!r} is {str(value)[:40]!r}, not {_WORDS[column.type]}.",
                           hint="Mend that value, or leave it empty.") from error
    return result


_WORDS = {
    ColumnType.INTEGER: "a whole number", ColumnType.NUMBER: "a number", ColumnType.BOOLEAN: "true or false",
    ColumnType.DATE: "a date like 2026-11-21", ColumnType.DATETIME: "a date and time like 2026-11-21 06:52",
    ColumnType.TIME: "a time of day like 06:52",
}
_TRUTHS = {"true": 1.0, "yes": 1.0, "t": 1.0, "y": 1.0, "1": 1.0, "false": 0.0, "no": 0.0, "f": 0.0, "n": 0.0, "0": 0.0}
_TIME = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d{1,6})?)?")


def _absent(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _blank(value: object) -> bool:
    return _absent(value) or (isinstance(value, str) and not value.strip())


def _number(value: Any) -> float:
    return math.nan if _blank(value) else float(value)


def _truth(value: Any) -> float:
    if isinstance(value, str) and value.strip().lower() in _TRUTHS:
        return _TRUTHS[value.strip().lower()]
    number = _number(value)
    if not math.isnan(number) and number not in (0.0, 1.0):
        raise ValueError(value)
    return number


def _temporal(value: Any) -> np.datetime64:
    if isinstance(value, np.datetime64):
        return value
    if _blank(value):
        return np.datetime64("NaT", "us")
    if isinstance(value, str):
        text = value.strip()
        if _TIME.fullmatch(text):
            value = time.fromisoformat(text.zfill(5) if text.index(":") == 2 else "0" + text)
        else:
            value = datetime.fromisoformat(text)
    if isinstance(value, time):
        value = datetime.combine(date(1970, 1, 1), value)
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            value = value.astimezone(timezone.utc).replace(tzinfo=None)
        return np.datetime64(value, "us")
    if isinstance(value, date):
        return np.datetime64(value, "us")
    raise TypeError(value)
