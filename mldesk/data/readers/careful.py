"""The careful reader of delimited text: line by line, for files that are not regular.

A row with too few or too many cells is left out and its line named. A quoted cell that runs to the end of the file (or
beyond all measure) is taken for a stray quote: its first line is left out, and reading goes on with the next.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from mldesk.data.options import NO_QUOTES
from mldesk.data.readers.dialect import Dialect
from mldesk.data.readers.raw import Context, Lines, batch_rows, text_array
from mldesk.data.readers.spool import Spool
from mldesk.data.records import Fix, ImportRefused

_LONGEST_RECORD = 32 * 1024 * 1024  # characters that a quoted cell may run on for where some quote has no other
_LONGEST_CELL = 256 * 1024 * 1024   # the same where all have
_STRAY_QUOTES = 200                 # after so many the file is refused
_LONG_ROW = 25                      # lines of one row beyond which a remark is due
_LEFT_OUT = "lines left out"
_COMMENTS = ("#", "//", "--", "%", "!")
EMPTY = "Nothing is lost: an empty line holds no values."
LENIENT = Fix("Go on without such rows, and write them to a rejects file", {"lenient": True})


class _TooLong(Exception):
    """A record of several lines is none: it ran on too long, or to the end of the file, or its quotes do not match."""


class _Source:
    """Lines for the csv reader, which may be taken back after a record went wrong."""

    def __init__(self, file: TextIO, comment: str = "", longest: int = _LONGEST_CELL) -> None:
        self._file, self._comment, self._longest = file, comment, longest
        self._again: deque[str] = deque()
        self.taken: list[str] = []    # lines of the record being read
        self.length = 0               # characters of them
        self.line = 0                 # number of the last line given, from 1
        self.ended = False            # the file ended inside the record being read
        self.read = 0                 # characters read from the file

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._next_line()
        while self._comment and not self.taken and line.startswith(self._comment):
            line = self._next_line()
        self.length += len(line)
        self.taken.append(line)
        if self.length > self._longest and len(self.taken) > 1:
            raise _TooLong
        return line

    def _next_line(self) -> str:
        if self._again:
            line = self._again.popleft()
        else:
            line = self._file.readline()
            self.read += len(line)
            if not line:
                self.ended = True
                raise StopIteration
        self.line += 1
        return line

    def begin(self) -> None:
        self.taken, self.length, self.ended = [], 0, False

    def take_back(self, keep: int) -> None:
        """Give every line of the record after the first ``keep`` again."""
        back = self.taken[keep:]
        self._again.extendleft(reversed(back))
        self.line -= len(back)


def read_rows(context: Context, path: Path, dialect: Dialect, spool: Spool, *, odd: bool = True) -> Lines:
    """Read the rows below the header into ``spool``; return their lines. ``odd``: some quote has no other.

    Raises ImportRefused, ImportCancelled.
    """
    rows = _Rows(context, dialect, spool)
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        source = _Source(file, dialect.comment, _LONGEST_RECORD if odd else _LONGEST_CELL)
        while source.line < dialect.header_line:
            source.begin()
            next(source)
        for first, cells in _records(context, source, dialect):
            rows.add(first, cells, source.taken)
            if first % 4096 == 0:
                context.parsed(source.read / max(1, context.size))
    rows.finish()
    return rows.lines


def _records(context: Context, source: _Source, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Give each record and the line it begins in. A stray quote's line is named, left out, and passed over."""
    strays = 0
    while True:
        reader = csv.reader(source, **dialect.for_csv())
        try:
            while True:
                source.begin()
                cells = next(reader)
                if source.ended and context.sampled:
                    return  # the row goes on after what a preview looks at
                if source.ended or (len(source.taken) > 1 and not _well_quoted("".join(source.taken), dialect)):
                    raise _TooLong
                yield source.line - len(source.taken) + 1, cells
        except StopIteration:
            return
        except (_TooLong, csv.Error):
            first = source.line - len(source.taken) + 1
            strays += 1
            context.reject(first, "its quoted cell never ends", source.taken[0] if source.taken else "")
            if strays > _STRAY_QUOTES and not context.lenient:
                raise ImportRefused(f"{context.name} has more than {_STRAY_QUOTES} quoted cells that never end, the "
                                    f"last in line {first}.", hint="Mend its quotes, or save it anew.",
                                    fixes=(LENIENT,)) from None
            context.problems.add(_LEFT_OUT, f"The quoted cell that begins in line {first} never ends; this line was "
                                 "left out.", line=first, fix=LENIENT)
            source.take_back(1)
            context.check()


def _well_quoted(text: str, dialect: Dialect) -> bool:
    """Say whether every quoted cell of a record ends where a cell ends. Two stray quotes look like one cell else."""
    try:
        list(csv.reader([text], **dialect.for_csv(strict=True)))
    except csv.Error:
        return False
    return True


class _Rows:
    """Sorts records into rows, empty lines and lines to leave out, and fills the spool."""

    def __init__(self, context: Context, dialect: Dialect, spool: Spool) -> None:
        self._context, self._dialect, self._spool = context, dialect, spool
        self._width = dialect.width
        self._full = batch_rows(self._width)
        self._waiting: list[list[str]] = []
        self._empty: list[int] = []   # lines that are a problem only if a row follows
        self._bad = 0
        self.lines = Lines.unknown()

    def add(self, line: int, cells: list[str], taken: list[str]) -> None:
        """Take a record that begins in ``line`` and is made of the lines ``taken``."""
        if len(taken) > _LONG_ROW:
            self._context.problems.add("very long rows", f"The row that begins in line {line} goes on for {len(taken)} "
                                       "lines; a quote may be missing.", line=line,
                                       fix=Fix("Take quotes for letters like others", {"quote": NO_QUOTES}))
        if len(cells) == self._width:
            self._keep(line, cells)
        elif len(cells) <= 1 and not "".join(cells).strip():
            self._empty.append(line)
        elif len(cells) < self._width and self._context.options.fill_short:
            self._keep(line, [*cells, *[""] * (self._width - len(cells))])
        elif len(cells) > self._width and not any(cell.strip() for cell in cells[self._width:]):
            self._keep(line, cells[:self._width])
        else:
            self._leave_out(line, cells, taken)

    def finish(self) -> None:
        """Write what is waiting. Raises ImportRefused if most of the file did not fit its header."""
        self._flush()
        if self._bad > self._spool.rows and not self._context.lenient:
            raise ImportRefused(
                f"{self._context.name}: {self._bad:,} of {self._bad + self._spool.rows:,} rows do not have the "
                f"{self._width} cells that the header in line {self._dialect.header_line} calls for.",
                hint="The delimiter or the header row may be another one; choose it in the import options.",
                fixes=(LENIENT, Fix("Take the first line for the column names", {"header_row": 1})))

    def _keep(self, line: int, cells: list[str]) -> None:
        if self._empty:
            for empty in self._empty:
                self._context.problems.add("empty lines", f"Line {empty} is empty; it was left out.", line=empty,
                                           fix=EMPTY)
            self._empty.clear()
        self.lines.append(line)
        self._waiting.append(cells)
        if len(self._waiting) >= self._full:
            self._flush()

    def _leave_out(self, line: int, cells: list[str], taken: list[str]) -> None:
        self._bad += 1
        count = len(cells)
        reason = f"{count} {'cell' if count == 1 else 'cells'} instead of {self._width}"
        self._context.reject(line, reason, "".join(taken))
        self._context.problems.add(_LEFT_OUT, f"Line {line} has {reason}; it was left out.", line=line,
                                   fix=self._fix(cells, taken))

    def _fix(self, cells: list[str], taken: list[str]) -> Fix:
        """Return what may be done about a row of the wrong width."""
        mark = next((mark for mark in _COMMENTS if taken and taken[0].startswith(mark)), None)
        if mark is not None:
            return Fix(f"Take lines that begin with {mark} for comments", {"comment": mark})
        return LENIENT if len(cells) > self._width else \
            Fix("Fill rows that are too short with missing values", {"fill_short": True})

    def _flush(self) -> None:
        if self._waiting:
            columns = [text_array(list(values)) for values in zip(*self._waiting, strict=True)]
            self._spool.add(columns, len(self._waiting))
            self._waiting.clear()

