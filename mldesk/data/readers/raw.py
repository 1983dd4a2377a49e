"""What readers are given and what they give back: text columns, and where each row stood in the file."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from mldesk.data.readers.early import EarlyTable
from mldesk.data.readers.rejects import Rejects
from mldesk.data.readers.spool import Rows
from mldesk.data.records import Cancelled, ImportCancelled, ImportOptions, Problems
from mldesk.data.sources.partitions import Partitions

MAX_COLUMNS = 50_000   # 90,000 take more than two gigabytes, however few the rows
_CELLS = 1_000_000  # of a batch, about


def batch_rows(width: int) -> int:
    """Return how many rows of ``width`` columns make a batch of bounded size."""
    return max(64, min(65_536, _CELLS // max(1, width)))


class Lines:
    """The physical line (or sheet row) of every row that was kept."""

    def __init__(self, first: int | None = None) -> None:
        self._first = first                  # of a file in which row i stands in line first + i
        self._lines: array[int] = array("q")

    @classmethod
    def regular(cls, first: int) -> Lines:
        return cls(first)

    @classmethod
    def unknown(cls) -> Lines:
        return cls(None)

    def append(self, line: int) -> None:
        self._lines.append(line)

    def numbers(self, first: int, count: int) -> pa.Array:
        """Return the lines of ``count`` rows from ``first`` on as int64; rows are counted where lines mean nothing."""
        if self._first is not None:
            return pa.array(range(self._first + first, self._first + first + count), pa.int64())
        known = self._lines[first:first + count]
        if len(known) < count or 0 in known:
            return pa.array(range(first + 1, first + count + 1), pa.int64())
        return pa.array(known, pa.int64())

    def of(self, row: int) -> int | None:
        """Return the line of row ``row`` (from 0), None where lines mean nothing."""
        if self._first is not None:
            return self._first + row
        return self._lines[row] or None if row < len(self._lines) else None


@dataclass(slots=True)
class RawTable:
    """A file as text columns, before types are known. None and the missing markers are missing."""

    names: list[str]
    spool: Rows
    lines: Lines
    ltrim: bool = False                       # text begins with a blank that belongs to the delimiter
    drop_rows: frozenset[int] = frozenset()   # rows that turned out not to belong, by index
    reading: Mapping[str, Any] = field(default_factory=dict)
    early: EarlyTable | None = None           # made while the rows were read; it has seen them all


@dataclass(slots=True)
class Context:
    """One file being read: what the user asked, where to write, whom to tell."""

    name: str                   # what the user calls the file
    number: int                 # of the file in the import
    size: int                   # bytes
    options: ImportOptions
    problems: Problems
    scratch: Path               # a folder of this import only
    report: Callable[[float], None]   # share of this file that is done, 0 to 1
    cancelled: Cancelled | None = None
    rejects: Rejects | None = None    # where bad rows go; None: they are only named
    sampled: bool = False             # the file is the beginning of another one, cut at a line end where it has lines
    whole_size: int = 0               # bytes of the file whose beginning this is; 0: unknown
    more: bool = False                # of typed rows: there are more than were read, nobody knows how many
    of: int = 1                       # files in the import
    kind: str = ""                    # what it turned out to be: one of FORMATS, or "postgresql"
    choices: tuple[str, ...] = ()     # sheets or tables that the file holds, one of which is read
    early: Callable[[Sequence[str]], EarlyTable] | None = None   # begins a table of these columns, if that is wanted
    partitions: Partitions | None = None   # what the names of its folders say; None where no file's say anything
    _seen: int = 0

    def check(self) -> None:
        """Raise ImportCancelled if the user asked to stop."""
        if self.cancelled is not None and self.cancelled():
            raise ImportCancelled

    @property
    def lenient(self) -> bool:
        """Say whether bad rows, however many, are no reason to refuse the file."""
        return self.options.lenient or self.rejects is not None

    def reject(self, line: int | None, reason: str, raw: str) -> None:
        """Keep a row that is left out, as it stands in the file, if the user wants such rows."""
        if self.rejects is not None:
            self.rejects.add(self.name, line, reason, raw)

    def scanned(self, size: int) -> None:
        """Say that ``size`` more bytes were looked through: the first fifth of the work."""
        self.check()
        self._seen += size
        self.report(0.2 * min(1.0, self._seen / max(1, self.size)))

    def made(self, share: float) -> None:
        """Say how much of the file has become a table in one go: nearly all of the work."""
        self.check()
        self.report(0.9 * min(1.0, share))

    def parsed(self, share: float) -> None:
        """Say how much of the file has become rows: up to the half of the work."""
        self.check()
        self.report(0.2 + 0.3 * min(1.0, share))

    def typed(self, share: float) -> None:
        """Say how much of the rows has been looked through for types: up to three quarters."""
        self.check()
        self.report(0.5 + 0.25 * min(1.0, share))

    def written(self, share: float) -> None:
        """Say how much has become Parquet: the rest."""
        self.check()
        self.report(0.75 + 0.25 * min(1.0, share))


def text_array(values: list[str | None]) -> pa.Array:
    """Return a text column; lone surrogates (a broken escape in JSON) become the replacement mark."""
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:
        return pa.array([value if value is None else value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
                         for value in values], pa.string())
