"""Recipes and steps that somebody wrote to do harm, or wrote badly: a sentence each time, never a traceback."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mldesk.core.errors import MldeskError
from mldesk.data import STEPS, Table, preview_recipe
from mldesk.data.recipes import applying
from mldesk.data.recipes.apart import goes_apart
from mldesk.data.recipes.steps import Field, StepKind, parse_recipe
from mldesk.wire.objects import ObjectStore
from tests.data.conftest import Import

HOSTILE: tuple[Any, ...] = (
    None, True, -1, 0, 10**400, -1e308, math.inf, math.nan, "", " ", "\0", "a" * 100_000, "'); DROP TABLE data; --",
    "\ud800", [], [[]], [None], [1.5], ["x", "x"], ["nobody"], ["a" * 100_000], {}, {"x": {}}, {"x": None}, {"": ""},
    {"x": "a" * 100_000}, [{}], [{"row": 1}], [{"row": 10**30, "column": "x", "value": 1}],
    [{"row": 1, "column": ["x"], "value": []}], [10**30], "[[[", "1e999", [["x"]])
GOOD: dict[str, Any] = {
    "columns": ["n"], "column": "t", "choice": None, "text": "a", "value": 1, "expression": "n + 1",
    "names": {"n": "m"}, "values": {"1": 2}, "number": 2, "texts": ["one"], "cells": [], "rows": [], "code": "x = 1"}


@pytest.fixture
def table(take: Import) -> Table:
    return take("n,x,t,d\n1,0.5,a,2024-01-01\n2,1.5,b c,\n,2.5,,2024-01-03\n")


def whole(kind: StepKind) -> dict[str, Any]:
    """A step with whatever it needs."""
    def good(field: Field) -> Any:
        if field.choices:
            return field.choices[0] if field.kind == "choice" else [field.choices[0]]
        return field.default if field.default is not None else GOOD[field.kind]
    return {"step": kind.name, **{field.name: good(field) for field in kind.fields if field.required}}


def spoilt(kind: StepKind) -> Iterator[dict[str, Any]]:
    """The step with each field missing, or holding each thing that it must not."""
    step = whole(kind)
    yield step
    for name in step:
        yield {key: value for key, value in step.items() if key != name}
    for name in ("step", "disabled", *(field.name for field in kind.fields)):
        for value in HOSTILE:
            yield {**step, name: value}


@pytest.fixture
def few_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the recipes for a process of their own two get one; the others are worked out here, to the same end."""
    left = [True, True]
    monkeypatch.setattr(applying, "goes_apart", lambda steps: bool(left) and goes_apart(steps) and left.pop())


@pytest.mark.parametrize("kind", STEPS, ids=lambda kind: kind.name)
def test_every_field_of_every_step_may_hold_anything(kind: StepKind, table: Table, store: ObjectStore,
                                                     scratch: Path, few_processes: None) -> None:
    for step in spoilt(kind):
        try:
            steps = parse_recipe(json.dumps({"steps": [step]}))
            found = preview_recipe(store, scratch, table.manifest, table.columns, steps)
        except MldeskError as error:
            assert len(error.message) < 1000, error.message
        else:
            assert all(len(column.name) <= 300 for column in found.columns), step


@pytest.mark.parametrize("step", [{"step": "clean_text", "columns": ["t"]},
                                  {"step": "derive", "name": "x", "expression": "(x + x + x) / 3"},
                                  {"step": "clip", "columns": ["x"], "low": 1, "high": 2}],
                         ids=lambda step: step["step"])
def test_a_step_may_follow_itself_many_times(step: dict[str, Any], table: Table, store: ObjectStore,
                                             scratch: Path) -> None:
    """Each was once written into the next: five of the first kind took minutes and all memory."""
    found = preview_recipe(store, scratch, table.manifest, table.columns, [step] * 12)
    assert [report.rows_after for report in found.steps] == [3] * 12
    assert [row[2] for row in found.rows] == ["a", "b c", None]
