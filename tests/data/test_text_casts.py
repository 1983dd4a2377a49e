"""A cast reads texts as an import does whose types were chosen, in the recipe's script and on new rows, too."""

from __future__ import annotations

import json
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldesk.bundles.recipe import from_bytes, to_bytes
from mldesk.core import canonical
from mldesk.core.errors import BadInput
from mldesk.data import ImportOptions, apply_recipe, import_table
from mldesk.data.parts import part_paths
from mldesk.data.recipes.new_rows import Recipe
from mldesk.data.recipes.replaying import PLACE, carried, replay
from mldesk.data.recipes.steps import check_steps
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column, ColumnType
from tests.data.conftest import Import, Rows, said
from tests.data.test_like_imported import MESSY, NAMES, TYPES

STEPS: list[dict[str, Any]] = [
    {"step": "cast", "columns": [name], "type": kind, "on_error": "missing"} for name, kind in TYPES]
NUMBERS = ["1,200.50", "€ 12.5", "-3", "+7", "007", ".5", "1'234", "1e3", "inf", "1.234.567,8", "12 345", "x", "1.2.3",
           "$", "", "  8 "]


@pytest.fixture
def texts(tmp_path: Path, store: ObjectStore, scratch: Path) -> tuple[Path, Any]:
    path = tmp_path / "messy.parquet"
    pq.write_table(pa.table({name: [row[place] or None for row in MESSY] for place, name in enumerate(NAMES)}), path)
    return path, import_table([path], store, scratch)


def _stored(store: ObjectStore, manifest: str) -> pa.Table:
    return pa.concat_tables([pq.read_table(path) for path in part_paths(store, manifest)])


def test_a_cast_gives_what_an_import_with_that_type_gives(texts: Any, store: ObjectStore, scratch: Path) -> None:
    path, table = texts
    done = apply_recipe(store, scratch, table.manifest, table.columns, STEPS)
    want = import_table([path], store, scratch, ImportOptions(types=TYPES))
    assert _stored(store, done.manifest).equals(_stored(store, want.manifest))
    assert _stored(store, want.manifest).column("day").null_count == 1


def test_numbers_are_read_alike_whatever_their_marks(tmp_path: Path, store: ObjectStore, scratch: Path) -> None:
    path = tmp_path / "t.parquet"
    for values in (NUMBERS, ["1,5", "2,25", "1.234,5", "€ 3,50", "4"], ["1,234", "2,345"]):
        pq.write_table(pa.table({"n": pa.array(values), "k": range(len(values))}), path)
        table = import_table([path], store, scratch)
        for kind in ("number", "integer"):
            step = {"step": "cast", "columns": ["n"], "type": kind, "on_error": "missing"}
            done = apply_recipe(store, scratch, table.manifest, table.columns, [step])
            want = import_table([path], store, scratch, ImportOptions(types=(("n", kind),)))
            assert _stored(store, done.manifest).equals(_stored(store, want.manifest)), (kind, values)


def test_the_order_of_day_and_month_is_told_by_the_column_or_said(take: Import, store: ObjectStore, scratch: Path,
                                                                  rows: Rows) -> None:
    def cast(days: str, **more: str) -> tuple[object, str]:
        table = take(f"d;k\n{days}", text=("d",))
        step = {"step": "cast", "columns": ["d"], "type": "date", "on_error": "missing", **more}
        done = apply_recipe(store, scratch, table.manifest, table.columns, [step])
        return rows(done)[0][0], said(done)

    assert cast("03/04/2024;1\n04/25/2024;2\n") == ("2024-03-04", "")
    assert cast("03/04/2024;1\n25/04/2024;2\n") == ("2024-04-03", "")
    day, words = cast("03/04/2024;1\n")
    assert day == "2024-04-03"
    assert "Step 1 (cast): The dates with '/' in 'd' (1) do not tell day from month; they were read with the" in words
    assert cast("03/04/2024;1\n", dates="mdy") == ("2024-03-04", "")
    assert cast("03/04/2024;1\n", dates="ymd")[0] is None
    assert cast("03/04/2024;1\n", format="%m/%d/%Y") == ("2024-03-04", "")


def _new_rows(folder: Path) -> Path:
    """Rows that leave open what the column that was cast had told: the month was first."""
    path = folder / "rows.parquet"
    pq.write_table(pa.table({"d": ["03/04/2024", "1 May 2024"], "n": ["1.234", "2"], PLACE: [0, 1]}), path)
    return path


def test_new_rows_are_read_as_the_column_told_also_from_a_bundle(take: Import, store: ObjectStore,
                                                                scratch: Path) -> None:
    table = take("d;n;k\n12/25/2023;1.234,5;1\n03/04/2024;€ 2,50;2\n", text=("d", "n"))
    steps = check_steps([{"step": "cast", "columns": ["d"], "type": "date"},
                         {"step": "cast", "columns": ["n"], "type": "number"}])
    columns = (Column("d", ColumnType.TEXT), Column("n", ColumnType.TEXT))
    recipe = Recipe("t@2", table.manifest, table.columns, tuple(steps))
    bare = carried(store, scratch, recipe)
    (away,) = from_bytes(to_bytes([bare]))
    assert json.loads(to_bytes([bare]))["format"] == 2
    for number, item in enumerate((recipe, away)):
        out = scratch / f"out-{number}.parquet"
        gone, _ = replay(store, scratch, item, _with_k(_new_rows(scratch)), "k", out)
        made = pq.read_table(out)
        assert (list(gone), [str(day) for day in made["d"].to_pylist()]) == ([], ["2024-03-04", "2024-05-01"])
        assert made["n"].to_pylist() == [1234.0, 2.0]
    assert columns[0].type is table.columns[0].type


def _with_k(path: Path) -> Path:
    table = pq.read_table(path)
    pq.write_table(table.append_column("k", pa.array([1, 2])), path)
    return path


def test_a_bundle_from_before_is_read_as_it_was_meant_and_nonsense_is_refused(take: Import, store: ObjectStore,
                                                                              scratch: Path) -> None:
    table = take("d;k\n2023-12-25;1\n2024-03-04;2\n", text=("d",))
    (step,) = check_steps([{"step": "cast", "columns": ["d"], "type": "date"}])
    bare = carried(store, scratch, Recipe("t@2", table.manifest, table.columns, (step,)))
    facts = json.loads(to_bytes([bare]))
    (one,) = facts["recipes"]
    assert len(one["answers"]) == 2     # how its dates are written, and how many do not fit
    old = {**facts, "format": 1, "recipes": [{**one, "answers": one["answers"][1:], "steps": [
        {name: value for name, value in one["steps"][0].items() if name != "dates"}]}]}
    (recipe,) = from_bytes(canonical.dumps(old))
    path, out = scratch / "rows.parquet", scratch / "out.parquet"
    pq.write_table(pa.table({"d": ["2024-03-04"], "k": [1], PLACE: [0]}), path)
    replay(store, scratch, recipe, path, "k", out)
    assert str(pq.read_table(out)["d"][0].as_py()) == "2024-03-04"
    answers: list[Any] = [[",'", [], []], [None, [["/", "x"]], []], [None, 3, []], "dmy"]
    for answer in answers:
        other = {**facts, "recipes": [{**one, "answers": [answer, *one["answers"][1:]]}]}
        with pytest.raises(BadInput, match="written by another MLDesk"):
            replay(store, scratch, from_bytes(canonical.dumps(other))[0], path, "k", out)


def test_the_script_of_a_recipe_reads_texts_in_the_same_way(texts: Any, store: ObjectStore, scratch: Path,
                                                            tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mldesk.data.recipes.applying import recipe_script

    path, table = texts
    done = apply_recipe(store, scratch, table.manifest, table.columns, STEPS)
    script = tmp_path / "recipe.py"
    script.write_text(recipe_script(store, scratch, table.manifest, table.columns, STEPS, "messy"), "utf-8")
    assert not {"from mldesk", "import mldesk"} & set(re.findall("(?:from|import) mldesk", script.read_text()))
    monkeypatch.setattr(sys, "argv", [str(script), str(path), str(tmp_path / "out.parquet")])
    runpy.run_path(str(script), run_name="__main__")
    assert pq.read_table(tmp_path / "out.parquet").to_pydict() == _stored(store, done.manifest).to_pydict()
