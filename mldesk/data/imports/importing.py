"""Import: from sources of any kind to one table in the object store, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from mldesk.core.durable import disk_errors
from mldesk.core.scratch import working_folder
from mldesk.data.arrow_memory import choose_memory
from mldesk.data.columns.as_imported import columns_to_json
from mldesk.data.imports.agreeing import Read
from mldesk.data.imports.sheets_together import spread_sheets
from mldesk.data.imports.skipping import Skipped
from mldesk.data.imports.together import Shape, early_rows, rows_of, shape_of
from mldesk.data.options import Reading
from mldesk.data.parts import PartWriter, keep
from mldesk.data.readers.early import EarlyTable
from mldesk.data.readers.idle import refuse_idle
from mldesk.data.readers.raw import Context, RawTable
from mldesk.data.readers.reading import kinds_of
from mldesk.data.readers.rejects import Rejects
from mldesk.data.readers.typed import TypedTable
from mldesk.data.records import Cancelled, ImportOptions, ImportRefused, Problems, Progress, Table
from mldesk.data.sources.gather import Item, Seen, gather
from mldesk.data.sources.locations import Location
from mldesk.data.sources.partitions import partitions_of
from mldesk.data.stopping import stoppable
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column

_WIDE = 1000  # columns from which a remark is due
_NAMED = 500  # of several files, whose names are kept


def import_table(sources: Sequence[Location], store: ObjectStore, scratch: Path, options: ImportOptions | None = None,
                 *, progress: Progress | None = None, cancelled: Cancelled | None = None,
                 rejects: Path | None = None, counted: Container[str] | None = None,
                 seen: Seen | None = None) -> Table:
    """Read sources (rows below one another) into one table of Parquet parts in ``store``.

    A source is a file, a folder of them, an archive, or a URL. Rows that are left out go to the CSV file ``rejects``,
    if it is given, and are then no reason to refuse. ``progress`` hears bytes done and in all; ``cancelled`` is asked
    all the while; ``seen`` hears which files the sources are. Only in the columns ``counted``, if given, are different
    values counted; the table says 0 of others.
    Raises ImportRefused (one sentence that names file, line or column), ImportCancelled, DiskFull; nothing is left in
    ``store`` or ``scratch`` then.
    """
    if not sources:
        raise ImportRefused("There is no file to import.", hint="Give at least one file.")
    options = options or ImportOptions()
    choose_memory()
    with disk_errors("the import"), working_folder(scratch) as folder, ExitStack() as stack:
        out = None if rejects is None else stack.enter_context(Rejects(folder / "rejects.csv", rejects))
        files = list(read_all(sources, folder, options, progress, cancelled, rejects=out, early=Early(stack, counted),
                              seen=seen))
        table = _store(files, store, folder, options, cancelled, counted)
        if out is not None:
            out.publish()
        return table


def read_all(sources: Sequence[Location], folder: Path, options: ImportOptions, progress: Progress | None,
             cancelled: Cancelled | None, *, rejects: Rejects | None = None, sampled: bool = False,
             most: int | None = None, early: Early | None = None, seen: Seen | None = None) -> Iterator[Read]:
    """Read every file of the sources, with ``sampled`` only the beginning of long ones, at most ``most`` of them.

    With ``early``, the table of a single file may be made while it is read.
    Raises as ``import_table`` does.
    """
    items = gather(sources, options, folder, partial(_fetch, options, progress, cancelled), cancelled, seen)
    items = spread_sheets(items, options, folder, cancelled)
    if rejects is not None:
        rejects.spare(item.path for item in items)
    partitions = partitions_of(item.pairs if options.partitions else {} for item in items)
    total = float(sum(item.size for item in items)) or 1.0
    before = 0.0
    skipped = Skipped(options, len(items))
    kinds: set[str] = set()
    for number, item in enumerate(items[:most]):
        furthest = [0.0]   # a file may be begun anew

        def report(share: float, before: float = before, size: float = item.size,
                   furthest: list[float] = furthest) -> None:
            furthest[0] = max(furthest[0], share)
            if progress is not None:
                progress(before + furthest[0] * size, total)

        context = _context(item, number, folder, options)
        context.report, context.cancelled, context.rejects, context.sampled = report, cancelled, rejects, sampled
        context.of, context.partitions = len(items), partitions[number] if partitions[number].all else None
        if early is not None and len(items) == 1 and not options.provenance and not options.without \
                and context.partitions is None:
            context.early = partial(_begin, early, context, folder / "early")
        context.check()
        table = skipped.read(context, item)
        before += item.size
        kinds |= kinds_of(context, item)
        if table is not None:
            yield Read(context, table)
    skipped.end()
    if options.told and (most is None or len(items) <= most):
        refuse_idle(options, kinds, "these files")


@dataclass(frozen=True, slots=True)
class Early:
    """That a table may be made while its file is read."""

    stack: ExitStack                  # it is closed with that
    counted: Container[str] | None    # columns in which different values are counted; None: all


def _begin(early: Early, context: Context, folder: Path, names: Sequence[str]) -> EarlyTable:
    table = EarlyTable(names, context.options, folder, context.check, early.counted)
    early.stack.callback(table.close)
    return table


def _context(item: Item, number: int, folder: Path, options: ImportOptions) -> Context:
    if item.sheet is not None:
        options = replace(options, sheet=item.sheet, sheets=())
    return Context(name=item.shown, number=number, size=item.size, options=options, problems=Problems(item.shown),
                   scratch=folder, report=lambda _: None)


def _fetch(options: ImportOptions, progress: Progress | None, cancelled: Cancelled | None, url: str,
           folder: Path) -> Path:
    from mldesk.data.sources.remote import download  # fsspec loads with it

    return download(url, folder, limit=options.download, progress=progress, cancelled=cancelled)


def _store(files: Sequence[Read], store: ObjectStore, folder: Path, options: ImportOptions,
           cancelled: Cancelled | None, counted: Container[str] | None) -> Table:
    shape = shape_of(files, options)
    several = _several(files) if len(files) > 1 else None   # now: what was written is forgotten
    writer = early_rows(files, shape) or _write(files, shape, folder / "parts", counted)
    try:
        writer.close()
    finally:
        writer.abandon()
    first = files[0].context
    if not writer.rows:
        raise ImportRefused(f"{first.name} has no rows that can be read.")
    distinct = stoppable(lambda: writer.distinct(folder), cancelled, "The import")
    columns = tuple(Column(*facts) for facts in zip(shape.names, shape.types, writer.missing, distinct, strict=True))
    remark(files, shape.names, writer.rows)
    problems = tuple(problem for file in files for problem in file.context.problems.all())
    first.check()
    manifest, size = keep(store, writer)
    for file in files:
        file.context.report(1.0)
    more = f" and {len(files) - 3} more" if len(files) > 3 else ""
    source = ", ".join(file.context.name for file in files[:3]) + more
    reading = dict(files[0].table.reading)
    learnt = {name: decision.learnt for name, decision in zip(shape.names, shape.decisions, strict=False)
              if decision.learnt != Reading()}
    if learnt:
        reading["columns"] = columns_to_json(learnt)
    if several is not None:
        reading["several"] = several
    return Table(manifest, writer.rows, columns, size, problems, source, reading, options,
                 {shape.names[index]: name for index, name in shape.beside.items()}, _lines(files))


def _several(files: Sequence[Read]) -> dict[str, Any]:
    """Return what a contract may be inferred from: names of files, how many rows they have, whether columns of all
    come in one order.
    """
    rows = [count for file in files if (count := _rows_of(file.table)) is not None]
    return {"names": [file.context.name.rpartition("/")[2] for file in files[:_NAMED]],
            "rows": [min(rows), max(rows)] if rows else [],
            "ordered": len({tuple(file.table.names) for file in files}) == 1}


def _rows_of(table: RawTable | TypedTable) -> int | None:
    return table.spool.rows - len(table.drop_rows) if isinstance(table, RawTable) else table.rows


def _lines(files: Sequence[Read]) -> Callable[[int], int | None]:
    """Return what tells the line of a row of the only file."""
    table = files[0].table
    if len(files) > 1 or not isinstance(table, RawTable):
        return lambda _: None
    lines, dropped = table.lines, sorted(table.drop_rows)

    def line_of(row: int) -> int | None:
        for gone in dropped:
            row += gone <= row
        return lines.of(row)

    return line_of


def _write(files: Sequence[Read], shape: Shape, out: Path, counted: Container[str] | None) -> PartWriter:
    out.mkdir()
    writer = PartWriter(out, shape.names, shape.types, counted)
    try:
        for file in files:
            for arrays, share in rows_of(file, shape):
                writer.write(arrays)
                file.context.written(share)
            if isinstance(file.table, RawTable):
                file.table.spool.clear()
    except BaseException:
        writer.abandon()
        raise
    return writer


def remark(files: Sequence[Read], columns: Sequence[str], rows: int) -> None:
    """Add what is worth knowing about the table as a whole to the problems of the first file."""
    problems = files[0].context.problems
    if len(columns) == 1:
        problems.add("remarks", f"There is only one column, {columns[0]!r}: nothing could be learnt about it from "
                     "others.", column=columns[0],
                     fix="Another delimiter may cut it into more; if it is one indeed, a recipe can join others to it.")
    if len(columns) >= _WIDE:
        problems.add("remarks", f"The table has {len(columns):,} columns"
                     + (f" but only {rows:,} rows" if rows < len(columns) else "")
                     + "; looking at it and training will take longer than usual.",
                     fix="It is only said: nothing is wrong with it.")
