"""Import: from files of any kind to one table in the object store, whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from mldesk.core.durable import disk_errors
from mldesk.data.convert import Converter
from mldesk.data.counting import distinct_counts
from mldesk.data.decide import Decision, decide, markers
from mldesk.data.guess import ColumnGuess, fits_group
from mldesk.data.parts import PartWriter, keep
from mldesk.data.raw import Context, RawTable
from mldesk.data.reading import read_file
from mldesk.data.records import Cancelled, ImportOptions, ImportRefused, Problem, Problems, Progress, Table
from mldesk.data.temporal import PATTERNS
from mldesk.data.typed import TypedTable
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column, ColumnType

_WIDE = 1000  # columns from which a remark is due


@dataclass(slots=True)
class _File:
    context: Context
    table: RawTable | TypedTable


def import_table(paths: Sequence[Path], store: ObjectStore, scratch: Path, options: ImportOptions | None = None, *,
                 progress: Progress | None = None, cancelled: Cancelled | None = None) -> Table:
    """Read files (rows below one another) into one table of Parquet parts in ``store``.

    ``progress`` hears bytes done and in all; ``cancelled`` is asked all the while. Raises ImportRefused (one sentence
    that names file, line or column), ImportCancelled, DiskFull; nothing is left in ``store`` or ``scratch`` then.
    """
    if not paths:
        raise ImportRefused("There is no file to import.", hint="Give at least one file.")
    options = options or ImportOptions()
    with disk_errors("the import"), working_folder(scratch) as folder:
        files = list(_read_all(paths, folder, options, progress, cancelled))
        return _store(files, store, folder, options)


@contextmanager
def working_folder(scratch: Path) -> Iterator[Path]:
    """Give a folder in ``scratch`` that is gone afterwards, whatever happens."""
    scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="import-", dir=scratch))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _read_all(paths: Sequence[Path], folder: Path, options: ImportOptions, progress: Progress | None,
              cancelled: Cancelled | None) -> Iterator[_File]:
    sizes = [_size(path) for path in paths]
    total = float(sum(sizes)) or 1.0
    before = 0.0
    for number, (path, size) in enumerate(zip(paths, sizes, strict=True)):
        def report(share: float, before: float = before, size: float = size) -> None:
            if progress is not None:
                progress(before + share * size, total)

        context = Context(name=path.name, number=number, size=size, options=options, problems=Problems(path.name),
                          scratch=folder, report=report, cancelled=cancelled)
        context.check()
        yield _File(context, read_file(context, path))
        before += size


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError):  # said properly when its turn comes
        return 0


def _store(files: Sequence[_File], store: ObjectStore, folder: Path, options: ImportOptions) -> Table:
    names = _common_names(files)
    types, decisions = _types(files, names, options)
    out = folder / "parts"
    out.mkdir()
    writer = PartWriter(out, names, types)
    try:
        for file, decided in zip(files, decisions, strict=True):
            _write(file, decided, names, writer)
        paths = writer.close()
    finally:
        writer.abandon()
    if not writer.rows:
        raise ImportRefused(f"{files[0].context.name} has no rows that can be read.")
    distinct = distinct_counts(paths, names, folder, files[0].context.check)
    columns = tuple(Column(*facts) for facts in zip(names, types, writer.missing, distinct, strict=True))
    problems = _remarks(files, columns, writer.rows)
    files[0].context.check()
    manifest, size = keep(store, paths)
    for file in files:
        file.context.report(1.0)
    more = f" and {len(files) - 3} more" if len(files) > 3 else ""
    source = ", ".join(file.context.name for file in files[:3]) + more
    return Table(manifest, writer.rows, columns, size, problems, source, dict(files[0].table.reading))


def _common_names(files: Sequence[_File]) -> list[str]:
    """Return the column names of the first file. Raises ImportRefused for a file that has others."""
    names = list(files[0].table.names)
    for file in files[1:]:
        for ours, theirs, at in ((names, file.table.names, file), (file.table.names, names, files[0])):
            lacking = [name for name in ours if name not in set(theirs)]
            if lacking:
                raise ImportRefused(f"{at.context.name} has no column {lacking[0]!r}, which the other files have.",
                                    hint="Files that make one table together have the same columns.")
    return names


def _types(files: Sequence[_File], names: Sequence[str],
           options: ImportOptions) -> tuple[list[ColumnType], list[list[Decision] | None]]:
    """Decide types over the rows of all files; a typed file's columns count as what they are."""
    decisions: list[list[Decision] | None] = [None] * len(files)
    raw = [index for index, file in enumerate(files) if isinstance(file.table, RawTable)]
    if len(raw) == len(files):
        guesses = [ColumnGuess(markers(options)) for _ in names]
        for file in files:
            _observe(file, guesses, names)
        decided = decide(guesses, names, options, files[0].context.problems,
                         lambda *asked: _locate(files, names, *asked))
        return [item.type for item in decided], [decided] * len(files)
    if raw:
        raise ImportRefused(f"{files[raw[0]].context.name} is text and {_first_typed(files).name} is Parquet; they "
                            "cannot make one table.", hint="Import them one by one.")
    first = files[0].table
    assert isinstance(first, TypedTable)  # noqa: S101 - for the type checker
    for file in files[1:]:
        assert isinstance(file.table, TypedTable)  # noqa: S101
        kinds = dict(zip(file.table.names, file.table.types, strict=True))
        for name, kind in zip(first.names, first.types, strict=True):
            if kinds[name] is not kind:
                raise ImportRefused(f"The column {name!r} is {kind.value} in {files[0].context.name} and "
                                    f"{kinds[name].value} in {file.context.name}.")
    return list(first.types), decisions


def _first_typed(files: Sequence[_File]) -> Context:
    return next(file.context for file in files if isinstance(file.table, TypedTable))


def _order(file: _File, names: Sequence[str]) -> list[int]:
    """Return where the file has each of the table's columns."""
    place = {name: index for index, name in enumerate(file.table.names)}
    return [place[name] for name in names]


def _observe(file: _File, guesses: Sequence[ColumnGuess], names: Sequence[str]) -> None:
    table = file.table
    assert isinstance(table, RawTable)  # noqa: S101 - for the type checker
    done = 0
    for arrays in table.spool.batches(_order(file, names)):
        kept = _without(arrays, table.drop_rows, done)
        for number, (guess, values) in enumerate(zip(guesses, kept, strict=True)):
            guess.observe(values)
            if number % 500 == 499:
                file.context.check()
        done += len(arrays[0])
        file.context.typed(done / max(1, table.spool.rows))


def _without(arrays: list[pa.Array], dropped: frozenset[int], first: int) -> list[pa.Array]:
    """Return the arrays of a batch that begins with row ``first`` without the dropped rows."""
    rows = len(arrays[0])
    gone = [row - first for row in dropped if first <= row < first + rows]
    if not gone:
        return arrays
    mask = pc.invert(pc.is_in(pa.array(range(rows), pa.int64()), pa.array(gone, pa.int64())))
    return [values.filter(mask) for values in arrays]


def _locate(files: Sequence[_File], names: Sequence[str], column: int, group: str,
            missing: frozenset[str]) -> tuple[int | None, str] | None:
    """Find the first value that does not fit a group; for dates also the first written unlike the one before it."""
    absent = pa.array(sorted(missing))
    like: str | None = None
    for file in files:
        table, row = file.table, 0
        assert isinstance(table, RawTable)  # noqa: S101 - for the type checker
        for (values,) in table.spool.batches([_order(file, names)[column]]):
            trimmed = pc.utf8_trim_whitespace(values)
            real = pc.fill_null(pc.invert(pc.is_in(trimmed, absent)), False)
            real = pc.and_(real, pc.is_valid(trimmed))
            odd = pc.fill_null(pc.and_(real, pc.invert(fits_group(trimmed, group))), False)
            if group == "date" and not pc.any(odd).as_py():
                like = like or _pattern_of(trimmed.filter(real))
                if like is not None:
                    odd = pc.fill_null(pc.and_(real, pc.invert(pc.match_substring_regex(trimmed, like))), False)
            place = pc.index(odd, True).as_py()
            if place >= 0 and (row + place) not in table.drop_rows:
                return table.lines.of(row + place), trimmed[place].as_py()
            row += len(values)
    return None


def _pattern_of(texts: pa.Array) -> str | None:
    """Return the pattern that most dates follow."""
    counts = {pattern: pc.sum(pc.match_substring_regex(texts, pattern)).as_py() or 0
              for name, pattern in PATTERNS.items() if name != "time"}
    return max(counts, key=lambda pattern: counts[pattern]) if len(texts) else None


def _write(file: _File, decided: Sequence[Decision] | None, names: Sequence[str], writer: PartWriter) -> None:
    table = file.table
    if isinstance(table, TypedTable):
        order, total, done = _order(file, names), table.rows, 0
        for arrays in table.batches(file.context):
            writer.write([arrays[index] for index in order])
            done += len(arrays[0])
            file.context.written(done / max(1, total))
        return
    assert decided is not None  # noqa: S101 - for the type checker
    converters = [Converter(decision, ltrim=table.ltrim) for decision in decided]
    done = 0
    for arrays in table.spool.batches(_order(file, names)):
        kept = _without(arrays, table.drop_rows, done)
        writer.write([convert(values) for convert, values in zip(converters, kept, strict=True)])
        done += len(arrays[0])
        file.context.written(done / max(1, table.spool.rows))
    for name, converter in zip(names, converters, strict=True):
        if converter.infinite:
            file.context.problems.add("infinite values", f"{converter.infinite:,} values of {name!r} are infinite, or "
                                      "too large for a number.", column=name)
    table.spool.clear()


def _remarks(files: Sequence[_File], columns: Sequence[Column], rows: int) -> tuple[Problem, ...]:
    """Add what is worth knowing about the table as a whole; return all problems in the order of the files."""
    problems = files[0].context.problems
    if len(columns) == 1:
        problems.add("remarks", f"There is only one column, {columns[0].name!r}: nothing could be learnt about it from "
                     "others.", column=columns[0].name)
    if len(columns) >= _WIDE:
        problems.add("remarks", f"The table has {len(columns):,} columns"
                     + (f" but only {rows:,} rows" if rows < len(columns) else "")
                     + "; looking at it and training will take longer than usual.")
    return tuple(problem for file in files for problem in file.context.problems.all())
