"""A recipe that travels with a model: done to new rows as at home, without the table that it learnt from."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldesk.bundles import recipe as carrying
from mldesk.core.errors import BadBundle, BadInput
from mldesk.data.recipes.new_rows import Recipe
from mldesk.data.recipes.replaying import PLACE, carried, replay
from mldesk.data.recipes.steps import check_steps
from mldesk.wire.objects import ObjectStore
from tests.data.conftest import Import

STEPS: list[dict[str, Any]] = [
    {"step": "deduplicate", "columns": ["key"]}, {"step": "drop", "columns": ["note"], "disabled": True},
    {"step": "edit", "cells": [{"row": 3, "column": "weight", "value": 4}]},
    {"step": "clean_text", "columns": ["colour"], "trim": "all", "case": "lower", "unicode": "NFKC"},
    {"step": "drop_poor"}, {"step": "filter", "where": "weight >= 0"}, {"step": "sample", "share": 0.8},
    {"step": "fill_missing", "columns": ["size"], "with": "mean"},
    {"step": "fill_missing", "columns": ["colour"], "with": "mode"},
    {"step": "clip", "columns": ["weight"], "by": "shares", "low": 0.05, "high": 0.95},
    {"step": "derive", "name": "both", "expression": "size * weight"},
    {"step": "segment", "columns": ["size", "weight"], "segments": 3},
    {"step": "reduce", "columns": ["size", "weight"], "components": 1, "columns_go": "no"},
    {"step": "scale", "columns": ["size"], "how": "standard"},
    {"step": "bin", "columns": ["weight"], "by": "rows", "bins": 4, "give": "number"},
    {"step": "encode", "columns": ["colour"], "how": "one_hot"}]


@pytest.fixture
def made(take: Import) -> Recipe:
    draw = random.Random(7)
    lines = [f"k{number},{draw.choice('abc')},{'' if number % 9 == 4 else round(draw.gauss(3, 1), 3)},"
             f"{draw.choice([' Red', 'red', 'ﬁne', ''])},{draw.randint(0, 90)},2024-01-{1 + number % 28:02}"
             for number in range(200)]
    table = take("key,note,size,colour,weight,day\n" + "\n".join([*lines, lines[0]]) + "\n")
    return Recipe("shop@2", table.manifest, table.columns, check_steps(STEPS))


def new_rows(folder: Path, recipe: Recipe) -> Path:
    days = pa.array([19_800, None, 19_900], pa.int32()).cast(pa.date32())
    table = pa.table({"key": ["n1", "n2", "n3"], "note": ["a", "b", None], "size": [2.5, None, 40.0],
                      "colour": ["RED ", None, "green"], "weight": pa.array([3, 500, 40], pa.int64()), "day": days,
                      PLACE: pa.array([0, 1, 2], pa.int64())})
    pq.write_table(table.select([*(column.name for column in recipe.columns), PLACE]), folder / "new.parquet")
    return folder / "new.parquet"


def test_a_carried_recipe_does_what_the_one_at_home_does(made: Recipe, store: ObjectStore, tmp_path: Path) -> None:
    rows, elsewhere = new_rows(tmp_path, made), ObjectStore(tmp_path / "elsewhere")
    text = carrying.to_bytes([carried(store, tmp_path / "scratch", made)])
    assert b"k0" not in text   # no row of the table goes along, nor what was changed by hand
    (there,) = carrying.from_bytes(text)
    assert carrying.to_bytes([there]) == text
    home = replay(store, tmp_path / "scratch", made, rows, "target", tmp_path / "home.parquet")
    away = replay(elsewhere, tmp_path / "scratch", there, rows, "target", tmp_path / "away.parquet")
    assert home == away
    assert [line.partition(" of ")[0] for line in away[1]] == ["Step 1 (deduplicate)", "Step 3 (edit)",
                                                               "Step 7 (sample)"]
    assert pq.read_table(tmp_path / "home.parquet").equals(pq.read_table(tmp_path / "away.parquet"))
    assert pq.read_metadata(tmp_path / "away.parquet").num_rows == 3


@pytest.mark.parametrize(("change", "reason"), [
    ({"format": 3}, "format 3"), ({"recipes": []}, "no proper list"), ({"recipes": [3]}, "no record"),
    ({"steps": [{"step": "python", "code": "x"}]}, "cannot be done to new rows"),
    ({"steps": [{"step": "nonsense"}]}, "there is no step"), ({"steps": ["drop"]}, "lacks its columns"),
    ({"columns": [{"name": "a", "type": "elephant"}]}, "no name or type"), ({"label": "a\nb"}, "what it made"),
])
def test_a_strangers_recipe_is_refused_with_the_reason(change: dict[str, Any], reason: str) -> None:
    from mldesk.core import canonical

    one = {"label": "shop@2", "columns": [{"name": "a", "type": "text"}], "steps": [{"step": "sample"}], "answers": []}
    document = {"format": 1, "recipes": [{**one, **change}], **{key: change[key] for key in ("format", "recipes")
                                                                if key in change}}
    with pytest.raises(BadBundle, match=reason):
        carrying.from_bytes(canonical.dumps(document))


def test_answers_that_are_missing_are_said_to_be(made: Recipe, store: ObjectStore, tmp_path: Path) -> None:
    whole = carried(store, tmp_path / "scratch", made)
    short = Recipe(whole.label, "", whole.columns, whole.steps, list(whole.answers or ())[:2])
    odd = Recipe(whole.label, "", whole.columns, whole.steps, [1, {"number": "2"}, None, *(whole.answers or ())])
    for wrong in (short, odd):
        with pytest.raises(BadInput, match="another MLDesk"):
            replay(store, tmp_path / "scratch", wrong, new_rows(tmp_path, made), "target", tmp_path / "out.parquet")
