"""What differs between two tables whose rows are told apart by keys: rows added, removed and changed, cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from mldesk.core.errors import BadInput
from mldesk.core.scratch import working_folder
from mldesk.data.engine import connect, identifier, one_row, relation, sql_errors
from mldesk.data.types import plain

EXAMPLES = 100   # changed cells that are listed
_AT_ONCE = 60    # columns compared in one query


def by_keys(one: Sequence[Path], two: Sequence[Path], shared: Sequence[str], keys: Sequence[str],
            scratch: Path | None) -> dict[str, Any]:
    """Compare two tables; ``shared`` are the columns that both have with one type. See ``differences.diff``."""
    with (working_folder(scratch, "mldesk-diff") as folder, sql_errors("The comparison"),
          connect([*one, *two], folder) as connection):
        for parts in (one, two):
            _refuse_twice(connection, parts, keys)
        return _compare(connection, one, two, [name for name in shared if name not in keys], keys)


def check_keys(keys: Sequence[str], shared: Sequence[str]) -> None:
    """Raise BadInput for a key that not both tables have."""
    lost = next((key for key in keys if key not in shared), None)
    if lost is not None:
        raise BadInput(f"{lost!r:.80} is not a column of both versions with one type.",
                       hint="Choose columns that tell the rows of both apart.")


def _refuse_twice(connection: duckdb.DuckDBPyConnection, parts: Sequence[Path], keys: Sequence[str]) -> None:
    chosen = ", ".join(map(identifier, keys))
    found = connection.execute(f"SELECT {chosen}, count(*) FROM {relation(parts)} GROUP BY ALL HAVING count(*) > 1 "
                               "LIMIT 1").fetchone()
    if found is not None:
        value = ", ".join(str(plain(item)) for item in found[:-1])
        raise BadInput(f"{', '.join(keys):.80} does not tell rows apart: {value!r:.80} is there {found[-1]:,} times.",
                       hint="Choose other columns, or more of them.")


def _compare(connection: duckdb.DuckDBPyConnection, one: Sequence[Path], two: Sequence[Path], names: Sequence[str],
             keys: Sequence[str]) -> dict[str, Any]:
    on = " AND ".join(f"a.{identifier(key)} IS NOT DISTINCT FROM b.{identifier(key)}" for key in keys)
    both = f"{relation(one)} AS a JOIN {relation(two)} AS b ON {on}"
    alone = "SELECT count(*) FROM {} AS a ANTI JOIN {} AS b ON " + on
    removed, = one_row(connection, alone.format(relation(one), relation(two)))
    added, = one_row(connection, alone.format(relation(two), relation(one)))
    tests = {name: f"a.{identifier(name)} IS DISTINCT FROM b.{identifier(name)}" for name in names}
    changed, = one_row(connection, f"SELECT count(*) FROM {both} WHERE {' OR '.join(tests.values()) or 'false'}")
    counts: dict[str, int] = {}
    for first in range(0, len(names), _AT_ONCE) if changed else ():
        some = names[first:first + _AT_ONCE]
        calls = ", ".join(f"count(*) FILTER (WHERE {tests[name]})" for name in some)
        counts |= dict(zip(some, map(int, one_row(connection, f"SELECT {calls} FROM {both}")), strict=True))
    examples: list[dict[str, Any]] = []
    shown = ", ".join(f"a.{identifier(key)}" for key in keys)
    for name in [name for name, count in counts.items() if count]:
        room = max(3, EXAMPLES // max(1, sum(map(bool, counts.values()))))
        found = connection.execute(f"SELECT a.{identifier(name)}, b.{identifier(name)}, {shown} FROM {both} WHERE "
                                   f"{tests[name]} ORDER BY {shown} LIMIT {room}").fetchall()
        examples += [{"keys": [plain(item) for item in row[2:]], "column": name, "from": plain(row[0]),
                      "to": plain(row[1])} for row in found]
    return {"added": int(added), "removed": int(removed), "changed": int(changed), "keys": list(keys),
            "changed_by": {name: count for name, count in counts.items() if count}, "examples": examples[:EXAMPLES]}
