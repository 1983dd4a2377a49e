"""A table on its way through a recipe: what the steps so far made of it, as SQL, and the tools every step needs."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from mldesk.core.errors import BadInput
from mldesk.data.columns.casts import in_words, value_sql
from mldesk.data.engine import free_name, identifier
from mldesk.data.names import LONGEST
from mldesk.data.near import which_column
from mldesk.data.recipes.answers import Answers
from mldesk.data.records import Problem
from mldesk.wire.schema import ColumnType

MOST_COLUMNS = 10_000  # that a step may make


@dataclass(frozen=True, slots=True)
class Other:
    """Another dataset that a step brings in: a view in the connection, and its columns."""

    view: str
    names: tuple[str, ...]
    types: tuple[ColumnType, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """A table that a step made outside SQL, by a function over some of what was there before it."""

    name: str                             # of the table in the connection
    after: int                            # how many of the state's SQL came before it
    inputs: tuple[tuple[str, str], ...]   # what is selected from the table then, and the rest of that SELECT
    function: str                         # as the script of a recipe calls it, with the inputs as Arrow tables
    arguments: Mapping[str, Any]          # plain values
    number: str = ""                      # a column that counts its rows from 0, where it has one


@dataclass(frozen=True, slots=True)
class Choice:
    """Rows that a step chose by their places."""

    step: int          # its SQL, by number
    places: str        # SQL that gives them
    key: str = ""      # they are the first rows of each value of this column, quoted; empty: of something else
    last: bool = False  # the last ones instead


@dataclass(frozen=True, slots=True)
class State:
    """The table after some steps."""

    names: tuple[str, ...]
    types: tuple[ColumnType, ...]
    ctes: tuple[str, ...] = ()        # SQL of the steps so far; the last one is the table
    ordered: bool = True              # rows still come in the order of their places, but for those chosen
    chosen: tuple[Choice, ...] = ()   # of steps that only choose rows
    own_rows: bool = True             # places are still those of the version that the recipe starts from
    notices: tuple[Problem, ...] = ()
    tables: tuple[Made, ...] = ()
    changed: str = ""                 # SQL that counts the cells the last step changed, over the table before it

    def type_of(self, name: str) -> ColumnType:
        return self.types[self.names.index(name)]

    def select(self, what: str, *, before: bool = False) -> str:
        """Return SQL that selects ``what`` from the table, or from the one before the last step."""
        last = len(self.ctes) - 1
        return self.within(f"SELECT {what} FROM s{last - 1 if before else last} AS data")

    def within(self, sql: str) -> str:
        """Return a SELECT that may read what every step made, by its name."""
        return f"WITH {', '.join(f's{index} AS ({made})' for index, made in enumerate(self.ctes))} {sql}"

    @property
    def sorted(self) -> bool:
        """Say whether rows come in the order of their places."""
        return self.ordered and not self.chosen

    @property
    def table(self) -> str:
        """The name of the table the last step made, as a further step's SQL calls it."""
        return f"s{len(self.ctes) - 1}"


@dataclass(slots=True)
class Tools:
    """What a step is compiled with: the data to ask, and ways to refuse, to note and to make the next state."""

    connection: duckdb.DuckDBPyConnection
    row: str                          # name of the column with the rows' places
    others: Mapping[str, Other] = field(default_factory=dict)  # by digest
    number: int = 0                   # of the step in hand, from 1
    kind: str = ""
    found: list[Problem] = field(default_factory=list)
    scratch: Path = Path()            # a folder of the work's own, removed with it
    trusted: Container[str] = ()      # digests of the code that may run
    answers: Answers | None = None    # who is asked instead of the data

    @property
    def place(self) -> str:
        return identifier(self.row)

    # --- what a step asks for

    def columns(self, state: State, names: Sequence[str]) -> list[str]:
        """Return the names if the table has them all. Raises BadInput."""
        known = set(state.names)
        for name in names:
            if name not in known:
                raise self.refused(f"there is no column {name!r:.80}", hint=which_column(name, state.names))
        return list(names)

    def numeric(self, state: State, names: Sequence[str], what: str) -> list[str]:
        """Return the names if they are columns of numbers. ``what`` says what they lack if not: "a mean"."""
        for name in self.columns(state, names):
            if not state.type_of(name).numeric:
                raise self.refused(f"{name!r} is {state.type_of(name).value} and has no {what}",
                                   hint="Change the type of the column first.")
        return list(names)

    def texts(self, state: State, names: Sequence[str]) -> list[str]:
        """Return the names if they are columns of text."""
        for name in self.columns(state, names):
            if state.type_of(name) is not ColumnType.TEXT:
                raise self.refused(f"{name!r} is {state.type_of(name).value}, not text",
                                   hint="Change the type of the column to text first.")
        return list(names)

    def fresh(self, state: State, names: Sequence[str], *, instead: Sequence[str] = ()) -> list[str]:
        """Return names for new columns. Raises BadInput for one that is there already, comes twice or is too long."""
        gone = set(instead)
        taken = {name.casefold() for name in state.names if name not in gone} | {self.row.casefold()}
        if len(names) + len(taken) > MOST_COLUMNS:
            raise self.refused(f"it would make a table of more than {MOST_COLUMNS:,} columns")
        for name in names:
            if not name.strip():
                raise self.refused("a new column has no name")
            if len(name) > LONGEST:
                raise self.refused(f"a column's name has {len(name):,} characters; {LONGEST} is the most",
                                   hint="Choose a shorter name.")
            if name.casefold() in taken:
                raise self.refused(f"two columns would be called {name!r:.80}", hint="Choose another name.")
            taken.add(name.casefold())
        return list(names)

    def free(self, state: State, names: Sequence[str]) -> list[str]:
        """Return the names, with underscores after those that are there already: for names made of values."""
        taken = [*state.names, self.row]
        made: list[str] = []
        for name in names:
            made.append(free_name(name, [*taken, *made]))
        return self.fresh(state, made)

    def value(self, value: Any, kind: ColumnType, name: str) -> str:
        """Return a plain value as SQL of a column's type. Raises BadInput."""
        try:
            return value_sql(value, kind)
        except (ValueError, OverflowError) as error:
            raise self.refused(f"{value!r:.60} is not {in_words(kind)}, which {name!r} holds",
                               hint="Change the type of the column first, or use another value.") from error

    def one(self, sql: str) -> tuple[Any, ...]:
        rows = self.all(sql)
        return rows[0] if rows else ()

    def all(self, sql: str) -> Sequence[tuple[Any, ...]]:
        found: Sequence[tuple[Any, ...]] = self.found_out(
            lambda: [tuple(row) for row in self.connection.execute(sql).fetchall()])
        return found

    def found_out(self, make: Callable[[], Any]) -> Any:
        """Return what ``make`` learns from the rows: lists of plain values, which may be given again without them."""
        return make() if self.answers is None else self.answers.give(make)

    def other(self, step: Mapping[str, Any]) -> Other:
        """Return the dataset that a step brings in."""
        found = self.others.get(str(step.get("digest") or ""))
        if found is None:
            raise self.refused(f"the dataset {step['dataset']!r:.80} is not at hand")
        return found

    def arrow(self, sql: str) -> pa.Table:
        """Return an answer as Arrow. Only for what is bounded."""
        return self.connection.sql(sql).to_arrow_table()

    def figures(self, state: State, name: str, calls: Sequence[str], what: str = "to learn from") -> list[float]:
        """Return figures over the finite values of a column, alike on every processor; {0} is the column as DOUBLE."""
        column = double(name)
        sql = state.select(", ".join(call.replace("{0}", column) for call in calls))
        row = self.one(f"{sql} WHERE isfinite({column})")
        if any(value is None for value in row):
            raise self.refused(f"{name!r} has too few values {what}")
        return [settled(float(value)) for value in row]

    def chance(self, seed: int) -> str:
        """Return SQL for a number by chance per row: the MD5 of seed and place, alike on every machine for ever."""
        return f"md5_number_upper('{int(seed)}:' || {self.place})"

    # --- the next state

    def with_table(self, state: State, inputs: Sequence[tuple[str, str]], function: str, arguments: Mapping[str, Any],
                   make: Callable[[Sequence[pa.Table]], pa.Table]) -> tuple[State, Made]:
        """Put a table into the connection that ``make`` makes of ``inputs``, Arrow tables; see ``Made``."""
        got = [self.arrow(f"{state.select(what)}{rest}") for what, rest in inputs]
        return self.keep_table(state, inputs, function, arguments, make(got))

    def keep_table(self, state: State, inputs: Sequence[tuple[str, str]], function: str, arguments: Mapping[str, Any],
                   rows: pa.Table | pa.RecordBatchReader) -> tuple[State, Made]:
        """Put ``rows`` into the connection as a table of their own, which may spill to the disk."""
        made = Made(f"made_{len(state.tables)}", len(state.ctes), tuple(inputs), function, arguments)
        self.connection.execute(f"DROP TABLE IF EXISTS {made.name}")
        self.connection.register("coming", rows)
        try:
            self.connection.execute(f"CREATE TABLE {made.name} AS SELECT * FROM coming")
        finally:
            self.connection.unregister("coming")
        return replace(state, tables=(*state.tables, made)), made

    def next(self, state: State, what: str, rest: str = "", *, names: Sequence[str] | None = None,
             types: Sequence[ColumnType] | None = None) -> State:
        """Return the state after selecting ``what`` (which holds the rows' places) from the table."""
        return self.made(state, f"SELECT {what} FROM {state.table} AS data{rest}", names=names, types=types)

    def made(self, state: State, sql: str, *, names: Sequence[str] | None = None,
             types: Sequence[ColumnType] | None = None) -> State:
        """Return the state whose table is the answer to ``sql``."""
        return replace(state, ctes=(*state.ctes, sql), names=state.names if names is None else tuple(names),
                       types=state.types if types is None else tuple(types), changed="")

    def replaced(self, state: State, expressions: Mapping[str, str], *, types: Sequence[ColumnType] | None = None,
                 changed: Sequence[str] = ()) -> State:
        """Return the state with some columns' values replaced; ``changed`` tests which cells that concerns."""
        pairs = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in expressions.items())
        after = self.next(state, f"* REPLACE ({pairs})", types=types)
        return replace(after, changed=" + ".join(f"count(*) FILTER (WHERE {test})" for test in changed))

    def added(self, state: State, expressions: Mapping[str, str], types: Sequence[ColumnType], *,
              instead: Sequence[str] = ()) -> State:
        """Return the state with new columns, at the end, and without those they stand ``instead`` of."""
        pairs = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in expressions.items())
        kept = [(name, kind) for name, kind in zip(state.names, state.types, strict=True) if name not in set(instead)]
        listed = ", ".join(identifier(name) for name, _ in kept)
        return self.next(state, ", ".join(filter(None, (listed, pairs, self.place))),
                         names=[*(name for name, _ in kept), *expressions], types=[*(kind for _, kind in kept), *types])

    # --- what is said

    def note(self, message: str, column: str) -> None:
        self.found.append(Problem("", None, column, f"Step {self.number} ({self.kind}): {message}"))

    def learnt(self, what: str, column: str, otherwise: str) -> None:
        """Note that something was taken from all rows; ``otherwise`` says how a model does it by itself."""
        self.note(f"{what} learnt from all rows, also from those that later test the model, so that scores may come "
                  f"out too good. {otherwise}", column)

    def refused(self, why: str, *, hint: str = "") -> BadInput:
        return BadInput(f"Step {self.number} ({self.kind}): {why}.", hint=hint)


def double(name: str) -> str:
    """Return a column as DOUBLE, in SQL."""
    return f"CAST({identifier(name)} AS DOUBLE)"


def listed(names: Sequence[str]) -> str:
    """Return the names quoted, commas between."""
    return ", ".join(map(identifier, names))


def settled(value: float) -> float:
    """Return a learnt number with 12 significant digits: the last ones may differ between processors."""
    return float(f"{value:.12g}")


def settled_sql(sql: str) -> str:
    """Return SQL for a number with 12 significant digits, alike on every processor."""
    return f"CAST(format('{{:.12g}}', CAST({sql} AS DOUBLE)) AS DOUBLE)"
