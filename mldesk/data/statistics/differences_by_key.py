"""What differs between two tables whose rows are told apart by keys: rows added, removed and changed, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from mldesk.core.errors import BadInput
from mldesk.core.scratch import working_folder
from mldesk.data.engine import connect, identifier, one_row, relation, sql_errors
from mldesk.data.types import plain

EXAMPLES = 100   # changed cells that are listed
_AT_ONCE = 60    # columns compared in one query


def by_keys(one: Sequence[Path], two: Sequence[Path], shared: Sequence[str], keys: Sequence[str],
            scratch: Path | None, *, sure: Sequence[bool] = (False, False)) -> dict[str, Any]:
    """Compare two tables; ``shared`` are the columns that both have with one type. See ``differences.diff``.

    ``sure`` says of each whether its keys are known to tell all rows apart.
    """
    with (working_folder(scratch, "mldesk-diff") as folder, sql_errors("The comparison"),
          connect([*one, *two], folder) as connection):
        for parts, known in zip((one, two), sure, strict=True):
            if not known:
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
    tests = {name: f"a.{identifier(name)} IS DISTINCT FROM b.{identifier(name)}" for name in names}
    some = names[:_AT_ONCE]
    calls = ["count(*)", f"count(*) FILTER (WHERE {' OR '.join(tests.values()) or 'false'})"]
    met, changed, *found = one_row(connection, f"SELECT {', '.join([*calls, *_counts(tests, some)])} FROM {both}")
    counts = dict(zip(some, map(int, found), strict=True))
    for first in range(_AT_ONCE, len(names), _AT_ONCE) if changed else ():
        some = names[first:first + _AT_ONCE]
        found = list(one_row(connection, f"SELECT {', '.join(_counts(tests, some))} FROM {both}"))
        counts |= dict(zip(some, map(int, found), strict=True))
    counts = {name: count for name, count in counts.items() if count}
    # No key is there twice, so that whatever met nobody is there in one table only.
    return {"added": _rows(two) - int(met), "removed": _rows(one) - int(met), "changed": int(changed),
            "keys": list(keys), "changed_by": counts,
            "examples": _examples(connection, both, {name: tests[name] for name in counts}, keys)}


def _rows(parts: Sequence[Path]) -> int:
    return sum(pq.read_metadata(part).num_rows for part in parts)


def _counts(tests: Mapping[str, str], names: Sequence[str]) -> list[str]:
    return [f"count(*) FILTER (WHERE {tests[name]})" for name in names]


def _examples(connection: duckdb.DuckDBPyConnection, both: str, tests: Mapping[str, str],
              keys: Sequence[str]) -> list[dict[str, Any]]:
    """Return the first changed cells of every column, by the order of the keys."""
    room = max(3, EXAMPLES // max(1, len(tests)))
    key = f"row({', '.join(f'a.{identifier(key)}' for key in keys)})"
    names, examples = list(tests)[:EXAMPLES], list[dict[str, Any]]()
    for first in range(0, len(names), _AT_ONCE):
        some = names[first:first + _AT_ONCE]
        calls = ", ".join(f"arg_min(row(a.{identifier(name)}, b.{identifier(name)}, {key}), {key}, {room}) "
                          f"FILTER (WHERE {tests[name]})" for name in some)
        for name, cells in zip(some, one_row(connection, f"SELECT {calls} FROM {both}"), strict=True):
            examples += [{"keys": [plain(item) for item in place], "column": name, "from": plain(old),
                          "to": plain(new)} for old, new, place in cells]
    return examples[:EXAMPLES]
