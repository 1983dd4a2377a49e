"""What a user may say about a source that is imported. Standard library only.

Everything left at its default is found out from the source. The options are kept with the version they made, as JSON,
so that the import can be repeated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from mldesk.core.errors import BadInput
from mldesk.data.temporal_format import check_format, strptime_of
from mldesk.wire.schema import ColumnType

FORMATS: tuple[str, ...] = ("csv", "tsv", "fixed", "json", "jsonl", "html", "xlsx", "parquet", "arrow", "sqlite",
                            "duckdb")
ORDERS = ("dmy", "mdy", "ymd")
MARKS = ("-", "/", ".")    # between day, month and year where all are numbers and the year comes last
THOUSANDS = (",", ".", "'", " ")   # that are understood without a word; any other has to be told
NO_QUOTES = "none"
WRITTEN_OUT = {"tab": "\t", "\\t": "\t", "space": " ", "comma": ",", "semicolon": ";", "bar": "|", "pipe": "|",
               "colon": ":", "apostrophe": "'", "point": ".", "underscore": "_"}   # marks, by their names
PERCENTS = ("number", "share")     # what 10% is: 10, or 0.1
FILE, ROW = "source_file", "source_row"   # columns that provenance adds
DEEPEST = 20                     # levels of objects that may become columns
DOWNLOAD = 16 * 10**9          # bytes that a download may have unless the user says otherwise
MOST_HEADER_ROWS = 10
_LONGEST_DELIMITER = 8           # characters, of a comment's beginning too
_RANGE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7}):\$?([A-Za-z]{1,3})\$?([0-9]{1,7})?")


@dataclass(frozen=True, slots=True)
class Reading:
    """By what texts are read that could mean two things."""

    decimal: str | None = None    # "." or ","; None: a comma is one where it can be nothing else
    dates: str = ""               # how dates are written, as a format with % signs says
    orders: tuple[tuple[str, str], ...] = ()   # of dates in numbers whose year is last: their mark, "dmy" or "mdy"
    shares: bool = False          # 10% is 0.1; else 10
    grouping: str = ""            # a mark between thousands that none of THOUSANDS is; "": there is none


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the user says about a source; everything left at its default is found out from it."""

    format: str | None = None        # one of FORMATS
    encoding: str | None = None      # a name Python knows: "cp1252", "euc-kr", …
    delimiter: str | None = None     # one to eight characters
    quote: str | None = None         # one ASCII character around cells, NO_QUOTES: there is none; None: "
    comment: str | None = None       # what lines begin with that are no rows
    sheet: str | None = None         # name of the sheet of a workbook
    sheets: tuple[str, ...] = ()     # names, or patterns like "20*", of sheets that make one table together
    header_row: int | None = None    # line or sheet row with the column names, from 1; 0: the file has none
    header_rows: int | None = None   # rows that make the names together; None: one, or two where plainly so
    day_first: bool | None = None    # 3/4/2024 is the third of April; None: judged by the whole column
    decimal: str | None = None       # "." or ","; None: judged by the whole column
    text: tuple[str, ...] = ()       # columns that stay text whatever they hold
    missing: tuple[str, ...] = ()    # further texts that stand for a missing value
    thousands: str | None = None     # one character between the groups of three digits
    percent: str | None = None       # one of PERCENTS; None: number
    dates: str | None = None         # one of ORDERS, or how dates are written: "%d.%m.%Y" or "dd.mm.yyyy"
    types: tuple[tuple[str, str], ...] = ()  # (column, type): what does not fit becomes missing
    range: str | None = None         # cells of a sheet: "B3:H200", or "B3:H" for all rows below
    widths: tuple[int, ...] = ()     # characters of each column of a fixed-width file
    table: str | None = None         # of a database, or of an HTML page (its number from 1)
    query: str | None = None         # one SELECT over a database, instead of a table
    member: str | None = None        # the one file of an archive to read
    flatten: int | None = None       # levels of objects in JSON that become columns; None: one, 0: none
    provenance: bool = False         # add the columns source_file and source_row
    partitions: bool = True          # folders named like year=2024 make a column
    union: bool = False              # files may have different columns; what a file lacks is missing there
    without: tuple[str, ...] = ()    # columns that are left out
    fill_short: bool = False         # rows with too few cells end in missing values
    keep_footers: bool = False       # what looks like totals and notes below a sheet's table is rows as well
    lenient: bool = False            # however many rows are bad, go on with those that are not
    skip_bad_files: bool = False     # of several files those that cannot be read are left out
    download: int = DOWNLOAD         # bytes that a download may have
    # Not a user's word, and never kept: (column, type) of a table that the source is to be like. What comes as text is
    # read so, and the texts stay beside it.
    expected: tuple[tuple[str, str], ...] = ()
    # Nor kept: somebody says the options now, for these very sources, and is told of one that says nothing about them.
    told: bool = False
    # Nor kept: by what the columns of a table were read, for what the source leaves open.
    readings: tuple[tuple[str, Reading], ...] = ()

    def __post_init__(self) -> None:
        if self.format is not None and self.format not in FORMATS:
            raise BadInput(f"There is no format {self.format!r:.40}.", hint=f"Choose one of {', '.join(FORMATS)}.")
        _check_delimiter(self.delimiter)
        if self.decimal not in (None, ".", ","):
            raise BadInput(f"The decimal mark is '.' or ',', not {self.decimal!r:.40}.")
        _check_marks(self.quote, self.comment, self.delimiter)
        if self.thousands is not None and not _is_mark(self.thousands):
            raise BadInput(f"Between thousands stands one character that is no letter, digit or sign, like "
                           f"{' '.join(map(repr, THOUSANDS))}, not {self.thousands!r:.40}.")
        if self.percent not in (None, *PERCENTS):
            raise BadInput(f"10% is read as a number (10) or as a share (0.1), not as {self.percent!r:.40}.")
        if self.thousands is not None and self.thousands == self.decimal:
            raise BadInput("The decimal mark and the mark between thousands cannot be the same.")
        if self.header_row is not None and self.header_row < 0:
            raise BadInput("The header row is counted from 1; 0 says that there is none.")
        if self.header_rows is not None and not 1 <= self.header_rows <= MOST_HEADER_ROWS:
            raise BadInput(f"The column names stand in 1 to {MOST_HEADER_ROWS} rows.")
        if self.sheet is not None and self.sheets:
            raise BadInput("Give one sheet, or several that make one table, not both.")
        if self.flatten is not None and not 0 <= self.flatten <= DEEPEST:
            raise BadInput(f"Nested records can be flattened by 0 to {DEEPEST} levels.")
        if self.table is not None and self.query is not None:
            raise BadInput("Give a table or a query, not both.")
        if self.download <= 0 or any(width < 1 for width in self.widths):
            raise BadInput("Widths and sizes are at least 1.")
        self._check_columns()

    def _check_columns(self) -> None:
        kinds = {kind.value for kind in ColumnType}
        for column, kind in self.types:
            if kind not in kinds:
                raise BadInput(f"There is no type {kind!r:.40} for the column {column!r:.60}.",
                               hint=f"Choose one of {', '.join(sorted(kinds))}.")
        if self.dates is not None and self.dates not in ORDERS:
            object.__setattr__(self, "dates", strptime_of(self.dates))
            check_format(str(self.dates))
        if self.range is not None:
            parse_range(self.range)

    @property
    def quoting(self) -> str:
        """Return the character around cells, "" for none."""
        return '"' if self.quote is None else "" if self.quote == NO_QUOTES else self.quote

    @property
    def grouping(self) -> str:
        """Return the mark between thousands that is understood only because it was told, "" for none."""
        return self.thousands if self.thousands is not None and self.thousands not in THOUSANDS else ""

    @property
    def reads_day_first(self) -> bool | None:
        """Return whether 3/4/2024 is the third of April, None if nothing was said."""
        return {"dmy": True, "mdy": False}.get(self.dates or "", self.day_first)

    @property
    def decimal_mark(self) -> str | None:
        """Return the decimal mark that was given or follows from the mark between thousands."""
        return self.decimal or {",": ".", ".": ","}.get(self.thousands or "")

    def changed(self, changes: Mapping[str, Any]) -> ImportOptions:
        """Return the options with some of them changed, given as JSON has them. Raises BadInput."""
        return self.from_json({**self.to_json(), **changes})

    def to_json(self) -> dict[str, Any]:
        """Return what differs from the defaults, as plain JSON."""
        return {name: _plain(getattr(self, name)) for name, default in _DEFAULTS.items()
                if getattr(self, name) != default}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what ``to_json`` wrote. Raises BadInput for anything else."""
        unknown = sorted(set(value) - set(_DEFAULTS))
        if unknown:
            raise BadInput(f"There is no import option {unknown[0]!r:.60}.",
                           hint=f"There are: {', '.join(_DEFAULTS)}.")
        try:
            return replace(cls(), **{name: _typed(name, item) for name, item in value.items()})
        except (TypeError, ValueError) as error:
            raise BadInput(f"The import options cannot be read: {error}.") from error


_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(ImportOptions)
                             if field.name not in ("expected", "told", "readings")}


def parse_range(text: str) -> tuple[int, int, int | None, int]:
    """Return (first row, first column, last row or None, last column) of a range like B3:H200, from 0, inclusive."""
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        raise BadInput(f"{text!r:.40} is no range of cells.", hint="Write it like B3:H200, or B3:H for all rows below.")
    top, bottom = int(match[2]) - 1, int(match[4]) - 1 if match[4] else None
    left, right = column_place(match[1]), column_place(match[3])
    if top < 0 or left > right or (bottom is not None and bottom < top):
        raise BadInput(f"The range {text!r:.40} ends before it begins.", hint="Write it like B3:H200.")
    return top, left, bottom, right


def column_place(letters: str) -> int:
    """Return a sheet's column from 0: A is 0, AB is 27."""
    place = 0
    for letter in letters.upper():
        place = place * 26 + ord(letter) - 64
    return place - 1


def _check_delimiter(delimiter: str | None) -> None:
    if delimiter is None:
        return
    if not 1 <= len(delimiter) <= _LONGEST_DELIMITER or any(letter in '\r\n"\0' for letter in delimiter):
        raise BadInput(f"The delimiter is one to {_LONGEST_DELIMITER} characters, none of them a quote or a line end, "
                       f"not {delimiter!r:.40}.")


def _check_marks(quote: str | None, comment: str | None, delimiter: str | None) -> None:
    if quote not in (None, NO_QUOTES) and (len(str(quote)) != 1 or not str(quote).isascii()
                                           or str(quote).isspace() or str(quote) < " "):
        raise BadInput(f"The quote is one character like ' or \", or {NO_QUOTES!r}, not {quote!r:.40}.")
    if comment is not None and (not 1 <= len(comment) <= _LONGEST_DELIMITER or comment.isspace()
                                or any(letter in "\r\n\0" for letter in comment)):
        raise BadInput(f"A comment begins with one to {_LONGEST_DELIMITER} characters, like #, not {comment!r:.40}.")
    if delimiter is not None and quote is not None and quote in delimiter:
        raise BadInput("The delimiter and the quote cannot be the same.")


def _is_mark(text: str) -> bool:
    return len(text) == 1 and (text == " " or (text.isprintable() and not text.isalnum() and text not in "+-%"))


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _typed(name: str, value: Any) -> Any:
    default = _DEFAULTS[name]
    if name == "types":
        pairs = value.items() if isinstance(value, Mapping) else value
        return tuple((str(column), str(kind)) for column, kind in pairs)
    if isinstance(default, tuple):
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise TypeError(f"{name} is a list")
        return tuple(int(item) if name == "widths" else str(item) for item in value)
    wanted = {"header_row": int, "header_rows": int, "flatten": int, "download": int, "day_first": bool,
              "provenance": bool, "partitions": bool, "union": bool, "lenient": bool, "fill_short": bool,
              "keep_footers": bool,
              "skip_bad_files": bool}.get(name, str)
    if value is None and default is None:
        return None
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise TypeError(f"{name} is not {value!r:.40}")
    return value
