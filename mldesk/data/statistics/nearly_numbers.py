"""Columns of text nearly all of whose cells are numbers: one stray word, and a model takes them for categories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from mldesk.core.scratch import working_folder
from mldesk.data.engine import connect, identifier, relation, sql_errors
from mldesk.wire.schema import Column, ColumnType

LOOKED = 200_000   # rows, from the first
_SHARE = 0.95      # of the cells that are there
_FEW = 20          # different values that may well be categories: 1, 2, 3, other
_COLUMNS = 200     # that are looked at, the first
_LONGEST = 40      # letters of a cell that are told


@dataclass(frozen=True, slots=True)
class NearlyNumbers:
    """One such column, as far as its first ``LOOKED`` rows tell."""

    column: str
    numbers: int
    filled: int   # cells that are not missing
    cell: str     # the first that is no number
    row: int      # of that cell, from 0

    @property
    def text(self) -> str:
        """What is wrong and what to do, in words."""
        return f"{self.found} {HINT}"

    @property
    def found(self) -> str:
        """What is wrong, in words."""
        return (f"{self.column[:60]!r} is text, but {self.numbers:,} of {self.filled:,} cells are numbers: "
                f"{self.cell[:_LONGEST]!r} in row {self.row + 1:,}.")


HINT = "Clean it (cast), or leave it out: every number would be a category of its own."


def nearly_numbers(parts: Sequence[Path], columns: Sequence[Column],
                   scratch: Path | None = None) -> tuple[NearlyNumbers, ...]:
    """Return the columns of text that are numbers but for a few cells. Raises LibraryDamaged, DiskFull."""
    texts = [column.name for column in columns if column.type is ColumnType.TEXT and column.distinct > _FEW][:_COLUMNS]
    if not texts:
        return ()
    with (working_folder(scratch, "mldesk-nearly") as folder, sql_errors("The check"),
          connect(parts, folder) as connection):
        return tuple(_look(connection, texts, relation(parts)))


def _look(connection: duckdb.DuckDBPyConnection, texts: Sequence[str], rows: str) -> Iterator[NearlyNumbers]:
    counts = ", ".join(f"count({identifier(name)}), count(TRY_CAST(trim({identifier(name)}) AS DOUBLE))"
                       for name in texts)
    listed = ", ".join(map(identifier, texts))
    told = connection.execute(f"SELECT {counts} FROM (SELECT {listed} FROM {rows} LIMIT {LOOKED})").fetchall()[0]
    for name, filled, numbers in zip(texts, told[::2], told[1::2], strict=True):
        if not _SHARE * filled <= numbers < filled:
            continue
        place, cell = connection.execute(
            f"SELECT place, cell FROM (SELECT row_number() OVER () - 1 AS place, cell FROM (SELECT "
            f"{identifier(name)} AS cell FROM {rows} LIMIT {LOOKED})) WHERE cell IS NOT NULL "
            "AND TRY_CAST(trim(cell) AS DOUBLE) IS NULL ORDER BY place LIMIT 1").fetchall()[0]
        yield NearlyNumbers(name, int(numbers), int(filled), str(cell), int(place))
