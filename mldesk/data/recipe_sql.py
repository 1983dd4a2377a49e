"""Recipe steps as SQL over DuckDB: each step is a SELECT from the one before it.

Names are quoted and values written as literals of the column's own type; users' text reaches SQL only through
``mldesk.data.expressions``. Every row carries its place in the table it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb

from mldesk.core.errors import BadInput
from mldesk.data.casts import cast_sql, in_words, value_sql
from mldesk.data.engine import identifier, one_row, sql_errors
from mldesk.data.expressions import check_expression
from mldesk.data.near import which_column
from mldesk.data.records import Problem
from mldesk.data.steps import Step
from mldesk.wire.schema import ColumnType


@dataclass(frozen=True, slots=True)
class State:
    """The table after some steps."""

    names: tuple[str, ...]
    types: tuple[ColumnType, ...]
    ctes: tuple[str, ...] = ()        # SQL of the steps so far; the last one is the table
    ordered: bool = True              # rows still come in the order of their places
    notices: tuple[Problem, ...] = ()
    changed: str = ""                 # SQL that counts the cells the last step changed, over the table before it

    def type_of(self, name: str) -> ColumnType:
        return self.types[self.names.index(name)]

    def select(self, what: str, *, before: bool = False) -> str:
        """Return SQL that selects ``what`` from the table, or from the one before the last step."""
        last = len(self.ctes) - 1
        ctes = ", ".join(f"s{index} AS ({sql})" for index, sql in enumerate(self.ctes))
        return f"WITH {ctes} SELECT {what} FROM s{last - 1 if before else last} AS data"


@dataclass(slots=True)
class Compiler:
    """Turns steps into SQL, asking the data where a step needs to know it."""

    connection: duckdb.DuckDBPyConnection
    row: str                          # name of the column with the rows' places
    number: int = 0                   # of the step in hand, from 1
    kind: str = ""
    _found: list[Problem] = field(default_factory=list)

    def start(self, relation: str, names: Sequence[str], types: Sequence[ColumnType]) -> State:
        """Return the state before any step."""
        return State(tuple(names), tuple(types), (f"SELECT * FROM {relation}",))

    def add(self, state: State, number: int, step: Step) -> State:
        """Return the state after ``step``. Raises BadInput that names the step and the column."""
        self.number, self.kind, self._found = number, str(step["step"]), []
        with sql_errors(f"Step {number} ({self.kind})"):
            after = self._step(state, step)
        return replace(after, notices=(*state.notices, *self._found))

    def _step(self, state: State, step: Step) -> State:
        steps: dict[str, Callable[[State, Step], State]] = {
            "drop": self._drop, "rename": self._rename, "cast": self._cast, "fill_missing": self._fill_missing,
            "drop_missing": self._drop_missing, "deduplicate": self._deduplicate, "filter": self._filter,
            "replace": self._replace,
        }
        return steps[self.kind](state, step)

    # --- steps

    def _drop(self, state: State, step: Step) -> State:
        gone = self._columns(state, step["columns"])
        if len(gone) == len(state.names):
            raise self._refused("it would take out every column")
        kept = [(name, kind) for name, kind in zip(state.names, state.types, strict=True) if name not in set(gone)]
        return self._next(state, f"* EXCLUDE ({_list(gone)})", names=[name for name, _ in kept],
                          types=[kind for _, kind in kept])

    def _rename(self, state: State, step: Step) -> State:
        new = {old: name.strip() for old, name in step["names"].items()}
        self._columns(state, list(new))
        names = [new.get(name, name) for name in state.names]
        seen: dict[str, str] = {}
        for name in names:
            if name.casefold() in seen:
                raise self._refused(f"two columns would be called {name!r:.80}")
            seen[name.casefold()] = name
        pairs = ", ".join(f"{identifier(old)} AS {identifier(name)}" for old, name in
                          zip(state.names, names, strict=True))
        return self._next(state, f"{pairs}, {identifier(self.row)}", names=names)

    def _cast(self, state: State, step: Step) -> State:
        kind = ColumnType(step["type"])
        columns = self._columns(state, step["columns"])
        expressions: dict[str, str] = {}
        for name in columns:
            sql = cast_sql(identifier(name), state.type_of(name), kind, str(step.get("format") or ""))
            if sql is None:
                raise self._refused(f"{name!r} is {state.type_of(name).value}, which cannot be read as {kind.value}")
            expressions[name] = sql
        lost = {name: f"{identifier(name)} IS NOT NULL AND ({sql}) IS NULL" for name, sql in expressions.items()}
        self._report_lost(state, lost, kind, str(step.get("on_error", "fail")))
        types = [kind if name in expressions else old for name, old in zip(state.names, state.types, strict=True)]
        return self._replaced(state, expressions, types=types, changed=list(lost.values()))

    def _report_lost(self, state: State, lost: dict[str, str], kind: ColumnType, on_error: str) -> None:
        """Refuse, or note, values that do not fit the new type."""
        counts = self._one(state.select(", ".join(f"count(*) FILTER (WHERE {test})" for test in lost.values())))
        for (name, test), count in zip(lost.items(), counts, strict=True):
            if not count:
                continue
            row, value = self._one(state.select(f"{identifier(self.row)}, CAST({identifier(name)} AS VARCHAR)")
                                   + f" WHERE {test} ORDER BY 1 LIMIT 1")
            many = f"{count:,} {'value' if count == 1 else 'values'} of {name!r}"
            first = f"{str(value)[:60]!r} in row {row + 1}"
            if on_error == "fail":
                raise self._refused(f"{many} {'is' if count == 1 else 'are'} not {in_words(kind)}, the first being "
                                    f"{first}", hint='Set "on_error": "missing" to make such values missing.')
            self._note(f"{many} did not fit and {'is' if count == 1 else 'are'} missing now, the first being {first}.",
                       name)

    def _fill_missing(self, state: State, step: Step) -> State:
        how = step["with"]
        if "value" in step and step["value"] is None:
            step = {key: value for key, value in step.items() if key != "value"}
        if how == "constant" and "value" not in step:
            raise self._refused("it lacks the value to fill in", hint='Write "value", or "with": "median".')
        expressions: dict[str, str] = {}
        types = list(state.types)
        for name in self._columns(state, step["columns"]):
            kind = state.type_of(name)
            value = step["value"] if how == "constant" else self._learn(state, name, kind, how)
            if kind is ColumnType.INTEGER and how in ("mean", "median") and not float(value).is_integer():
                kind = types[state.names.index(name)] = ColumnType.NUMBER
            old = self._as(identifier(name), state.type_of(name), kind)
            expressions[name] = f"coalesce({old}, {self._value(value, kind, name)})"
        return self._replaced(state, expressions, types=types,
                              changed=[f"{identifier(name)} IS NULL" for name in expressions])

    def _learn(self, state: State, name: str, kind: ColumnType, how: str) -> Any:
        """Return the mean, median or mode of a column, and note that this looks at test rows too."""
        if how != "mode" and not kind.numeric:
            raise self._refused(f"{name!r} is {kind.value} and has no {how}",
                                hint='Use "mode", or a value of your own.')
        column = identifier(name)
        if how == "mode":
            sql = state.select(f"CAST({column} AS VARCHAR)") + (
                f" WHERE {column} IS NOT NULL GROUP BY {column} ORDER BY count(*) DESC, {column} LIMIT 1")
        else:
            function = "avg" if how == "mean" else "median"
            sql = state.select(f"{function}({column})") + f" WHERE isfinite({column}::DOUBLE)"
        row = self._one(sql)
        if not row or row[0] is None:
            raise self._refused(f"{name!r} has no values to take the {how} of")
        self._note(f"the {how} of {name!r} is learnt from all rows, also from those that later test the model, so that "
                   "scores may come out too good. Every model fills missing values by itself, from its training rows "
                   "only.", name)
        return row[0]

    def _drop_missing(self, state: State, step: Step) -> State:
        columns = self._columns(state, step.get("columns") or list(state.names))
        glue = " OR " if step["how"] == "any" else " AND "
        test = glue.join(f"{identifier(name)} IS NULL" for name in columns)
        return self._next(state, "*", f" WHERE NOT ({test})")

    def _deduplicate(self, state: State, step: Step) -> State:
        columns = self._columns(state, step.get("columns") or list(state.names))
        order = identifier(self.row) + (" DESC" if step["keep"] == "last" else "")
        place = f"row_number() OVER (PARTITION BY {_list(columns)} ORDER BY {order})"
        after = self._next(state, "*", f" QUALIFY {place} = 1")
        return replace(after, ordered=False)

    def _filter(self, state: State, step: Step) -> State:
        try:
            condition = check_expression(self.connection, step["where"], state.names)
        except BadInput as error:
            raise self._refused(error.message[:1].lower() + error.message[1:].rstrip("."), hint=error.hint) from error
        after = self._next(state, "*", f" WHERE ({condition})")
        if not self._one(after.select("count(*)"))[0]:  # the whole of it, so that a bad value is said of this step
            raise self._refused(f"no row meets {step['where'].strip()[:80]!r}", hint="A table needs at least one row.")
        return after

    def _replace(self, state: State, step: Step) -> State:
        expressions: dict[str, str] = {}
        for name in self._columns(state, step["columns"]):
            kind, column = state.type_of(name), identifier(name)
            cases = " ".join(f"WHEN {self._value(old, kind, name)} THEN {self._value(new, kind, name)}"
                             for old, new in step["values"].items())
            expressions[name] = f"CASE {column} {cases} ELSE {column} END"
        return self._replaced(state, expressions, changed=[
            f"({sql}) IS DISTINCT FROM {identifier(name)}" for name, sql in expressions.items()])

    # --- parts of steps

    def _columns(self, state: State, names: Sequence[str]) -> list[str]:
        known = set(state.names)
        for name in names:
            if name not in known:
                raise self._refused(f"there is no column {name!r:.80}", hint=which_column(name, state.names))
        return list(names)

    def _value(self, value: Any, kind: ColumnType, name: str) -> str:
        try:
            return value_sql(value, kind)
        except (ValueError, OverflowError) as error:
            raise self._refused(f"{value!r:.60} is not {in_words(kind)}, which {name!r} holds",
                                hint="Change the type of the column first, or use another value.") from error

    def _as(self, column: str, old: ColumnType, new: ColumnType) -> str:
        return column if old is new else f"CAST({column} AS DOUBLE)"

    def _next(self, state: State, what: str, rest: str = "", *, names: Sequence[str] | None = None,
              types: Sequence[ColumnType] | None = None) -> State:
        sql = f"SELECT {what} FROM s{len(state.ctes) - 1} AS data{rest}"
        return replace(state, ctes=(*state.ctes, sql), names=state.names if names is None else tuple(names),
                       types=state.types if types is None else tuple(types), changed="")

    def _replaced(self, state: State, expressions: dict[str, str], *, types: Sequence[ColumnType] | None = None,
                  changed: Sequence[str]) -> State:
        replaced = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in expressions.items())
        after = self._next(state, f"* REPLACE ({replaced})", types=types)
        return replace(after, changed=" + ".join(f"count(*) FILTER (WHERE {test})" for test in changed))

    def _one(self, sql: str) -> tuple[Any, ...]:
        return one_row(self.connection, sql)

    def _note(self, message: str, column: str) -> None:
        self._found.append(Problem("", None, column, f"Step {self.number} ({self.kind}): {message}"))

    def _refused(self, why: str, *, hint: str = "") -> BadInput:
        return BadInput(f"Step {self.number} ({self.kind}): {why}.", hint=hint)


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(identifier, names))
