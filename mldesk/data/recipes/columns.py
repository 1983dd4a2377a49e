"""Steps that choose, name, order, retype, compute and replace columns."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.data.columns.casts import cast_sql, in_words
from mldesk.data.columns.evidence import open_to_doubt, reading_of
from mldesk.data.columns.readers import how_to_read
from mldesk.data.engine import identifier
from mldesk.data.expressions import check_expression
from mldesk.data.options import MARKS, Reading
from mldesk.data.recipes.state import State, Tools, listed
from mldesk.data.recipes.steps import Step
from mldesk.data.types import DUCKDB
from mldesk.wire.schema import ColumnType

_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
          "UHUGEINT")
_NEEDS = {"year": "date", "quarter": "date", "month": "date", "week": "date", "day": "date", "weekday": "date",
          "day_of_year": "date", "hour": "time", "minute": "time", "second": "time"}
_CALLS = {"weekday": "isodow", "day_of_year": "dayofyear"}
_POLICIES = ("fail", "missing", "drop")
_ORDERS = {(mark, order) for mark in MARKS for order in ("dmy", "mdy")}
_BATCH = 65_536   # rows


def drop(tools: Tools, state: State, step: Step) -> State:
    """Take columns out."""
    gone = set(tools.columns(state, step["columns"]))
    if len(gone) == len(state.names):
        raise tools.refused("it would take out every column")
    return _chosen(tools, state, [name for name in state.names if name not in gone])


def keep(tools: Tools, state: State, step: Step) -> State:
    """Keep some columns, in the table's order."""
    kept = set(tools.columns(state, step["columns"]))
    return _chosen(tools, state, [name for name in state.names if name in kept])


def reorder(tools: Tools, state: State, step: Step) -> State:
    """Put columns first or last."""
    moved = tools.columns(state, step["columns"])
    rest = [name for name in state.names if name not in set(moved)]
    return _chosen(tools, state, [*moved, *rest] if step["place"] == "first" else [*rest, *moved])


def drop_poor(tools: Tools, state: State, step: Step) -> State:
    """Take out columns that hold one value only, or too few values."""
    columns = tools.columns(state, step.get("columns") or list(state.names))
    facts = tools.one(state.select("count(*), " + ", ".join(
        f"count({column}), min({column}) IS NOT DISTINCT FROM max({column})" for column in map(identifier, columns))))
    gone: dict[str, str] = {}
    for name, there, same in zip(columns, facts[1::2], facts[2::2], strict=True):
        missing = 1 - there / facts[0] if facts[0] else 0.0
        if missing >= step["missing"] and missing:
            gone[name] = f"{missing:.0%} missing"
        elif step["constant"] == "yes" and same and there == facts[0]:
            gone[name] = "one value only"
    if len(gone) == len(state.names):
        raise tools.refused("it would take out every column")
    for name, why in gone.items():
        tools.note(f"{name!r} was taken out: {why}.", name)
    return _chosen(tools, state, [name for name in state.names if name not in gone])


def mark_missing(tools: Tools, state: State, step: Step) -> State:
    """Make columns of 0 and 1, or one with a count, that say where values are missing."""
    columns = tools.columns(state, step.get("columns") or list(state.names))
    tests = [f"CAST({identifier(name)} IS NULL AS BIGINT)" for name in columns]
    if step["give"] == "count":
        name = tools.fresh(state, [step["into"].strip()])[0]
        return tools.added(state, {name: " + ".join(tests)}, [ColumnType.INTEGER])
    names = tools.free(state, [f"{name}_missing" for name in columns])
    return tools.added(state, dict(zip(names, tests, strict=True)), [ColumnType.INTEGER] * len(names))


def _chosen(tools: Tools, state: State, names: list[str]) -> State:
    return tools.next(state, f"{listed(names)}, {tools.place}", names=names,
                      types=[state.type_of(name) for name in names])


def rename(tools: Tools, state: State, step: Step) -> State:
    """Give columns other names, one by one."""
    new = {old: name.strip() for old, name in step["names"].items()}
    tools.columns(state, list(new))
    return _renamed(tools, state, [new.get(name, name) for name in state.names])


def rename_many(tools: Tools, state: State, step: Step) -> State:
    """Give columns other names by a rule."""
    chosen = set(tools.columns(state, step.get("columns") or list(state.names)))
    return _renamed(tools, state, [named_by_rule(name, step) if name in chosen else name for name in state.names])


def named_by_rule(name: str, step: Step) -> str:
    """Return what a column is called after ``rename_many``."""
    if step["find"]:
        name = name.replace(step["find"], step["put"])
    if step["case"] == "snake":
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
        name = re.sub(r"\W+", "_", name).strip("_").lower()
    elif step["case"] != "as_is":
        name = name.lower() if step["case"] == "lower" else name.upper()
    return f"{step['before']}{name}{step['after']}".strip()


def _renamed(tools: Tools, state: State, names: list[str]) -> State:
    tools.fresh(state, names, instead=state.names)
    pairs = ", ".join(f"{identifier(old)} AS {identifier(name)}" for old, name in zip(state.names, names, strict=True))
    return tools.next(state, f"{pairs}, {tools.place}", names=names)


def cast(tools: Tools, state: State, step: Step) -> State:
    """Read columns as another type."""
    kind = ColumnType(step["type"])
    columns = tools.columns(state, step["columns"])
    expressions: dict[str, str] = {}
    for name in columns:
        form = str(step.get("format") or "")
        how = how_to_read(_reading(tools, state, name, kind, str(step["dates"]))) if not form else ""
        sql = cast_sql(identifier(name), state.type_of(name), kind, form, how)
        if sql is None:
            raise tools.refused(f"{name!r} is {state.type_of(name).value}, which cannot be read as {kind.value}")
        expressions[name] = sql
    lost = {name: f"{identifier(name)} IS NOT NULL AND ({sql}) IS NULL" for name, sql in expressions.items()}
    dropped = _report_lost(tools, state, lost, kind, _policies(tools, columns, step))
    types = [kind if name in expressions else old for name, old in zip(state.names, state.types, strict=True)]
    pairs = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in expressions.items())
    rest = f" WHERE NOT ({' OR '.join(f'({lost[name]})' for name in dropped)})" if dropped else ""
    after = tools.next(state, f"* REPLACE ({pairs})", rest, types=types)
    return replace(after, changed=" + ".join(f"count(*) FILTER (WHERE {test})" for test in lost.values()))


def _reading(tools: Tools, state: State, name: str, kind: ColumnType, dates: str) -> Reading:
    """Return how texts are read as ``kind``: as the column's values tell, which is said where they do not."""
    if state.type_of(name) is not ColumnType.TEXT or not open_to_doubt(kind) or dates == "ymd":
        return Reading()
    told = dates if kind.temporal and dates != "auto" else ""

    def look() -> list[Any]:
        pieces = (batch.column(0) for batch in tools.connection.sql(state.select(identifier(name)))
                  .to_arrow_reader(_BATCH))
        reading, doubts = reading_of(pieces, name, kind, told)
        return [reading.decimal, [list(order) for order in reading.orders], doubts]

    decimal, orders, doubts = tools.found_out(look)
    if decimal not in (None, ".", ",") or not {tuple(order) for order in orders} <= _ORDERS:
        raise ValueError(orders)   # it came with a model, and no step of ours found that out
    for doubt in doubts:
        tools.note(str(doubt), name)
    return Reading(decimal, "", tuple((mark, order) for mark, order in orders))


def _policies(tools: Tools, columns: list[str], step: Step) -> dict[str, str]:
    """Return for each column what happens to values that do not fit."""
    given = dict(step.get("policies") or {})
    for name, policy in given.items():
        if name not in columns:
            raise tools.refused(f"there is a rule for {name!r:.80}, which is not among its columns")
        if policy not in _POLICIES:
            raise tools.refused(f"the rule for {name!r:.80} is one of {', '.join(_POLICIES)}, not {policy!r:.40}")
    return {name: given.get(name, str(step["on_error"])) for name in columns}


def _report_lost(tools: Tools, state: State, lost: dict[str, str], kind: ColumnType,
                 policies: dict[str, str]) -> list[str]:
    """Refuse, or note, values that do not fit the new type; return the columns whose bad rows are left out."""
    counts = tools.one(state.select(", ".join(f"count(*) FILTER (WHERE {test})" for test in lost.values())))
    dropped: list[str] = []
    for (name, test), count in zip(lost.items(), counts, strict=True):
        if not count:
            continue
        row, value = tools.one(state.select(f"{tools.place}, CAST({identifier(name)} AS VARCHAR)")
                               + f" WHERE {test} ORDER BY 1 LIMIT 1")
        are = "is" if count == 1 else "are"
        many = f"{count:,} {'value' if count == 1 else 'values'} of {name!r}"
        first = f"{str(value)[:60]!r} in row {row + 1}"
        if policies[name] == "fail":
            raise tools.refused(f"{many} {are} not {in_words(kind)}, the first being {first}",
                                hint='Set "on_error": "missing" to make such values missing, "drop" to leave their '
                                     "rows out.")
        if policies[name] == "drop":
            dropped.append(name)
        end = "left out with the row" if policies[name] == "drop" else "missing now"
        tools.note(f"{many} did not fit and {are} {end}, the first being {first}.", name)
    return dropped


def replace_values(tools: Tools, state: State, step: Step) -> State:
    """Change values into others."""
    expressions: dict[str, str] = {}
    for name in tools.columns(state, step["columns"]):
        kind, column = state.type_of(name), identifier(name)
        cases = " ".join(f"WHEN {tools.value(old, kind, name)} THEN {tools.value(new, kind, name)}"
                         for old, new in step["values"].items())
        expressions[name] = f"CASE {column} {cases} ELSE {column} END"
    return tools.replaced(state, expressions, changed=[
        f"({sql}) IS DISTINCT FROM {identifier(name)}" for name, sql in expressions.items()])


def date_parts(tools: Tools, state: State, step: Step) -> State:
    """Make columns of the parts of dates."""
    expressions: dict[str, str] = {}
    for name in tools.columns(state, step["columns"]):
        kind = state.type_of(name)
        for part in step["parts"]:
            has = kind.temporal and not (kind is ColumnType.TIME and _NEEDS[part] == "date") \
                and not (kind is ColumnType.DATE and _NEEDS[part] == "time")
            if not has:
                raise tools.refused(f"{name!r} is {kind.value} and has no {part.replace('_', ' ')}",
                                    hint="Read the column as a date or a date and time first.")
            expressions[f"{name}_{part}"] = f"CAST({_CALLS.get(part, part)}({identifier(name)}) AS BIGINT)"
    tools.fresh(state, list(expressions))
    return tools.added(state, expressions, [ColumnType.INTEGER] * len(expressions))


def derive(tools: Tools, state: State, step: Step) -> State:
    """Make a column by an expression, or change the one of that name."""
    name = step["name"].strip()
    try:
        expression = check_expression(tools.connection, step["expression"], state.names)
    except BadInput as error:
        raise tools.refused(error.message[:1].lower() + error.message[1:].rstrip("."), hint=error.hint) from error
    sql = state.select(f"({expression}) AS v")
    kind = _kind_of(tools, str(tools.all(f"DESCRIBE {sql}")[0][1]))
    made = f"CAST(({expression}) AS {DUCKDB[kind]})"
    tools.one(f"SELECT count(v) FROM ({state.select(f'{made} AS v')})")  # so that a bad value is said of this step
    if name in state.names:
        types = [kind if known == name else old for known, old in zip(state.names, state.types, strict=True)]
        return tools.replaced(state, {name: made}, types=types,
                              changed=[f"({made}) IS DISTINCT FROM {identifier(name)}"])
    tools.fresh(state, [name])
    return tools.added(state, {name: made}, [kind])


def _kind_of(tools: Tools, answer: str) -> ColumnType:
    """Return the column type for one of DuckDB's."""
    if answer in _WHOLE:
        return ColumnType.INTEGER
    if answer in ("FLOAT", "DOUBLE") or answer.startswith("DECIMAL"):
        return ColumnType.NUMBER
    known = {sql: kind for kind, sql in DUCKDB.items()} | {'"NULL"': ColumnType.TEXT, "NULL": ColumnType.TEXT}
    if answer.startswith("TIMESTAMP"):
        return ColumnType.DATETIME
    if answer not in known:
        raise tools.refused(f"its answer is {answer.lower()[:60]}, which no column can hold",
                            hint="Give a number, a text, a truth value, a date or a time.")
    return known[answer]
