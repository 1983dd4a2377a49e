"""Delimited files that are as regular as most: Arrow reads them, once, while what it is given is looked at.

Nothing is known of a file beforehand but its beginning. Whether it is UTF-8 without NULs, and whether every line is one
row, is seen on the way; a file that is not so is left to readers who take more care.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.csv as pacsv

from mldesk.data.readers.dialect import Dialect
from mldesk.data.records import ImportRefused
from mldesk.data.sources.encoding import Counter

BLOCK = 4 * 1024 * 1024    # bytes that Arrow parses at once; a row must fit


class Irregular(Exception):
    """The file is not as regular as the fast reader needs it."""


class Looked:
    """What a thread of its own sees of a file's bytes: Arrow must call no Python while it reads, for it reads ahead,
    also when the process ends."""

    def __init__(self, path: Path) -> None:
        self._path, self._counter, self._foreign, self._stop = path, Counter(), False, False
        self._pool = ThreadPoolExecutor(1, "looking")
        self._done = self._pool.submit(self._look)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop = True
        self._pool.shutdown()

    def lines(self) -> int:
        """Return how many lines there are. Raises Irregular for a file that is not UTF-8, has NULs or an open quote."""
        self._done.result()
        if self._foreign or self._counter.quotes % 2:
            raise Irregular
        return self._counter.lines

    def _look(self) -> None:
        text = codecs.getincrementaldecoder("utf-8")("strict")
        with open(self._path, "rb") as file:
            piece = b" "
            while piece and not self._foreign and not self._stop:
                piece = file.read(BLOCK)
                try:
                    if text.getstate()[0] or not piece.isascii():
                        text.decode(piece, final=not piece)
                except UnicodeDecodeError:
                    self._foreign = True
                self._counter.see(piece)
                self._foreign = self._foreign or self._counter.nul_line is not None


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
    names = [str(index) for index in range(dialect.width)]
    try:
        with pacsv.open_csv(
            file,
            read_options=pacsv.ReadOptions(use_threads=True, block_size=BLOCK, skip_rows=dialect.header_line,
                                           column_names=names),
            parse_options=pacsv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=quoted,
                                             ignore_empty_lines=True),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=True,
                include_columns=None if columns is None else [names[place] for place in columns]),
        ) as reader:
            yield from reader
    except pa.ArrowInvalid as error:  # a row that is too wide or too narrow, or longer than a block, or no UTF-8
        raise Irregular from error
