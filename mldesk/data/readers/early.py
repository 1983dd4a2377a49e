"""A table that is made while its file is still being read.

The first rows say what types the columns seem to have; every row is looked at for its type and, in the same go, written
in those. Only the whole file decides. If it decides the same, and nearly always it does, the table is there; if not,
what was written is thrown away, and the rows are read once more.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from mldesk.core.cores import usable_cores
from mldesk.data.columns.convert import Converter
from mldesk.data.columns.decide import Decision, decide, markers
from mldesk.data.columns.forms import told_form
from mldesk.data.columns.guess import ColumnGuess
from mldesk.data.columns.plain import Cells, cells_of
from mldesk.data.parts import PartWriter
from mldesk.data.records import ImportOptions, Problems

_WORTH = 4096    # rows from which the columns are shared among threads
_CHECKED = 500   # columns between two questions whether to stop, at most
_GROUPS = {"integer": "number", "number": "number", "date": "date", "datetime": "date"}
_THREADS = min(4, usable_cores())


def column_threads() -> ThreadPoolExecutor:
    """Return threads for work on one column each: Arrow lets go of Python's lock while it works."""
    return ThreadPoolExecutor(_THREADS, "columns")


def new_guesses(names: Sequence[str], options: ImportOptions) -> list[ColumnGuess]:
    """Return what is to see the values of some columns of text."""
    told = told_form(options.dates) if options.dates is not None and "%" in options.dates else None
    asked = {name: _GROUPS.get(kind, "") for name, kind in (*options.expected, *options.types)}
    return [ColumnGuess(markers(options), told, asked=asked.get(name, ""), grouping=options.grouping)
            for name in names]


class EarlyTable:
    """The columns of one file as they come. ``close`` it in the end, however that is."""

    def __init__(self, names: Sequence[str], options: ImportOptions, folder: Path, check: Callable[[], None],
                 counted: Container[str] | None = None) -> None:
        """``folder``, which is made, is where the parts go; ``check`` may raise to stop; ``counted`` is what PartWriter
        takes by that name."""
        self._names, self._options, self._folder, self._check = names, options, folder, check
        self._counted = counted
        self.guesses = new_guesses(names, options)
        self.converters: list[Converter] = []
        self._decisions: list[Decision] = []
        self._writer: PartWriter | None = None
        self._pool = column_threads()

    def add(self, columns: Sequence[pa.Array]) -> None:
        """Look at the next rows, text, and write them in the types that were decided on. Raises DiskFull."""
        rows = len(columns[0]) if columns else 0
        if not self._decisions:
            self._all(lambda place: self.guesses[place].observe(columns[place]), rows)
            self._begin()
            self._write(self._all(lambda place: self._convert(place, columns[place]), rows))
            return
        self._write(self._all(lambda place: self._take(place, columns[place]), rows))

    def writer(self, decisions: Sequence[Decision]) -> PartWriter | None:
        """Return what wrote all the rows, if it did so as the whole file decided; it is the caller's now."""
        agreed = self._writer is not None and [replace(one, confidence=1.0) for one in decisions] == self._decisions
        writer = self._writer if agreed else None
        if agreed:
            self._writer = None
        return writer

    def close(self) -> None:
        """End the threads, and forget what was written unless somebody has taken it; may be called twice."""
        self._pool.shutdown(cancel_futures=True)
        self._give_up()

    def _begin(self) -> None:
        decisions = decide(self.guesses, self._names, self._options, Problems(""), lambda *_: None)
        self._decisions = [replace(decision, confidence=1.0) for decision in decisions]
        self.converters = [Converter(decision) for decision in self._decisions]
        self._folder.mkdir()
        self._writer = PartWriter(self._folder, self._names, [decision.type for decision in self._decisions],
                                  self._counted)

    def _take(self, place: int, values: pa.Array) -> pa.Array | None:
        """Look at values and read them; None if they do not fit what was decided early."""
        cells = cells_of(values)
        self.guesses[place].observe(values, cells)
        return None if self._writer is None else self._convert(place, values, cells)

    def _convert(self, place: int, values: pa.Array, cells: Cells | None = None) -> pa.Array | None:
        try:
            return self.converters[place](values, cells)
        except pa.ArrowInvalid:  # decided too early
            return None

    def _write(self, arrays: Sequence[pa.Array | None]) -> None:
        if self._writer is None:
            return
        if any(values is None for values in arrays):
            self._give_up()
        else:
            self._writer.write([values for values in arrays if values is not None])

    def _all(self, work: Callable[[int], pa.Array | None], rows: int) -> list[pa.Array | None]:
        """Do the work on every column, several columns a thread at once."""
        count = len(self._names)
        bundles = max(1, -(-count // _CHECKED), 2 * _THREADS if rows >= _WORTH else 0)
        done: list[pa.Array | None] = [None] * count
        # Columns that lie side by side are often alike: each bundle gets some of all kinds.
        places = [range(first, count, bundles) for first in range(min(bundles, count))]
        # Of few rows, threads would mostly wait for Python's lock.
        for mine, answers in zip(places, (self._pool.map if rows >= _WORTH else map)(
                lambda mine: [work(place) for place in mine], places), strict=True):
            done[mine.start::bundles] = answers
            self._check()
        return done

    def _give_up(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.abandon()
            for path in writer.paths:
                path.unlink(missing_ok=True)
