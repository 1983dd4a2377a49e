"""Apply a recipe: steps in, a new table out. The same table and recipe always give the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mldesk.core.durable import disk_errors
from mldesk.core.errors import BadInput
from mldesk.core.scratch import working_folder
from mldesk.data.arrow_memory import choose_memory
from mldesk.data.columns.readers import add_readers, needs_readers
from mldesk.data.engine import connect, free_name, identifier, one_row, relation, sql_errors
from mldesk.data.parts import PartWriter, keep, part_paths
from mldesk.data.reading_ahead import ahead
from mldesk.data.recipes.apart import ask_apart, columns_json, goes_apart
from mldesk.data.recipes.choosing import choose_first
from mldesk.data.recipes.script import script_of
from mldesk.data.recipes.sql import Compiler, State, in_any_order, learn_in_any_order
from mldesk.data.recipes.state import Other, Tools
from mldesk.data.recipes.steps import Step, active, check_steps, datasets_of
from mldesk.data.recipes.unicode_forms import add_unicode_forms, needs_unicode_forms
from mldesk.data.records import Cancelled, Problem, Table
from mldesk.data.stopping import check_stopped, stoppable
from mldesk.data.types import ARROW, column_type, plain
from mldesk.wire.manifest import Entry
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column, ColumnType, columns_from_json

_BATCH = 32_768         # rows
_AHEAD = 8_000_000      # cells that are computed while others are written, at most
_SEVERAL = 50_000_000   # cells of a table that several threads work on: of larger ones each holds too much in memory
_SAMPLE = 200_000       # rows that a preview looks at


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one step did to the rows looked at."""

    step: Step
    rows_before: int
    rows_after: int
    cells_changed: int   # cells filled or replaced; for a change of type, values that did not fit


@dataclass(frozen=True, slots=True)
class RecipePreview:
    """What a recipe would do."""

    columns: tuple[Column, ...]       # names and types; missing and distinct are not counted
    rows: list[list[Any]]             # the first ones, plain JSON values
    steps: tuple[StepReport, ...]
    notices: tuple[Problem, ...]
    sampled: bool                     # the counts are of the first rows only

    @property
    def rows_before(self) -> int:
        return self.steps[0].rows_before if self.steps else 0

    @property
    def rows_after(self) -> int:
        return self.steps[-1].rows_after if self.steps else 0


def apply_recipe(store: ObjectStore, scratch: Path, manifest: str, columns: Sequence[Column],
                 steps: Sequence[Step], *, trusted: Container[str] = (), cancelled: Cancelled | None = None) -> Table:
    """Return the table that the steps make. Raises BadInput naming the step and column, ImportCancelled, DiskFull.

    ``trusted`` holds the digests (``code_digest``) of the Python code that may run; any other raises CodeNotTrusted.

    Nothing is left in ``store`` or ``scratch`` when it raises. ``problems`` of the result holds notices, among them
    one for every step that learns from all rows.
    """
    checked = check_steps(steps)
    return stoppable(lambda: _apply(store, scratch, manifest, columns, checked, trusted), cancelled, "The recipe")


@dataclass(frozen=True, slots=True)
class MadeParts:
    """What a recipe made, in files that are not in the store yet."""

    entries: Sequence[Entry]
    paths: Sequence[Path]
    rows: int
    columns: tuple[Column, ...]
    notices: tuple[Problem, ...]


def _apply(store: ObjectStore, scratch: Path, manifest: str, columns: Sequence[Column],
           checked: Sequence[Step], trusted: Container[str]) -> Table:
    with disk_errors("the recipe"), working_folder(scratch) as folder:
        if goes_apart(checked):
            made = _made(ask_apart("The recipe", "apply", folder, store, checked, trusted, manifest=manifest,
                                   columns=columns_json(columns)))
        else:
            made = make_parts(store, folder, manifest, columns, checked, trusted)
        check_stopped("The recipe")
        digest, size = keep(store, made)
    return Table(digest, made.rows, made.columns, size, made.notices, "recipe")


def _made(found: Mapping[str, Any]) -> MadeParts:
    return MadeParts([_entry(entry) for entry in found["entries"]], list(map(Path, found["paths"])), found["rows"],
                     columns_from_json(found["columns"]), tuple(map(Problem.from_json, found["notices"])))


def _entry(value: Mapping[str, Any]) -> Entry:
    return Entry(value["path"], value["size"], value["sha256"], tuple(value["chunks"]))


def make_parts(store: ObjectStore, folder: Path, manifest: str, columns: Sequence[Column], checked: Sequence[Step],
               trusted: Container[str]) -> MadeParts:
    """Write what the steps make as parts in ``folder``. Raises as ``apply_recipe`` does."""
    check = partial(check_stopped, "The recipe")
    choose_memory()
    parts = part_paths(store, manifest)
    others = _others(store, checked)
    small, done = _is_small(parts), [step for _, step in active(checked)]
    threads = None if small and learn_in_any_order(done) else 1
    with sql_errors("The recipe"), _connect(parts, others, folder, checked, threads=threads) as connection:
        work = _Work(connection, parts, columns, checked, others, folder, trusted)
        state, row = _compile(work)
        out = folder / "parts"
        out.mkdir()
        if small and threads == 1 and in_any_order(done, state):
            with _connect(parts, others, folder, checked, threads=None) as several:
                writer = _write(several, parts, state, row, out, check)
        else:
            writer = _write(connection, parts, state, row, out, check)
        if not writer.rows:
            raise _no_rows(work)
    distinct = writer.distinct(folder, check)
    made = tuple(Column(*facts) for facts in zip(state.names, state.types, writer.missing, distinct, strict=True))
    return MadeParts(writer.entries, writer.paths, writer.rows, made, state.notices)


def preview_recipe(store: ObjectStore, scratch: Path, manifest: str, columns: Sequence[Column],
                   steps: Sequence[Step], *, rows: int = 50, sample: int = _SAMPLE,
                   trusted: Container[str] = (), cancelled: Cancelled | None = None) -> RecipePreview:
    """Return the first rows the steps would give, and what each step does to the first ``sample`` rows.

    Keeps nothing. Raises BadInput as ``apply_recipe`` does, ImportCancelled soon after ``cancelled`` says so.
    """
    checked = check_steps(steps)
    return stoppable(lambda: _preview(store, scratch, manifest, columns, checked, rows, sample, trusted),
                     cancelled, "The preview")


def _preview(store: ObjectStore, scratch: Path, manifest: str, columns: Sequence[Column], checked: Sequence[Step],
             rows: int, sample: int, trusted: Container[str]) -> RecipePreview:
    with working_folder(scratch) as folder:
        if goes_apart(checked):
            return _shown(checked, ask_apart("The preview", "preview", folder, store, checked, trusted, rows=rows,
                                             manifest=manifest, columns=columns_json(columns), sample=sample))
        parts = part_paths(store, manifest)
        total = sum(pq.read_metadata(part).num_rows for part in parts)
        reports: list[StepReport] = []
        others = _others(store, checked)
        with sql_errors("The recipe"), _connect(parts, others, folder, checked) as connection:
            def report(before: State, after: State, step: Step) -> None:
                reports.append(_report(connection, reports, before, after, step))

            state, row = _compile(_Work(connection, parts, columns, checked, others, folder, trusted), limit=sample,
                                  each=report)
            order = f" ORDER BY {identifier(row)} LIMIT {int(rows)}"
            got = connection.execute(state.select(f"* EXCLUDE ({identifier(row)})") + order).fetchall()
    made = tuple(Column(name, kind) for name, kind in zip(state.names, state.types, strict=True))
    return RecipePreview(made, [[plain(value) for value in line] for line in got], tuple(reports), state.notices,
                         total > sample)


def _shown(checked: Sequence[Step], found: Mapping[str, Any]) -> RecipePreview:
    reports = [StepReport(step, *counts) for (_, step), counts in zip(active(checked), found["reports"], strict=True)]
    return RecipePreview(columns_from_json(found["columns"]), found["rows"], tuple(reports),
                         tuple(map(Problem.from_json, found["notices"])), found["sampled"])


def recipe_script(store: ObjectStore, scratch: Path, manifest: str, columns: Sequence[Column], steps: Sequence[Step],
                  name: str, *, trusted: Container[str] = ()) -> str:
    """Return a Python script that repeats the recipe with duckdb and nothing of ours; what was learnt stands in it.

    ``name`` is the dataset's. Raises BadInput as ``apply_recipe`` does.
    """
    checked = check_steps(steps)
    with working_folder(scratch) as folder:
        if goes_apart(checked):
            return str(ask_apart("The recipe", "script", folder, store, checked, trusted, manifest=manifest, name=name,
                                 columns=columns_json(columns))["script"])
        parts, others = part_paths(store, manifest), _others(store, checked)
        with sql_errors("The recipe"), _connect(parts, others, folder, checked) as connection:
            state, row = _compile(_Work(connection, parts, columns, checked, others, folder, trusted))
    names = {str(step["digest"]): str(step["dataset"]) for step in datasets_of(checked)}
    return script_of(name, columns, [dict(step) for _, step in active(checked)], state, row,
                     [(found.view, names[digest], found) for digest, (found, _) in others.items()])


Others = Mapping[str, tuple[Other, list[Path]]]  # by digest: what steps see, and the files


def _is_small(parts: Sequence[Path]) -> bool:
    found = [pq.read_metadata(part) for part in parts]
    cells: int = sum(item.num_rows * item.num_columns for item in found)
    return cells <= _SEVERAL


def _others(store: ObjectStore, steps: Sequence[Step]) -> Others:
    """Return the other datasets that the steps bring in, by the digest of their version."""
    found: dict[str, tuple[Other, list[Path]]] = {}
    for step in datasets_of(steps):
        digest = str(step.get("digest") or "")
        if digest and digest not in found:
            paths = part_paths(store, digest)
            schema = pq.read_schema(paths[0])
            other = Other(f"other_{digest[:16]}", tuple(schema.names), tuple(map(column_type, schema.types)))
            found[digest] = (other, paths)
    return found


def _connect(parts: Sequence[Path], others: Others, folder: Path, steps: Sequence[Step], *,
             threads: int | None = 1) -> duckdb.DuckDBPyConnection:
    connection = connect([*parts, *(path for _, paths in others.values() for path in paths)], folder, threads=threads,
                         layered=True)
    for other, paths in others.values():
        connection.execute(f"CREATE VIEW {identifier(other.view)} AS SELECT * FROM {relation(paths)}")
    if needs_unicode_forms(steps):
        add_unicode_forms(connection)
    if needs_readers(steps):
        add_readers(connection)
    return connection


@dataclass(frozen=True, slots=True)
class _Work:
    """What a recipe is compiled with."""

    connection: duckdb.DuckDBPyConnection
    parts: Sequence[Path]
    columns: Sequence[Column]
    steps: Sequence[Step]
    others: Others
    folder: Path              # scratch, removed with the work
    trusted: Container[str]   # digests of code


def _compile(work: _Work, *, limit: int | None = None,
             each: Callable[[State, State, Step], None] | None = None) -> tuple[State, str]:
    parts, columns, steps, others = work.parts, work.columns, work.steps, work.others
    names = [column.name for column in columns]
    row = free_name("_row", [*names, *_new_names(steps), *(name for other, _ in others.values()
                                                           for name in other.names)])
    counts = [pq.read_metadata(part).num_rows for part in parts]
    source = relation(parts, row=row, counts=counts)
    if limit is not None:
        source = f"(SELECT * FROM {source} WHERE {identifier(row)} < {int(limit)})"
    compiler = Compiler(Tools(work.connection, row, {digest: other for digest, (other, _) in others.items()},
                              scratch=work.folder, trusted=work.trusted))
    state = compiler.start(source, names, [column.type for column in columns])
    for number, step in active(steps):
        after = compiler.add(state, number, step)
        if each is not None:
            each(state, after, step)
        state = after
    return state, row


def _new_names(steps: Sequence[Step]) -> list[str]:
    """Return the names that steps give by hand."""
    found: list[str] = []
    for step in steps:
        names = step.get("names")
        found += map(str, names.values()) if isinstance(names, Mapping) else ()
        into = step.get("into")
        found += [into] if isinstance(into, str) else into or ()
        found += [str(step["name"])] if "name" in step else ()
    return found


def _write(connection: duckdb.DuckDBPyConnection, parts: Sequence[Path], state: State, row: str, folder: Path,
           check: Callable[[], None]) -> PartWriter:
    rows = sum(pq.read_metadata(part).num_rows for part in parts)
    state = choose_first(connection, state, identifier(row), rows, check)
    order = "" if state.sorted else f" ORDER BY {identifier(row)}"
    writer = PartWriter(folder, state.names, state.types)
    try:
        reader = connection.sql(state.select(f"* EXCLUDE ({identifier(row)})") + order).to_arrow_reader(_BATCH)
        with closing(ahead(reader, max(1, min(8, _AHEAD // (_BATCH * len(state.names)))))) as batches:
            for batch in batches:
                check()
                writer.write([_stored(column, kind) for column, kind in zip(batch.columns, state.types, strict=True)])
        writer.close()
    finally:
        writer.abandon()
    return writer


def _stored(values: pa.Array, kind: ColumnType) -> pa.Array:
    values = pc.cast(values, ARROW[kind])
    if kind is not ColumnType.NUMBER:
        return values
    odd = pc.is_nan(values)
    return pc.if_else(odd, None, values) if odd.true_count else values


def _report(connection: duckdb.DuckDBPyConnection, reports: Sequence[StepReport], before: State, after: State,
            step: Step) -> StepReport:
    def count(sql: str) -> int:
        return int(one_row(connection, sql)[0] or 0)

    first = reports[-1].rows_after if reports else count(before.select("count(*)"))
    changed = count(after.select(after.changed, before=True)) if after.changed else 0
    return StepReport(step, first, count(after.select("count(*)")), changed)


def _no_rows(work: _Work) -> BadInput:
    """Say which step left nothing."""
    counts: list[int] = []

    def each(_before: State, after: State, _step: Step) -> None:
        counts.append(int(one_row(work.connection, after.select("count(*)"))[0]))

    _compile(work, each=each)
    numbers = [number for number, _ in active(work.steps)]
    number = next((number for number, count in zip(numbers, counts, strict=True) if not count), numbers[-1])
    return BadInput(f"Step {number} ({work.steps[number - 1]['step']}): it leaves no rows.",
                    hint="A table needs at least one row.")
