"""Reading the columns a job needs from a dataset version's Parquet parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mldesk.core.errors import BadInput, LibraryDamaged
from mldesk.training.values import Array, ColumnData, TextColumn
from mldesk.wire.objects import ObjectMissing, ObjectStore
from mldesk.wire.schema import Column, ColumnType


def read_columns(store: ObjectStore, manifest: str, columns: Sequence[Column]) -> dict[str, ColumnData]:
    """Read ``columns`` of every part, in row order, as ``training.values`` describes.

    Text is held once per different value from the file on, and the Arrow copy of a column is let go as soon as it is
    converted. Raises ObjectMissing, LibraryDamaged; BadInput if a part lacks a column.
    """
    try:
        return _read(store, manifest, columns)
    except ObjectMissing as error:
        raise ObjectMissing(error.digest, "A file of the table is not there any more.",
                            hint="Import the file again, then train again.") from error
    except (pa.ArrowException, OSError, ValueError) as error:
        if not isinstance(error, MemoryError):
            _check(store, manifest, error)
        raise


def _check(store: ObjectStore, manifest: str, failure: Exception) -> None:
    """Say whether reading failed because a file is not what it was; reads all of them. Raises LibraryDamaged."""
    try:
        store.verify_manifest(manifest)
    except LibraryDamaged:
        raise LibraryDamaged("A file of the table has changed on disk since it was written, and cannot be read.",
                             hint="Import the file again: that mends it. Then train again.") from failure


def _read(store: ObjectStore, manifest: str, columns: Sequence[Column]) -> dict[str, ColumnData]:
    parts = [entry for entry in store.manifest(manifest).entries if entry.path.endswith(".parquet")]
    names = {column.name for column in columns}
    text = [column.name for column in columns if column.type is ColumnType.TEXT]
    tables = []
    for part in parts:
        file = pq.ParquetFile(store.path(part.sha256), read_dictionary=text)
        with file:
            absent = names - set(file.schema_arrow.names)
            if absent:
                raise BadInput(f"The table has no column {min(absent)!r}.", hint="Choose among the columns it has.")
            # By place, not by name: pyarrow reads "a.b" as well when asked for "a".
            places = [index for index, name in enumerate(file.schema_arrow.names) if name in names]
            tables.append(file.reader.read_all(column_indices=places, use_threads=True))
    if not tables:
        raise BadInput("The table has no rows.", hint="Import a file with rows.")
    table = pa.concat_tables(tables)
    arrow = dict(zip(table.column_names, table.columns, strict=True))
    del tables, table
    return {column.name: convert(arrow.pop(column.name), column.type) for column in columns}


def convert(data: pa.ChunkedArray, kind: ColumnType) -> ColumnData:
    """Return an Arrow column as the encoder takes it."""
    if kind is ColumnType.TEXT:
        return _text(data)
    if kind.temporal:
        unit = pa.time64("us") if kind is ColumnType.TIME else pa.timestamp("us")
        counts = pc.cast(pc.cast(data, unit), pa.int64())
        return _numbers(counts, np.iinfo(np.int64).min).astype("datetime64[us]")  # that integer is NaT
    return _numbers(pc.cast(data, pa.float64(), safe=False), np.nan)


def _numbers(data: pa.ChunkedArray, gap: float) -> Array:
    values: Array = pc.fill_null(data, gap).to_numpy()
    return values


def _text(data: pa.ChunkedArray) -> TextColumn:
    if not pa.types.is_dictionary(data.type):
        data = pc.dictionary_encode(pc.cast(data, pa.string()))
    whole = data.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0) if whole.num_chunks else pa.array([], data.type)
    codes = pc.fill_null(whole.indices, -1).to_numpy(zero_copy_only=False)
    return TextColumn(codes.astype(np.int32), tuple(whole.dictionary.to_pylist()))
