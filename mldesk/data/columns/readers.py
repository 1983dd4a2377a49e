"""The functions that read texts as an import does, for DuckDB: ``read_date(text, how)`` and the like.

``how`` is a Reading as text: what the whole column told of its day, month and decimal mark. Scripts of recipes carry
what is here, so it needs Arrow only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mldesk.data.columns.forced import forced_values
from mldesk.data.options import Reading
from mldesk.data.types import DUCKDB
from mldesk.wire.schema import ColumnType


def needs_readers(steps: Iterable[Mapping[str, Any]]) -> bool:
    """Say whether a connection that does these steps may need ``add_readers``."""
    return any(step.get("step") == "cast" for step in steps)


def add_readers(connection: Any) -> None:
    """Give a DuckDB connection a function for each type but text; what is missing or does not fit is NULL."""
    for kind in ColumnType:
        if kind is not ColumnType.TEXT:
            connection.create_function(f"read_{kind.value}", _reader(kind), ["VARCHAR", "VARCHAR"], DUCKDB[kind],
                                       type="arrow", null_handling="special")


def how_to_read(reading: Reading) -> str:
    """Return a reading as text."""
    return json.dumps([reading.decimal, reading.dates, reading.orders])


def _reader(kind: ColumnType) -> Callable[[Any, Any], Any]:
    def answer(texts: Any, how: Any) -> Any:
        if isinstance(texts, pa.ChunkedArray):
            texts, how = texts.combine_chunks(), how.combine_chunks()
        if not len(texts):
            return pa.nulls(0, forced_values(texts, kind, Reading()).type)
        encoded = pc.utf8_trim_whitespace(texts).dictionary_encode()
        return forced_values(encoded.dictionary, kind, _reading(how[0].as_py())).take(encoded.indices)

    return answer


@cache
def _reading(how: str) -> Reading:
    decimal, dates, orders = json.loads(how)
    return Reading(decimal, dates, tuple((mark, order) for mark, order in orders))
