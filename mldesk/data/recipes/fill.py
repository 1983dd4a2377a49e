"""The step that fills missing values: with a constant, with what is learnt, with what came before or
after, or with what rows that are alike have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mldesk.data.engine import free_name, identifier
from mldesk.data.recipes.neighbours_step import fill_from_neighbours
from mldesk.data.recipes.state import State, Tools, listed, settled, settled_sql
from mldesk.data.recipes.steps import Step
from mldesk.wire.schema import ColumnType

_OTHERWISE = "Every model fills missing values by itself, from its training rows only."


def fill_missing(tools: Tools, state: State, step: Step) -> State:
    """Put a value where there is none."""
    how = step["with"]
    columns = tools.columns(state, step["columns"])
    by = [name for name in tools.columns(state, step.get("by") or []) if name not in columns]
    if step.get("order"):
        tools.columns(state, [step["order"]])
    if how == "constant" and step.get("value") is None:
        raise tools.refused("it lacks the value to fill in", hint='Write "value", or "with": "median".')
    if how in ("forward", "backward"):
        return _carried(tools, state, step, columns, by)
    if how == "knn":
        return fill_from_neighbours(tools, state, step, columns)
    if how != "constant" and by:
        return _by_group(tools, state, columns, by, how)
    expressions: dict[str, str] = {}
    types = list(state.types)
    for name in columns:
        kind = state.type_of(name)
        value = step["value"] if how == "constant" else _learn(tools, state, name, kind, how)
        if kind is ColumnType.INTEGER and how in ("mean", "median") and not float(value).is_integer():
            kind = types[state.names.index(name)] = ColumnType.NUMBER
        old = _as(identifier(name), state.type_of(name), kind)
        expressions[name] = f"coalesce({old}, {tools.value(value, kind, name)})"
    return tools.replaced(state, expressions, types=types, changed=_missing(columns))


def _missing(columns: list[str]) -> list[str]:
    return [f"{identifier(name)} IS NULL" for name in columns]


def _as(column: str, old: ColumnType, new: ColumnType) -> str:
    return column if old is new else f"CAST({column} AS DOUBLE)"


def _learn(tools: Tools, state: State, name: str, kind: ColumnType, how: str) -> Any:
    """Return the mean, median or mode of a column, and note that this looks at test rows too."""
    if how != "mode" and not kind.numeric:
        raise tools.refused(f"{name!r} is {kind.value} and has no {how}", hint='Use "mode", or a value of your own.')
    column = identifier(name)
    if how == "mode":
        sql = state.select(f"CAST({column} AS VARCHAR)") + (
            f" WHERE {column} IS NOT NULL GROUP BY {column} ORDER BY count(*) DESC, {column} LIMIT 1")
    else:
        function = "favg" if how == "mean" else "median"
        sql = state.select(f"{function}({column})") + f" WHERE isfinite({column}::DOUBLE)"
    row = tools.one(sql)
    if not row or row[0] is None:
        raise tools.refused(f"{name!r} has no values to take the {how} of")
    tools.learnt(f"the {how} of {name!r} is", name, _OTHERWISE)
    return row[0] if how == "mode" else settled(row[0])


def _by_group(tools: Tools, state: State, columns: list[str], by: list[str], how: str) -> State:
    """Fill with what is learnt in each group; where a group has no value, cells stay missing."""
    expressions, types, keys = {}, list(state.types), listed(by)
    joins = ""
    for number, name in enumerate(columns):
        kind, column = state.type_of(name), identifier(name)
        if how != "mode" and not kind.numeric:
            raise tools.refused(f"{name!r} is {kind.value} and has no {how}", hint='Use "mode".')
        if how == "mode":
            counted = (f"SELECT {keys}, {column} AS v, count(*) AS n FROM {state.table} WHERE {column} IS NOT NULL "
                       f"GROUP BY {keys}, {column}")
            learnt = f"SELECT {keys}, first(v ORDER BY n DESC, v) AS v FROM ({counted}) GROUP BY {keys}"
        else:
            function = "favg" if how == "mean" else "median"
            learnt = (f"SELECT {keys}, {settled_sql(f'{function}({column})')} AS v FROM {state.table} "
                      f"WHERE isfinite({column}::DOUBLE) GROUP BY {keys}")
            types[state.names.index(name)] = ColumnType.NUMBER
        same = " AND ".join(f"data.{identifier(key)} IS NOT DISTINCT FROM g{number}.{identifier(key)}" for key in by)
        joins += f" LEFT JOIN ({learnt}) AS g{number} ON {same}"
        old = _as(f"data.{column}", kind, types[state.names.index(name)])
        expressions[name] = f"coalesce({old}, g{number}.v)"
        tools.learnt(f"the {how} of {name!r} in each group is", name, _OTHERWISE)
    pairs = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in expressions.items())
    after = tools.next(state, f"data.* REPLACE ({pairs})", joins, types=types)
    tests = " + ".join(f"count(*) FILTER (WHERE {test})" for test in _missing(columns))
    return replace(after, changed=tests, ordered=False)


def _carried(tools: Tools, state: State, step: Step, columns: list[str], by: list[str]) -> State:
    """Carry the last value there was on to the rows after it, or the next one back."""
    way = " DESC" if step["with"] == "backward" else ""
    order = f"{identifier(step['order'])}{way} NULLS LAST, " if step.get("order") else ""
    window = (f"({f'PARTITION BY {listed(by)} ' if by else ''}ORDER BY {order}{tools.place}{way} "
              "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)")
    name_of = free_name("carry", [*state.names, tools.row])
    pairs = ", ".join(f"last_value({identifier(name)} IGNORE NULLS) OVER {identifier(name_of)} AS {identifier(name)}"
                      for name in columns)
    after = tools.next(state, f"* REPLACE ({pairs})", f" WINDOW {identifier(name_of)} AS {window}")
    tests = " + ".join(f"count(*) FILTER (WHERE {test})" for test in _missing(columns))
    return replace(after, changed=tests, ordered=False)
