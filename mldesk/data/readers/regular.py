"""Delimited files that are as regular as most: Arrow reads them, once, block by block, each looked at before.

Nothing is known of a file beforehand but its beginning. Whether it is UTF-8 without NULs, and whether every line is one
row, is seen on the way; a file that is not so is left to readers who take more care.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from mldesk.data.readers.dialect import Dialect
from mldesk.data.records import ImportRefused
from mldesk.data.sources.encoding import count_byte, line_ends

BLOCK = 4 * 1024 * 1024    # bytes that Arrow parses at once; a row must fit


class Irregular(Exception):
    """The file is not as regular as the fast reader needs it."""


class Block(NamedTuple):
    """Some rows of a file."""

    columns: list[pa.Array]   # text, all of the same length
    end: int                  # bytes of the file up to here


def read_blocks(path: Path, dialect: Dialect) -> Generator[Block, None, None]:
    """Give all rows of a file. Raises Irregular, perhaps only in the end, unless it is UTF-8 without NULs in which
    every line after the header is one row of the dialect's width."""
    room = bytearray(BLOCK)
    have = size = quotes = 0
    whole = False
    with open(path, "rb", buffering=0) as file:
        while not whole:
            have += _fill(file, memoryview(room)[have:])
            whole = have < len(room)
            end = have if whole else room.rfind(b"\n", 0, have) + 1
            if end:
                data = memoryview(room)[:end]
                quotes += count_byte(data, dialect.quote.encode()) if dialect.quote else 0
                yield Block(_rows(data, dialect, skipped=0 if size else dialect.header_line), size + end)
            elif not whole:
                raise Irregular
            size, have = size + end, have - end
            room[:have] = room[end:end + have]
    if quotes % 2:
        raise Irregular


def _fill(file: Any, room: memoryview) -> int:
    """Read until there is no more room, or no more of the file; return how much."""
    done = 0
    while done < len(room) and (some := file.readinto(room[done:])):
        done += some
    return done


def _rows(data: memoryview, dialect: Dialect, *, skipped: int) -> list[pa.Array]:
    """Return the rows of some lines, after those that are ``skipped``. Raises Irregular."""
    seen = np.frombuffer(data, np.uint8)
    if not seen.min():
        raise Irregular
    if seen.max() > 127:
        try:
            str(data, "utf-8")
        except UnicodeDecodeError as error:
            raise Irregular from error
    try:
        table = pacsv.read_csv(pa.BufferReader(pa.py_buffer(data)), *_options(dialect, skipped, block=len(data) + 1))
    except pa.ArrowInvalid as error:  # a row that is too wide or too narrow
        raise Irregular from error
    columns = [column.chunk(0) for column in table.columns] if table.num_rows else []
    lines = line_ends(data) + (chr(data[-1]) not in "\r\n")
    # A quote that is open at the end takes the last line's end into the last cell.
    if not columns or table.num_rows != lines - skipped or columns[-1][-1].as_py()[-1:] == "\n":
        raise Irregular
    return columns


class RegularRows:
    """The rows of a regular file, read again whenever they are asked for."""

    def __init__(self, path: Path, dialect: Dialect, name: str, rows: int) -> None:
        self._path, self._dialect, self._name, self.rows = path, dialect, name, rows

    def batches(self, columns: Sequence[int] | None = None) -> Iterator[list[pa.Array]]:
        """Give the rows: all columns, or those at the given places. Raises ImportRefused if the file has changed."""
        rows = 0
        try:
            with pa.OSFile(str(self._path)) as file:  # given a name, Arrow would unpack what ends in .gz
                for batch in read_batches(file, self._dialect, quoted=True, columns=columns):
                    rows += batch.num_rows
                    yield list(batch.columns)
        except Irregular:
            rows = -1
        if rows != self.rows:
            raise ImportRefused(f"{self._name} was changed while it was read.", hint="Import it again.")

    def clear(self) -> None:
        """There is nothing to forget."""


def read_batches(file: Any, dialect: Dialect, *, quoted: bool,
                 columns: Sequence[int] | None = None) -> Iterator[pa.RecordBatch]:
    """Give the rows of a file as text columns. ``quoted``: cells may hold line ends.

    Raises Irregular for a row that is not of the dialect's width, and for what cannot be read at all.
    """
    read, parse, convert = _options(dialect, dialect.header_line, block=BLOCK)
    read.use_threads, parse.newlines_in_values, convert.check_utf8 = True, quoted, True
    if columns is not None:
        convert.include_columns = [str(place) for place in columns]
    try:
        with pacsv.open_csv(file, read, parse, convert) as reader:
            yield from reader
    except pa.ArrowInvalid as error:  # a row that is too wide or too narrow, or longer than a block, or no UTF-8
        raise Irregular from error


def _options(dialect: Dialect, skipped: int, *,
             block: int) -> tuple[pacsv.ReadOptions, pacsv.ParseOptions, pacsv.ConvertOptions]:
    """Return how Arrow is to read: every column as text, in one thread, without looking for bad UTF-8."""
    names = [str(index) for index in range(dialect.width)]
    return (pacsv.ReadOptions(use_threads=False, block_size=block, skip_rows=skipped, column_names=names),
            pacsv.ParseOptions(delimiter=dialect.delimiter, quote_char=dialect.quote or False, ignore_empty_lines=True),
            pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False,
                                 check_utf8=False))
