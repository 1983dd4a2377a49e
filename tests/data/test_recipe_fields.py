"""A field that its step's way does not use tells the way, or is refused; a recipe that was kept replays as ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mldesk.core.errors import BadInput
from mldesk.data import STEPS, apply_recipe, parse_recipe
from mldesk.data.recipes.steps import check_steps
from mldesk.data.recipes.steps_used import USED
from mldesk.wire.objects import ObjectStore
from tests.data.conftest import Import, Rows


@pytest.mark.parametrize(("step", "decider", "way"), [
    ({"step": "drop_missing", "share": 0.1}, "how", "share"),
    ({"step": "bin", "columns": ["n"], "edges": "0, 18, 65"}, "by", "edges"),
    ({"step": "fill_missing", "columns": ["n"], "using": ["x"]}, "with", "knn"),
    ({"step": "fill_missing", "columns": ["n"], "neighbours": 3}, "with", "knn"),
    ({"step": "encode", "columns": ["t"], "order": ["low", "high"]}, "how", "ordinal"),
    ({"step": "mark_missing", "into": "gaps"}, "give", "count"),
])
def test_a_field_that_counts_with_one_way_only_tells_it(step: dict[str, Any], decider: str, way: str) -> None:
    assert parse_recipe(json.dumps([step]))[0][decider] == way


@pytest.mark.parametrize(("step", "idle"), [
    ({"step": "drop_missing", "how": "any", "share": 0.1}, "share"),
    ({"step": "bin", "columns": ["n"], "by": "width", "edges": "0, 18"}, "edges"),
    ({"step": "bin", "columns": ["n"], "edges": "0, 18", "bins": 7}, "edges"),
    ({"step": "fill_missing", "columns": ["n"], "with": "mode", "value": 0}, "value"),
    ({"step": "fill_missing", "columns": ["n"], "strategy": "mode", "value": 0}, "value"),
    ({"step": "fill_missing", "columns": ["n"], "value": 1, "by": ["t"]}, "by"),
    ({"step": "fill_missing", "columns": ["n"], "with": "mean", "order": "d"}, "order"),
    ({"step": "encode", "columns": ["t"], "how": "ordinal", "most": 3}, "most"),
    ({"step": "transform", "columns": ["n"], "function": "log", "power": 2}, "power"),
    ({"step": "deduplicate", "keep": "none", "order": "d"}, "order"),
    ({"step": "cast", "columns": ["n"], "type": "integer", "format": "%d.%m.%Y"}, "format"),
    ({"step": "rename_many", "put": "x"}, "put"),
    ({"step": "group", "by": ["t"], "functions": ["mean"]}, "functions"),
    ({"step": "reduce", "components": 2, "share": 0.5}, "share"),
])
def test_a_field_that_counts_for_nothing_is_refused_by_name(step: dict[str, Any], idle: str) -> None:
    with pytest.raises(BadInput, match=rf"^Step 1 \({step['step']}\): '{idle}' count"):
        parse_recipe(json.dumps({"steps": [step]}))


def test_what_deciding_fields_are_called_and_may_be_is_declared() -> None:
    kinds = {kind.name: kind for kind in STEPS}
    for (kind, field), (decider, ways) in USED.items():
        decides = kinds[kind].field(decider)
        assert kinds[kind].field(field) is not None
        assert decides is not None and set(ways) <= set(decides.choices)


def test_a_written_recipe_reads_the_same_a_second_time() -> None:
    steps = parse_recipe(json.dumps([{"step": "bin", "columns": ["n"], "edges": "0, 18"},
                                     {"step": "drop_missing", "share": 0.1},
                                     {"step": "reduce", "components": 2}]))
    assert parse_recipe(json.dumps(steps)) == steps


def test_a_recipe_that_was_kept_replays_as_it_always_did(take: Import, store: ObjectStore, scratch: Path,
                                                         rows: Rows) -> None:
    kept = [{"step": "drop_missing", "how": "any", "share": 0.5}, {"step": "drop_missing", "share": 0.9}]
    assert [step["how"] for step in check_steps(kept)] == ["any", "any"]
    table = take("a,b\n1,\n2,3\n")
    done = apply_recipe(store, scratch, table.manifest, table.columns, kept)
    assert [list(row) for row in rows(done)] == [[2, 3]]
