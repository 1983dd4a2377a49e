"""Fixed-width text: where its columns are, and its lines cut into cells."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from mldesk.data.names import clean_names
from mldesk.data.readers.dialect import looks_like_data
from mldesk.data.readers.raw import Context, Lines, batch_rows, text_array
from mldesk.data.readers.spool import Spool
from mldesk.data.records import Fix

_SAMPLE = 400     # lines that the columns are judged by
_FEWEST = 3       # lines that must agree before columns are taken for granted
_MOST = 10_000    # columns


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the cells of a line are: from, to (exclusive), in characters; the last goes on to the line's end."""

    spans: tuple[tuple[int, int], ...]

    def cells(self, line: str) -> list[str]:
        *front, (last, _) = self.spans
        return [*(line[begin:end].strip() for begin, end in front), line[last:].strip()]


def find_cut(sample: str, widths: Sequence[int], comment: str | None = None) -> Cut | None:
    """Return the cut that was told by widths, or the one that the blanks of all lines agree on; None if they do not.

    Lines that begin with ``comment`` have no say.
    """
    if widths:
        ends = list(itertools.accumulate(widths))
        return Cut(tuple(zip([0, *ends[:-1]], ends, strict=True)))
    lines = [line.rstrip("\r\n").expandtabs() for line in sample.splitlines()[:_SAMPLE]
             if line.strip() and not _is_comment(line, comment)]
    if len(lines) < _FEWEST:
        return None
    length = max(map(len, lines))
    filled = bytearray(length)
    for line in lines:
        for place, letter in enumerate(line):
            if not letter.isspace():
                filled[place] = 1
    starts = [place for place in range(length) if filled[place] and (place == 0 or not filled[place - 1])]
    if not 2 <= len(starts) <= _MOST or not _plausible(lines, starts):
        return None
    begins = [0, *starts[1:]]
    return Cut(tuple(zip(begins, [*starts[1:], length], strict=True)))


def _plausible(lines: Sequence[str], starts: Sequence[int]) -> bool:
    """Say whether nearly every line has something in nearly every column: a text of words does not."""
    ends = [*starts[1:], max(map(len, lines))]
    cells = sum(bool(line[begin:end].strip()) for line in lines for begin, end in zip(starts, ends, strict=True))
    return cells >= 0.6 * len(lines) * len(starts)


def read_fixed(context: Context, path: Path, cut: Cut) -> tuple[list[str], Spool, Lines, int]:
    """Read the file into text columns; return names, rows, their lines and the header's line. """
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        header, header_line = _header(context, file, cut, context.options.header_row)
        lines = enumerate(file, start=header_line + 1)
        spool, kept = Spool(context.scratch, str(context.number)), Lines.unknown()
        waiting: list[list[str]] = []
        size = batch_rows(len(cut.spans))
        read = 0
        for line, text in lines:
            read += len(text)
            if not text.strip() or _is_comment(text, context.options.comment):
                continue
            kept.append(line)
            waiting.append(cut.cells(text.expandtabs().rstrip("\r\n")))
            if len(waiting) == size:
                _flush(waiting, spool)
                context.parsed(read / max(1, context.size))
        _flush(waiting, spool)
    names = clean_names(header or [f"column_{number}" for number in range(1, len(cut.spans) + 1)], context.problems,
                        line=header_line or None)
    return names, spool, kept, header_line


def _header(context: Context, file: TextIO, cut: Cut, header_row: int | None) -> tuple[list[str] | None, int]:
    """Return the names and their line, from 1, and leave ``file`` after it; None and 0 for a file without names."""
    start = file.tell()
    number = 0
    while header_row != 0 and (text := file.readline()):
        number += 1
        if (header_row is not None and number < header_row) or not text.strip() \
                or _is_comment(text, context.options.comment):
            continue
        cells = cut.cells(text.expandtabs().rstrip("\r\n"))
        if header_row is None and looks_like_data(cells):
            context.problems.add("guesses", "The first line holds values, not names; the columns are called column_1, "
                                 "column_2, …", line=number,
                                 fix=Fix("Take the first line for the names", {"header_row": number}))
            break
        return cells, number
    file.seek(start)
    return None, 0


def _is_comment(line: str, comment: str | None) -> bool:
    return comment is not None and line.startswith(comment)


def _flush(waiting: list[list[str]], spool: Spool) -> None:
    if waiting:
        spool.add([text_array(list(column)) for column in zip(*waiting, strict=True)], len(waiting))
        waiting.clear()
