"""What a contract asks of cells, as SQL about the table that a file was read into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from mldesk.core.errors import BadInput
from mldesk.data.columns.casts import cast_sql, in_words, value_sql
from mldesk.data.contracts.contract import ColumnRule
from mldesk.data.contracts.verdict import Finding
from mldesk.data.engine import identifier, literal
from mldesk.data.pattern_size import LONG_WORDS, LONGEST_CELL
from mldesk.data.records import Table
from mldesk.data.types import DUCKDB
from mldesk.wire.schema import Column, ColumnType

_WIDENED = {(ColumnType.INTEGER, ColumnType.NUMBER)}
_AGAIN = 10_000  # values of a key that occur more than once, as far as they are listed


@dataclass(frozen=True, slots=True)
class CellTest:
    """A rule as SQL: true for cells that break it."""

    rule: str
    column: ColumnRule
    sql: str
    words: str
    cell: str          # the cell as it stands in the file, as SQL


def tests_of(rule: ColumnRule, column: Column, texts: Column | None, rows: int, tests: list[CellTest],
             findings: list[Finding], *, chosen: bool = False) -> str:
    """Add what is to be tested about a column; what its counts say is found at once. Return its cast.

    ``texts`` is the column with its cells as they stand in the file, where they came as texts. Where a person chose
    the column's type at the import (``chosen``), a cell that does not fit is missing and is said, here as there.
    """
    unlike = CellTest("type", replace(rule, severity="warning") if chosen else rule, "",
                      f"not {in_words(rule.type)}" + (", and missing then" if chosen else ""), "")
    name = identifier(rule.name)
    cast, there, missing = name, name, column.missing
    cell = f"CAST({name} AS VARCHAR)"
    if texts is not None:
        there = cell = identifier(texts.name)
        missing = texts.missing
        if column.missing > missing:
            tests.append(replace(unlike, sql=f"{there} IS NOT NULL AND {name} IS NULL", cell=cell))
        if chosen:
            there, missing = name, column.missing
    elif column.type is not rule.type and column.missing < rows:
        made = cast_sql(name, column.type, rule.type, "")
        if made is None:
            findings.append(Finding("type", "error", rule.name,
                                    f"{rule.name!r:.80} holds {in_words(column.type)}, not {in_words(rule.type)}."))
            return f"CAST(NULL AS {DUCKDB[rule.type]})"
        cast = made
        if (column.type, rule.type) not in _WIDENED:
            tests.append(replace(unlike, sql=f"{name} IS NOT NULL AND ({cast}) IS NULL", cell=cell))
    elif missing == rows:
        cast = f"CAST(NULL AS {DUCKDB[rule.type]})"
    if not rule.nullable and missing:
        tests.append(CellTest("missing", rule, f"{there} IS NULL", "missing, which may not be", cell))
    if rule.missing is not None and missing > rule.missing * rows:
        findings.append(Finding("missing", "warning" if rule.severity == "warning" else "error", rule.name,
                                f"{missing / rows:.1%} of {rule.name!r:.80} is missing; {rule.missing:.1%} is "
                                "the most.", missing))
    tests += _value_tests(rule, cast, cell)
    return cast


def twice(connection: duckdb.DuckDBPyConnection, source: str, rule: ColumnRule, column: Column,
            table: Table) -> Iterator[CellTest]:
    """Give the test of a key, if it can fail: the values that occur again."""
    if not rule.unique or column.distinct >= table.rows - column.missing:
        return
    name = identifier(rule.name)
    again = connection.execute(f"SELECT CAST({name} AS VARCHAR) FROM {source} WHERE {name} IS NOT NULL "
                               f"GROUP BY {name} HAVING count(*) > 1 ORDER BY 1 LIMIT {_AGAIN}").fetchall()
    if again:
        yield CellTest("unique", rule, f"CAST({name} AS VARCHAR) IN ({', '.join(literal(row[0]) for row in again)})",
                    "there more than once", _cell(rule.name, table))


def _cell(name: str, table: Table) -> str:
    """Return SQL for a column's cells as they stand in the file."""
    return identifier(table.beside[name]) if name in table.beside else f"CAST({identifier(name)} AS VARCHAR)"


def _value_tests(rule: ColumnRule, cast: str, text: str) -> Iterator[CellTest]:
    """Give the tests of a column's values: range, list, pattern; ``text`` is its cells as they stand in the file."""
    ends = [(sign, end) for sign, end in (("<", rule.low), (">", rule.high)) if end is not None]
    if ends:
        test = " OR ".join(f"({cast}) {sign} {_value(rule, end)}" for sign, end in ends)
        yield CellTest("range", rule, f"({test})", rule.range_words, text)
    if rule.values is not None:
        allowed = ", ".join(_value(rule, value) for value in rule.values)
        yield CellTest("values", rule, f"({cast}) NOT IN ({allowed})", "none of the allowed values", text)
    if rule.pattern is not None:
        yield CellTest("pattern", rule, f"CASE WHEN length({text}) <= {LONGEST_CELL} THEN "
                    f"NOT regexp_full_match({text}, {literal(rule.pattern)}) END", f"not like {rule.pattern[:80]}",
                    text)
        yield CellTest("pattern", rule, f"length({text}) > {LONGEST_CELL}", LONG_WORDS, text)


def _value(rule: ColumnRule, value: Any) -> str:
    try:
        return value_sql(value, rule.type)
    except (ValueError, OverflowError) as error:
        raise BadInput(f"The contract, column {rule.name!r:.80}: {value!r:.60} is not {in_words(rule.type)}.",
                       hint="`mldesk data contract N --edit FILE` puts it right.") from error
