"""Steps that bring in another dataset: its columns by keys, or its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mldesk.data.engine import free_name, identifier, literal
from mldesk.data.near import which_column
from mldesk.data.recipes.state import Other, State, Tools
from mldesk.data.recipes.steps import Step
from mldesk.data.types import DUCKDB
from mldesk.wire.schema import ColumnType

_NUMBERS = {ColumnType.INTEGER, ColumnType.NUMBER}
_WAYS = {"left": "LEFT", "inner": "INNER", "right": "RIGHT", "outer": "FULL"}


def join(tools: Tools, state: State, step: Step) -> State:
    """Add the columns of another dataset where the keys are the same; missing keys have no partner.

    Rows of the other dataset alone come last, in its order; they have its keys, and nothing in this table's columns.
    """
    other = tools.other(step)
    keys = {name: name for name in step.get("on") or ()} | dict(step.get("keys") or {})
    if not keys:
        raise tools.refused("it has no keys", hint='Write "on": ["id"].')
    tools.columns(state, list(keys))
    _there(tools, other, list(keys.values()))
    both = _kinds_of_keys(tools, state, other, step, keys)
    same = " AND ".join(f"data.{identifier(mine)} = o.{identifier(theirs)}" for mine, theirs in keys.items())
    how = str(step["how"])
    if how == "anti":
        kept = tools.made(state, f"SELECT data.* FROM {state.table} AS data ANTI JOIN {identifier(other.view)} AS o "
                          f"ON {same}")
        return replace(kept, ordered=False)
    wanted = [name for name in other.names if name not in set(keys.values())]
    taken = _there(tools, other, list(step["take"])) if step.get("take") else wanted
    names = tools.free(state, taken)
    whole = how in ("right", "outer")   # rows of the other alone are there, too
    mine_sql = ", ".join(_key(name, keys[name], both[name]) if whole and name in keys else f"data.{identifier(name)}"
                         for name in state.names)
    theirs_sql = "".join(f", o.{identifier(name)} AS {identifier(new)}" for name, new in zip(taken, names, strict=True))
    theirs_row = identifier(free_name("_place", other.names))
    place = f"row_number() OVER (ORDER BY data.{tools.place} NULLS LAST, o.{theirs_row}) - 1 AS {tools.place}"
    numbered = f"(SELECT *, row_number() OVER () AS {theirs_row} FROM {identifier(other.view)})"
    types = [both[name] if whole and name in keys else state.type_of(name) for name in state.names]
    after = tools.made(state, f"SELECT {mine_sql}{theirs_sql}, {place} FROM {state.table} AS data {_WAYS[how]} JOIN "
                       f"{numbered} AS o ON {same}", names=[*state.names, *names],
                       types=[*types, *(other.types[other.names.index(name)] for name in taken)])
    before, now = (int(tools.one(table.select("count(*)"))[0]) for table in (state, after))
    if now > before and not whole:
        tools.note(f"some keys occur more than once in {step['dataset']!r}: {before:,} rows became {now:,}.",
                   next(iter(keys)))
    if how == "left" and tools.answers is None:   # a recipe that travels asks what it always did
        _alone(tools, state, other, step, keys, before, same)
    return replace(after, ordered=False, own_rows=False)


def _alone(tools: Tools, state: State, other: Other, step: Step, keys: Mapping[str, str], rows: int,
           same: str) -> None:
    """Note how many rows found no partner."""
    alone = int(tools.one(f"{state.select('count(*)')} ANTI JOIN {identifier(other.view)} AS o ON {same}")[0])
    if alone:
        tools.note(f"{alone:,} of {rows:,} rows {'finds' if alone == 1 else 'find'} no partner in "
                   f"{step['dataset']!r}; what came from there is missing in {'it' if alone == 1 else 'them'}.",
                   next(iter(keys)))


def _kinds_of_keys(tools: Tools, state: State, other: Other, step: Step,
                   keys: Mapping[str, str]) -> dict[str, ColumnType]:
    """Return what holds the keys of both sides, by this table's names; refuse what cannot be the same."""
    found = {}
    for mine, theirs in keys.items():
        here, there = state.type_of(mine), other.types[other.names.index(theirs)]
        if here is not there and not {here, there} <= _NUMBERS:
            raise tools.refused(f"{mine!r} is {here.value} here, but in {step['dataset']!r} it is {there.value}",
                                hint="Change one of the types first.")
        found[mine] = here if here is there else ColumnType.NUMBER
    return found


def _key(mine: str, theirs: str, kind: ColumnType) -> str:
    own, other = f"data.{identifier(mine)}", f"o.{identifier(theirs)}"
    return f"CAST(coalesce({own}, {other}) AS {DUCKDB[kind]}) AS {identifier(mine)}"


def _there(tools: Tools, other: Other, names: list[str]) -> list[str]:
    for name in names:
        if name not in other.names:
            raise tools.refused(f"the other dataset has no column {name!r:.80}", hint=which_column(name, other.names))
    return names


def union(tools: Tools, state: State, step: Step) -> State:
    """Add the rows of another dataset below, by the names of the columns; what it lacks is missing."""
    other = tools.other(step)
    more = [name for name in other.names if name not in set(state.names)] if step["extra"] == "add" else []
    tools.fresh(state, more)
    theirs = dict(zip(other.names, other.types, strict=True))
    if not set(theirs) & set(state.names):
        raise tools.refused(f"{step['dataset']!r} has no column of this table", hint="Rename its columns first.")
    names = [*state.names, *more]
    types = [_common(tools, name, state.type_of(name) if name in state.names else theirs[name], theirs.get(name))
             for name in names]
    mine = ", ".join(_cell(name, kind, name in state.names) for name, kind in zip(names, types, strict=True))
    second = ", ".join(_cell(name, kind, name in theirs) for name, kind in zip(names, types, strict=True))
    offset = 1 + int(tools.one(state.select(f"coalesce(max({tools.place}), -1)"))[0])
    after = tools.made(state, f"SELECT {mine}, {tools.place} FROM {state.table} UNION ALL SELECT {second}, "
                       f"{literal(offset)} + row_number() OVER () - 1 AS {tools.place} FROM {identifier(other.view)}",
                       names=names, types=types)
    return replace(after, ordered=False, own_rows=False)


def _common(tools: Tools, name: str, mine: ColumnType, theirs: ColumnType | None) -> ColumnType:
    if theirs is None or mine is theirs:
        return mine
    if {mine, theirs} <= _NUMBERS:
        return ColumnType.NUMBER
    raise tools.refused(f"{name!r} is {mine.value} here, but {theirs.value} in the other dataset",
                        hint="Change one of the types first.")


def _cell(name: str, kind: ColumnType, there: bool) -> str:
    return f"CAST({identifier(name) if there else 'NULL'} AS {DUCKDB[kind]}) AS {identifier(name)}"
