"""What an import is asked, what it found wrong, and what it made. Standard library only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mldesk.core.errors import BadInput, MldeskError
from mldesk.wire.schema import Column

FORMATS: tuple[str, ...] = ("csv", "tsv", "json", "jsonl", "xlsx", "parquet")
Progress = Callable[[float, float], None]  # done, total; in bytes of the source files
Cancelled = Callable[[], bool]

LISTED = 100        # problems of one kind that are named one by one, per file
LISTED_IN_ALL = 200  # problems that are named one by one, per file


class ImportRefused(BadInput):
    """A file that cannot become a table. The sentence names the file, and the line or column where there is one."""


class ImportCancelled(MldeskError):
    """The user asked an import to stop; nothing of it is left."""

    code: ClassVar[str] = "cancelled"
    exit_code: ClassVar[int] = 130

    def __init__(self, what: str = "The import") -> None:
        super().__init__(f"{what} was cancelled; nothing of it was kept.")


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the user says about a file; everything left at its default is found out from the file."""

    format: str | None = None        # one of FORMATS
    encoding: str | None = None      # a name Python knows: "cp1252", "euc-kr", …
    delimiter: str | None = None     # one character
    sheet: str | None = None         # name of the sheet of a workbook
    header_row: int | None = None    # line or sheet row with the column names, from 1; 0: the file has none
    day_first: bool | None = None    # 3/4/2024 is the third of April; None: judged by the whole column
    decimal: str | None = None       # "." or ","; None: judged by the whole column
    text: tuple[str, ...] = ()       # columns that stay text whatever they hold
    missing: tuple[str, ...] = ()    # further texts that stand for a missing value

    def __post_init__(self) -> None:
        if self.format is not None and self.format not in FORMATS:
            raise BadInput(f"There is no format {self.format!r:.40}.", hint=f"Choose one of {', '.join(FORMATS)}.")
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '\r\n"\0'):
            raise BadInput(f"The delimiter is one character, not {self.delimiter!r:.40}.")
        if self.decimal not in (None, ".", ","):
            raise BadInput(f"The decimal mark is '.' or ',', not {self.decimal!r:.40}.")
        if self.header_row is not None and self.header_row < 0:
            raise BadInput("The header row is counted from 1; 0 says that there is none.")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that an import or recipe noticed: left out, renamed, read as missing, or worth a look."""

    file: str               # the file's name; "" where there is none
    line: int | None        # physical line of the file, or row of the sheet, from 1
    column: str | None      # as it is called in the table
    message: str            # one sentence

    def to_json(self) -> dict[str, Any]:
        return {"file": self.file, "line": self.line, "column": self.column, "message": self.message}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Problem:
        return cls(str(value["file"]), value["line"], value["column"], str(value["message"]))


@dataclass(frozen=True, slots=True)
class Table:
    """A table in the object store."""

    manifest: str                    # digest of the manifest of its Parquet parts
    rows: int
    columns: tuple[Column, ...]
    size: int                        # bytes of the parts
    problems: tuple[Problem, ...]
    source: str                      # where it came from, in words
    reading: Mapping[str, Any] = field(default_factory=dict)  # how it was read: format, encoding, delimiter, …


class Problems:
    """Collects the problems of one file; a million of one kind are named by the first few and their count."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._listed: list[Problem] = []
        self._counts: Counter[str] = Counter()
        self._unlisted: Counter[str] = Counter()

    def add(self, kind: str, message: str, *, line: int | None = None, column: str | None = None) -> None:
        """Note a problem. ``kind`` says in a few words, plural, what such problems are: "lines left out"."""
        self._counts[kind] += 1
        if self._counts[kind] > LISTED or len(self._listed) >= LISTED_IN_ALL:
            self._unlisted[kind] += 1
            return
        self._listed.append(Problem(self.file, line, column, message))

    def count(self, kind: str) -> int:
        return self._counts[kind]

    def clear(self) -> None:
        """Forget everything, for a second attempt at the same file."""
        self._listed.clear()
        self._counts.clear()
        self._unlisted.clear()

    def all(self) -> tuple[Problem, ...]:
        """Return what was noted, with a line for what was not listed one by one."""
        more = [Problem(self.file, None, None, f"{count:,} more {kind}, {self._counts[kind]:,} in all.")
                for kind, count in self._unlisted.items()]
        return (*self._listed, *more)
