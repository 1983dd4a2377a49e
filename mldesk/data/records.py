"""What an import is asked, what it found wrong, and what it made. Standard library only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mldesk.core.errors import BadInput, MldeskError
from mldesk.data.options import FORMATS, ImportOptions
from mldesk.wire.schema import Column

Progress = Callable[[float, float], None]  # done, total; in bytes of the source files
Cancelled = Callable[[], bool]

__all__ = ["FORMATS", "Cancelled", "Fix", "ImportCancelled", "ImportOptions", "ImportRefused", "Problem", "Problems",
           "Progress", "Table"]

LISTED = 100        # problems of one kind that are named one by one, per file
LISTED_IN_ALL = 200  # problems that are named one by one, per file


class ImportRefused(BadInput):
    """A file that cannot become a table. The sentence names the file, and the line or column where there is one."""

    def __init__(self, message: str, *, hint: str = "", fixes: Sequence[Fix] = ()) -> None:
        super().__init__(message, hint=hint)
        self.fixes = tuple(fixes)


class NoRows(ImportRefused):
    """A file, or the beginning of one, in which no row ends."""


class ImportCancelled(MldeskError):
    """The user asked an import to stop; nothing of it is left."""

    code: ClassVar[str] = "cancelled"
    exit_code: ClassVar[int] = 130

    def __init__(self, what: str = "The import") -> None:
        super().__init__(f"{what} was cancelled; nothing of it was kept.")


@dataclass(frozen=True, slots=True)
class Fix:
    """What might put a problem right: other import options."""

    words: str                   # "Read the dates with the month before the day"
    changes: Mapping[str, Any]   # of ImportOptions, as JSON has them

    def to_json(self) -> dict[str, Any]:
        return {"words": self.words, "changes": dict(self.changes)}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that an import or recipe noticed: left out, renamed, read as missing, or worth a look."""

    file: str               # the file's name; "" where there is none
    line: int | None        # physical line of the file, or row of the sheet, from 1
    column: str | None      # as it is called in the table
    message: str            # one sentence
    kind: str = ""          # what such problems are, in a few words, plural: "lines left out"
    fix: Fix | None = None  # what might put it right
    unfixed: str = ""       # why no import option does: one sentence

    def to_json(self) -> dict[str, Any]:
        said = {"file": self.file, "line": self.line, "column": self.column, "message": self.message}
        more = {"unfixed": self.unfixed} if self.unfixed else {}
        return {**said, **more} if self.fix is None else {**said, "fix": self.fix.to_json()}

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
    options: ImportOptions = field(default_factory=ImportOptions)  # what the user said
    beside: Mapping[str, str] = field(default_factory=dict)  # of a column that was expected to be of its type, and came
    #                                                          as text: what the column with these texts is called
    line_of: Callable[[int], int | None] = field(default=lambda _: None, compare=False, repr=False)  # of a row, from 0


class Problems:
    """Collects the problems of one file; a million of one kind are named by the first few and their count."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._listed: list[Problem] = []
        self._counts: Counter[str] = Counter()
        self._unlisted: Counter[str] = Counter()

    def add(self, kind: str, message: str, *, fix: Fix | str, line: int | None = None,
            column: str | None = None) -> None:
        """Note a problem. ``kind`` says in a few words, plural, what such problems are: "lines left out".

        ``fix`` is what might put it right, or a sentence that says why no option does.
        """
        self._counts[kind] += 1
        if self._counts[kind] > LISTED or len(self._listed) >= LISTED_IN_ALL:
            self._unlisted[kind] += 1
            return
        mends, why = (None, fix) if isinstance(fix, str) else (fix, "")
        self._listed.append(Problem(self.file, line, column, message, kind, mends, why))

    def take(self, others: Iterable[Problem]) -> None:
        """Note what was found in other files, under their names."""
        for problem in others:
            self._counts[problem.kind] += 1
            self._listed.append(problem)

    def forget(self, columns: Iterable[str]) -> None:
        """Forget what was noted about columns that are left out."""
        gone = set(columns)
        if gone:
            self._counts.subtract(problem.kind for problem in self._listed if problem.column in gone)
            self._counts = +self._counts
            self._listed = [problem for problem in self._listed if problem.column not in gone]

    def count(self, kind: str) -> int:
        return self._counts[kind]

    def counts(self) -> dict[str, int]:
        """Return how many problems of each kind there are, listed or not."""
        return dict(self._counts)

    def clear(self) -> None:
        """Forget everything, for a second attempt at the same file."""
        self._listed.clear()
        self._counts.clear()
        self._unlisted.clear()

    def all(self) -> tuple[Problem, ...]:
        """Return what was noted, with a line for what was not listed one by one."""
        more = [Problem(self.file, None, None, f"{count:,} more {kind}, {self._counts[kind]:,} in all.", kind,
                        unfixed="What mends the first of them mends these.")
                for kind, count in self._unlisted.items()]
        return (*self._listed, *more)
