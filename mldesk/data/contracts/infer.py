"""A contract made of what a table is like now: a beginning that a person goes on with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from mldesk.core.scratch import working_folder
from mldesk.data.contracts.contract import ColumnRule, Contract
from mldesk.data.contracts.infer_name import infer_name
from mldesk.data.contracts.natural import natural_ends
from mldesk.data.engine import connect, identifier, relation, sql_errors
from mldesk.data.parts import part_paths
from mldesk.data.types import plain
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column, ColumnType

_FEW = 20            # different values up to which they may be a list
_TIMES_EACH = 5      # rows for each of them, at least
_ROOM = 0.1          # of the span of values, on either side
_AT_ONCE = 400       # columns asked about in one query
_FEWER, _MORE = 0.5, 2   # times the rows of the smallest and the largest of several files
_OF_ONE = 10         # times the rows of a single one, which tells little
_NEVER_BELOW = 10_000  # rows that a file may have, however few the only one has


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of the files that a table came of."""

    names: tuple[str, ...] = ()    # without folders
    rows: tuple[int, ...] = ()     # of them, as far as it is known; of many the least and the most are enough
    ordered: bool = False          # several files, and all have the same columns in the same order

    @classmethod
    def of_reading(cls, several: Mapping[str, Any]) -> FileFacts:
        """Read what an import of several files keeps of them, see ``several_files``."""
        return cls(tuple(map(str, several.get("names", ()))), tuple(map(int, several.get("rows", ()))),
                   several.get("ordered") is True)


def with_files(contract: Contract, files: FileFacts) -> Contract:
    """Return a contract with what its files show: how many rows, which names, columns in one order.

    Other counts and another order are only said: columns are found by their names, and no row is lost.
    """
    low, high = _bounds(files.rows)
    return replace(contract, low=low, high=high, of_rows="warning", order="warn" if files.ordered else False,
                   file_name=infer_name(files.names))


def _bounds(rows: Sequence[int]) -> tuple[int | None, int | None]:
    """Return how many rows a file must have, and may: round numbers with room beyond what there was."""
    if not rows or max(rows) < 1:
        return None, None
    if len(rows) < 2:
        return 1, _rounded(max(_NEVER_BELOW, _OF_ONE * rows[0]), up=True)
    return max(1, _rounded(int(_FEWER * min(rows)), up=False)), _rounded(_MORE * max(rows), up=True)


def _rounded(count: int, *, up: bool) -> int:
    """Return a number of two digits and noughts."""
    step: int = 10 ** max(0, len(str(count)) - 2)
    return -(-count // step) * step if up else count // step * step


def infer_contract(store: ObjectStore, scratch: Path, manifest: str, columns: Sequence[Column]) -> Contract:
    """Return a contract that the table keeps: its types, ranges, few-valued columns, unique keys, missing shares."""
    parts = part_paths(store, manifest)
    rows = sum(pq.read_metadata(part).num_rows for part in parts)
    facts: dict[str, tuple[Any, Any, Any]] = {}
    with working_folder(scratch) as folder, sql_errors("The contract"), connect(parts, folder) as connection:
        for first in range(0, len(columns), _AT_ONCE):
            some = columns[first:first + _AT_ONCE]
            calls = ", ".join(_calls(column, rows) for column in some)
            row = connection.execute(f"SELECT {calls} FROM {relation(parts)}").fetchall()[0]
            facts |= {column.name: tuple(row[3 * place:3 * place + 3]) for place, column in enumerate(some)}
    return Contract(tuple(_rule(column, rows, facts[column.name]) for column in columns))


def _few(column: Column, rows: int) -> bool:
    return column.type is ColumnType.TEXT and 0 < column.distinct <= _FEW and rows >= _TIMES_EACH * column.distinct


def _calls(column: Column, rows: int) -> str:
    name = identifier(column.name)
    ends = f"min({name}), max({name})" if column.type.numeric or column.type.temporal else "NULL, NULL"
    return f"{ends}, {f'list_sort(list(DISTINCT {name}))' if _few(column, rows) else 'NULL'}"


def _rule(column: Column, rows: int, facts: tuple[Any, Any, Any]) -> ColumnRule:
    low, high = _ends(column, facts[0], facts[1])
    values = facts[2]
    share = column.missing / max(1, rows)
    whole = column.distinct == rows and not column.missing and column.type in (ColumnType.INTEGER, ColumnType.TEXT)
    return ColumnRule(
        column.name, column.type, nullable=column.missing > 0,
        missing=min(1.0, round(2 * share + 0.05, 2)) if 0 < share < 1 else None,
        low=None if whole else low, high=None if whole else high,
        values=None if values is None else tuple(str(item) for item in values if item is not None),
        unique=whole and rows >= 2 * _FEW)


def _ends(column: Column, low: Any, high: Any) -> tuple[Any, Any]:
    """Return limits with some room beyond what is there; dates have no last one, since time goes on."""
    kind = column.type
    if not kind.numeric or low is None:
        return plain(low), None
    if not (math.isfinite(low) and math.isfinite(high)):
        return None, None
    if kind is ColumnType.INTEGER and low == 0 and high == 1:   # yes and no, as numbers: there is no third
        return 0, 1
    natural = natural_ends(column.name, low, high, whole=kind is ColumnType.INTEGER)
    if natural is not None:
        return natural
    room = (high - low) * _ROOM
    least, most = (0 if low >= 0 and low - room < 0 else low - room), high + room
    if kind is ColumnType.INTEGER:
        return math.floor(least), math.ceil(most)
    return float(f"{least:.6g}"), float(f"{most:.6g}")
