"""Parquet files that are a table's parts as they are: nothing in them would read otherwise after an import.

They become objects without being written anew, and where the disk allows without being copied (see wire.linked).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mldesk.core.errors import BadInput
from mldesk.data.counting import distinct_counts
from mldesk.data.names import clean_names
from mldesk.data.parts import part_name
from mldesk.data.readers.raw import batch_rows
from mldesk.data.records import Problems
from mldesk.data.types import arrow_schema, column_type
from mldesk.wire import linked
from mldesk.wire.manifest import Manifest
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column, ColumnType

_GROUP_CELLS = 64_000_000   # of a row group at most: a page of rows is read out of one
Report = Callable[[float, float], None]   # bytes done, bytes in all
Check = Callable[[], None]                # may raise to stop


@dataclass(frozen=True, slots=True)
class Adopted:
    """A table whose parts are files that were there."""

    manifest: Manifest
    digest: str            # of the manifest
    rows: int
    columns: tuple[Column, ...]
    way: linked.Way        # how the files became objects; the least good one of all


def adopt_parquet(paths: Sequence[Path], store: ObjectStore, scratch: Path, report: Report, check: Check, *,
                  link_from: int = linked.LINK_FROM) -> Adopted | None:
    """Make the files one table as they are; None where an import would change anything in them.

    Raises FileChanged, DiskFull, OSError, and what ``check`` raises.
    """
    schema = _common_schema(paths)
    if schema is None:
        return None
    kinds = [column_type(field.type) for field in schema]
    before = [_facts(path) for path in paths]
    missing = _count_missing(paths, kinds, report, check)
    if missing is None:
        return None
    distinct = distinct_counts(paths, schema.names, scratch, check)
    adopted = [linked.adopt(store, path, part_name(number), link_from=link_from, check=check)
               for number, path in enumerate(paths)]
    if [_facts(path) for path in paths] != before:
        raise linked.FileChanged("The files were written to while they were read.",
                                 hint="Wait until they are finished, then import them again.")
    manifest = Manifest(tuple(entry for entry, _ in adopted))
    rows = sum(pq.read_metadata(store.path(entry.sha256)).num_rows for entry in manifest.entries)
    ways = {way for _, way in adopted}
    way = next(way for way in ("copied", "linked", "cloned") if way in ways)
    columns = tuple(Column(*facts) for facts in zip(schema.names, kinds, missing, distinct, strict=True))
    return Adopted(manifest, store.put_bytes(manifest.to_bytes()), rows, columns, way)


def _common_schema(paths: Sequence[Path]) -> pa.Schema | None:
    """Return the schema of all files if it is one that parts have, and their row groups are of a size to page through.
    """
    found: pa.Schema | None = None
    for path in paths:
        with suppress(pa.ArrowException, OSError):  # the import says what is wrong with it
            with pq.ParquetFile(path) as file:
                schema, facts = file.schema_arrow.remove_metadata(), file.metadata
                groups = [facts.row_group(index).num_rows for index in range(facts.num_row_groups)]
            plain = pa.schema([pa.field(field.name, field.type) for field in schema])
            sizes = groups and max(groups) * len(plain) <= _GROUP_CELLS and sum(groups) > 0
            if sizes and (found is None or plain == found) and _is_parts(plain):
                found = plain
                continue
        return None
    return found


def _is_parts(schema: pa.Schema) -> bool:
    """Say whether a part of a table could have this schema."""
    try:
        kinds = [column_type(field.type) for field in schema]
        names = clean_names(schema.names, Problems(""))
    except (KeyError, BadInput):
        return False
    return bool(names == schema.names and schema.equals(arrow_schema(names, kinds)))


def _count_missing(paths: Sequence[Path], kinds: Sequence[ColumnType], report: Report,
                   check: Check) -> list[int] | None:
    """Read everything once: count missing cells; None if a cell would be read otherwise, or the file is damaged."""
    missing = [0] * len(kinds)
    total = float(sum(path.stat().st_size for path in paths)) or 1.0
    done = 0.0
    for path in paths:
        with suppress(pa.ArrowException):  # the import says what is wrong with it
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                size, rows, read = path.stat().st_size, file.metadata.num_rows, 0
                for batch in file.iter_batches(batch_rows(len(kinds))):
                    check()
                    batch.validate(full=True)
                    if any(_is_odd(column, kind) for column, kind in zip(batch.columns, kinds, strict=True)):
                        return None
                    missing = [count + column.null_count for count, column in zip(missing, batch.columns, strict=True)]
                    read += batch.num_rows
                    report(done + size * read / max(1, rows), total)
            done += size
            continue
        return None
    return missing


def _is_odd(values: pa.Array, kind: ColumnType) -> bool:
    """Say whether an import would read a cell as missing that is there, or remark on it."""
    if kind is ColumnType.NUMBER:
        return bool(pc.any(pc.is_nan(values)).as_py())
    if kind is ColumnType.TEXT:
        return bool(pc.any(pc.equal(pc.utf8_trim_whitespace(values), "")).as_py())
    return False


def _facts(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino
