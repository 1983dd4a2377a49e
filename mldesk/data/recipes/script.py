"""A recipe as a Python script that needs duckdb and nothing of ours: each step is a view over the one before it.

What SQL cannot do is done by functions whose files are copied into the script; it then needs what they import.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from mldesk.core.plain_source import plain_source
from mldesk.data.columns.readers import needs_readers
from mldesk.data.engine import identifier
from mldesk.data.recipes.state import Other, State
from mldesk.data.recipes.unicode_forms import needs_unicode_forms
from mldesk.data.types import DUCKDB
from mldesk.wire.schema import Column

_HOMES = {"fill_by_neighbours": "neighbours.py", "run_code": "frames.py"}
_NEEDS = {"neighbours.py": ("numpy", "pyarrow"), "frames.py": ("numpy", "pandas", "pyarrow"),
          "unicode_forms.py": ("pyarrow",)}
_SCRIPT = '''"""{title}

Usage: python {file} SOURCE TARGET{usage}

SOURCE is the table the recipe starts from, TARGET what becomes of it: Parquet, CSV or JSON lines, by the extension.
Needs {needs} (pip install {needs}). What the recipe learnt from the table, such as means, is written into the steps.
"""

from __future__ import annotations

import sys

import duckdb
{functions}
RECIPE = {recipe}

# Each view reads the one before it; {row} is a row's place in the source, by which the result is ordered.
VIEWS = [
{views}
]
# Tables that functions make once so many views are there: their name, what they are given, and which function it is.
TABLES = {{
{tables}
}}
RESULT = {result}
OTHERS = {others}
NUMBERS = {numbers}


def read(path):
    path = path.replace("'", "''")
    if path.lower().endswith(".parquet"):
        return f"read_parquet('{{path}}')"
    return f"read_json('{{path}}')" if path.lower().endswith((".json", ".jsonl")) else f"read_csv('{{path}}')"


def keep(connection, table, made):
    connection.register("coming", made)
    number = f", row_number() OVER () - 1 AS {{NUMBERS[table]}}" if table in NUMBERS else ""
    connection.execute(f"CREATE TABLE {{table}} AS SELECT *{{number}} FROM coming")
    connection.unregister("coming")


def main(source, target, *others):
    if len(others) != len(OTHERS):
        sys.exit(f"It also needs the files of {{', '.join(name for _, name, _ in OTHERS) or 'no other dataset'}}.")
    connection = duckdb.connect()
    connection.execute("SET threads = 1")  # sums come out the same every time
    connection.execute("SET TimeZone = 'UTC'"){add_forms}
    connection.execute(f"CREATE VIEW source AS SELECT * FROM {{read(source)}}")
    for (view, _, columns), path in zip(OTHERS, others):
        connection.execute(f"CREATE VIEW {{view}} AS SELECT {{columns}} FROM {{read(path)}}")
    for number, (name, sql) in enumerate(VIEWS):
        for table, inputs, function, arguments in TABLES.get(number, ()):
            given = [connection.sql(sql).to_arrow_table() for sql in inputs]
            keep(connection, table, globals()[function](*given, **arguments))
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
    homes = list(dict.fromkeys(_HOMES[table.function] for table in state.tables))
    homes += ["unicode_forms.py"] if needs_unicode_forms(steps) else []
    needs = list(dict.fromkeys(["duckdb", *(need for home in homes for need in _NEEDS[home])]))
    forms = "\n    add_unicode_forms(connection)" if "unicode_forms.py" in homes else ""
    functions = "".join(map(_source, homes))
    if any("read_" in sql for sql in state.ctes) and needs_readers(steps):
        imports, code = plain_source([("mldesk.data.columns.readers", "add_readers")])
        functions += "\n# --- reading texts\n" + "\n".join(imports) + "\n\n\n" + code + "\n# ---\n"
        forms += "\n    add_readers(connection)"
        needs = list(dict.fromkeys([*needs, "numpy", "pyarrow"]))
    return _SCRIPT.format(needs=" ".join(needs), functions=functions, add_forms=forms,
                          tables=_tables(state),
                          numbers=repr({made.name: identifier(made.number) for made in state.tables if made.number}),
                          title=title.replace('"""', ""), file="recipe.py", row=row, recipe=_literal(steps),
                          views="\n".join(lines), result=repr(result), others=repr(listed),
                          usage="".join(f" FILE_{number}" for number in range(1, len(others) + 1)))


def _literal(steps: Sequence[Mapping[str, Any]]) -> str:
    """Return the steps as Python writes them, one per line."""
    return "[\n" + "".join(f"    {dict(step)!r},\n" for step in steps) + "]"


def _source(home: str) -> str:
    """Return a file of ours without what stands above its imports."""
    text = files("mldesk.data.recipes").joinpath(home).read_text("utf-8")
    return "\n# --- " + home + "\n" + text.partition("from __future__ import annotations\n")[2] + "\n# ---\n"


def _tables(state: State) -> str:
    """Return the tables that functions make, by the number of views that they need."""
    lines: dict[int, list[str]] = {}
    for made in state.tables:
        inputs = [f"SELECT {what} FROM s{made.after - 1} AS data{rest}" for what, rest in made.inputs]
        lines.setdefault(made.after, []).append(f"({made.name!r}, {inputs!r}, {made.function!r}, "
                                                f"{dict(made.arguments)!r})")
    return "\n".join(f"    {after}: [{', '.join(items)}]," for after, items in lines.items())
