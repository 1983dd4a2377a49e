"""Recipes: each step does what it says, says what it cannot do, and always gives the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mldesk.core.errors import BadInput
from mldesk.data import STEPS, Table, apply_recipe, diff, import_table, parse_recipe, preview_recipe
from mldesk.wire.objects import ObjectStore
from tests.data.conftest import Import, Rows, kinds
from tests.data_folder import SHARED

TABLE = "id,n,x,t,d\n1,1,0.5,a,2024-01-01\n2,,1.5,b,\n3,3,,a,2024-01-03\n4,1,0.5,,2024-01-01\n5,4,2.5,b,2024-01-05\n"


@pytest.fixture
def table(take: Import) -> Table:
    return take(TABLE)


@pytest.fixture
def cook(table: Table, store: ObjectStore, scratch: Path) -> Any:
    def cook(*steps: dict[str, Any]) -> Table:
        done = apply_recipe(store, scratch, table.manifest, table.columns, parse_recipe(json.dumps({"steps": steps})))
        preview = preview_recipe(store, scratch, table.manifest, table.columns, steps)
        assert preview.rows_after == done.rows
        assert [column.type for column in preview.columns] == [column.type for column in done.columns]
        assert preview.notices == done.problems
        return done

    return cook


def test_columns_are_dropped_and_renamed_in_place(cook: Any, rows: Rows) -> None:
    done = cook({"step": "rename", "names": {"id": "n", "n": "id"}}, {"step": "drop", "columns": ["x", "d"]})
    assert kinds(done) == {"n": "integer", "id": "integer", "t": "text"}
    assert rows(done)[1] == [2, None, "b"]


@pytest.mark.parametrize(
    ("step", "name", "want"),
    [
        ({"type": "number"}, "n", [1.0, None, 3.0, 1.0, 4.0]),
        ({"type": "text"}, "n", ["1", None, "3", "1", "4"]),
        ({"type": "text"}, "d", ["2024-01-01", None, "2024-01-03", "2024-01-01", "2024-01-05"]),
        (
            {"type": "datetime"},
            "d",
            ["2024-01-01 00:00:00", None, "2024-01-03 00:00:00", "2024-01-01 00:00:00", "2024-01-05 00:00:00"],
        ),
        ({"type": "boolean", "on_error": "missing"}, "n", [True, None, None, True, None]),
        ({"type": "integer", "on_error": "missing"}, "x", [None, None, None, None, None]),
        ({"type": "number", "on_error": "missing"}, "t", [None, None, None, None, None]),
    ],
)
def test_a_cast_gives_the_new_type(step: dict[str, Any], name: str, want: list[Any], cook: Any, rows: Rows) -> None:
    done = cook({"step": "cast", "columns": [name], **step})
    place = [column.name for column in done.columns].index(name)
    assert kinds(done)[name] == step["type"]
    assert [row[place] for row in rows(done)] == want
    assert bool(done.problems) == ("on_error" in step)


@pytest.mark.parametrize(
    ("text", "kind", "form", "want"),
    [
        (" 42 ", "integer", "", 42),
        ("42.0", "integer", "", 42),
        ("42.5", "integer", "", None),
        ("1e3", "number", "", 1000.0),
        ("nan", "number", "", None),
        ("Yes", "boolean", "", True),
        ("f", "boolean", "", False),
        ("maybe", "boolean", "", None),
        ("31/12/2024", "date", "%d/%m/%Y", "2024-12-31"),
        ("10h20", "time", "%Hh%M", "10:20:00"),
        ("2024-13-01", "date", "", None),
        ("99999999999999999999", "integer", "", None),
        ("2024-01-01 10:20", "datetime", "", "2024-01-01 10:20:00"),
    ],
)
def test_text_is_read_as_other_types(
    text: str, kind: str, form: str, want: Any, take: Import, store: ObjectStore, scratch: Path, rows: Rows
) -> None:
    table = take(f"t;k\n{text};1\nzz;2\n", text=("t",))
    done = apply_recipe(
        store,
        scratch,
        table.manifest,
        table.columns,
        [{"step": "cast", "columns": ["t"], "type": kind, "format": form, "on_error": "missing"}],
    )
    assert rows(done)[0][0] == want


@pytest.mark.parametrize(
    ("step", "want", "kind"),
    [
        ({"value": 0}, [1, 0, 3, 1, 4], "integer"),
        ({"value": "7"}, [1, 7, 3, 1, 4], "integer"),
        ({"with": "mean"}, [1.0, 2.25, 3.0, 1.0, 4.0], "number"),
        ({"with": "median"}, [1, 2, 3, 1, 4], "integer"),
        ({"with": "mode"}, [1, 1, 3, 1, 4], "integer"),
        ({"strategy": "mode"}, [1, 1, 3, 1, 4], "integer"),
    ],
)
def test_missing_values_are_filled(step: dict[str, Any], want: list[Any], kind: str, cook: Any, rows: Rows) -> None:
    done = cook({"step": "fill_missing", "columns": ["n"], **step})
    assert [row[1] for row in rows(done)] == want
    assert kinds(done)["n"] == kind
    assert done.columns[1].missing == 0
    learnt = bool({"with", "strategy"} & set(step))
    assert any("learnt from all rows" in problem.message for problem in done.problems) == learnt


def test_rows_with_missing_values_are_dropped(cook: Any, rows: Rows) -> None:
    assert [row[0] for row in rows(cook({"step": "drop_missing"}))] == [1, 5]
    assert [row[0] for row in rows(cook({"step": "drop_missing", "columns": ["n", "d"], "how": "all"}))] == [1, 3, 4, 5]


def test_duplicates_leave_the_first_or_the_last_in_the_order_of_the_table(cook: Any, rows: Rows) -> None:
    step = {"step": "deduplicate", "columns": ["n", "x"]}
    assert [row[0] for row in rows(cook(step))] == [1, 2, 3, 5]
    assert [row[0] for row in rows(cook({**step, "keep": "last"}))] == [2, 3, 4, 5]
    assert cook({"step": "deduplicate"}).rows == 5


def test_rows_are_filtered_by_a_condition(cook: Any, rows: Rows) -> None:
    assert [row[0] for row in rows(cook({"step": "filter", "where": "n > 1 OR t = 'b'"}))] == [2, 3, 5]


def test_values_are_replaced_also_by_nothing(cook: Any, rows: Rows) -> None:
    done = cook(
        {"step": "replace", "columns": ["t"], "values": {"a": "it's", "b": None}},
        {"step": "replace", "columns": ["n"], "values": {"1": 10}},
    )
    assert [(row[1], row[3]) for row in rows(done)] == [(10, "it's"), (None, None), (3, "it's"), (10, None), (4, None)]


@pytest.mark.parametrize(
    ("step", "words", "hint"),
    [
        ({"step": "drop", "columns": ["iD"]}, "Step 2 (drop): there is no column 'iD'", "Did you mean 'id'"),
        ({"step": "dorp", "columns": ["id"]}, "Step 2: there is no step 'dorp'", "Did you mean 'drop'?"),
        ({"columns": ["id"]}, "Step 2: its kind is missing", "drop, keep"),
        ({"step": "drop"}, "Step 2 (drop) lacks 'columns'", ""),
        ({"step": "drop", "columns": []}, "'columns' names no column", ""),
        ({"step": "drop", "columns": 5}, "'columns' is a list of column names", ""),
        ({"step": "drop", "columns": ["id", "n", "x", "t", "d"]}, "would take out every column", ""),
        ({"step": "drop", "columns": ["id"], "colour": 1}, "has no field 'colour'", "It has: columns"),
        ({"step": "rename", "names": {"id": "T"}}, "two columns would be called 't'", ""),
        ({"step": "rename", "names": {"id": " "}}, "'names' is a record", ""),
        (
            {"step": "cast", "columns": ["t"], "type": "integer"},
            "4 values of 't' are not a whole number, the first being 'a' in row 1",
            "on_error",
        ),
        ({"step": "cast", "columns": ["t"], "type": "int"}, "'type' is one of integer", ""),
        ({"step": "cast", "columns": ["d"], "type": "number"}, "'d' is date, which cannot be read as number", ""),
        ({"step": "fill_missing", "columns": ["t"], "with": "mean"}, "'t' is text and has no mean", "mode"),
        ({"step": "fill_missing", "columns": ["n"]}, "lacks the value to fill in", ""),
        ({"step": "fill_missing", "columns": ["n"], "value": "x"}, "'x' is not a whole number, which 'n' holds", ""),
        ({"step": "fill_missing", "columns": ["n"], "value": 0.5}, "0.5 is not a whole number", ""),
        ({"step": "fill_missing", "columns": ["x"], "value": 10**400}, "is a number that a column can hold", ""),
        ({"step": "fill_missing", "columns": ["d"], "value": "soon"}, "'soon' is not a date", ""),
        ({"step": "filter", "where": "m > 1"}, "Step 2 (filter): there is no column 'm'", ""),
        ({"step": "filter", "where": "n > 'x'"}, "Step 2 (filter) cannot be answered", ""),
        ({"step": "filter", "where": "n > 100"}, "no row meets 'n > 100'", ""),
        ({"step": "filter", "where": "(SELECT true)"}, "subquery", ""),
        ({"step": "filter", "where": "random() > 0"}, "another answer every time", ""),
        ({"step": "drop_missing", "columns": ["nothing"]}, "there is no column 'nothing'", ""),
        ({"step": "replace", "columns": ["n"], "values": {"a": 1}}, "'a' is not a whole number", ""),
        ({"step": "replace", "columns": ["n"], "values": {}}, "'values' is a record", ""),
    ],
)
def test_a_step_that_does_not_fit_is_refused_by_number_and_column(
    step: dict[str, Any], words: str, hint: str, cook: Any, scratch: Path, store: ObjectStore
) -> None:
    before = set(store.digests())
    with pytest.raises(BadInput) as caught:
        cook({"step": "drop_missing", "columns": ["id"]}, step)
    assert words in caught.value.message
    assert hint in caught.value.hint
    assert "Step 2" in caught.value.message
    assert set(store.digests()) == before
    assert not list(scratch.iterdir())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "line 1"),
        ("[1]", "Step 1 is not a record"),
        ('{"a": 1}', "no list of steps"),
        ('{"steps": {}}', "are a list"),
        ("[NaN]", "not JSON"),
        ("[" + '{"step": "drop_missing"},' * 1000 + '{"step": "drop_missing"}]', "1,000 is the limit"),
    ],
)
def test_a_recipe_that_cannot_be_read_is_refused(text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        parse_recipe(text)


def test_a_recipe_may_be_a_bare_list_and_is_completed_with_defaults() -> None:
    assert parse_recipe('[{"step": "drop_missing"}]') == ({"step": "drop_missing", "how": "any"},)
    assert parse_recipe('[{"step": "drop", "column": "a"}]') == ({"step": "drop", "columns": ["a"]},)


def test_every_step_is_declared_for_forms_and_help() -> None:
    for kind in STEPS:
        assert kind.title
        assert kind.help.endswith(".")
        for field in kind.fields:
            assert field.title
            assert field.help.endswith(".")
            assert bool(field.choices) == (field.kind == "choice") or field.kind == "texts"


def test_the_same_recipe_gives_the_same_bytes_and_the_order_of_rows_stays(
    store: ObjectStore, scratch: Path, rows: Rows
) -> None:
    table = import_table([SHARED / "tabular/pnw_flights_2014.parquet"], store, scratch)
    steps = [
        {"step": "fill_missing", "columns": ["arr_delay", "air_time"], "with": "mean"},
        {"step": "filter", "where": "carrier <> 'AS'"},
        {"step": "deduplicate", "columns": ["tailnum", "day", "month"]},
        {"step": "cast", "columns": ["flight"], "type": "text"},
        {"step": "drop", "columns": ["year"]},
    ]
    first = apply_recipe(store, scratch, table.manifest, table.columns, steps)
    assert apply_recipe(store, scratch, table.manifest, table.columns, steps).manifest == first.manifest
    order = [(row[0], row[1]) for row in rows(first)]
    assert order == sorted(order)


def test_however_many_threads_compute_a_recipe_its_bytes_are_the_same(
    store: ObjectStore, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = import_table([SHARED / "tabular/pnw_flights_2014.parquet"], store, scratch)
    recipes: list[list[dict[str, Any]]] = [
        [{"step": "filter", "where": "carrier <> 'AS'"}, {"step": "derive", "name": "v", "expression": "distance / 3"}],
        [{"step": "deduplicate", "columns": ["tailnum", "day", "month"], "keep": "last"},
         {"step": "scale", "columns": ["arr_delay"]}, {"step": "clean_text", "columns": ["dest"], "case": "lower"}],
        [{"step": "sample", "share": 0.5, "by": ["carrier"]}, {"step": "deduplicate", "columns": ["tailnum"],
                                                               "order": "dep_time"}],
        [{"step": "deduplicate", "columns": ["flight", "day"], "keep": "none"},
         {"step": "fill_missing", "columns": ["arr_delay"], "with": "forward"}],
    ]

    def made() -> list[str]:
        return [apply_recipe(store, scratch, table.manifest, table.columns, steps).manifest for steps in recipes]

    with monkeypatch.context() as one_thread:
        one_thread.setattr("mldesk.data.recipes.applying.in_any_order", lambda *_: False)
        want = made()
    for cores in (1, 2, 16):
        monkeypatch.setattr("mldesk.data.engine.usable_cores", lambda cores=cores: cores)
        assert made() == want


def test_a_preview_counts_rows_and_cells_of_every_step_and_keeps_nothing(
    table: Table, store: ObjectStore, scratch: Path
) -> None:
    before = set(store.digests())
    preview = preview_recipe(
        store,
        scratch,
        table.manifest,
        table.columns,
        [
            {"step": "fill_missing", "columns": ["n", "x"], "value": 0},
            {"step": "filter", "where": "n > 0"},
            {"step": "replace", "columns": ["t"], "values": {"a": "c"}},
        ],
        rows=2,
    )
    assert [(step.rows_before, step.rows_after, step.cells_changed) for step in preview.steps] == [
        (5, 5, 2),
        (5, 4, 0),
        (4, 4, 2),
    ]
    assert preview.rows == [[1, 1, 0.5, "c", "2024-01-01"], [3, 3, 0.0, "c", "2024-01-03"]]
    assert not preview.sampled
    assert preview_recipe(store, scratch, table.manifest, table.columns, [], sample=3).sampled
    assert set(store.digests()) == before


def test_two_tables_are_compared_by_columns_and_rows(cook: Any, table: Table, store: ObjectStore) -> None:
    done = cook(
        {"step": "fill_missing", "columns": ["n"], "value": 0},
        {"step": "rename", "names": {"t": "text"}},
        {"step": "cast", "columns": ["id"], "type": "text"},
        {"step": "filter", "where": "x IS NOT NULL"},
    )
    found = diff(store, table.manifest, table.columns, done.manifest, done.columns)
    assert found["rows"] == {"from": 5, "to": 4, "added": 1, "removed": 2}
    assert found["columns"] == {
        "added": ["text"],
        "removed": ["t"],
        "retyped": [{"column": "id", "from": "integer", "to": "text"}],
    }
    assert {"column": "n", "missing": [1, 0], "distinct": [3, 3]} in found["changed"]
    same = diff(store, table.manifest, table.columns, table.manifest, table.columns)
    with pytest.raises(BadInput, match="'nosuch' is not a column"):
        diff(store, table.manifest, table.columns, table.manifest, table.columns, keys=["nosuch"])
    assert (same["rows"]["added"], same["changed"]) == (0, [])
    json.dumps(found)


@pytest.mark.parametrize(
    ("step", "name"),
    [
        ('{"step": "fill_missing", "columns": ["a"], "method": "x"}', "method"),
        ('{"step": "fill_missing", "column": 3, "with": "mean"}', "column"),
        ('{"step": "cast", "columns": ["a"], "to": "x"}', "to"),
        ('{"step": "cast", "columns": ["a"], "type": "x"}', "type"),
    ],
)
def test_an_error_names_the_field_as_it_was_written(step: str, name: str) -> None:
    with pytest.raises(BadInput, match=f": '{name}' is "):
        parse_recipe(f"[{step}]")
