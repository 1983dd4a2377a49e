"""Open one file of any kind: unpack it, find out what it is and give it to its reader."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mldesk.data.readers.delimited import read_delimited
from mldesk.data.readers.idle import ARCHIVE, POSTGRES, refuse_idle
from mldesk.data.readers.jsonrows import read_json
from mldesk.data.readers.raw import MAX_COLUMNS, Context, RawTable
from mldesk.data.readers.sampling import beginning
from mldesk.data.readers.typed import TypedTable, read_typed
from mldesk.data.readers.typed_files import ArrowRows, ParquetRows
from mldesk.data.records import ImportRefused, NoRows
from mldesk.data.sources.archives import packing, unpack
from mldesk.data.sources.files import detect_format, head_of
from mldesk.data.sources.gather import Item, bare_name

Reader = Callable[[Context, Path], RawTable | TypedTable]


def read_file(context: Context, item: Item) -> RawTable | TypedTable:
    """Read what ``item`` stands for. Raises ImportRefused, ImportCancelled, DiskFull."""
    for kind, message in item.notes:
        context.problems.add(kind, message, fix="What is left out can be imported by its own name.")
    if item.url is not None:
        from mldesk.data.readers.postgres import read_postgres  # its driver loads with it
        context.kind = POSTGRES
        _refuse_idle(context, item)
        table: RawTable | TypedTable = read_postgres(context, item.url)
    else:
        table = _read_path(context, item)
    if len(table.names) > MAX_COLUMNS:
        raise ImportRefused(f"{context.name} has {len(table.names):,} columns; {MAX_COLUMNS:,} is the limit.")
    return table


def _read_path(context: Context, item: Item) -> RawTable | TypedTable:
    source = item.bring(context.scratch / f"{context.number}.member", context.cancelled)
    name, head = item.name, head_of(source)
    suffix = packing(head)
    if suffix is not None:
        target = context.scratch / f"{context.number}.unpacked"
        unpack(source, target, suffix, context.name, lambda _: context.check())
        if item.member is not None:
            source.unlink()
        source, name, head = target, bare_name(name), head_of(target)
    context.size = source.stat().st_size
    kind = context.kind = detect_format(context.name, name, head, context.options)
    _refuse_idle(context, item)
    reader = _READERS.get(kind) or (lambda context, source: read_json(context, source, kind))
    if not context.sampled:
        return reader(context, source)
    first = beginning(context, source, kind)
    try:
        return reader(context, first)
    except NoRows:
        if not context.sampled:
            raise
        context.sampled, context.size = False, source.stat().st_size   # its first row does not end in the beginning
        context.problems.clear()
        return reader(context, source)


def kinds_of(context: Context, item: Item) -> set[str]:
    """Return what a file that was read is, for ``refuse_idle``."""
    return {context.kind, *((ARCHIVE,) if item.member is not None else ())} - {""}


def _refuse_idle(context: Context, item: Item) -> None:
    """Refuse what says nothing about the only file, before it is read; of several, any may be meant."""
    if context.options.told and context.of == 1:
        refuse_idle(context.options, kinds_of(context, item), context.name)


def _sheet(context: Context, source: Path) -> RawTable:
    from mldesk.data.readers.sheets import read_sheet  # calamine loads with it
    return read_sheet(context, source)


def _html(context: Context, source: Path) -> RawTable:
    from mldesk.data.readers.html_tables import read_html  # seldom needed
    return read_html(context, source)


def _fixed(context: Context, source: Path) -> RawTable:
    return read_delimited(context, source, "fixed")


def _sqlite(context: Context, source: Path) -> RawTable:
    from mldesk.data.readers.sqlite_tables import read_sqlite  # seldom needed
    return read_sqlite(context, source)


def _duckdb(context: Context, source: Path) -> TypedTable:
    from mldesk.data.readers.duckdb_tables import read_duckdb  # seldom needed
    return read_duckdb(context, source)


_READERS: dict[str, Reader] = {
    "csv": lambda context, source: read_delimited(context, source, "csv"),
    "tsv": lambda context, source: read_delimited(context, source, "tsv"),
    "parquet": lambda context, source: read_typed(context, ParquetRows(source)),
    "arrow": lambda context, source: read_typed(context, ArrowRows(source)),
    "fixed": _fixed, "xlsx": _sheet, "html": _html, "sqlite": _sqlite, "duckdb": _duckdb,
}
