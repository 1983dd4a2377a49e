"""A recipe done again to new rows, which a model is to predict: with what it learnt from its table, a row at a time.

The recipe is compiled over its own table, as it was then, so that every figure that a step learnt stands in the SQL;
then the SQL gets other rows. What makes no sense for rows that come alone is passed over (steps that chose rows among
many, or changed single ones by hand) or refused (steps that make other rows, or look at the rows around).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from mldesk.core.durable import disk_errors
from mldesk.core.errors import BadInput
from mldesk.core.scratch import working_folder
from mldesk.data.columns.casts import in_words
from mldesk.data.columns.readers import add_readers, needs_readers
from mldesk.data.engine import connect, free_name, identifier, literal, one_row, relation, sql_errors
from mldesk.data.parts import part_paths
from mldesk.data.recipes.answers import Known, Written, not_ours
from mldesk.data.recipes.apart import ask_apart, columns_json, goes_apart
from mldesk.data.recipes.columns import named_by_rule
from mldesk.data.recipes.new_rows import PASSED, Recipe, why_not
from mldesk.data.recipes.rows import drop_missing
from mldesk.data.recipes.sql import Compiler
from mldesk.data.recipes.state import State, Tools
from mldesk.data.recipes.steps import Step, active
from mldesk.data.recipes.unicode_forms import add_unicode_forms, needs_unicode_forms
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column, ColumnType

PLACE = "_place"  # of a row in the file it came from, from 0; no table has a column of that name (see ``place_name``)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that cleaning leaves out."""

    place: int     # in the file, from 0
    column: str
    reason: str


def needed(recipe: Recipe, wanted: Sequence[str], target: str) -> list[str]:
    """Return the columns that rows must have for the recipe to make the columns ``wanted`` of them.

    Others are not looked at: the target, and those that are neither wanted nor named by a step that makes values.
    """
    texts = [text.casefold() for _, step in active(recipe.steps) if step["step"] not in PASSED
             and step["step"] not in ("drop", "keep", "reorder", "rename", "rename_many", "drop_missing", "drop_poor")
             for text in _texts(step)]
    ends = dict(zip((column.name for column in recipe.columns), _ends(recipe), strict=True))
    return [name for name, end in ends.items() if end != target and (
        end in wanted or any(_is_in(name.casefold(), text) for text in texts))]


def carried(store: ObjectStore, scratch: Path, recipe: Recipe) -> Recipe:
    """Return a recipe that needs its table no more, as it has what its steps found out there.

    Steps that are passed over leave their kind and nothing else: what was changed by hand stays at home. Raises
    BadInput for a recipe that cannot be done to new rows, ObjectMissing, DiskFull.
    """
    if why := why_not(recipe.steps):
        raise BadInput(f"{recipe.label} was made by a recipe whose {why}.")
    with disk_errors("the recipe"), working_folder(scratch) as folder, sql_errors("The recipe"):
        if goes_apart(recipe.steps):
            found = ask_apart("The recipe", "carried", folder, store, recipe.steps, **_sent(recipe))
            return replace(recipe, manifest="", answers=found["answers"], steps=tuple(found["steps"]))
        parts = part_paths(store, recipe.manifest)
        with connect(parts, folder, threads=1, layered=True) as connection:
            _prepare(connection, recipe)
            work = _Replay(recipe, "", connection, parts, folder)
            return replace(recipe, manifest="", answers=work.write_down(), steps=tuple(
                {"step": step["step"], "disabled": True} if step.get("disabled") else
                {"step": step["step"]} if step["step"] in PASSED else step for step in recipe.steps))


def replay(store: ObjectStore, scratch: Path, recipe: Recipe, rows: Path, target: str, out: Path, *,
           wanted: Sequence[str] = (), strict: bool = False) -> tuple[list[LeftOut], list[str]]:
    """Clean the rows in the Parquet file ``rows`` (the recipe's columns, and ``PLACE``) into ``out``, PLACE kept.

    ``target`` is the column that new rows may lack; no step leaves a row out because of it. Where a cast makes cells
    missing that it cannot read, and the columns ``wanted`` of the result need them, it is noted; ``strict`` leaves such
    rows out. Returns the rows that the recipe leaves out, and a sentence for each step that was passed over or lost
    cells. Raises BadInput for a recipe that cannot be done to new rows (``why_not``), ObjectMissing, DiskFull.
    """
    if recipe.answers is None and (why := why_not(recipe.steps)):
        raise BadInput(f"{recipe.label} was made by a recipe whose {why}.",
                       hint="Clean the rows by hand first, or train on a version without that step.")
    with disk_errors("the recipe"), working_folder(scratch) as folder, sql_errors("The recipe"):
        if goes_apart(recipe.steps):
            found = ask_apart("The cleaning", "replay", folder, store, recipe.steps, **_sent(recipe), target=target,
                              rows=str(rows.absolute()), out=str(out.absolute()), wanted=list(wanted), strict=strict)
            return [LeftOut(*item) for item in found["gone"]], found["notes"]
        parts = part_paths(store, recipe.manifest) if recipe.answers is None else []
        with connect([*parts, rows, out], folder, threads=1, layered=True) as connection:
            _prepare(connection, recipe)
            work = _Replay(recipe, target, connection, parts, rows, wanted, strict)
            state, steps = work.compiled()
            gone = [item for step in steps for item in step.left_out(connection, state, work.tools.row)]
            work.notes += [note for step in steps
                           for note in step.lost(connection, state, work.tools.row, recipe.label)]
            listed = ", ".join(map(identifier, state.names))
            made = state.select(f"{listed}, {work.tools.place} AS {identifier(PLACE)}")
            without = ", ".join(str(int(place)) for place in {item.place for item in gone}) or "-1"
            connection.execute(f"COPY (SELECT * FROM ({made}) WHERE {identifier(PLACE)} NOT IN ({without}) "
                               f"ORDER BY {identifier(PLACE)}) TO {literal(str(out))} (FORMAT parquet)")
    return gone, work.notes


def _sent(recipe: Recipe) -> dict[str, Any]:
    return {"label": recipe.label, "manifest": recipe.manifest, "columns": columns_json(recipe.columns),
            "answers": recipe.answers}


def _prepare(connection: duckdb.DuckDBPyConnection, recipe: Recipe) -> None:
    if needs_unicode_forms(recipe.steps):
        add_unicode_forms(connection)
    if needs_readers(recipe.steps):
        add_readers(connection)


@dataclass(frozen=True, slots=True)
class _Chooser:
    """A step that leaves rows out: by a condition, or because a cell does not fit."""

    number: int
    step: Step
    before: int             # SQL before and after it
    after: int
    casts: tuple[tuple[str, ColumnType], ...] = ()  # columns whose cells have to fit
    noted: tuple[str, ...] = ()                     # and those whose cells are missing where they do not

    def lost(self, connection: duckdb.DuckDBPyConnection, state: State, row: str, label: str) -> Iterator[str]:
        """Give a sentence for each column in which cells are missing now."""
        for name in self.noted:
            count, first, value = one_row(connection, "SELECT count(*), min(p), arg_min(v, p) FROM "
                                                      f"({self._unfit(state, name, identifier(row))})")
            if count:
                many, are = f"{count:,} {'value' if count == 1 else 'values'}", "is" if count == 1 else "are"
                yield (f"Step {self.number} (cast) of {label}: {many} of {name!r:.80} did not fit and {are} missing "
                       f"now, the first being {str(value)[:60]!r} in row {first + 1:,}.")

    def _unfit(self, state: State, name: str, place: str) -> str:
        """Return SQL for place (p) and text (v) of each cell that the cast could not read."""
        cell, start = identifier(name), state.select("1").rpartition(" SELECT ")[0]
        return (f"{start} SELECT b.{place} AS p, CAST(b.{cell} AS VARCHAR) AS v FROM s{self.before} AS b "
                f"JOIN s{self.after} AS a ON a.{place} = b.{place} WHERE b.{cell} IS NOT NULL AND a.{cell} IS NULL")

    def left_out(self, connection: duckdb.DuckDBPyConnection, state: State, row: str) -> Iterator[LeftOut]:
        place, kind = identifier(row), str(self.step["step"])
        for name, wanted in self.casts:
            for at, value in connection.execute(f"{self._unfit(state, name, place)} ORDER BY 1").fetchall():
                why = f"{str(value)[:100]!r} is not {in_words(wanted)}"
                yield LeftOut(int(at), name, f"{why}, step {self.number} (cast)")
        if not self.casts and not self.noted:
            sql = state.select("1").rpartition(" SELECT ")[0]
            found = connection.execute(f"{sql} SELECT {place} FROM s{self.before} WHERE {place} NOT IN (SELECT {place} "
                                       f"FROM s{self.after}) ORDER BY 1").fetchall()
            for (at,) in found:
                what = str(self.step.get("where") or "values are missing")
                yield LeftOut(int(at), "", f"cleaning leaves it out, step {self.number} ({kind}: {what[:100]})")


class _Replay:
    """One recipe on its way to new rows."""

    def __init__(self, recipe: Recipe, target: str, connection: duckdb.DuckDBPyConnection, parts: Sequence[Path],
                 rows: Path, wanted: Sequence[str] = (), strict: bool = False) -> None:
        self.recipe, self.rows, self.parts, self.notes = recipe, rows, parts, list[str]()
        self.wanted, self.strict = wanted, strict
        self.targets = _names_on_the_way(recipe, target)   # what it is called before each step
        self.tools = Tools(connection, free_name("_row", [*(column.name for column in recipe.columns), PLACE]),
                           answers=None if recipe.answers is None else Known(recipe.answers))

    def compiled(self) -> tuple[State, list[_Chooser]]:
        """Return what ``compile`` does. Raises BadInput where answers that came along are not what the steps ask."""
        try:
            return self.compile()
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            if self.recipe.answers is None:
                raise
            raise not_ours() from error

    def compile(self) -> tuple[State, list[_Chooser]]:
        """Return the SQL over the new rows, and the steps that may leave some out."""
        compiler, state = Compiler(self.tools), self._start()
        names, choosers = state.names, list[_Chooser]()
        listed = ", ".join(map(identifier, names))
        alone = [f"SELECT {listed}, {identifier(PLACE)} AS {self.tools.place} FROM {relation([self.rows])}"]
        for (number, step), target in zip(active(self.recipe.steps), self.targets, strict=True):
            if step["step"] in PASSED and self.recipe.answers is not None:
                self._pass_over(number, step)
                continue
            before, state = state, compiler.add(state, number, step)  # what it learns, it learns of its own rows
            alone += self._alone(before, state, number, step, target).ctes[len(before.ctes):]
            choosers += _choosers(number, step, len(before.ctes) - 1, len(state.ctes) - 1,
                                  self._needed_after(number, before, target), self.strict)
        return replace(state, ctes=tuple(alone)), choosers

    def write_down(self) -> list[Any]:
        """Return what the steps find out from their own rows, but for those that are passed over."""
        compiler, state, answers = Compiler(self.tools), self._start(), Written()
        for number, step in active(self.recipe.steps):
            self.tools.answers = None if step["step"] in PASSED else answers
            state = compiler.add(state, number, step)
        return answers.found

    def _needed_after(self, number: int, state: State, target: str | None) -> set[str]:
        """Return the columns that what is wanted comes of, from the step after ``number`` on."""
        rest = Recipe("", "", tuple(map(Column, state.names, state.types)), tuple(self.recipe.steps[number:]))
        return {*needed(rest, self.wanted, "")} - {target} if self.wanted else set()

    def _start(self) -> State:
        counts = [pq.read_metadata(part).num_rows for part in self.parts]
        own = relation(self.parts, row=self.tools.row, counts=counts) if self.parts else "nothing"
        return Compiler(self.tools).start(own, [column.name for column in self.recipe.columns],
                                          [column.type for column in self.recipe.columns])

    def _pass_over(self, number: int, step: Step) -> None:
        kind = str(step["step"])
        self.notes.append(f"Step {number} ({kind}) of {self.recipe.label} was passed over: {PASSED[kind]}.")

    def _alone(self, before: State, after: State, number: int, step: Step, target: str | None) -> State:
        """Return the state after a step, its SQL such that it makes sense for rows that come alone."""
        kind = str(step["step"])
        label = f"Step {number} ({kind}) of {self.recipe.label} was passed over"
        if kind in PASSED:
            self._pass_over(number, step)
            return _as_it_was(before, after)
        if kind == "filter" and target is not None and _is_in(target.casefold(), str(step["where"]).casefold()):
            self.notes.append(f"{label}: it looks at the target.")
            return _as_it_was(before, after)
        if kind == "drop_missing" and target is not None and target in (step.get("columns") or before.names):
            others = [name for name in step.get("columns") or before.names if name != target]
            return drop_missing(self.tools, before, {**step, "columns": others}) if others \
                else _as_it_was(before, after)
        if kind == "cast":
            return replace(after, ctes=(*after.ctes[:-1], after.ctes[-1].partition(" WHERE NOT (")[0]))
        return after


def _as_it_was(before: State, after: State) -> State:
    """Return the state after a step that does nothing to the rows."""
    made = len(after.ctes) - len(before.ctes)
    passing = (f"SELECT * FROM s{len(before.ctes) - 1 + number}" for number in range(made))
    return replace(after, ctes=(*before.ctes, *passing))


def _choosers(number: int, step: Step, before: int, after: int, asked: set[str], strict: bool) -> list[_Chooser]:
    kind = str(step["step"])
    if kind in ("filter", "drop_missing"):
        return [_Chooser(number, step, before, after)]
    if kind == "cast":
        policies = dict(step.get("policies") or {})
        loose = {name for name in step["columns"] if policies.get(name, step["on_error"]) == "missing"}
        casts = tuple((name, ColumnType(step["type"])) for name in step["columns"]
                      if name not in loose or (strict and name in asked))
        noted = () if strict else tuple(name for name in step["columns"] if name in loose & asked)
        return [_Chooser(number, step, before, after, casts, noted)] if casts or noted else []
    return []


def _ends(recipe: Recipe) -> list[str]:
    """Return what each of the recipe's columns is called in the end, as far as it is there."""
    names = [column.name for column in recipe.columns]
    for _, step in active(recipe.steps):
        names = list(map(partial(_called, step=step, chosen=set(step.get("columns") or names)), names))
    return names


def _names_on_the_way(recipe: Recipe, target: str) -> list[str | None]:
    """Return what the target is called before each step; None where no column became it."""
    ends = zip(recipe.columns, _ends(recipe), strict=True)
    start = next((column.name for column, end in ends if end == target), None)
    found: list[str | None] = []
    names = [column.name for column in recipe.columns]
    for _, step in active(recipe.steps):
        found.append(start)
        chosen = set(step.get("columns") or names)
        names = [_called(name, step, chosen) for name in names]
        start = None if start is None else _called(start, step, chosen)
    return found


def _called(name: str, step: Step, chosen: set[str]) -> str:
    if step["step"] == "rename":
        names: Mapping[str, str] = step["names"]
        return names.get(name, name).strip()
    return named_by_rule(name, step) if step["step"] == "rename_many" and name in chosen else name


def _is_in(name: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value
