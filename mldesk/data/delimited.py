"""Read CSV, TSV and their kin: Arrow where a file is regular, a careful reader where it is not.

Both give the same rows. The careful one knows every row's physical line, names the lines it leaves out, and recovers
after a quote that never ends.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from mldesk.data.careful import read_rows
from mldesk.data.dialect import NONE, Dialect, sniff
from mldesk.data.encoding import Text, as_utf8
from mldesk.data.fixed_width import find_cut, read_fixed
from mldesk.data.long_delimiter import SHORT, RestoringSpool, shorten_delimiter
from mldesk.data.names import clean_names
from mldesk.data.raw import Context, Lines, RawTable
from mldesk.data.records import Fix, ImportRefused
from mldesk.data.spool import Spool

_SAMPLE = 1024 * 1024       # characters that the delimiter and the header are judged by
_BLOCK = 4 * 1024 * 1024    # bytes that Arrow parses at once; a row must fit


class _Irregular(Exception):
    """The file is not as regular as the fast reader needs it."""


def read_delimited(context: Context, source: Path, kind: str) -> RawTable:
    """Read the file at ``source`` into text columns. Raises ImportRefused, ImportCancelled, DiskFull."""
    options, problems, name = context.options, context.problems, context.name
    text = as_utf8(source, context.scratch / f"{context.number}.utf8", problems, options.encoding,
                   context.scanned, name)
    long = options.delimiter if options.delimiter is not None and len(options.delimiter) > 1 else None
    if long is not None:
        text = replace(text, path=shorten_delimiter(text.path, context.scratch / f"{context.number}.short", long))
    with open(text.path, encoding="utf-8-sig", errors="replace", newline="") as file:
        sample = file.read(_SAMPLE)
        whole = not file.read(1)
    if kind == "fixed" or options.widths:
        return _fixed(context, text, sample)
    given = SHORT if long is not None else options.delimiter
    delimiter = given or ("\t" if kind == "tsv" and "\t" in sample else None)
    dialect = sniff(sample, whole=whole, delimiter=delimiter, header_row=options.header_row)
    if dialect is None:
        raise ImportRefused(f"{name} holds nothing but blank lines.")
    if dialect.delimiter == NONE and options.format is None and find_cut(sample, ()) is not None:
        problems.add("guesses", "No delimiter was found, but the columns stand below one another; the file was read as "
                     "fixed width.", fix=Fix("Read each line as one cell", {"format": "csv"}))
        return _fixed(context, text, sample)
    if not dialect.header:
        dialect = replace(dialect, width=max(dialect.width, 1))
    _say_what_was_found(context, dialect)
    header = [cell.replace(SHORT, long) for cell in dialect.header] if long is not None else dialect.header
    names = clean_names(header or [f"column_{i + 1}" for i in range(dialect.width)], problems,
                        line=dialect.header_line or None)
    spool = Spool(context.scratch, f"{context.number}", files=context.of) if long is None else \
        RestoringSpool(context.scratch, f"{context.number}", long)
    lines = _read(context, text, dialect, spool)
    if not spool.rows:
        raise ImportRefused(f"{name} has a header in line {dialect.header_line} and no rows." if dialect.header
                            else f"{name} has no rows.", hint="A table needs at least one row of values.")
    return RawTable(names, spool, lines, ltrim=False, reading={
        "format": kind, "encoding": text.encoding, "header_line": dialect.header_line,
        "delimiter": long or ("" if dialect.delimiter == NONE else dialect.delimiter)})


def _fixed(context: Context, text: Text, sample: str) -> RawTable:
    cut = find_cut(sample, context.options.widths)
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
                     fix=Fix(f"Take line {line} for the names", {"header_row": line}))
    if dialect.row_names:
        problems.add("columns renamed", "The header has one name less than the rows have cells; the first column is "
                     "called 'column_1'.", line=dialect.header_line, column="column_1")


def _read(context: Context, text: Text, dialect: Dialect, spool: Spool) -> Lines:
    if text.quotes % 2 == 0 and not dialect.skip_space and text.lines > dialect.header_line:
        try:
            return _read_fast(context, text, dialect, spool)
        except _Irregular:
            spool.clear()
    return read_rows(context, text.path, dialect, spool)


def _read_fast(context: Context, text: Text, dialect: Dialect, spool: Spool) -> Lines:
    """Let Arrow read it. Raises _Irregular unless every line after the header is one row of the right width."""
    names = [str(index) for index in range(dialect.width)]
    found: list[bool] = []

    def irregular(_: object) -> str:
        found.append(True)
        return "error"

    try:
        with pa.OSFile(str(text.path)) as file, pacsv.open_csv(  # given a name, Arrow would unpack what ends in .gz
            file,
            read_options=pacsv.ReadOptions(use_threads=False, block_size=_BLOCK, skip_rows=dialect.header_line,
                                           column_names=names),
            parse_options=pacsv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=text.quotes > 0,
                                             ignore_empty_lines=True, invalid_row_handler=irregular),
            convert_options=pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()),
                                                 strings_can_be_null=False, check_utf8=False),
        ) as reader:
            for batch in reader:
                spool.add(batch.columns, batch.num_rows)
                context.parsed(spool.rows / max(1, text.lines))
    except pa.ArrowInvalid as error:  # a row that is too wide, or longer than a block
        raise _Irregular from error
    if found or spool.rows != text.lines - dialect.header_line:
        raise _Irregular
    return Lines.regular(dialect.header_line + 1)

