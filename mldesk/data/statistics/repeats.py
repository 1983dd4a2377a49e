"""Rows that are there more than once: the same in every cell, nearly the same, or apart in one column only.

Nearly the same is the same once identifiers are left out, text is without case, accents, punctuation and doubled
spaces, and numbers are cut to six digits. Rows are told by sums of 64-bit hashes of their cells, so that a row
without one column is known by subtracting that cell.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from mldesk.core.scratch import working_folder_in
from mldesk.data.engine import connect, identifier, relation, sql_errors
from mldesk.data.stopping import check_stopped
from mldesk.wire.schema import Column, ColumnType

EXAMPLES = 20              # groups of rows that are named
IN_EXAMPLE = 5             # rows of a group that are named
MOST_CELLS = 60_000_000    # beyond, rows that are apart in one column are not looked for
FEWEST = 3                 # columns from which on they are: of two, rows that are alike in one say nothing
UNIQUE = 0.98              # share of different values from which text or whole numbers name their row
_AT_ONCE = 4_000_000       # hashes that a query gives
_WIDE = 100                # columns that are hashed as one
_TOGETHER = 1_000          # columns that one query is about
_FACTOR = np.uint64(0x9E3779B97F4A7C15)   # odd, and without a pattern: 2**64 over the golden ratio
_PROBED = 100              # columns from which on a look at some says whether all have to be looked at
_DIGITS = 6
_NONE: dict[str, Any] = {"rows": 0, "examples": []}

Hashes = npt.NDArray[np.uint64]


def repeats(parts: Sequence[Path], columns: Sequence[Column], scratch: Path | None = None) -> dict[str, Any]:
    """Return {"same", "near", "apart"}.

    ``same`` is {"rows": those that repeat an earlier one, "groups", "examples": [[row from 0, ...]]}. ``near`` is
    {"rows": those that have another nearly like them, not the same, "examples", "without": the identifiers that were
    left out}. ``apart`` is {"looked": whether the table is short enough, and has columns enough, "few": whether it has
    too few, "columns": [{"column", "rows", "examples"}]}: how many rows have another that is like them but for that
    column.
    """
    rows = sum(pq.read_metadata(path).num_rows for path in parts)
    names = identifiers(columns, rows)
    usual = [column for column in columns if column.name not in names and column.distinct > 0]
    with Hasher(parts, scratch) as hasher:
        whole = hasher.rows([identifier(column.name) for column in columns])
        same = groups_of(whole)
        near = mixed(hasher.rows([normal(column) for column in usual]), whole) if _may_be_near(hasher, usual) else _NONE
        few = len(usual) < FEWEST
        looked = rows * len(usual) <= MOST_CELLS and not few
        apart = _apart(hasher, usual, rows) if looked and _may_be_apart(hasher, usual) else []
    return {"same": same, "near": {**near, "without": sorted(names)},
            "apart": {"looked": looked, "few": few, "columns": apart}}


def _may_be_near(hasher: Hasher, columns: Sequence[Column]) -> bool:
    """Say whether any two rows are nearly alike in some columns; of thousands these are the ones with most values.

    Rows that are nearly alike in all columns are so in some: where none are, nothing else has to be looked at.
    """
    if len(columns) <= _PROBED:
        return bool(columns)
    some = sorted(columns, key=lambda column: -column.distinct)[:_PROBED]
    return bool(groups_of(hasher.rows([normal(column) for column in some]))["rows"])


def _may_be_apart(hasher: Hasher, columns: Sequence[Column]) -> bool:
    """Say whether any two rows are alike in the first or second half of the columns: but for one, they are in one."""
    if len(columns) <= _PROBED:
        return True
    names, half = [identifier(column.name) for column in columns], len(columns) // 2
    return any(groups_of(hasher.rows(some))["rows"] for some in (names[:half], names[half:]))


def identifiers(columns: Sequence[Column], rows: int) -> set[str]:
    """Return the columns that seem to number or name their row: text or whole numbers, nearly all of them different."""
    return {column.name for column in columns
            if column.type in (ColumnType.TEXT, ColumnType.INTEGER) and rows >= 20
            and column.distinct >= UNIQUE * (rows - column.missing) > 0}


def normal(column: Column) -> str:
    """Return SQL for a cell as "nearly the same" sees it."""
    name = identifier(column.name)
    if column.type is ColumnType.TEXT:
        return (f"trim(regexp_replace(lower(strip_accents({name})), '[^\\p{{L}}\\p{{N}}]+', ' ', 'g'))")
    if column.type is ColumnType.NUMBER:
        digits = f"{_DIGITS - 1} - floor(log10(abs({name})))::INTEGER"
        return (f"CASE WHEN NOT isfinite({name}) OR abs({name}) < 1e-200 OR abs({name}) > 1e200 THEN {name} "
                f"ELSE round({name}, {digits}) END")
    return name


class Hasher:
    """Hashes cells of a table, (rows,) uint64, in the order of its rows. A context manager."""

    def __init__(self, parts: Sequence[Path], scratch: Path | None = None) -> None:
        self._folder = working_folder_in(scratch, "mldesk-repeats")
        self._connection: duckdb.DuckDBPyConnection = connect(parts, self._folder)
        self._connection.execute(f"CREATE VIEW data AS SELECT * FROM {relation(parts)}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def cells(self, expressions: Sequence[str]) -> list[Hashes]:
        """Return the hashes of some expressions in every row."""
        return self._fetch([f"hash({expression})" for expression in expressions])

    def rows(self, expressions: Sequence[str]) -> Hashes:
        """Return one hash of several expressions together in every row.

        Of thousands it is put together from those of fewer: the time a row takes grows with the square of its width.
        """
        pieces = [expressions[first:first + _WIDE] for first in range(0, len(expressions), _WIDE)]
        whole: Hashes | None = None
        for first in range(0, len(pieces), _TOGETHER // _WIDE):
            some = [f"hash(row({', '.join(piece)}))" for piece in pieces[first:first + _TOGETHER // _WIDE]]
            for own in self._fetch(some):
                with np.errstate(over="ignore"):
                    whole = own if whole is None else whole * _FACTOR + own
        return np.zeros(0, np.uint64) if whole is None else whole

    def _fetch(self, expressions: Sequence[str]) -> list[Hashes]:
        check_stopped()
        asked = ", ".join(f"{sql} AS h{place}" for place, sql in enumerate(expressions))
        with sql_errors("Looking for duplicates"):
            found: Any = self._connection.execute(f"SELECT {asked} FROM data").fetchnumpy()
        return [np.ma.getdata(found[f"h{place}"]).astype(np.uint64, copy=False) for place in range(len(expressions))]


def groups_of(hashes: Hashes) -> dict[str, Any]:
    """Return {"rows", "groups", "examples"} of equal hashes, as ``repeats`` gives them; the first groups by row."""
    order, begins, sizes = runs(hashes)
    many = np.flatnonzero(sizes > 1)
    firsts = order[begins[many]]
    some = many[np.argsort(firsts, kind="stable")[:EXAMPLES]]
    return {"rows": int((sizes[many] - 1).sum()), "groups": len(many),
            "examples": [order[begins[group]:begins[group] + min(IN_EXAMPLE, sizes[group])].tolist()
                         for group in some]}


def runs(hashes: Hashes) -> tuple[Any, Any, Any]:
    """Return rows in the order of their hashes (equal ones in their own), where each run begins and its size."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    if not len(ordered):
        return order, np.empty(0, np.int64), np.empty(0, np.int64)
    begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return order, begins, np.diff(np.append(begins, len(ordered)))


def _apart(hasher: Hasher, columns: Sequence[Column], rows: int) -> list[dict[str, Any]]:
    whole = np.zeros(rows, np.uint64)
    with np.errstate(over="ignore"):
        for own in _salted(hasher, columns, rows):
            whole += own
        found = []
        for column, own in zip(columns, _salted(hasher, columns, rows), strict=True):
            check_stopped()
            facts = mixed(whole - own, whole)
            if facts["rows"]:
                found.append({"column": column.name, **facts})
    return sorted(found, key=lambda facts: -facts["rows"])


def _salted(hasher: Hasher, columns: Sequence[Column], rows: int) -> Iterator[Hashes]:
    """Give each column's hashes, different from what another column has for the same values.

    Several columns come at once: a query about a table of thousands of columns is slow to begin.
    """
    together = max(1, min(_TOGETHER, _AT_ONCE // max(1, rows)))
    expressions = [f"row({identifier(column.name)}, {place})" for place, column in enumerate(columns)]
    for first in range(0, len(expressions), together):
        yield from hasher.cells(expressions[first:first + together])


def mixed(rest: npt.NDArray[Any], whole: npt.NDArray[Any]) -> dict[str, Any]:
    """Return {"rows", "examples"}: how many rows have another with the same ``rest`` and a different ``whole``."""
    order, begins, sizes = runs(rest)
    if not len(order):
        return dict(_NONE)
    full = whole[order]
    some = np.flatnonzero(np.minimum.reduceat(full, begins) != np.maximum.reduceat(full, begins))
    firsts = order[begins[some]]
    named = some[np.argsort(firsts, kind="stable")[:EXAMPLES]]
    return {"rows": int(sizes[some].sum()),
            "examples": [order[begins[group]:begins[group] + min(IN_EXAMPLE, sizes[group])].tolist()
                         for group in named]}
