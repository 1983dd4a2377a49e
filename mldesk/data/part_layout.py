"""How the columns of a part are encoded: by what makes them small at little work, judged by the first rows of the part.

All of it is in the Parquet format since 2020 or before, and whatever reads Parquet today reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from mldesk.data.columns.different import JUDGED, REPEATED, different

_SPREAD = 16   # times as many whole numbers as there are different ones from which a dictionary is the smaller
_TEXTS = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True, slots=True)
class Layout:
    """What is done with which column."""

    repeating: tuple[str, ...]        # values come again and again: a dictionary makes them smaller, and no others
    encodings: Mapping[str, str]      # of the others that are not just written down

    def schema(self, stored: pa.Schema) -> pa.Schema:
        """Return what Arrow is to be handed: texts that repeat encoded, so that it need not look for them again."""
        repeating = set(self.repeating)
        return pa.schema([pa.field(field.name, _TEXTS) if field.name in repeating and pa.types.is_string(field.type)
                          else field for field in stored])


def layout_of(rows: pa.Table) -> Layout:
    """Judge by the first rows of a part."""
    repeating, encodings = [], {}
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        if _repeats(column):
            repeating.append(name)
        elif pa.types.is_floating(column.type):
            encodings[name] = "BYTE_STREAM_SPLIT"     # signs and exponents, being alike, come together
        elif pa.types.is_integer(column.type) or pa.types.is_temporal(column.type):
            encodings[name] = "DELTA_BINARY_PACKED"   # no more bits than the differences need
    return Layout(tuple(repeating), encodings)


def as_laid_out(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return the rows with exactly those texts encoded that the layout's schema says."""
    columns = []
    for column, field in zip(rows.columns, schema, strict=True):
        encoded = pa.types.is_dictionary(column.type)
        if encoded != pa.types.is_dictionary(field.type):
            column = column.cast(field.type) if encoded else column.dictionary_encode()
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=schema)


def _repeats(column: pa.ChunkedArray) -> bool:
    count, kind = len(column), column.type
    whole = pa.types.is_primitive(kind) and not pa.types.is_floating(kind)
    if pa.types.is_boolean(kind) or count < JUDGED:
        return not whole
    encoded = pa.types.is_dictionary(kind)
    values = sum(len(chunk.dictionary) for chunk in column.chunks) if encoded else different(column)
    return REPEATED * values <= count and not (whole and _span(column) <= _SPREAD * values)


def _span(column: pa.ChunkedArray) -> int:
    """Return how many whole numbers there are from the smallest of the values to the largest, 0 if there is none."""
    kind = pa.int32() if column.type.bit_width == 32 else pa.int64()
    ends = pc.min_max(pa.chunked_array([chunk.view(kind) for chunk in column.chunks], kind))
    low, high = ends["min"].as_py(), ends["max"].as_py()
    return 0 if low is None else high - low + 1
