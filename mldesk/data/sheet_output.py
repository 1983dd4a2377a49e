"""Writing rows as a sheet of an XLSX workbook: text stays text, whatever it begins with, and dates are dates.

A sheet holds less than a table may. What would be cut or changed is refused, with the place where it is.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any, BinaryIO

from mldesk.core.errors import BadInput

MOST_ROWS = 1_048_575        # below the head
MOST_COLUMNS = 16_384
MOST_LETTERS = 32_767        # of a cell
_LARGEST = 1 << 53           # whole numbers beyond are not all told apart in a sheet; they are written as text
_FIRST = dt.date(1900, 3, 1)  # earlier days are off by one in some programs, or not there at all
_HINT = "Write it as .csv or .parquet."


class SheetWriter:
    """One sheet, written row after row. ``close`` makes the workbook whole."""

    def __init__(self, file: BinaryIO, names: Sequence[str]) -> None:
        """Raises BadInput for more columns than a sheet has."""
        import xlsxwriter  # only who writes workbooks needs it

        if len(names) > MOST_COLUMNS:
            raise BadInput(f"A sheet has room for {MOST_COLUMNS:,} columns, and there are {len(names):,}.", hint=_HINT)
        self._names = list(names)
        # "constant_memory" keeps one row; text is written where it stands instead of into a table of all texts.
        self._book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False,
                                                "strings_to_urls": False, "strings_to_numbers": False})
        self._sheet = self._book.add_worksheet()
        self._days = {dt.datetime: self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
                      dt.date: self._book.add_format({"num_format": "yyyy-mm-dd"}),
                      dt.time: self._book.add_format({"num_format": "hh:mm:ss"})}
        self._row = 0
        self._write(self._names)
        self._sheet.freeze_panes(1, 0)

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """Append rows of Python's own values. Raises BadInput for what a sheet has no room for."""
        for row in rows:
            if self._row > MOST_ROWS:
                raise BadInput(f"A sheet has room for {MOST_ROWS:,} rows, and there are more.", hint=_HINT)
            self._write(row)

    def close(self) -> None:
        self._book.close()

    def _write(self, cells: Sequence[Any]) -> None:
        for column, cell in enumerate(cells):
            self._cell(column, cell)
        self._row += 1

    def _cell(self, column: int, cell: Any) -> None:
        at = (self._row, column)
        if cell is None:
            return
        if isinstance(cell, bool):
            self._sheet.write_boolean(*at, cell)
        elif isinstance(cell, (int, float)) and math.isfinite(cell) and abs(cell) <= _LARGEST:
            self._sheet.write_number(*at, cell)
        elif isinstance(cell, (dt.date, dt.time)) and _has_room(cell):
            self._sheet.write_datetime(*at, cell, self._days[type(cell)])
        else:
            text = cell.isoformat() if isinstance(cell, (dt.date, dt.time)) else str(cell)
            if len(text) > MOST_LETTERS:
                raise BadInput(f"A cell of a sheet has room for {MOST_LETTERS:,} letters, and row {self._row} of "
                               f"{self._names[column]!r:.60} has {len(text):,}.", hint=_HINT)
            self._sheet.write_string(*at, text)


def _has_room(moment: dt.date | dt.time) -> bool:
    """Say whether a sheet can hold a moment: from 1900 on, and without a time zone."""
    if isinstance(moment, dt.time):
        return moment.tzinfo is None
    day = moment.date() if isinstance(moment, dt.datetime) else moment
    return day >= _FIRST and getattr(moment, "tzinfo", None) is None
