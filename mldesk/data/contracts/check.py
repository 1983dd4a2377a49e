"""Check files against a contract: each is read once and asked everything in one query."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mldesk.data.columns.casts import cast_sql
from mldesk.data.columns.readers import add_readers
from mldesk.data.contracts.cells import CellTest, tests_of, twice
from mldesk.data.contracts.contract import ColumnRule, Contract
from mldesk.data.contracts.rejects import AsRead
from mldesk.data.contracts.verdict import SHOWN, Finding, Room, Verdict
from mldesk.data.engine import connect, identifier, literal, one_row, relation, sql_errors
from mldesk.data.imports.importing import import_table
from mldesk.data.options import FILE, ROW
from mldesk.data.parts import part_paths
from mldesk.data.records import Cancelled, ImportOptions, ImportRefused, Table
from mldesk.data.sources.partitions import names_among
from mldesk.data.types import ARROW, DUCKDB
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column, ColumnType

_BATCH = 32_768   # rows
_LISTED = 50      # findings whose cells are named
_NEAR = 0.75      # how alike two names must be to be suggested for one another
_ROW = "_row"
_AT_ONCE = 100  # columns that Arrow looks at together; more of short tables
_CELLS = 4_000_000  # of those
_LOST = ("lines left out", "columns left out")  # when reading; other sheets, say, or empty lines, hold no rows


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that was read, its verdict, and what is needed to take its good rows.

    Columns of another type than they seem to have are there twice, see ``Table.beside``; ``columns`` are the others.
    """

    verdict: Verdict
    table: Table
    columns: tuple[Column, ...]
    parts: tuple[Path, ...]
    casts: Mapping[str, str]     # SQL for each column of the contract that the file has, in the contract's type
    bad: str                     # SQL that is true for rows that are left out, "" if none is
    left_out: tuple[CellTest, ...] = ()  # what such rows break
    bad_rows: int = 0            # how many there are

    @property
    def as_read(self) -> AsRead:
        return AsRead(self.parts, self.table.beside, self.table.line_of)

    def rows(self, columns: Sequence[Column], scratch: Path) -> Iterator[list[pa.Array]]:
        """Give the good rows as typed arrays of ``columns``; what the file does not have is missing."""
        have = {column.name: column.type for column in self.columns}
        source, place = Path(self.verdict.file).name, identifier(_ROW)
        made = []
        for column in columns:
            sql = self.casts.get(column.name)
            if sql is None and column.name in have:
                sql = cast_sql(identifier(column.name), have[column.name], column.type, "")
            elif sql is None and column.name in (FILE, ROW):
                sql = literal(source) if column.name == FILE else f"{place} + 1"
            made.append(f"{sql or 'NULL'} AS {identifier(column.name)}")
        where = f" WHERE NOT ({self.bad})" if self.bad else ""
        with sql_errors("The check"), connect(self.parts, scratch, threads=1) as connection:
            add_readers(connection)
            reader = connection.sql(f"SELECT {', '.join(made)} FROM {_relation(self.parts)}{where} ORDER BY {place}"
                                    ).to_arrow_reader(_BATCH)
            for batch in reader:
                yield [pc.cast(values, ARROW[column.type])
                       for values, column in zip(batch.columns, columns, strict=True)]

    def typed(self, columns: Sequence[Column], also: Sequence[str], scratch: Path, target: Path, place: str) -> None:
        """Write the rows that stay as Parquet: ``columns`` in their types (missing where they are not in the file or
        not in the contract), columns ``also`` as they were read, and as ``place`` the rows' places, from 0.
        """
        own = {column.name for column in columns}
        made = []
        for column in columns:
            as_read = self._as_read(column.name) if column.name in also else "NULL"
            made.append(f"TRY_CAST({self.casts.get(column.name, as_read)} AS {DUCKDB[column.type]}) "
                        f"AS {identifier(column.name)}")
        made += [f"{self._as_read(name)} AS {identifier(name)}" for name in also if name not in own]
        with sql_errors("The check"), connect(self.parts, scratch, threads=1) as connection:
            connection.execute(f"COPY (SELECT {', '.join(made)}, {identifier(_ROW)} AS {identifier(place)} FROM "
                               f"{_relation(self.parts)} WHERE NOT ({self.bad or False}) ORDER BY {identifier(_ROW)}) "
                               f"TO {literal(str(target))} (FORMAT parquet)")

    def _as_read(self, name: str) -> str:
        return identifier(self.table.beside.get(name, name))

    def divide(self, scratch: Path, good: Path, reasons: Path) -> None:
        """Write the rows that stay as Parquet, and of those that are left out number (from 1), columns and reasons."""
        kept = ", ".join(identifier(column.name) for column in self.columns)
        place = identifier(_ROW)
        told = [(literal(test.column.name), test.sql, _reason(test)) for test in self.left_out]
        column, reason = (f"concat_ws('; ', {', '.join(f'CASE WHEN {test} THEN {what} END' for test, what in pairs)})"
                          if pairs else "''" for pairs in (
                              [(test, name) for name, test, _ in told], [(test, why) for _, test, why in told]))
        with sql_errors("The check"), connect(self.parts, scratch, threads=1) as connection:
            source = _relation(self.parts)
            for path, what, test in ((good, kept, f"NOT ({self.bad or False})"),
                                     (reasons, f'{place} + 1 AS "row", {column} AS "column", {reason} AS reason',
                                      self.bad or "false")):
                connection.execute(f"COPY (SELECT {what} FROM {source} WHERE {test} ORDER BY {place}) "
                                   f"TO {literal(str(path))} (FORMAT parquet)")


def _reason(test: CellTest) -> str:
    """Return SQL that says of a cell why its row is left out."""
    cell = f"left({test.cell}, 100)"
    return f"coalesce('''' || {cell} || ''' is ', '') || {literal(test.words)}"


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def accepted_by_hand(found: CheckedFile) -> CheckedFile:
    """Return a file as a person takes it: all its rows, what does not fit a column's type is missing."""
    return replace(found, verdict=replace(found.verdict, status="accepted", bad_rows=0), bad="")


def check_mapped(path: Path, digest: str, contract: Contract, options: ImportOptions, folder: Path,
                 names: Mapping[str, str], *, said: Path | None = None, room: Room | None = None,
                 cancelled: Cancelled | None = None) -> CheckedFile | Verdict:
    """As ``check_file`` for a file whose columns have other names; ``names``: those of the file, and the contract's.

    Columns whose types ``options`` choose are as the import had them.
    """
    own = {new: old for old, new in names.items()}
    rules = tuple(replace(rule, name=own.get(rule.name, rule.name)) for rule in contract.columns)
    options = replace(options, types=tuple((own.get(name, name), kind) for name, kind in options.types))
    found = check_file(path, digest, replace(contract, columns=rules), options, folder, said=said, room=room,
                       chosen=True, cancelled=cancelled)
    if isinstance(found, Verdict):
        return found
    return replace(found, casts={names.get(name, name): sql for name, sql in found.casts.items()})


def check_file(path: Path, digest: str, contract: Contract, options: ImportOptions, folder: Path, *,
               said: Path | None = None, lines: Path | None = None, room: Room | None = None, chosen: bool = False,
               cancelled: Cancelled | None = None) -> CheckedFile | Verdict:
    """Check one file; what is read of it stays in ``folder``. Return only the verdict if it could not be read.

    ``said`` is what it is called, where that is not its path: it lies in the archive there.
    What comes as text in a column that is to be of another type is read as an import reads it whose type was chosen;
    types that ``options`` choose or expect are those of the contract. With ``chosen`` cells of a column whose type
    ``options`` choose are missing where they do not fit, as the import made them.
    With ``room`` every cell that breaks a rule is named, as far as there is room, else a few of each.
    Lines that are no rows are written to ``lines``, as an import does. Raises ImportCancelled, DiskFull.
    """
    findings: list[Finding] = []
    parts: Mapping[str, str] = {}
    called = said or path
    if contract.file_name is not None:
        problem = contract.file_name.problem(called.name)
        if problem:
            findings.append(Finding("name", "error", "", problem[:1].upper() + problem[1:] + "."))
        else:
            parts = contract.file_name.parts(called.name)
    told = {FILE, ROW} if options.provenance else set[str]()   # which nobody writes into a file
    contract = replace(contract, columns=tuple(rule for rule in contract.columns if rule.name not in told))
    asked = {rule.name for rule in contract.columns}
    texts = tuple(rule.name for rule in contract.columns if rule.type is ColumnType.TEXT)
    typed = tuple((rule.name, rule.type.value) for rule in contract.columns if rule.type is not ColumnType.TEXT)
    others = tuple(item for item in options.expected if item[0] not in asked)
    kept = frozenset(name for name, _ in options.types) & asked if chosen else frozenset[str]()
    options = replace(options, text=texts, expected=(*typed, *others), lenient=True,
                      partitions=options.partitions and names_among([path], asked),
                      types=tuple(item for item in options.types if item[0] not in asked))
    keys = {rule.name for rule in contract.columns if rule.unique}
    store = ObjectStore(folder / "objects")
    try:
        table = import_table([path], store, folder / "scratch", options, rejects=lines, cancelled=cancelled,
                             counted=keys)
    except ImportRefused as error:
        findings.append(Finding("reading", "error", "", error.message))
        return Verdict(str(called), digest, "rejected", findings=tuple(findings))
    findings += [Finding("reading", "error" if problem.kind in _LOST else "warning", problem.column or "",
                         problem.message, 1, line=problem.line)
                 for problem in table.problems if "left out" in problem.message]
    columns = tuple(column for column in table.columns if column.name not in set(table.beside.values()))
    if told and {column.name for column in columns[-2:]} != told:   # the file has such columns of its own
        columns = columns[:-2]
    suggestions = _columns(contract, [column for column in columns if column.name not in told], findings)
    _rows(contract, table.rows, findings)
    paths = tuple(part_paths(store, table.manifest))
    checked = _cells(contract, table, paths, folder, findings, room, kept)
    broken = any(finding.severity == "error" for finding in findings)
    verdict = Verdict(str(called), digest, "rejected" if broken else "accepted", table.rows, checked.broken,
                      tuple(findings), suggestions, parts)
    if checked.broken == table.rows and not broken:
        lost = Finding("rows", "error", "", "No row is left.")
        verdict = replace(verdict, status="rejected", findings=(*verdict.findings, lost))
    return CheckedFile(verdict, table, columns, paths, checked.casts, checked.bad, checked.left_out, checked.bad_rows)


def _relation(parts: Sequence[Path]) -> str:
    return relation(parts, row=_ROW, counts=[pq.read_metadata(part).num_rows for part in parts])


def _columns(contract: Contract, columns: Sequence[Column], findings: list[Finding]) -> dict[str, str]:
    """Compare names and order; return what columns of other names may be."""
    have, want = [column.name for column in columns], [rule.name for rule in contract.columns]
    there, known = set(have), set(want)
    lacking = [rule.name for rule in contract.columns if rule.required and rule.name not in there]
    extra = [name for name in have if name not in known]
    suggestions = _suggest(extra, [name for name in want if name not in there], have, want)
    for name in lacking[:_LISTED]:
        was = next((old for old, new in suggestions.items() if new == name), "")
        findings.append(Finding("columns", "error", name, f"The column {name!r:.80} is not there"
                                + (f"; it may be {was!r:.80}." if was else ".")))
    if len(lacking) > _LISTED:
        findings.append(Finding("columns", "error", "", f"{len(lacking) - _LISTED:,} more columns are not there."))
    if extra and contract.extra != "allow":
        shown = ", ".join(map(repr, extra[:8])) + (f" and {len(extra) - 8:,} more" if len(extra) > 8 else "")
        findings.append(Finding("columns", "error" if contract.extra == "refuse" else "warning", "",
                                (f"{len(have):,} columns instead of {len(want):,}: " if len(have) != len(want) else "")
                                + f"{shown} "
                                f"{'is' if len(extra) == 1 else 'are'} not in the contract."))
    shared = there & known
    if contract.order and [name for name in have if name in shared] != [name for name in want if name in shared]:
        findings.append(Finding("columns", "warning" if contract.order == "warn" else "error", "",
                                "The columns come in another order."))
    return suggestions


def _suggest(extra: Sequence[str], lacking: Sequence[str], have: Sequence[str], want: Sequence[str]) -> dict[str, str]:
    """Return for columns that are unknown which lacking one they may be: alike but for case and signs, or near."""
    found: dict[str, str] = {}
    plain = {re.sub(r"\W|_", "", name).casefold(): name for name in lacking}
    free = dict(plain)
    for name in extra[:1000]:
        key = re.sub(r"\W|_", "", name).casefold()
        near = [key] if key in free else difflib.get_close_matches(key, list(free)[:1000], n=1, cutoff=_NEAR)
        if near:
            found[name] = free.pop(near[0])
        elif len(have) == len(want) and want[have.index(name)] in free.values():  # it stands where that one should
            found[name] = want[have.index(name)]
            free = {key: value for key, value in free.items() if value != found[name]}
    return found


def _rows(contract: Contract, rows: int, findings: list[Finding]) -> None:
    has = f"It has {rows:,} {'row' if rows == 1 else 'rows'}"
    if contract.low is not None and rows < contract.low:
        findings.append(Finding("rows", contract.of_rows, "", f"{has}; {contract.low:,} is the least."))
    if contract.high is not None and rows > contract.high:
        findings.append(Finding("rows", contract.of_rows, "", f"{has}; {contract.high:,} is the most."))


@dataclass(frozen=True, slots=True)
class _Checked:
    """What was found out about the cells of a file."""

    casts: Mapping[str, str]
    bad: str = ""                     # what makes a row to be left out, in SQL
    left_out: tuple[CellTest, ...] = ()  # the same, by rule
    bad_rows: int = 0                 # rows that are left out
    broken: int = 0                   # rows that break a rule and are not merely warned of


def _cells(contract: Contract, table: Table, parts: Sequence[Path], folder: Path,
           findings: list[Finding], room: Room | None, chosen: Container[str]) -> _Checked:
    """Test the cells; what does not fit a type that was ``chosen`` for a column is missing."""
    facts = {column.name: column for column in table.columns}
    casts: dict[str, str] = {}
    tests: list[CellTest] = []
    for rule in contract.columns:
        if rule.name in facts:
            texts = facts[table.beside[rule.name]] if rule.name in table.beside else None
            casts[rule.name] = tests_of(rule, facts[rule.name], texts, table.rows, tests, findings,
                                        chosen=rule.name in chosen)
    kept = _kept(contract, table, parts)
    tests = [test for test in tests if (test.rule, test.column.name) not in kept]
    keys = any(rule.unique and rule.name in facts and facts[rule.name].distinct < table.rows for rule in
               contract.columns)
    if not tests and not keys:
        return _Checked(casts)
    with sql_errors("The check"), connect(parts, folder, threads=1) as connection:
        source = _relation(parts)
        for rule in contract.columns:
            if rule.unique and rule.name in facts:
                tests += twice(connection, source, rule, facts[rule.name], table)
        bad, gone, count = _ask(connection, source, tests, findings, room) if tests else ("", 0, 0)
    return _Checked(casts, bad, tuple(test for test in tests if bad and test.column.severity == "row"), gone, count)


def _ask(connection: duckdb.DuckDBPyConnection, source: str, tests: Sequence[CellTest],
         findings: list[Finding], room: Room | None) -> tuple[str, int, int]:
    """Ask all tests in one query; return what makes a row to be left out, how many are, and how many break a rule."""
    # A test that has no answer, because the cell is missing, is no reason to leave the row out.
    bad, broken = (" OR ".join(f"coalesce({test.sql}, false)" for test in tests if test.column.severity in severities)
                   for severities in (("row",), ("row", "error")))
    calls = [f"count(*) FILTER (WHERE {test.sql})" for test in tests]
    whole = [f"count(*) FILTER (WHERE {test or False})" for test in (bad, broken)]
    counts = one_row(connection, f"SELECT {', '.join([*calls, *whole])} FROM {source}")
    for test, count in zip(tests, counts[:-2], strict=True):
        if count:
            cells = _offending(connection, source, test, room) \
                if room is not None or len(findings) < _LISTED else ()
            many = f"{count:,} {'value' if count == 1 else 'values'} of {test.column.name!r:.80}"
            findings.append(Finding(test.rule, test.column.severity, test.column.name,
                                    f"{many} {'is' if count == 1 else 'are'} {test.words}.", int(count), cells))
    return bad if counts[-2] else "", int(counts[-2]), int(counts[-1])


def _offending(connection: duckdb.DuckDBPyConnection, source: str, test: CellTest,
               room: Room | None) -> tuple[tuple[int, str], ...]:
    most = SHOWN if room is None else max(SHOWN, room.left)
    rows = connection.execute(f"SELECT {identifier(_ROW)} + 1, {test.cell} FROM {source} "
                              f"WHERE {test.sql} ORDER BY 1 LIMIT {most}").fetchall()
    if room is not None:
        room.left = max(0, room.left - len(rows))
    return tuple((int(row), "" if value is None else str(value)[:100]) for row, value in rows)


def _kept(contract: Contract, table: Table, parts: Sequence[Path]) -> set[tuple[str, str]]:
    """Return the (rule, column) of ranges and lists that Arrow sees to be kept.

    DuckDB takes seconds to plan a query about hundreds of columns; of a good file nothing is left to ask.
    """
    rules = {rule.name: rule for rule in contract.columns}
    found: set[tuple[str, str]] = set()
    at_once = max(_AT_ONCE, _CELLS // max(1, table.rows))
    with ExitStack() as stack:
        files = [stack.enter_context(pq.ParquetFile(part)) for part in parts]
        for first in range(0, len(table.columns), at_once):
            places = list(range(first, min(first + at_once, len(table.columns))))
            read = pa.concat_tables(file.reader.read_all(column_indices=places) for file in files)
            for place, values in zip(places, read.columns, strict=True):
                rule = rules.get(table.columns[place].name)
                if rule is not None:
                    found |= {(kind, rule.name) for kind in _kept_rules(rule, table.columns[place].type, values)}
    return found


def _kept_rules(rule: ColumnRule, kind: ColumnType, values: pa.ChunkedArray) -> Iterator[str]:
    if rule.low is not None or rule.high is not None:
        ends = pc.min_max(values).as_py()
        low, high = (_number_of(end) for end in (rule.low, rule.high))
        if kind.numeric and rule.type.numeric and None not in (low, high) and (
                ends["min"] is None or (low <= ends["min"] and ends["max"] <= high)):
            yield "range"
    if rule.values is not None and kind is rule.type is ColumnType.TEXT \
            and set(pc.unique(values).to_pylist()) - {None} <= set(rule.values):
        yield "values"


def _number_of(end: Any) -> Any:
    """Return a limit to compare numbers with; None if only DuckDB can tell."""
    return end if isinstance(end, (int, float)) else None
