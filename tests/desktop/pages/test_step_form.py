from __future__ import annotations

from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from mldesk.core.errors import BadInput
from mldesk.data.recipes.steps import BY_NAME, STEPS, StepKind, check_steps
from mldesk.desktop.pages.data.step_form import StepForm
from mldesk.wire.schema import Column, ColumnType

COLUMNS = [Column("city", ColumnType.TEXT), Column("age", ColumnType.INTEGER), Column("score", ColumnType.NUMBER),
           Column("member", ColumnType.BOOLEAN)]

FILLED: dict[str, dict[str, Any]] = {
    "drop": {"columns": ["city"]},
    "rename": {"names": {"city": "town", "age": "years"}},
    "cast": {"columns": ["age"], "type": "number", "on_error": "missing"},
    "fill_missing": {"columns": ["age"], "with": "constant", "value": 3},
    "drop_missing": {"columns": ["age"], "how": "all"},
    "deduplicate": {"columns": ["city"], "keep": "last"},
    "filter": {"where": '"age" >= 18'},
    "replace": {"columns": ["city"], "values": {"?": None, "Lyon ": "Lyon"}},
    "keep": {"columns": ["city"]},
    "reorder": {"columns": ["age"], "place": "last"},
    "rename_many": {"case": "snake", "before": "x_"},
    "clean_text": {"columns": ["city"], "case": "upper"},
    "replace_text": {"columns": ["city"], "pattern": r"\s+", "put": " "},
    "extract": {"column": "city", "pattern": "(a)(b)", "into": ["first", "second"]},
    "split": {"column": "city", "separator": " ", "into": ["first", "second"]},
    "date_parts": {"columns": ["age"], "parts": ["year", "month"]},
    "clip": {"columns": ["age"], "by": "shares", "low": 0.01, "high": 0.99},
    "bin": {"columns": ["age"], "by": "edges", "edges": ["18", "65"]},
    "transform": {"columns": ["age"], "function": "power", "power": 2},
    "scale": {"columns": ["age"], "how": "robust"},
    "encode": {"columns": ["city"], "how": "ordinal", "order": ["low", "high"]},
    "derive": {"name": "double", "expression": "age * 2"},
    "edit": {"cells": [{"row": 1, "column": "age", "value": 4}], "remove": [2, 3]},
    "sample": {"rows": 10, "by": ["city"]},
    "group": {"by": ["city"], "columns": ["age"], "functions": ["mean", "max"]},
    "join": {"dataset": "other@1", "on": ["city"], "take": ["a", "b"]},
    "union": {"dataset": "other@1", "extra": "add"},
    "pivot": {"by": ["age"], "column": "city", "cells": "score", "function": "mean"},
    "unpivot": {"columns": ["age", "score"]},
    "drop_poor": {"constant": "no", "missing": 0.5},
    "mark_missing": {"columns": ["age"], "give": "count", "into": "gaps"},
    "encode_target": {"columns": ["city"], "target": "age", "value": 1, "smoothing": 5},
    "segment": {"columns": ["age", "score"], "segments": 3},
    "reduce": {"columns": ["age", "score"], "components": 1, "into": "part"},
    "rebalance": {"column": "city", "how": "more"},
    "python": {"code": "def step(frame):\n    return frame.head(3)\n", "seconds": 5},
}


@pytest.mark.parametrize("kind", STEPS, ids=lambda kind: kind.name)
def test_every_kind_of_step_can_be_shown_and_read_back(kind: StepKind, qtbot: QtBot) -> None:
    step = check_steps([{"step": kind.name, **FILLED[kind.name]}])[0]
    form = StepForm(kind, COLUMNS, step)
    qtbot.addWidget(form)
    assert form.step() == step


@pytest.mark.parametrize("kind", [
    kind for kind in STEPS if any(field.required and field.kind != "code" for field in kind.fields)],
                         ids=lambda kind: kind.name)
def test_an_empty_form_says_what_is_missing(kind: StepKind, qtbot: QtBot) -> None:
    form = StepForm(kind, COLUMNS)
    qtbot.addWidget(form)
    with pytest.raises(BadInput):
        form.step()


@pytest.mark.parametrize(("columns", "typed", "value"), [
    (["age"], "3", 3), (["score"], "3.5", 3.5), (["city"], "3", "3"), (["member"], "True", True),
    (["age", "city"], "3", "3"), (["age"], "many", "many")])
def test_a_value_is_read_as_its_columns_hold_it(columns: list[str], typed: str, value: Any, qtbot: QtBot) -> None:
    form = StepForm(BY_NAME["fill_missing"], COLUMNS, {"columns": columns, "with": "constant", "value": typed})
    qtbot.addWidget(form)
    assert form.step()["value"] == value
    assert type(form.step()["value"]) is type(value)


def test_a_value_of_ones_own_is_asked_for_only_where_it_is_used(qtbot: QtBot) -> None:
    form = StepForm(BY_NAME["fill_missing"], COLUMNS, {"columns": ["age"], "with": "median"})
    qtbot.addWidget(form)
    assert form._rows["value"].isHidden()
    assert "value" not in form.step()


def test_a_target_of_numbers_needs_no_value(qtbot: QtBot) -> None:
    form = StepForm(BY_NAME["encode_target"], COLUMNS, {"columns": ["city"], "target": "age"})
    qtbot.addWidget(form)
    assert "value" not in form.step()
