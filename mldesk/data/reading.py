"""Open one file of any kind: find out what it is and give it to its reader."""

from __future__ import annotations

from pathlib import Path

from mldesk.data.delimited import read_delimited
from mldesk.data.files import check_file, detect_format, gunzip
from mldesk.data.jsonrows import read_json
from mldesk.data.raw import MAX_COLUMNS, Context, RawTable
from mldesk.data.records import ImportRefused
from mldesk.data.typed import TypedTable, read_parquet

_HEAD = 64 * 1024  # bytes that the format is judged by


def read_file(context: Context, path: Path) -> RawTable | TypedTable:
    """Read the file at ``path``. Raises ImportRefused, ImportCancelled, DiskFull."""
    check_file(path)
    source = path
    head = _head(path)
    if head.startswith(b"\x1f\x8b"):
        source = context.scratch / f"{context.number}.unpacked"
        gunzip(path, source, lambda _: context.check())
        head = _head(source)
        context.size = source.stat().st_size
        path = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    kind = detect_format(path, head, context.options)
    table = _read(context, source, kind)
    if len(table.names) > MAX_COLUMNS:
        raise ImportRefused(f"{context.name} has {len(table.names):,} columns; {MAX_COLUMNS:,} is the limit.")
    return table


def _read(context: Context, source: Path, kind: str) -> RawTable | TypedTable:
    if kind in ("csv", "tsv"):
        return read_delimited(context, source, kind)
    if kind == "parquet":
        return read_parquet(context, source)
    if kind == "xlsx":
        from mldesk.data.sheets import read_sheet  # calamine loads with it
        return read_sheet(context, source)
    return read_json(context, source, kind)


def _head(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(_HEAD)
