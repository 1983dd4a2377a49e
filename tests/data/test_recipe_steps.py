"""The steps of a recipe beyond the first ones: text, numbers, shapes, other tables, edits by hand."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mldesk.core.errors import BadInput
from mldesk.data import STEPS, Table, TableView, apply_recipe, import_table, preview_recipe
from mldesk.data.recipes.applying import recipe_script
from mldesk.data.recipes.code_trust import code_digest
from mldesk.data.recipes.steps import check_steps
from mldesk.wire.objects import ObjectStore
from tests.data.conftest import Import, Rows, kinds
from tests.data_folder import SHARED

TABLE = """id,n,x,t,d,g
1,1,0.5, Änna  b ,2024-01-01,a
2,,1.5,B-7,,a
3,3,,c-8-x,2024-01-03,b
4,1,0.5,,2024-01-01,b
5,4,2.5,d,2024-12-31,
"""


@contextmanager
def many_threads() -> Iterator[None]:
    """Let numpy and Arrow take as many threads as another machine might have."""
    before = pa.cpu_count()
    pa.set_cpu_count(7)
    try:
        yield
    finally:
        pa.set_cpu_count(before)


OTHER = "id,name,n\n1,one,10\n2,two,20\n2,zwei,21\n9,nine,90\n"


@pytest.fixture
def table(take: Import) -> Table:
    return take(TABLE, text=("t",))


@pytest.fixture
def other(take: Import) -> Table:
    return take(OTHER, "other.csv")


@pytest.fixture
def cook(table: Table, store: ObjectStore, scratch: Path) -> Any:
    def cook(*steps: dict[str, Any]) -> Table:
        trusted = {code_digest(str(step.get("code"))) for step in steps}
        done = apply_recipe(store, scratch, table.manifest, table.columns, steps, trusted=trusted)
        with many_threads():
            again = apply_recipe(store, scratch, table.manifest, table.columns, steps, trusted=trusted)
        preview = preview_recipe(store, scratch, table.manifest, table.columns, steps, trusted=trusted)
        assert again.manifest == done.manifest
        assert (preview.rows_after, preview.notices) == (done.rows, done.problems)
        with TableView(store, done.manifest, done.columns) as view:
            assert view.rows(0, 100) == preview.rows
        return done

    return cook


def column(table: Table, rows: list[list[Any]], name: str) -> list[Any]:
    place = [item.name for item in table.columns].index(name)
    return [row[place] for row in rows]


def near(value: Any) -> Any:
    return float(f"{value:.11g}") if isinstance(value, float) else value


def test_columns_are_kept_moved_and_renamed_by_rule(cook: Any) -> None:
    assert list(kinds(cook({"step": "keep", "columns": ["x", "id"]}))) == ["id", "x"]
    assert list(kinds(cook({"step": "reorder", "columns": ["g", "t"]}))) == ["g", "t", "id", "n", "x", "d"]
    assert list(kinds(cook({"step": "reorder", "columns": ["id"], "place": "last"})))[-1] == "id"
    named = cook({"step": "rename", "names": {"t": "First NameX"}},
                 {"step": "rename_many", "columns": ["First NameX", "d"], "case": "snake", "after": "_1"})
    assert list(kinds(named)) == ["id", "n", "x", "first_name_x_1", "d_1", "g"]


def test_whatever_stands_for_a_space_is_taken_off_the_ends(take: Import, rows: Rows, store: ObjectStore,
                                                           scratch: Path) -> None:
    letters = (" ", "a", "\t", "é", "\u00a0", "\n")
    texts = ["".join(some) for length in range(1, 5) for some in product(letters, repeat=length)]
    table = take("".join(json.dumps({"t": text}) + "\n" for text in texts), "table.jsonl")
    done = apply_recipe(store, scratch, table.manifest, table.columns, [{"step": "clean_text", "columns": ["t"]}])
    there = [str(row[0] or "") for row in rows(table)]
    assert {"é ", "a\t", " a"} <= set(there)
    assert [row[0] for row in rows(done)] == [text.strip(" \t\n\u00a0") or None for text in there]


@pytest.mark.parametrize(("step", "name", "want"), [
    ({"step": "clean_text", "columns": ["t"]}, "t", ["Änna  b", "B-7", "c-8-x", None, "d"]),
    ({"step": "clean_text", "columns": ["t"], "trim": "all", "case": "upper", "unicode": "no_accents"}, "t",
     ["ANNA B", "B-7", "C-8-X", None, "D"]),
    ({"step": "replace_text", "columns": ["t"], "pattern": "[b-z]", "put": "_", "case": "ignored"}, "t",
     [" Ä__a  _ ", "_-7", "_-8-_", None, "_"]),
    ({"step": "replace_text", "columns": ["t"], "pattern": r"(\w)-(\d)", "put": r"\2\1", "which": "first"}, "t",
     [" Änna  b ", "7B", "8c-x", None, "d"]),
    ({"step": "extract", "column": "t", "pattern": r"(?P<k>\w)-(\d)(?:-[x(])?", "into": ["k", "v"]}, "v",
     [None, "7", "8", None, None]),
    ({"step": "split", "column": "t", "separator": "-", "into": ["k", "v"]}, "v", [None, "7", "8-x", None, None]),
    ({"step": "date_parts", "columns": ["d"], "parts": ["weekday", "day_of_year"]}, "d_day_of_year",
     [1, None, 3, 1, 366]),
    ({"step": "fill_missing", "columns": ["n"], "with": "forward"}, "n", [1, 1, 3, 1, 4]),
    ({"step": "fill_missing", "columns": ["n"], "with": "backward"}, "n", [1, 3, 3, 1, 4]),
    ({"step": "fill_missing", "columns": ["x"], "with": "forward", "order": "d"}, "x", [.5, 1.5, .5, .5, 2.5]),
    ({"step": "fill_missing", "columns": ["x"], "with": "forward", "by": "g"}, "x", [.5, 1.5, None, .5, 2.5]),
    ({"step": "fill_missing", "columns": ["x"], "with": "mean", "by": ["g"]}, "x", [.5, 1.5, .5, .5, 2.5]),
    ({"step": "fill_missing", "columns": ["n"], "with": "mode", "by": ["x"]}, "n", [1, None, 3, 1, 4]),
    ({"step": "clip", "columns": ["n"], "low": 2, "high": 3}, "n", [2, None, 3, 2, 3]),
    ({"step": "clip", "columns": ["x"], "by": "shares", "high": 0.5}, "x", [.5, .5, None, .5, .5]),
    ({"step": "bin", "columns": ["n"], "by": "edges", "edges": [2, "3.5"]}, "n",
     ["below 2", None, "2 to below 3.5", "below 2", "3.5 or more"]),
    ({"step": "bin", "columns": ["n"], "bins": 3, "give": "number"}, "n", [1, None, 3, 1, 3]),
    ({"step": "bin", "columns": ["id"], "by": "rows", "bins": 2, "give": "number"}, "id", [1, 1, 2, 2, 2]),
    ({"step": "transform", "columns": ["x"], "function": "square"}, "x", [.25, 2.25, None, .25, 6.25]),
    ({"step": "transform", "columns": ["n"], "function": "log"}, "n",
     [0.0, None, float(f"{math.log(3):.12g}"), 0.0, float(f"{math.log(4):.12g}")]),
    ({"step": "transform", "columns": ["n"], "function": "power", "power": -1}, "n",
     [1.0, None, float(f"{1 / 3:.12g}"), 1.0, .25]),
    ({"step": "scale", "columns": ["n"], "how": "minmax"}, "n", [0.0, None, 2 / 3, 0.0, 1.0]),
    ({"step": "scale", "columns": ["id"], "how": "robust"}, "id", [-1.0, -.5, 0.0, .5, 1.0]),
    ({"step": "encode", "columns": ["g"], "how": "ordinal"}, "g", [0, 0, 1, 1, None]),
    ({"step": "encode", "columns": ["n"], "how": "ordinal", "order": ["4", "1"]}, "n", [1, None, None, 1, 0]),
    ({"step": "encode", "columns": ["g"]}, "g_b", [0, 0, 1, 1, 0]),
    ({"step": "encode", "columns": ["n"], "most": 1}, "n_other", [0, 0, 1, 0, 1]),
    ({"step": "derive", "name": "y", "expression": "coalesce(n, 0) * 2 + 1"}, "y", [3, 1, 7, 3, 9]),
    ({"step": "derive", "name": "n", "expression": "n / 2"}, "n", [.5, None, 1.5, .5, 2.0]),
    ({"step": "edit", "cells": [{"row": 2, "column": "n", "value": 9}], "remove": [1, 4]}, "n", [9, 3, 4]),
    ({"step": "cast", "columns": ["t"], "type": "integer", "on_error": "drop"}, "id", [4]),
    ({"step": "cast", "columns": ["t", "x"], "type": "integer", "on_error": "missing", "policies": {"t": "drop"}},
     "x", [None]),
    ({"step": "drop_missing", "how": "share", "share": 0.2}, "id", [1, 3, 4, 5]),
    ({"step": "deduplicate", "columns": ["n", "x"], "keep": "none"}, "id", [2, 3, 5]),
    ({"step": "deduplicate", "columns": ["g"], "keep": "last", "order": "x"}, "id", [2, 4, 5]),
    ({"step": "group", "by": ["g"]}, "rows", [2, 2, 1]),
    ({"step": "group", "by": ["g"], "columns": ["n"], "functions": "sum,mode,last"}, "n_sum", [1, 4, 4]),
    ({"step": "group", "by": ["x"], "columns": ["n"], "functions": ["mode"]}, "n_mode", [1, None, 3, 4]),
    ({"step": "pivot", "by": ["x"], "column": "g", "cells": "n", "function": "max"}, "a", [1, None, None, None]),
    ({"step": "drop_poor", "missing": 0.2}, "id", [1, 2, 3, 4, 5]),
    ({"step": "mark_missing", "columns": ["n", "x"]}, "n_missing", [0, 1, 0, 0, 0]),
    ({"step": "mark_missing", "give": "count"}, "missing", [0, 2, 1, 1, 1]),
    ({"step": "split", "column": "t", "separator": "[- ]+", "is": "pattern", "into": ["k", "v"]}, "v",
     ["Änna  b ", "7", "8-x", None, None]),
    ({"step": "fill_missing", "columns": ["x"], "with": "knn", "neighbours": 1, "using": ["id"]}, "x",
     [.5, 1.5, 1.5, .5, 2.5]),
    ({"step": "fill_missing", "columns": ["n", "g"], "with": "knn", "neighbours": 2}, "n", [1, 1, 3, 1, 4]),
    ({"step": "fill_missing", "columns": ["n", "g"], "with": "knn", "neighbours": 2}, "g", ["a", "a", "b", "b", "b"]),
    ({"step": "rebalance", "column": "x", "how": "fewer"}, "x", [1.5, None, .5, 2.5]),
    ({"step": "rebalance", "column": "g", "how": "more"}, "g", ["a", "a", "b", "b", None, None]),
    ({"step": "segment", "columns": ["id"], "segments": 2}, "segment", [1, 1, 1, 2, 2]),
    ({"step": "segment", "columns": ["n"], "segments": 1, "into": "s"}, "s", [1, 1, 1, 1, 1]),
    ({"step": "reduce", "columns": ["id"], "components": 1}, "pc1",
     [float(f"{(item - 3) / math.sqrt(2.5):.10g}") for item in range(1, 6)]),
    ({"step": "encode_target", "columns": ["g"], "target": "id", "smoothing": 0, "folds": 100, "seed": 3}, "g",
     [2.0, 1.0, 4.0, 3.0, None]),
    ({"step": "python", "code": "def step(f):\n    return f[f.id > 3].assign(y=f.n + 1)"}, "y", [2, 5]),
    ({"step": "python", "code": "def step(f):\n    return f.sort_values('id', ascending=False)", "rows": 2}, "id",
     [2, 1, 4, 3, 5]),
    ({"step": "python", "code": "def f(frame): return frame"}, "d",
     ["2024-01-01", None, "2024-01-03", "2024-01-01", "2024-12-31"]),
    ({"step": "unpivot", "columns": ["n", "x"], "name": "what"}, "value",
     [1, .5, None, 1.5, 3, None, 1, .5, 4, 2.5]),
])
def test_a_step_does_what_it_says(step: dict[str, Any], name: str, want: list[Any], cook: Any, rows: Rows) -> None:
    done = cook(step)
    assert list(map(near, column(done, rows(done), name))) == list(map(near, want))
    kind = next(kind for kind in STEPS if kind.name == step["step"])
    assert any("learnt from all rows" in item.message for item in done.problems) <= kind.learns


def test_a_sample_is_the_same_every_time_and_another_for_another_seed(cook: Any, rows: Rows) -> None:
    few = [row[0] for row in rows(cook({"step": "sample", "rows": 2}))]
    assert len(few) == 2
    assert few == sorted(few)
    assert {tuple(row[0] for row in rows(cook({"step": "sample", "rows": 2, "seed": seed}))) for seed in range(9)} \
        != {tuple(few)}
    assert cook({"step": "sample", "share": 0.4}).rows == 2
    assert cook({"step": "sample", "rows": 1, "by": ["g"]}).rows == 3


def test_another_table_is_joined_by_keys(cook: Any, other: Table, rows: Rows) -> None:
    step = {"step": "join", "dataset": "other@1", "digest": other.manifest, "on": ["id"]}
    done = cook(step)
    assert list(kinds(done))[-2:] == ["name", "n_"]
    assert [(row[0], row[-2]) for row in rows(done)] == [
        (1, "one"), (2, "two"), (2, "zwei"), (3, None), (4, None), (5, None)]
    assert "5 rows became 6" in done.problems[0].message
    assert done.problems[1].message == ("Step 1 (join): 3 of 5 rows find no partner in 'other@1'; what came from there "
                                        "is missing in them.")
    inner = cook({**step, "how": "inner", "take": ["name"], "on": [], "keys": {"n": "id"}})
    assert [row[-1] for row in rows(inner)] == ["one", "one"]


def test_a_join_may_keep_the_rows_of_the_other_of_both_or_those_without_a_partner(
    cook: Any, other: Table, rows: Rows
) -> None:
    step = {"step": "join", "dataset": "other@1", "digest": other.manifest, "on": ["id"], "take": ["name"]}

    def told(how: str) -> list[tuple[Any, Any]]:
        return [(row[0], row[-1]) for row in rows(cook({**step, "how": how}))]

    assert told("right") == [(1, "one"), (2, "two"), (2, "zwei"), (9, "nine")]
    assert told("outer") == [(1, "one"), (2, "two"), (2, "zwei"), (3, None), (4, None), (5, None), (9, "nine")]
    last = rows(cook({**step, "how": "outer"}))[-1]
    assert last[1:-1] == [None] * (len(last) - 2), "a row of the other alone has nothing in this table's columns"
    alone = cook({**step, "how": "anti"})
    assert [row[0] for row in rows(alone)] == [3, 4, 5]
    assert "name" not in kinds(alone)


def test_the_rows_of_another_table_come_below(cook: Any, other: Table, rows: Rows) -> None:
    step = {"step": "union", "dataset": "other@1", "digest": other.manifest}
    done = cook({"step": "drop", "columns": ["t", "d", "g"]}, step)
    assert rows(done)[-2:] == [[2, 21, None], [9, 90, None]]
    assert rows(cook({**step, "extra": "add"}))[-1] == [9, 90, None, None, None, None, "nine"]


@pytest.mark.parametrize(("steps", "words"), [
    ([{"step": "clean_text", "columns": ["n"]}], "'n' is integer, not text"),
    ([{"step": "scale", "columns": ["t"]}], "'t' is text and has no scale"),
    ([{"step": "extract", "column": "t", "pattern": "(a", "into": ["k"]}], "Step 1 (extract) cannot be answered"),
    ([{"step": "extract", "column": "t", "pattern": "a", "into": ["k"]}], "the pattern has 0 groups"),
    ([{"step": "split", "column": "t", "into": ["N"]}], "two columns would be called 'N'"),
    ([{"step": "date_parts", "columns": ["d"], "parts": ["hour"]}], "'d' is date and has no hour"),
    ([{"step": "date_parts", "columns": ["d"], "parts": ["era"]}], "not 'era'"),
    ([{"step": "bin", "columns": ["n"], "by": "edges", "edges": [3, 2]}], "not numbers in ascending order"),
    ([{"step": "bin", "columns": ["n"], "bins": 1}], "is at least 2"),
    ([{"step": "clip", "columns": ["n"], "low": 3, "high": 2}], "is greater than the greatest"),
    ([{"step": "clip", "columns": ["n"]}], "neither a least nor a greatest"),
    ([{"step": "derive", "name": "y", "expression": "[n]"}], "which no column can hold"),
    ([{"step": "derive", "name": "y", "expression": "random()"}], "another answer every time"),
    ([{"step": "edit", "cells": [{"row": 6, "column": "n", "value": 1}]}], "there is no row 6"),
    ([{"step": "edit"}], "changes nothing"),
    ([{"step": "group", "by": ["g"]}, {"step": "edit", "remove": [1]}], "no longer those of the table"),
    ([{"step": "group", "by": ["g"], "columns": ["t"], "functions": ["mean"]}], "'t' is text and has no mean"),
    ([{"step": "segment", "columns": ["t"]}], "'t' is text and has no distances"),
    ([{"step": "segment", "into": "n"}], "two columns would be called 'n'"),
    ([{"step": "reduce", "columns": ["n"], "components": 2}], "2 components cannot be made of 1 columns"),
    ([{"step": "encode_target", "columns": ["g"], "target": "t"}], "'t' is text and has no mean"),
    ([{"step": "encode_target", "columns": ["g"], "target": "g"}], "cannot be encoded by itself"),
    ([{"step": "split", "column": "t", "separator": " *", "is": "pattern", "into": ["k"]}], "finds nothing at all"),
    ([{"step": "rebalance", "column": "g", "rows": 10**9}], "would make 3,000,000,000 rows"),
    ([{"step": "python", "code": "x = 1"}], "defines no function called step"),
    ([{"step": "python", "code": "def step(f) return f"}], "cannot be read, line 1"),
    ([{"step": "sample"}], "either a number of rows or a share"),
    ([{"step": "join", "dataset": "gone@1", "on": ["id"]}], "'gone@1' is not at hand"),
    ([{"step": "cast", "columns": ["t"], "type": "integer", "policies": {"t": "perhaps"}}], "not 'perhaps'"),
    ([{"step": "rename_many", "before": "x", "find": "n", "put": "d"}], "two columns would be called"),
    ([{"step": "scale", "columns": ["n"], "disabled": 1}], "'disabled' is true or false"),
])
def test_a_step_that_cannot_be_done_says_why(steps: list[dict[str, Any]], words: str, cook: Any) -> None:
    with pytest.raises(BadInput) as caught:
        cook(*steps)
    assert words in caught.value.message


def test_a_disabled_step_is_skipped_and_keeps_its_number(cook: Any, rows: Rows) -> None:
    off = {"step": "drop", "columns": ["nothing"], "disabled": True}
    assert check_steps([off])[0]["disabled"] is True
    assert cook(off, {"step": "filter", "where": "id > 3"}).rows == 2
    with pytest.raises(BadInput, match="Step 2 "):
        cook(off, {"step": "drop", "columns": ["nothing"]})


def test_the_script_of_a_recipe_makes_the_same_table(store: ObjectStore, scratch: Path, tmp_path: Path,
                                                     other: Table) -> None:
    table = import_table([SHARED / "tabular/pnw_flights_2014.parquet"], store, scratch)
    steps: list[dict[str, Any]] = [
        {"step": "fill_missing", "columns": ["arr_delay"], "with": "mean", "by": ["carrier"]},
        {"step": "encode", "columns": ["origin"]},
        {"step": "clip", "columns": ["dep_delay"], "by": "shares", "low": 0.01, "high": 0.99},
        {"step": "derive", "name": "speed", "expression": "distance / air_time * 60"},
        {"step": "join", "dataset": "other@1", "digest": other.manifest, "keys": {"month": "id"}, "take": ["name"]},
        {"step": "sample", "rows": 5000},
    ]
    done = apply_recipe(store, scratch, table.manifest, table.columns, steps)
    for name, one in (("source", table), ("other", other), ("want", done)):
        with TableView(store, one.manifest, one.columns) as view:
            view.export(tmp_path / f"{name}.parquet")
    script = tmp_path / "recipe.py"
    script.write_text(recipe_script(store, scratch, table.manifest, table.columns, steps, "flights"))
    subprocess.run([sys.executable, str(script), "source.parquet", "made.parquet", "other.parquet"], check=True,
                   cwd=tmp_path)
    made = import_table([tmp_path / "made.parquet"], store, scratch)
    want = import_table([tmp_path / "want.parquet"], store, scratch)
    assert made.manifest == want.manifest
    assert done.rows == made.rows


@pytest.mark.parametrize(("form", "want"), [
    ("NFC", "é ﬁ ① ｶﾞ Ω"), ("NFD", "e\u0301 ﬁ ① ｶﾞ Ω"), ("NFKC", "é fi 1 ガ Ω"), ("NFKD", "e\u0301 fi 1 カ\u3099 Ω"),
    ("nfkc", "é fi 1 ガ Ω"), ("compose", "é ﬁ ① ｶﾞ Ω")])
def test_text_takes_each_of_unicodes_forms(take: Import, store: ObjectStore, scratch: Path, tmp_path: Path, form: str,
                                           want: str) -> None:
    table = take("id,t\n1,é ﬁ ① ｶﾞ \u2126\n2,\n3,plain\n")
    steps = [{"step": "clean_text", "columns": ["t"], "unicode": form}]
    made = apply_recipe(store, scratch, table.manifest, table.columns, steps)
    with TableView(store, made.manifest, made.columns) as view:
        assert [row[1] for row in view.rows(0, 9)] == [want, None, "plain"]
        view.export(tmp_path / "want.csv")
    with TableView(store, table.manifest, table.columns) as view:
        view.export(tmp_path / "source.parquet")
    (tmp_path / "recipe.py").write_text(recipe_script(store, scratch, table.manifest, table.columns, steps, "t"))
    subprocess.run([sys.executable, "recipe.py", "source.parquet", "made.csv"], check=True, cwd=tmp_path)
    assert (tmp_path / "made.csv").read_text() == (tmp_path / "want.csv").read_text()


@pytest.mark.parametrize("steps", [
    [{"step": "deduplicate", "columns": ["k"]}],
    [{"step": "deduplicate", "columns": ["k"], "keep": "last"}, {"step": "derive", "name": "z", "expression": "n * 2"}],
    [{"step": "deduplicate", "columns": ["k"], "keep": "none"}, {"step": "filter", "where": "n > 50"},
     {"step": "deduplicate", "columns": ["m"]}],
    [{"step": "deduplicate", "columns": ["k", "m"]}, {"step": "sample", "share": 0.5, "seed": 1}],
    [{"step": "deduplicate", "columns": ["k"]},
     {"step": "group", "by": ["m"], "columns": ["n"], "functions": ["sum"]}],
], ids=["first", "last, then derived", "none, then again", "then a sample", "then groups"])
def test_rows_chosen_beforehand_are_those_that_a_join_chooses(
    steps: list[Any], take: Import, store: ObjectStore, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = take("n,k,m\n" + "".join(f"{row},{row % 400},{'' if row % 5 == 0 else row % 11}\n"
                                     for row in range(500)))
    made = apply_recipe(store, scratch, table.manifest, table.columns, steps)
    monkeypatch.setattr("mldesk.data.recipes.applying.choose_first", lambda connection, state, *_: state)
    assert apply_recipe(store, scratch, table.manifest, table.columns, steps).manifest == made.manifest


@pytest.mark.parametrize("keep", ["first", "last"])
@pytest.mark.parametrize("keys", [
    ["7", "", "-3", "7", "", "-3", "0", "-3"], ["", "", "5", "5"], ["8", "8", "8"],
    ["9223372036854775807", "-9223372036854775808", "0", "-9223372036854775808", "9223372036854775807"],
    ["2251799813685247", "-1", "2251799813685247", "0", "-1"], ["1.5", "2", "1.5"],
    ["true", "false", "true"], ["b", "a", "b", "a"], ["2026-11-28", "2025-01-01", "2026-11-28"],
], ids=["whole", "missing first", "one", "of 64 bits", "large", "fractions", "truths", "texts", "dates"])
def test_one_row_of_each_key_is_kept_whatever_the_keys_are(keys: list[str], keep: str, take: Import, store: ObjectStore,
                                                           scratch: Path) -> None:
    table = take("n,k\n" + "".join(f"{row},{key}\n" for row, key in enumerate(keys)))
    made = apply_recipe(store, scratch, table.manifest, table.columns,
                        [{"step": "deduplicate", "columns": ["k"], "keep": keep}])
    rows = list(enumerate(keys))
    kept = {key: row for row, key in (rows if keep == "last" else reversed(rows))}
    with TableView(store, made.manifest, made.columns) as view:
        assert [row[0] for row in view.rows(0, 9)] == sorted(kept.values())


def test_so_it_is_where_the_keys_are_too_many_to_hold(take: Import, store: ObjectStore, scratch: Path,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    table = take("n,k\n" + "".join(f"{row},{row * row % 97}\n" for row in range(300)))
    steps = [{"step": "deduplicate", "columns": ["k"], "keep": "last"}]
    made = apply_recipe(store, scratch, table.manifest, table.columns, steps)
    monkeypatch.setattr("mldesk.data.recipes.choosing._SORTED", 299)
    assert apply_recipe(store, scratch, table.manifest, table.columns, steps).manifest == made.manifest
