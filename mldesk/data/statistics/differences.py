"""What differs between two tables: columns, types, missing cells, means, and how many rows only one of them has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from mldesk.core.scratch import working_folder
from mldesk.data.counting import EXACT
from mldesk.data.engine import connect, identifier, one_row, relation, sql_errors
from mldesk.data.parts import part_paths
from mldesk.data.records import Cancelled
from mldesk.data.statistics.differences_by_key import by_keys, check_keys
from mldesk.data.stopping import stoppable
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column

_COMPARED = 500  # columns up to which rows are compared


def diff(store: ObjectStore, first: str, first_columns: Sequence[Column], second: str,
         second_columns: Sequence[Column], *, scratch: Path | None = None,
         keys: Sequence[str] = (), cancelled: Cancelled | None = None) -> dict[str, Any]:
    """Return {"rows", "columns", "changed"}, plain JSON, for two manifests.

    ``rows``: from, to, added, removed (rows only in one, over the columns that both have with one type; a changed row
    counts once on each side; None where nothing can be compared). ``columns``: added, removed, retyped. ``changed``:
    columns whose missing or distinct values differ. What memory does not hold goes to a folder in ``scratch``.

    With ``keys``, columns that tell rows apart, a row is the same row if its keys are: ``rows`` then also has
    "changed", and "keys", "changed_by" (cells by column) and "examples" ([{"keys", "column", "from", "to"}…]).
    Raises BadInput for keys that are no such columns, ImportCancelled soon after ``cancelled`` says so.
    """
    old, new = ({column.name: column for column in columns} for columns in (first_columns, second_columns))
    shared = [name for name, column in old.items() if name in new and new[name].type is column.type]
    check_keys(keys, shared)
    one, two = part_paths(store, first), part_paths(store, second)
    rows: dict[str, Any] = {"from": _rows(one), "to": _rows(two), "added": None, "removed": None}
    if first == second:
        rows["added"] = rows["removed"] = 0
    elif keys:
        sure = [_tells_apart(keys, columns, rows[side]) for side, columns in (("from", old), ("to", new))]
        rows |= stoppable(lambda: by_keys(one, two, shared, list(dict.fromkeys(keys)), scratch, sure=sure), cancelled,
                          "The comparison")
    elif shared and len(shared) <= _COMPARED:
        rows["removed"], rows["added"] = stoppable(lambda: _row_differences(one, two, shared, scratch), cancelled,
                                                   "The comparison")
    return {
        "rows": rows,
        "columns": {"added": [name for name in new if name not in old],
                    "removed": [name for name in old if name not in new],
                    "retyped": [{"column": name, "from": old[name].type.value, "to": new[name].type.value}
                                for name in old if name in new and new[name].type is not old[name].type]},
        "changed": [{"column": name, "missing": [old[name].missing, new[name].missing],
                     "distinct": [old[name].distinct, new[name].distinct]}
                    for name in shared if old[name] != new[name]],
    }


def _tells_apart(keys: Sequence[str], columns: Mapping[str, Column], rows: int) -> bool:
    """Say whether one of the keys is known to have a value of its own in every row."""
    return rows <= EXACT and any(columns[key].distinct + min(columns[key].missing, 1) == rows for key in keys)


def _rows(parts: Sequence[Path]) -> int:
    return sum(pq.read_metadata(part).num_rows for part in parts)


def _row_differences(one: Sequence[Path], two: Sequence[Path], names: Sequence[str],
                     scratch: Path | None) -> tuple[int, int]:
    """Count the rows that only the first and only the second has, by a hash of 64 bits per row."""
    chosen = ", ".join(map(identifier, names))
    with (working_folder(scratch, "mldesk-diff") as folder, sql_errors("The comparison"),
          connect([*one, *two], folder) as connection):
        sql = (f"SELECT sum(greatest(n, 0)), sum(greatest(-n, 0)) FROM (SELECT sum(side) AS n FROM ("
               f"SELECT hash({chosen}) AS h, 1 AS side FROM {relation(one)} UNION ALL "
               f"SELECT hash({chosen}), -1 FROM {relation(two)}) GROUP BY h)")
        removed, added = one_row(connection, sql)
    return int(removed or 0), int(added or 0)
