"""Column types and what they are in Arrow, DuckDB, plain JSON and numpy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mldesk.wire.schema import Column, ColumnType

ARROW: dict[ColumnType, pa.DataType] = {
    ColumnType.INTEGER: pa.int64(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.TEXT: pa.string(),
    ColumnType.DATE: pa.date32(),
    ColumnType.DATETIME: pa.timestamp("us"),
    ColumnType.TIME: pa.time64("us"),
}
DUCKDB: dict[ColumnType, str] = {
    ColumnType.INTEGER: "BIGINT",
    ColumnType.NUMBER: "DOUBLE",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.TEXT: "VARCHAR",
    ColumnType.DATE: "DATE",
    ColumnType.DATETIME: "TIMESTAMP",
    ColumnType.TIME: "TIME",
}
_BY_ARROW = {kind: column for column, kind in ARROW.items()}


def arrow_schema(names: Sequence[str], types: Sequence[ColumnType]) -> pa.Schema:
    """Return the schema of a stored part."""
    return pa.schema([pa.field(name, ARROW[kind]) for name, kind in zip(names, types, strict=True)])


def column_type(kind: pa.DataType) -> ColumnType:
    """Return what a stored part's Arrow type means. Raises KeyError for one that no part has."""
    return _BY_ARROW[kind]


def plain(value: Any) -> Any:
    """Return one value as JSON can hold it: dates and times as ISO text, NaN as None, infinity as "inf"."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        if value != value:  # NaN alone differs from itself
            return None
        return value if value not in (float("inf"), float("-inf")) else str(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    return _other(value)


def values_of(values: pa.Array | pa.ChunkedArray) -> list[Any]:
    """Return values as Python's own; moments beyond the years 1 to 9999, which Python does not have, as ISO text."""
    try:
        found: list[Any] = values.to_pylist()
    except (OverflowError, ValueError):
        found = pc.cast(values, pa.string()).to_pylist()
    return found


def _other(value: Any) -> Any:
    """What a query may answer beyond what tables hold: decimals, lists, structs, intervals, blobs."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if hasattr(value, "as_integer_ratio"):
        return plain(float(value))
    return str(value)


def to_numpy(values: pa.Array | pa.ChunkedArray, kind: ColumnType) -> npt.NDArray[Any]:
    """Return a column as models take it: float64 with NaN, datetime64[us] with NaT, or objects (str or None).

    A time of day lies on 1970-01-01.
    """
    if kind is ColumnType.TEXT:
        return np.array(values.to_pylist(), dtype=object)
    if kind.temporal:
        if kind is ColumnType.TIME:
            values = pc.cast(values, pa.int64())
        whole = pc.cast(values, pa.timestamp("us"))
        return np.asarray(pc.fill_null(pc.cast(whole, pa.int64()), np.iinfo(np.int64).min)).astype("datetime64[us]")
    return np.asarray(pc.fill_null(pc.cast(values, pa.float64(), safe=False), float("nan")), dtype=np.float64)


def names_of(columns: Iterable[Column]) -> list[str]:
    """Return the names, in order."""
    return [column.name for column in columns]
