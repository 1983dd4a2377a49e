"""How a delimited text file is written: its delimiter, where its header is, how many columns it has."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

DELIMITERS = (",", ";", "\t", "|")
NONE = "\x1f"       # stands in as the delimiter of a file with one column
_RECORDS = 400      # of the sample that are looked at
_TITLES = 40        # records above the header at most
_TO_COMPARE = 5     # rows at least, before a first one with texts is taken for one of them
_YEARS = range(1900, 2101)
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d+)*|\.\d+)([eE][-+]?\d+)?%?")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the careful and the fast reader need to know."""

    delimiter: str
    skip_space: bool             # a blank follows every delimiter and belongs to it
    header: tuple[str, ...]      # the names as they are written; () where the file has none
    header_line: int             # physical line where the header ends, from 1; 0: there is none
    titles: tuple[int, ...]      # physical lines above the header that hold something else
    width: int                   # cells of a row
    narrow: tuple[int, ...] = ()  # of the titles, those with too few cells to be names
    row_names: bool = False      # the header lacks a name for the first column (as R writes it)
    headerless: bool = False     # guessed, not told, that there is no header
    quote: str = '"'             # around cells; "": nothing is
    comment: str = ""            # what lines begin with that are no rows; "": none are

    def for_csv(self, **more: Any) -> dict[str, Any]:
        """Return it as Python's csv reader takes it."""
        return {**csv_options(self.delimiter, self.quote, skip_space=self.skip_space), **more}


def csv_options(delimiter: str, quote: str, *, skip_space: bool = False) -> dict[str, Any]:
    """Return a way of writing as Python's csv reader takes it."""
    around = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
    return {"delimiter": delimiter, "skipinitialspace": skip_space, **around}


@dataclass(frozen=True, slots=True)
class Told:
    """What the user said of how a file is written."""

    delimiter: str | None = None
    header_row: int | None = None
    header_rows: int = 1
    quote: str = '"'
    comment: str = ""


@dataclass(frozen=True, slots=True)
class _Record:
    cells: list[str]
    last_line: int


def sniff(sample: str, told: Told, *, whole: bool) -> Dialect | None:
    """Return how the file that begins with ``sample`` is written; None if the sample holds no text at all.

    ``whole``: the sample is the file. A single column is written with the delimiter ``NONE``.
    """
    lines = io.StringIO(sample, newline="").readlines()
    if not whole and len(lines) > 1:
        lines.pop()
    written, shift = _told_delimiter(lines)
    delimiter = told.delimiter
    if delimiter is None:
        delimiter = written or _best_delimiter(lines[shift:], told)
    csv.field_size_limit(1 << 30)  # Python's own limit of 128 kB per cell is too small for texts; it is process-wide
    records = _records(lines, delimiter, told, skip_space=False)
    if not any(any(cell.strip() for cell in record.cells) for record in records[shift:]):
        return None
    skip_space = delimiter == " " or _spaced(records[shift:])
    if skip_space:
        records = _records(lines, delimiter, told, skip_space=True)
    found = _find_header(records[shift:] if shift else records, delimiter, skip_space, told)
    return replace(found, quote=told.quote, comment=told.comment)


def _told_delimiter(lines: Sequence[str]) -> tuple[str | None, int]:
    """Spreadsheets may write ``sep=;`` as the first line."""
    match = re.fullmatch(r'"?sep=(.)"?\s*', lines[0]) if lines else None
    return (match[1], 1) if match else (None, 0)


class _Lines:
    """Lines for the csv reader without those that are comments; ``number`` is of the last one given, from 1."""

    def __init__(self, lines: Iterable[str], comment: str) -> None:
        self._lines, self._comment = iter(lines), comment
        self.number, self.within = 0, False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while True:
            line = next(self._lines)
            self.number += 1
            if self.within or not (self._comment and line.startswith(self._comment)):
                self.within = True
                return line


def _records(lines: Sequence[str], delimiter: str, told: Told, *, skip_space: bool) -> list[_Record]:
    given = _Lines(lines, told.comment)
    records: list[_Record] = []
    try:
        for cells in csv.reader(given, **csv_options(delimiter, told.quote, skip_space=skip_space)):
            records.append(_Record(cells, given.number))
            given.within = False
            if len(records) >= _RECORDS:
                break
    except csv.Error:
        pass
    return records


def _best_delimiter(lines: Sequence[str], told: Told) -> str:
    """Take the one that cuts most records into the same number of cells, the first record too."""
    best, best_score = NONE, (0.0, False, 0)
    for delimiter in DELIMITERS:
        if not any(delimiter in line for line in lines):
            continue
        counts = [len(record.cells) for record in _records(lines, delimiter, told, skip_space=False)
                  if _filled(record)]
        width, times = _mode(counts)
        if width < 2:
            continue
        score = (round(times / len(counts), 1), counts[0] == width, width)
        if score > best_score and score[0] >= 0.4:
            best, best_score = delimiter, score
    return best


def _mode(counts: Sequence[int]) -> tuple[int, int]:
    return max(Counter(counts).items(), key=lambda item: (item[1], item[0])) if counts else (0, 0)


def _filled(record: _Record) -> bool:
    return any(cell.strip() for cell in record.cells)


def _spaced(records: Sequence[_Record]) -> bool:
    wide = [record for record in records if len(record.cells) > 1]
    return len(wide) > 1 and all(cell.startswith(" ") for record in wide for cell in record.cells[1:])


def _find_header(records: Sequence[_Record], delimiter: str, skip_space: bool, told: Told) -> Dialect:
    header_row = told.header_row
    filled = [record for record in records if _filled(record)]
    counts = [len(record.cells) for record in filled]
    width, _ = _mode(counts[1:] or counts)
    if header_row is not None:
        header = next((record for record in records if record.last_line >= header_row), None) if header_row else None
        if header is None:
            return Dialect(delimiter, skip_space, (), 0, (), width)
        place = filled.index(header) if header in filled else 0
    else:
        place = _header_place(filled, width)
        header = filled[place]
        if place == 0 and told.header_rows == 1 and (
                looks_like_data(header.cells) or _like_those_below(header, filled[1:], width)):
            return Dialect(delimiter, skip_space, (), 0, (), width, headerless=True)
    titles = tuple(record.last_line for record in filled[:place])
    storeys = filled[place:place + told.header_rows]
    narrow = tuple(record.last_line for record in filled[:place] if len(record.cells) < width)
    names = joined_names([record.cells for record in storeys]) if len(storeys) > 1 else list(header.cells)
    below = filled[place + len(storeys):]
    row_names = (header_row is None and len(names) == width - 1 > 1
                 and any(record.cells[-1].strip() for record in below if len(record.cells) == width))
    if row_names:
        names = ["", *names]
    while len(names) > width > 0 and not names[-1].strip():
        names.pop()
    return Dialect(delimiter, skip_space, tuple(names), storeys[-1].last_line, titles, len(names), narrow, row_names)


def joined_names(storeys: Sequence[Sequence[str | None]]) -> list[str]:
    """Return the names of columns that stand in several rows: "2023" over "Q1" and "Q2" gives "2023 Q1", "2023 Q2".

    A blank cell of a row above the last one is as the one to the left of it, which has names below as well.
    """
    width = max(map(len, storeys))
    rows = [[(row[place] or "").strip() if place < len(row) else "" for place in range(width)] for row in storeys]
    for number, row in enumerate(rows[:-1]):
        named = [any(lower[place] for lower in rows[number + 1:]) for place in range(width)]
        for place in range(1, width):
            if not row[place] and named[place] and named[place - 1]:
                row[place] = row[place - 1]
    return [" ".join(dict.fromkeys(row[place] for row in rows if row[place])) for place in range(width)]


def _header_place(filled: Sequence[_Record], width: int) -> int:
    """Return which filled record is the header: the first that is as wide as the rows, unless none is near the top."""
    if width < 2 or len(filled[0].cells) >= width or len(filled[0].cells) == width - 1 > 1:
        return 0
    for place, record in enumerate(filled[:_TITLES]):
        if len(record.cells) >= width:
            return place
    return 0


def _like_those_below(first: _Record, below: Sequence[_Record], width: int) -> bool:
    """Say whether a first row is plainly one like the others, though texts are in it: numbers stand above numbers.

    Columns of numbers may be named by numbers, too: by years, 0, 1, 2, or a row of at least three that grow.
    """
    rows = [[cell.strip() for cell in record.cells] for record in below if len(record.cells) == width]
    top = [cell.strip() for cell in first.cells]
    if len(top) != width or len(rows) < _TO_COMPARE:
        return False
    said = [place for place in range(width) if looks_like_data([top[place]])]
    numbers = [place for place in range(width) if looks_like_data([row[place] for row in rows])]
    return bool(said) and said == numbers and not _like_names([top[place] for place in said],
                                                              together=said[-1] - said[0] == len(said) - 1)


def _like_names(numbers: Sequence[str], *, together: bool) -> bool:
    try:
        values = [float(number) for number in numbers]
    except ValueError:   # dates, or 1.234,5
        return len(set(numbers)) == len(numbers) > 2 and list(numbers) == sorted(numbers)
    if all(value.is_integer() and value in _YEARS for value in values):
        return True
    grows = all(earlier < later for earlier, later in pairwise(values))
    return together and len(values) > 1 and grows and (
        len(values) > 2 or (values[0] in (0, 1) and values[1] == values[0] + 1))


def looks_like_data(cells: Sequence[str]) -> bool:
    """Say whether a first row holds numbers and dates only: then it is a row, not the names."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    return bool(filled) and all(_NUMBER.fullmatch(cell) or _DATE.fullmatch(cell) for cell in filled)
