"""Expressions that users write may take neither the machine's memory nor its time; plain ones are as quick as ever."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldesk.core.errors import BadInput, WorkFailed
from mldesk.data import Table, TableView, apply_recipe, preview_recipe
from mldesk.data.expression_size import MOST
from mldesk.data.expressions import growth_of
from mldesk.data.query_process import QueriedTable
from mldesk.data.recipes import applying, replaying
from mldesk.data.recipes.apart import goes_apart
from mldesk.data.recipes.applying import recipe_script
from mldesk.data.recipes.code_trust import CodeNotTrusted, code_digest
from mldesk.data.recipes.new_rows import Recipe
from mldesk.data.recipes.replaying import PLACE, carried, replay
from mldesk.data.recipes.steps import check_steps
from mldesk.data.records import ImportCancelled
from mldesk.wire.objects import ObjectStore
from tests.data.conftest import Import

ENDLESS = "levenshtein(repeat(b, 40000), repeat(b, 40001)) > a"   # hours of it, and little memory
LARGE = "length(repeat(b, 200000000)) > a"
GROWN = {"step": "derive", "name": "c", "expression": "repeat(b, 2)"}


@pytest.fixture
def table(take: Import) -> Table:
    return take("a,b\n" + "".join(f"{number},x{number}\n" for number in range(100)))


@pytest.fixture
def view(table: Table, store: ObjectStore, scratch: Path) -> Any:
    with TableView(store, table.manifest, table.columns, name="my table", scratch=scratch) as made:
        yield made


def running() -> bool:
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):   # it has just ended
            if any("mldesk.data" in word for word in child.cmdline()):
                return True
    return False


@pytest.mark.parametrize("text", [
    "a > 500 AND city = 'Lyon'", "name LIKE '%x%' OR NOT b IS NULL", "a IN (1, 2, 3) AND city IN ('Paris', 'Oslo')",
    "contains(lower(note), 'about') AND abs(b) BETWEEN 1 AND 2", "d >= DATE '2022-01-01' AND year(d) < 2024",
    "d - INTERVAL 3 DAYS < d", "CAST(a AS VARCHAR) = '7' AND TRY_CAST(s AS DECIMAL(10, 2)) > 1", "-a ** 2 > b % 3",
    "city || ', ' || name = 'x'", "replace(s, ',', '.') = '1.5'", "regexp_matches(s, '^[a-z]+[0-9]{2,4}$')",
    "CASE WHEN a > 1 THEN 'x' ELSE s END = 'x'", "substring(trim(s), 1, 3) = 'abc' AND s[2] = 'b'",
    "strftime(d, '%Y-%m') = '2024-01'", " OR ".join(f"city = 'a rather long name of a city {n}'" for n in range(300))])
def test_of_what_people_write_it_is_plain_that_nothing_grows(text: str) -> None:
    with duckdb.connect() as connection:
        assert growth_of(connection, text) <= MOST


@pytest.mark.parametrize("text", [
    "length(repeat(s, 9)) > 1", "len(range(a)) > 1", "format('{:>1000000}', s) = ''", "lpad(s, 99999, 'x') = ''",
    "length(" + " || ".join(["s"] * 100) + ") > 1", f"replace(replace(s, 'a', '{'b' * 60}'), 'b', '{'c' * 60}') = ''",
    "s LIKE '%_a%_b%_c%_d%'", "s LIKE t", "regexp_matches(s, t)", "regexp_matches(s, '((a{0,30}){0,30}){0,1}')",
    "[a, b] IS NULL", "CAST(s AS INTEGER[]) IS NULL", "{'x': a} IS NULL", "a = nobody_knows(b)"])
def test_what_may_grow_is_known(text: str) -> None:
    with duckdb.connect() as connection:
        assert growth_of(connection, text) == math.inf


def test_a_filter_that_may_grow_finds_the_same_rows_and_is_asked_once(
        view: TableView, monkeypatch: pytest.MonkeyPatch, table: Table, store: ObjectStore, scratch: Path) -> None:
    asked: list[str] = []
    ask = QueriedTable.fitting

    def fitting(self: QueriedTable, where: str, started: Callable[..., object]) -> Any:
        asked.append(where)
        return ask(self, where, started)

    monkeypatch.setattr(QueriedTable, "fitting", fitting)
    where = "length(repeat(b, 2)) > 4"   # from x10 on
    with TableView(store, table.manifest, table.columns, scratch=scratch, held=True) as here:
        for wish in ({}, {"order_by": (("a", True),)}, {"search": "9"}, {"order_by": (("b", False),), "search": "1"}):
            for offset in (0, 5):
                assert view.arranged(offset, 7, where=where, **wish)[0] == here.rows(offset, 7, where=where, **wish)
        assert view.count(where=where) == here.count(where=where) == 90
        assert view.places(3, 2, where) == here.places(3, 2, where) == [13, 14]
        assert not asked[1:]
        assert view.count(where="length(repeat(b, 2)) > 40") == 0
        assert view.count(where=where, only=[0, 1, 50]) == 1
        assert len(asked) == 3
        assert view.count(where="a > 10 AND b LIKE 'x%'") == 89
    assert len(asked) == 3
    assert not running()


def test_a_filter_that_makes_gigabytes_ends_in_a_sentence(view: TableView, scratch: Path) -> None:
    with pytest.raises(WorkFailed, match="The filter needs more memory") as caught:
        view.count(where=LARGE)
    assert caught.value.hint
    with pytest.raises(BadInput, match="cannot be answered"):
        view.count(where="repeat(b, 'x') > 1")
    assert view.count(where="a < 10") == 10
    view.close()
    assert not running()
    assert not list(scratch.iterdir())


def test_a_filter_without_end_is_ended(view: TableView, scratch: Path) -> None:
    said: list[str] = []

    def count() -> None:
        try:
            view.count(where=ENDLESS)
        except WorkFailed as error:
            said.append(error.message)

    thread = threading.Thread(target=count)
    thread.start()
    while thread.is_alive():   # harmless before it has begun
        view.interrupt()
        thread.join(0.05)
    assert said == ["The filter was stopped."]
    assert view.count(where="a < 10") == 10
    view.close()
    assert not running()
    assert not list(scratch.iterdir())


@pytest.mark.parametrize(("steps", "apart"), [
    ([{"step": "drop", "columns": ["b"]}], False),
    ([{"step": "derive", "name": "c", "expression": "a * 2 + 1"}, {"step": "filter", "where": "c > 3"}] * 20, False),
    ([{"step": "replace_text", "columns": ["b"], "pattern": "x", "put": "yz"}] * 3, False),
    ([{"step": "replace_text", "columns": ["b"], "pattern": "x", "put": "xxxxxxxxxx"}] * 3, True),
    ([{"step": "derive", "name": "b", "expression": "b || b"}] * 7, True),
    ([GROWN], True), ([{**GROWN, "disabled": True}], False), ([{"step": "filter", "where": LARGE}], True),
    ([{"step": "fill_missing", "columns": ["b"], "with": "constant", "value": "x" * 20_000}], True),
    ([{"step": "derive", "name": "c", "expression": "a +"}], False)])
def test_recipes_that_may_grow_go_into_a_process(steps: list[dict[str, Any]], apart: bool) -> None:
    assert goes_apart(check_steps(steps)) is apart


def test_what_a_recipe_makes_is_the_same_in_a_process(table: Table, store: ObjectStore, scratch: Path,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[Mapping[str, Any]] = [GROWN, {"step": "fill_missing", "columns": ["a"], "with": "mean"},
                                      {"step": "filter", "where": "a > 5"}]
    manifest, columns = table.manifest, table.columns
    calls: tuple[Callable[[], Any], ...] = (
        lambda: apply_recipe(store, scratch, manifest, columns, steps),
        lambda: preview_recipe(store, scratch, manifest, columns, steps, rows=5),
        lambda: recipe_script(store, scratch, manifest, columns, steps, "t@1"))
    apart = [call() for call in calls]
    monkeypatch.setattr(applying, "goes_apart", lambda _: False)
    here = [call() for call in calls]
    assert apart[0].manifest == here[0].manifest
    assert apart == here
    assert not list(scratch.iterdir())


def test_a_recipe_that_makes_gigabytes_ends_in_a_sentence(table: Table, store: ObjectStore, scratch: Path) -> None:
    before = sorted(store.root.rglob("*"))
    steps = [{"step": "derive", "name": "c", "expression": "repeat(b, 200000000)"}]
    for work in (apply_recipe, preview_recipe):
        with pytest.raises(WorkFailed, match="needs more memory") as caught:
            work(store, scratch, table.manifest, table.columns, steps)
        assert caught.value.hint
    with pytest.raises(BadInput, match=r"Step 2 \(filter\): no row meets"):
        apply_recipe(store, scratch, table.manifest, table.columns, [GROWN, {"step": "filter", "where": "a < 0"}])
    assert sorted(store.root.rglob("*")) == before
    assert not list(scratch.iterdir())
    assert not running()


def test_a_recipe_that_is_stopped_leaves_no_process_of_its_own_nor_of_a_python_step(
        table: Table, store: ObjectStore, scratch: Path) -> None:
    code = "def change(frame):\n    while True: pass\n"
    steps = [GROWN, {"step": "python", "code": code}]
    with pytest.raises(CodeNotTrusted):
        apply_recipe(store, scratch, table.manifest, table.columns, steps)
    began = threading.Event()

    def wanted_out() -> bool:
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                if any("confined" in word for word in child.cmdline()):
                    began.set()
        return began.is_set()

    with pytest.raises(ImportCancelled):
        apply_recipe(store, scratch, table.manifest, table.columns, steps, trusted=[code_digest(code)],
                     cancelled=wanted_out)
    assert began.is_set()
    assert not running()
    assert not list(scratch.iterdir())


def test_a_recipe_that_came_with_a_model_is_bounded_as_well(
        table: Table, store: ObjectStore, scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = tmp_path / "new.parquet"
    pq.write_table(pa.table({"a": [1, 500], "b": ["y", "z"], PLACE: [0, 1]}), rows)
    steps = check_steps([GROWN, {"step": "fill_missing", "columns": ["a"], "with": "mean"},
                         {"step": "filter", "where": "a < 50"}])
    home = Recipe("shop@2", table.manifest, table.columns, steps)

    def done(name: str) -> tuple[Any, ...]:
        there = carried(store, scratch, home)
        made = [(recipe, tmp_path / f"{name} {number}.parquet") for number, recipe in enumerate((home, there))]
        found = [replay(store, scratch, recipe, rows, "target", out) for recipe, out in made]
        return there.answers, found, [pq.read_table(out).to_pylist() for _, out in made]

    apart = done("apart")
    assert [item.place for item in apart[1][0][0]] == [1]
    monkeypatch.setattr(replaying, "goes_apart", lambda _: False)
    assert done("here") == apart
    monkeypatch.undo()
    large = replace(carried(store, scratch, replace(home, steps=check_steps([GROWN]))), steps=check_steps(
        [{**GROWN, "expression": "repeat(b, 2000000000)"}]))
    with pytest.raises(WorkFailed, match="needs more memory"):
        replay(store, scratch, large, rows, "target", tmp_path / "large.parquet")
    assert not running()
    assert not list(scratch.iterdir())
