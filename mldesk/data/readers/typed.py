"""Files whose columns have types already (Parquet, Arrow, databases), which become MLDesk's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mldesk.data.names import clean_names
from mldesk.data.readers.raw import Context, batch_rows
from mldesk.data.readers.typed_files import TypedFile
from mldesk.data.records import Fix, ImportRefused
from mldesk.data.types import ARROW, plain
from mldesk.wire.schema import ColumnType

Read = Callable[[pa.Array], pa.Array]


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a column comes from and how it is read."""

    path: tuple[int, ...]   # place of the column in the file, and of the field in a struct
    name: str
    type: ColumnType
    read: Read


@dataclass(slots=True)
class TypedTable:
    """A file whose columns have types, read when its batches are asked for."""

    names: list[str]
    types: list[ColumnType]
    rows: int | None        # None: known at the end
    file: TypedFile
    sources: list[_Source]
    reading: Mapping[str, Any] = field(default_factory=dict)

    def batches(self, context: Context) -> Iterator[list[pa.Array]]:
        """Give the rows as typed columns. Raises ImportRefused for a damaged file."""
        needed = sorted({source.path[0] for source in self.sources})
        fields = {place: index for index, place in enumerate(needed)}
        blanks = [0] * len(self.sources)
        with damage(context, self.file.what):
            for batch in self.file.batches(needed, batch_rows(len(needed))):
                batch.validate(full=True)  # what was damaged may decode all the same, into texts that are none
                yield [self._column(batch, fields, index, blanks) for index in range(len(self.sources))]
        for source, count in zip(self.sources, blanks, strict=True):
            if count:
                context.problems.add("remarks on missing values", f"{count:,} cells of {source.name!r} are blank; read "
                                     "as missing.", column=source.name, fix="A blank says nothing that could be kept.")

    def column(self, context: Context, name: str) -> Iterator[pa.Array]:
        """Give one column, piece by piece. Raises ImportRefused for a damaged file."""
        index = self.names.index(name)
        place = self.sources[index].path[0]
        with damage(context, self.file.what):
            for batch in self.file.batches([place], batch_rows(1)):
                batch.validate(full=True)
                yield self._column(batch, {place: 0}, index, [0] * len(self.sources))

    def _column(self, batch: pa.RecordBatch, fields: Mapping[int, int], index: int, blanks: list[int]) -> pa.Array:
        source = self.sources[index]
        values = batch.column(fields[source.path[0]])
        for inner in source.path[1:]:
            values = pc.struct_field(values, [inner])
        read = source.read(values)
        if source.type is ColumnType.TEXT:
            blank = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(read), ""), False)
            count = pc.sum(blank).as_py() or 0
            if count:
                blanks[index] += count
                read = pc.if_else(blank, pa.scalar(None, pa.string()), read)
        elif source.type is ColumnType.NUMBER:
            read = pc.if_else(pc.is_nan(read), pa.scalar(None, pa.float64()), read)
        return read


def read_typed(context: Context, file: TypedFile) -> TypedTable:
    """Open a file with types. Raises ImportRefused naming the column that cannot be read, or for a damaged file."""
    with damage(context, file.what):
        schema, rows = file.open()
        sources = [item for place, column in enumerate(schema)  # a damaged name is found out when it is asked for
                   for item in _sources(context, (place,), column.name, column.type)]
    if not sources or rows == 0:
        lack = "a header and no rows" if sources else "no columns that can be read"
        raise ImportRefused(f"{context.name} has {lack}.")
    names = clean_names([item.name for item in sources], context.problems)
    sources = [_Source(item.path, name, item.type, item.read) for item, name in zip(sources, names, strict=True)]
    return TypedTable(names, [item.type for item in sources], rows, file, sources, reading={"format": file.format})


@contextmanager
def damage(context: Context, what: str) -> Iterator[None]:
    """Turn what Arrow raises for a damaged file into a sentence."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = str(error).splitlines()[0][:160].rstrip(".") if str(error) else type(error).__name__
        raise ImportRefused(f"{context.name} is damaged or not {what}: {reason}.", hint="Copy or write it again."
                            ) from error


def _sources(context: Context, path: tuple[int, ...], name: str, kind: pa.DataType) -> Iterator[_Source]:
    if pa.types.is_struct(kind) and len(path) == 1 and kind.num_fields:
        for place in range(kind.num_fields):
            inner = kind.field(place)
            yield from _sources(context, (*path, place), f"{name}.{inner.name}", inner.type)
        return
    column = _column_type(kind)
    if column is None:
        context.problems.add("columns left out", f"{name!r} holds {kind}, which a table cannot hold; it was left out.",
                             column=name, fix="Make text or numbers of it where it was written; of a database, in a "
                             "query.")
        return
    if pa.types.is_nested(kind):
        context.problems.add("remarks", f"{name!r} holds lists or records; they are kept as JSON text.", column=name,
                             fix=Fix(f"Leave the column {name!r} out", {"without": [name]}))
    yield _Source(path, name, column, _reader(kind, column))


def _column_type(kind: pa.DataType) -> ColumnType | None:
    """Return what an Arrow type becomes, None for what is left out."""
    t = pa.types
    if t.is_dictionary(kind):
        return _column_type(kind.value_type)
    if t.is_boolean(kind):
        return ColumnType.BOOLEAN
    if t.is_uint64(kind) or t.is_decimal(kind):
        whole = t.is_decimal(kind) and kind.scale <= 0 and kind.precision <= 18
        return ColumnType.INTEGER if whole else ColumnType.NUMBER
    if t.is_integer(kind):
        return ColumnType.INTEGER
    if t.is_floating(kind) or t.is_duration(kind):
        return ColumnType.NUMBER
    if t.is_timestamp(kind):
        return ColumnType.DATETIME
    if t.is_date(kind):
        return ColumnType.DATE
    if t.is_time(kind):
        return ColumnType.TIME
    if _is_text(kind) or t.is_null(kind) or t.is_nested(kind):
        return ColumnType.TEXT
    return None


def _is_text(kind: pa.DataType) -> bool:
    t = pa.types
    return bool(t.is_string(kind) or t.is_large_string(kind) or getattr(t, "is_string_view", t.is_string)(kind))


def _reader(kind: pa.DataType, column: ColumnType) -> Read:
    target = ARROW[column]
    if pa.types.is_nested(kind):
        return _as_json
    if pa.types.is_dictionary(kind):
        inner = _reader(kind.value_type, column)
        return lambda values: inner(values.dictionary_decode())
    if pa.types.is_duration(kind):
        per_second = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}[kind.unit]
        return lambda values: pc.divide(pc.cast(pc.cast(values, pa.int64()), target), float(per_second))
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return lambda values: pc.cast(pc.cast(values, pa.timestamp(kind.unit)), target, safe=False)
    return lambda values: pc.cast(values, target, safe=False)


def _as_json(values: pa.Array) -> pa.Array:
    return pa.array([None if value is None else json.dumps(plain(value), ensure_ascii=False)
                     for value in values.to_pylist()], pa.string())
