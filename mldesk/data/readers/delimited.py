"""Read CSV, TSV and their kin: Arrow where a file is regular, a careful reader where it is not.

Both give the same rows. The careful one knows every row's physical line, names the lines it leaves out, and recovers
after a quote that never ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from mldesk.data.names import clean_names
from mldesk.data.readers.careful import read_rows
from mldesk.data.readers.dialect import NONE, Dialect, Told, sniff
from mldesk.data.readers.fixed_width import find_cut, read_fixed
from mldesk.data.readers.long_delimiter import SHORT, RestoringSpool, shorten_delimiter
from mldesk.data.readers.raw import MAX_COLUMNS, Context, Lines, RawTable
from mldesk.data.readers.regular import Irregular, RegularRows, read_batches, read_blocks
from mldesk.data.readers.spool import Spool
from mldesk.data.reading_ahead import ahead
from mldesk.data.records import Fix, ImportRefused, NoRows, Problems
from mldesk.data.sources.encoding import Text, as_utf8, encoding_by_mark, head_bytes

_SAMPLE = 1024 * 1024       # characters that the delimiter and the header are judged by
_AHEAD = 2                  # blocks that are parsed before they are asked for


def read_delimited(context: Context, source: Path, kind: str) -> RawTable:
    """Read the file at ``source`` into text columns. Raises ImportRefused, ImportCancelled, DiskFull."""
    return _read_at_once(context, source, kind) or _read_with_care(context, source, kind)


def _read_with_care(context: Context, source: Path, kind: str) -> RawTable:
    options, problems, name = context.options, context.problems, context.name
    text = as_utf8(source, context.scratch / f"{context.number}.utf8", problems, options.encoding,
                   context.scanned, name, options.quoting)
    long = options.delimiter if options.delimiter is not None and len(options.delimiter) > 1 else None
    if long is not None:
        text = replace(text, path=shorten_delimiter(text.path, context.scratch / f"{context.number}.short", long))
    if kind == "fixed" or options.widths:
        return _fixed(context, text, _sample(text.path)[0])
    dialect, sample = _sniffed(context, text.path, kind, SHORT if long is not None else options.delimiter)
    if dialect is None:
        raise ImportRefused(f"{name} holds nothing but blank lines.")
    if dialect.delimiter == NONE and options.format is None and find_cut(sample, (), options.comment) is not None:
        problems.add("guesses", "No delimiter was found, but the columns stand below one another; the file was read as "
                     "fixed width.", fix=Fix("Read each line as one cell", {"format": "csv"}))
        return _fixed(context, text, sample)
    if not dialect.header:
        dialect = replace(dialect, width=max(dialect.width, 1))
    _say_what_was_found(context, dialect)
    header = [cell.replace(SHORT, long) if long is not None else cell for cell in _header(dialect)]
    names = clean_names(header, problems, line=dialect.header_line or None)
    spool = Spool(context.scratch, f"{context.number}", files=context.of) if long is None else \
        RestoringSpool(context.scratch, f"{context.number}", long)
    lines = _read(context, text, dialect, spool)
    if not spool.rows:
        raise NoRows(f"{name} has a header in line {dialect.header_line} and no rows." if dialect.header
                     else f"{name} has no rows.", hint="A table needs at least one row of values.")
    reading = _reading(kind, text.encoding, dialect)
    return RawTable(names, spool, lines, reading=reading if long is None else {**reading, "delimiter": long})


def _sample(path: Path) -> tuple[str, bool]:
    """Return the beginning of a file of UTF-8, and whether that is all."""
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        return file.read(_SAMPLE), not file.read(1)


def _sniffed(context: Context, path: Path, kind: str, given: str | None) -> tuple[Dialect | None, str]:
    """Return how a file of UTF-8 is written, and its beginning."""
    sample, whole = _sample(path)
    delimiter = given or ("\t" if kind == "tsv" and "\t" in sample else None)
    options = context.options
    dialect = sniff(sample, Told(delimiter, options.header_row, options.header_rows or 1, options.quoting,
                                 options.comment or ""), whole=whole)
    if dialect is not None and max(dialect.width, len(dialect.header)) > MAX_COLUMNS:  # the sample may hold no more
        raise ImportRefused(f"{context.name} has more than {MAX_COLUMNS:,} columns; that is too many for a table.",
                            hint="Choose another delimiter, if that is not what separates its cells.")
    return dialect, sample


def _header(dialect: Dialect) -> Sequence[str]:
    return dialect.header or [f"column_{i + 1}" for i in range(dialect.width)]


def _reading(kind: str, encoding: str, dialect: Dialect) -> dict[str, Any]:
    return {"format": kind, "encoding": encoding, "header_line": dialect.header_line,
            "delimiter": "" if dialect.delimiter == NONE else dialect.delimiter}


def _fixed(context: Context, text: Text, sample: str) -> RawTable:
    cut = find_cut(sample, context.options.widths, context.options.comment)
    if cut is None:
        raise ImportRefused(f"{context.name} is not fixed width: its lines do not agree on where columns begin.",
                            hint="Give the widths of its columns, or another format.")
    names, spool, lines, header_line = read_fixed(context, text.path, cut)
    if not spool.rows:
        raise ImportRefused(f"{context.name} has no rows.", hint="A table needs at least one row of values.")
    return RawTable(names, spool, lines, reading={
        "format": "fixed", "encoding": text.encoding, "header_line": header_line,
        "widths": [end - begin for begin, end in cut.spans]})


def _say_what_was_found(context: Context, dialect: Dialect) -> None:
    problems = context.problems
    if dialect.headerless:
        problems.add("guesses", "The first line holds values, not names; the columns are called column_1, column_2, …",
                     line=1, fix=Fix("Take the first line for the names", {"header_row": 1}))
    for line in dialect.titles:
        problems.add("lines left out", f"Line {line} stands above the header; it was left out.", line=line,
                     fix="It has too few cells to name the columns." if line in dialect.narrow else
                     Fix(f"Take line {line} for the names", {"header_row": line}))
    if dialect.row_names:
        problems.add("columns renamed", "The header has one name less than the rows have cells; the first column is "
                     "called 'column_1'.", line=dialect.header_line, column="column_1",
                     fix=Fix("Leave the column 'column_1' out", {"without": ["column_1"]}))


def _read(context: Context, text: Text, dialect: Dialect, spool: Spool) -> Lines:
    if text.quotes % 2 == 0 and not dialect.skip_space and not dialect.comment and dialect.delimiter.isascii() \
            and text.lines > dialect.header_line:
        try:
            return _read_fast(context, text, dialect, spool)
        except Irregular:
            spool.clear()
    return read_rows(context, text.path, dialect, spool, odd=bool(text.quotes % 2))


def _read_fast(context: Context, text: Text, dialect: Dialect, spool: Spool) -> Lines:
    """Let Arrow read it. Raises Irregular unless every line after the header is one row of the right width."""
    with pa.OSFile(str(text.path)) as file:  # given a name, Arrow would unpack what ends in .gz
        for batch in read_batches(file, dialect, quoted=text.quotes > 0):
            spool.add(batch.columns, batch.num_rows)
            context.parsed(spool.rows / max(1, text.lines))
    if spool.rows != text.lines - dialect.header_line:
        raise Irregular
    return Lines.regular(dialect.header_line + 1)


def _read_at_once(context: Context, source: Path, kind: str) -> RawTable | None:
    """Read a regular file of UTF-8 once, making the table on the way; None if it is not such a file."""
    options = context.options
    if context.early is None or kind == "fixed" or options.widths or (options.encoding or "utf-8").lower() != "utf-8" \
            or len(options.delimiter or ",") != 1 or options.comment is not None \
            or encoding_by_mark(head_bytes(source)) not in (None, "utf-8"):
        return None
    dialect = _sniffed(context, source, kind, options.delimiter)[0]
    if dialect is None or dialect.skip_space or dialect.delimiter == NONE or dialect.width < 2 \
            or not dialect.delimiter.isascii():
        return None
    early = context.early(clean_names(_header(dialect), Problems(context.name)))
    rows = 0
    try:
        with closing(ahead(read_blocks(source, dialect), _AHEAD)) as blocks:
            for block in blocks:
                rows += len(block.columns[0])
                early.add(block.columns)
                context.made(block.end / max(1, context.size))
    except Irregular:
        early.close()
        return None
    _say_what_was_found(context, dialect)
    names = clean_names(_header(dialect), context.problems, line=dialect.header_line or None)
    return RawTable(names, RegularRows(source, dialect, context.name, rows), Lines.regular(dialect.header_line + 1),
                    reading=_reading(kind, "utf-8", dialect), early=early)
