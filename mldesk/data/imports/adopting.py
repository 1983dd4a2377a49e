"""Parquet files that are a table's parts as they are: nothing in them would read otherwise after an import.

They become objects without being written anew, and where the disk allows without being copied (see wire.linked).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from mldesk.data.types import column_type
from mldesk.wire import linked
from mldesk.wire.manifest import Entry, Manifest
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column, ColumnType

_GROUP_CELLS = 64_000_000   # of a row group at most: a page of rows is read out of one
_WAYS: tuple[linked.Way, ...] = ("copied", "linked", "cloned", "referenced")   # the least good one first
Report = Callable[[float, float], None]   # bytes done, bytes in all
Check = Callable[[], None]                # may raise to stop


class NotAsItIs(Exception):
    """Files that cannot be parts as they are. str(error) says why, without a full stop."""


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
    try:
        return take_as_they_are(paths, store, scratch, report, check, lambda path, name: linked.adopt(
            store, path, name, link_from=link_from, check=check))
    except NotAsItIs:
        return None


def take_as_they_are(paths: Sequence[Path], store: ObjectStore, scratch: Path, report: Report, check: Check,
                     take: Callable[[Path, str], tuple[Entry, linked.Way]]) -> Adopted:
    """Make the files one table, each a part that ``take`` makes of it under a name. Raises NotAsItIs besides."""
    schema = _common_schema(paths)
    kinds = [column_type(field.type) for field in schema]
    before = [_facts(path) for path in paths]
    missing = _count_missing(paths, kinds, report, check)
    distinct = distinct_counts(paths, schema.names, scratch, check)
    adopted = [take(path, part_name(number)) for number, path in enumerate(paths)]
    if [_facts(path) for path in paths] != before:
        raise linked.FileChanged("The files were written to while they were read.",
                                 hint="Wait until they are finished, then import them again.")
    manifest = Manifest(tuple(entry for entry, _ in adopted))
    rows = sum(pq.read_metadata(store.path(entry.sha256)).num_rows for entry in manifest.entries)
    ways = {way for _, way in adopted}
    way = next(way for way in _WAYS if way in ways)
    columns = tuple(Column(*facts) for facts in zip(schema.names, kinds, missing, distinct, strict=True))
    return Adopted(manifest, store.put_bytes(manifest.to_bytes()), rows, columns, way)


def _common_schema(paths: Sequence[Path]) -> pa.Schema:
    """Return the schema of all files: one that parts have, with row groups of a size to page through.

    Raises NotAsItIs.
    """
    found: pa.Schema | None = None
    for path in paths:
        try:
            with pq.ParquetFile(path) as file:
                schema, facts = file.schema_arrow.remove_metadata(), file.metadata
                groups = [facts.row_group(index).num_rows for index in range(facts.num_row_groups)]
        except (pa.ArrowException, OSError) as error:
            raise NotAsItIs(f"{path.name} is damaged or no Parquet file") from error
        plain = pa.schema([pa.field(field.name, field.type) for field in schema])
        if not sum(groups):
            raise NotAsItIs(f"{path.name} has no rows")
        if max(groups) * len(plain) > _GROUP_CELLS:
            raise NotAsItIs(f"the row groups of {path.name} are too large to page through")
        if found is not None and plain != found:
            raise NotAsItIs(f"the columns of {path.name} are not those of {paths[0].name}")
        _check_parts(plain)
        found = plain
    if found is None:
        raise NotAsItIs("there is no file")
    return found


def _check_parts(schema: pa.Schema) -> None:
    """Raise NotAsItIs if a part of a table could not have this schema."""
    for field in schema:
        try:
            column_type(field.type)
        except KeyError as error:
            raise NotAsItIs(f"the column {field.name!r:.80} is stored as {field.type!s:.60}, which an import would "
                            "change") from error
    try:
        names = clean_names(schema.names, Problems(""))
    except BadInput as error:
        raise NotAsItIs(error.message.rstrip(".")) from error
    renamed = next((old for old, new in zip(schema.names, names, strict=True) if old != new), None)
    if renamed is not None:
        raise NotAsItIs(f"the column {renamed!r:.80} would get another name")


def _count_missing(paths: Sequence[Path], kinds: Sequence[ColumnType], report: Report, check: Check) -> list[int]:
    """Read everything once: count missing cells. Raises NotAsItIs if a cell would be read otherwise, or for damage."""
    missing = [0] * len(kinds)
    total = float(sum(path.stat().st_size for path in paths)) or 1.0
    done = 0.0
    for path in paths:
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                size, rows, read = path.stat().st_size, file.metadata.num_rows, 0
                for batch in file.iter_batches(batch_rows(len(kinds))):
                    check()
                    batch.validate(full=True)
                    odd = next((place for place, kind in enumerate(kinds) if _is_odd(batch.column(place), kind)), None)
                    if odd is not None:
                        raise NotAsItIs(f"the column {batch.schema.names[odd]!r:.80} of {path.name} has cells with "
                                        "NaN or nothing but blanks, which an import would read as missing")
                    missing = [count + column.null_count for count, column in zip(missing, batch.columns, strict=True)]
                    read += batch.num_rows
                    report(done + size * read / max(1, rows), total)
            done += size
        except pa.ArrowException as error:
            raise NotAsItIs(f"{path.name} is damaged") from error
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
