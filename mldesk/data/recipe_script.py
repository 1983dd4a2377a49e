"""A recipe as a Python script that needs duckdb and nothing of ours: each step is a view over the one before it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mldesk.data.engine import identifier
from mldesk.data.recipe_state import Other, State
from mldesk.data.types import DUCKDB
from mldesk.wire.schema import Column

_SCRIPT = '''"""{title}

Usage: python {file} SOURCE TARGET{usage}

SOURCE is the table the recipe starts from, TARGET what becomes of it: Parquet, CSV or JSON lines, by the extension.
Needs duckdb (pip install duckdb). What the recipe learnt from the table, such as means, is written into the steps.
"""

import sys

import duckdb

RECIPE = {recipe}

# Each view reads the one before it; {row} is a row's place in the source, by which the result is ordered.
VIEWS = [
{views}
]
RESULT = {result}
OTHERS = {others}


def read(path):
    path = path.replace("'", "''")
    if path.lower().endswith(".parquet"):
        return f"read_parquet('{{path}}')"
    return f"read_json('{{path}}')" if path.lower().endswith((".json", ".jsonl")) else f"read_csv('{{path}}')"


def main(source, target, *others):
    if len(others) != len(OTHERS):
        sys.exit(f"It also needs the files of {{', '.join(name for _, name, _ in OTHERS) or 'no other dataset'}}.")
    connection = duckdb.connect()
    connection.execute("SET threads = 1")  # sums come out the same every time
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"CREATE VIEW source AS SELECT * FROM {{read(source)}}")
    for (view, _, columns), path in zip(OTHERS, others):
        connection.execute(f"CREATE VIEW {{view}} AS SELECT {{columns}} FROM {{read(path)}}")
    for name, sql in VIEWS:
        connection.execute(f"CREATE VIEW {{name}} AS {{sql}}")
    target_sql = target.replace("'", "''")
    kind = "FORMAT parquet" if target.lower().endswith(".parquet") else (
        "FORMAT json" if target.lower().endswith((".json", ".jsonl")) else "FORMAT csv, HEADER")
    connection.execute(f"COPY ({{RESULT}}) TO '{{target_sql}}' ({{kind}})")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
'''


def script_of(name: str, columns: Sequence[Column], steps: Sequence[Mapping[str, Any]], state: State, row: str,
              others: Sequence[tuple[str, str, Other]]) -> str:
    """Return the script. ``others`` are (view, dataset, its columns) of the datasets that steps bring in."""
    cast = ", ".join(f"CAST({identifier(column.name)} AS {DUCKDB[column.type]}) AS {identifier(column.name)}"
                     for column in columns)
    first = f"SELECT {cast}, row_number() OVER () - 1 AS {identifier(row)} FROM source"
    said = ["the table as it is read", *(json.dumps(step, ensure_ascii=False) for step in steps)]
    made = [first, *state.ctes[1:]]
    lines: list[str] = []
    words = iter(said)
    for number, sql in enumerate(made):
        # A step may be several views; its words stand before the first of them.
        if len(made) == len(said) or number == 0:
            lines.append(f"    # {next(words, '')}"[:2000])
        lines.append(f"    ({f's{number}'!r}, {sql!r}),")
    listed = [(view, dataset, ", ".join(
        f"CAST({identifier(column)} AS {DUCKDB[kind]}) AS {identifier(column)}"
        for column, kind in zip(other.names, other.types, strict=True))) for view, dataset, other in others]
    result = f"SELECT * EXCLUDE ({identifier(row)}) FROM {state.table} ORDER BY {identifier(row)}"
    title = json.dumps(f"The recipe of {name}", ensure_ascii=False)[1:-1] + "."
    return _SCRIPT.format(title=title.replace('"""', ""), file="recipe.py", row=row, recipe=_literal(steps),
                          views="\n".join(lines), result=repr(result), others=repr(listed),
                          usage="".join(f" FILE_{number}" for number in range(1, len(others) + 1)))


def _literal(steps: Sequence[Mapping[str, Any]]) -> str:
    """Return the steps as Python writes them, one per line."""
    return "[\n" + "".join(f"    {dict(step)!r},\n" for step in steps) + "]"
