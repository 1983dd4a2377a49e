"""Steps that make another table of the rows: groups, and columns out of rows or rows out of columns."""

from __future__ import annotations

from dataclasses import replace

from mldesk.data.engine import identifier
from mldesk.data.recipes.state import State, Tools, listed, settled_sql
from mldesk.data.recipes.steps import Step
from mldesk.wire.schema import ColumnType

_I, _N, _T = ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.TEXT
MOST_PIVOTED = 1000  # columns that a pivot may make


def group(tools: Tools, state: State, step: Step) -> State:
    """Make one row of each group, in the order in which the groups first occur."""
    by = tools.columns(state, step["by"])
    columns = tools.columns(state, step.get("columns") or [])
    functions = list(dict.fromkeys(step.get("functions") or ([] if columns else ["count"])))
    if columns and not functions:
        raise tools.refused("it lacks the figures to make", hint='Write "functions": ["mean"].')
    if not columns:
        made = {tools.free(state, ["rows"])[0]: ("count(*)", _I)}
    else:
        made = {f"{name}_{function}": _figure(tools, state, name, function)
                for name in columns for function in functions}
        tools.fresh(replace(state, names=tuple(by)), list(made))
    figures = ", ".join(f"{sql} AS {identifier(name)}" for name, (sql, _) in made.items())
    after = tools.next(state, f"{listed(by)}, {figures}, min({tools.place}) AS {tools.place}",
                       f" GROUP BY {listed(by)}", names=[*by, *made],
                       types=[*map(state.type_of, by), *(kind for _, kind in made.values())])
    return replace(after, ordered=False, own_rows=False)


def _figure(tools: Tools, state: State, name: str, function: str, where: str = "") -> tuple[str, ColumnType]:
    """Return SQL for one figure about a column, and its type. ``where`` limits the rows it is taken from."""
    kind, column = state.type_of(name), identifier(name)
    only = f" FILTER (WHERE {where})" if where else ""
    if function in ("sum", "mean", "median", "std") and not kind.numeric:
        raise tools.refused(f"{name!r} is {kind.value} and has no {function}",
                            hint="Text can be counted, and has a first, last, least, greatest and most frequent value.")
    if function == "sum":
        sql = f"CAST(sum({column}){only} AS BIGINT)" if kind is _I else f"{settled_sql(f'fsum({column}){only}')}"
        return sql, kind
    if function in ("mean", "median", "std"):
        call = {"mean": "favg", "median": "median", "std": "stddev_samp"}[function]
        return settled_sql(f"{call}(CAST({column} AS DOUBLE)){only}"), _N
    calls = {"count": f"count({column}){only}", "distinct": f"count(DISTINCT {column}){only}",
             "missing": f"count(*) FILTER (WHERE {column} IS NULL{f' AND {where}' if where else ''})"}
    if function in calls:
        return calls[function], _I
    if function == "mode":  # the most frequent value, of equally frequent ones the least
        values = f"list({column} ORDER BY {column}){only}"
        best = f"list_filter(list_distinct({values}), lambda x: x IS NOT NULL)"
        return (f"list_sort({best})[list_position(list_transform(list_sort({best}), lambda x: "
                f"len(list_filter({values}, lambda y: y = x))), list_max(list_transform(list_sort({best}), "
                f"lambda x: len(list_filter({values}, lambda y: y = x)))))]"), kind
    ends = {"min": f"min({column}){only}", "max": f"max({column}){only}",
           "first": f"arg_min({column}, {tools.place}){only}", "last": f"arg_max({column}, {tools.place}){only}"}
    return ends[function], kind


def pivot(tools: Tools, state: State, step: Step) -> State:
    """Make a column of each value of a column."""
    by = tools.columns(state, step["by"])
    key, cells = tools.columns(state, [step["column"], step["cells"]])
    found = [str(row[0]) for row in tools.all(
        state.select(f"DISTINCT CAST({identifier(key)} AS VARCHAR)") + f" WHERE {identifier(key)} IS NOT NULL "
        f"ORDER BY 1 LIMIT {MOST_PIVOTED + 1}")]
    if len(found) > MOST_PIVOTED:
        raise tools.refused(f"{key!r} has more than {MOST_PIVOTED:,} different values")
    if not found:
        raise tools.refused(f"{key!r} has no values")
    names = tools.free(replace(state, names=tuple(by)), [value[:200] or "empty" for value in found])
    kind = state.type_of(key)
    made = [_figure(tools, state, cells, step["function"], f"{identifier(key)} = {tools.value(value, kind, key)}")
            for value in found]
    figures = ", ".join(f"{sql} AS {identifier(name)}" for name, (sql, _) in zip(names, made, strict=True))
    after = tools.next(state, f"{listed(by)}, {figures}, min({tools.place}) AS {tools.place}",
                       f" GROUP BY {listed(by)}", names=[*by, *names],
                       types=[*map(state.type_of, by), *(item[1] for item in made)])
    return replace(after, ordered=False, own_rows=False)


def unpivot(tools: Tools, state: State, step: Step) -> State:
    """Make a row of each column and row."""
    columns = tools.columns(state, step["columns"])
    rest = [name for name in state.names if name not in set(columns)]
    into = tools.fresh(replace(state, names=tuple(rest)), [step["name"].strip(), step["into"].strip()])
    kinds = {state.type_of(name) for name in columns}
    kind = kinds.pop() if len(kinds) == 1 else _N if kinds <= {_I, _N} else _T
    cast = {_N: "DOUBLE", _T: "VARCHAR"}.get(kind)
    values = ", ".join(f"CAST({identifier(name)} AS {cast})" if cast else identifier(name) for name in columns)
    names = ", ".join(tools.value(name, _T, name) for name in columns)
    places = ", ".join(f"{tools.place} * {len(columns)} + {number}" for number in range(len(columns)))
    kept = f"{listed(rest)}, " if rest else ""
    after = tools.next(state, f"{kept}unnest([{names}]) AS {identifier(into[0])}, unnest([{values}]) AS "
                       f"{identifier(into[1])}, unnest([{places}]) AS {tools.place}",
                       names=[*rest, *into], types=[*map(state.type_of, rest), _T, kind])
    return replace(after, own_rows=False)
