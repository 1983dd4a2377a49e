"""The step that is a Python function over the table: checked, trusted, run in a confined process, and taken back in."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import pyarrow as pa

from mldesk.data.engine import free_name, identifier
from mldesk.data.helper import GIB
from mldesk.data.recipes.code_trust import CodeNotTrusted, code_digest
from mldesk.data.recipes.python_process import Confined, Limits, ProcessProblem
from mldesk.data.recipes.state import Made, State, Tools, listed
from mldesk.data.recipes.steps import Step
from mldesk.data.stopping import watch
from mldesk.data.types import column_type
from mldesk.wire.schema import ColumnType

_BATCH = 65_536          # rows that go to the process at a time
_LONGEST = 200_000       # characters of code


def python_step(tools: Tools, state: State, step: Step) -> State:
    """Give the whole table, or some rows at a time, to a function; what it returns is the table."""
    source = check_code(tools, str(step["code"]))
    if code_digest(source) not in tools.trusted:
        raise CodeNotTrusted(tools.number, source)
    batch = int(step.get("rows") or 0)
    run = Confined(source, Limits(float(step["seconds"]), int(float(step["memory"]) * GIB), batch), tools.scratch)
    what = f"{listed(state.names)}, {tools.place}"
    order = "" if state.sorted else f" ORDER BY {tools.place}"
    kinds = {name: _words(kind) for name, kind in zip(state.names, state.types, strict=True)}
    made = Made(f"made_{len(state.tables)}", len(state.ctes), ((what, f" ORDER BY {tools.place}"),), "run_code",
                {"code": source, "kinds": kinds, "batch": batch})
    try:
        with closing(tools.connection.cursor()) as cursor:
            watch(cursor)
            rows = cursor.sql(state.select(what) + order).to_arrow_reader(_BATCH)
            columns = _keep(tools, run, rows, made.name, tools.row)
    except ProcessProblem as error:
        raise tools.refused(str(error), hint="The function gets a DataFrame and returns one.") from error
    _say(tools, run)
    return _after(tools, state, made, columns, bool(run.said.get("stayed")))


def check_code(tools: Tools, source: str) -> str:
    """Return the code if it can be read and defines the function. It is not run. Raises BadInput."""
    if len(source) > _LONGEST:
        raise tools.refused(f"its code is longer than {_LONGEST:,} characters")
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        why = getattr(error, "msg", str(error))
        raise tools.refused(f"its code cannot be read{f', line {line}' if line else ''}: {why}") from error
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    if "step" not in functions and len(functions) != 1:
        raise tools.refused("its code defines no function called step",
                            hint="Write: def step(frame): return frame.assign(total=frame.a + frame.b)")
    return source


Columns = list[tuple[str, ColumnType]]


def _keep(tools: Tools, run: Confined, rows: pa.RecordBatchReader, table: str, row: str) -> Columns:
    """Put what the process gives into a table in the connection, with places and numbers; return its columns."""
    tools.connection.execute(f"DROP TABLE IF EXISTS {table}")
    columns: Columns = []
    number = 0
    for batch in run.batches(rows):
        if not columns:
            columns = _checked(tools, batch.schema, row)
            create = f"CREATE TABLE {table} AS"
        else:
            create = f"INSERT INTO {table}"
        count = identifier(_count_name([name for name, _ in columns], row))
        tools.connection.register("coming", pa.Table.from_batches([batch]))
        try:
            tools.connection.execute(f"{create} SELECT *, {number} + row_number() OVER () - 1 AS {count} FROM coming")
        finally:
            tools.connection.unregister("coming")
        number += batch.num_rows
    if not columns:
        raise tools.refused("its function gave no rows")
    return columns


def _count_name(names: Sequence[str], row: str) -> str:
    return free_name("_number", [*names, row])


def _checked(tools: Tools, schema: pa.Schema, row: str) -> Columns:
    """Return the columns that came back, if they are such as tables have. Raises BadInput, ProcessProblem."""
    names = schema.names[:-1]
    if not names or schema.names[-1] != row or schema.types[-1] != pa.int64():
        raise ProcessProblem("its function gave no columns")
    tools.fresh(State((), ()), names)
    try:
        return list(zip(names, map(column_type, schema.types[:-1]), strict=True))
    except KeyError as error:
        raise ProcessProblem("its function's process gave values that no table holds") from error


def _say(tools: Tools, run: Confined) -> None:
    printed = " ".join(str(run.said.get("printed", "")).split())
    if printed:
        tools.note(f"its function printed: {printed[:300]}", "")
    held: Any = run.said.get("held") or []
    if "seccomp" not in held and "landlock" not in held:
        tools.note("this system does not confine processes, so its function was held by limits and Python's own "
                   "checks only.", "")


def _after(tools: Tools, state: State, made: Made, columns: Columns, stayed: bool) -> State:
    names = [name for name, _ in columns]
    made = replace(made, number=_count_name(names, tools.row))
    place = tools.place if stayed else f"{identifier(made.number)} AS {tools.place}"
    after = tools.made(replace(state, tables=(*state.tables, made)),
                       f"SELECT {listed(names)}, {place} FROM {made.name}", names=names,
                       types=[kind for _, kind in columns])
    return replace(after, ordered=True, chosen=(), own_rows=state.own_rows and stayed)


def _words(kind: ColumnType) -> str:
    """Return the name of the function of pyarrow that makes a column's type."""
    return {ColumnType.NUMBER: "float64", ColumnType.BOOLEAN: "bool_", ColumnType.TEXT: "string",
            ColumnType.DATE: "date32", ColumnType.DATETIME: "timestamp", ColumnType.TIME: "time64"}.get(kind, "int64")
