"""Why Train is disabled, in words, before anything runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mldesk.core.errors import BadInput, NotFound
from mldesk.wire.schema import Column, ColumnType
from mldesk.workbench.checks import check_order
from mldesk.workbench.orders import TrainOrder
from tests.workbench.stand_ins import COLUMNS, Desk

ORDER = TrainOrder("shop", "grade")


@pytest.mark.parametrize(("change", "words"), [
    ({"target": ""}, "No target column"), ({"target": "grad"}, "no column 'grad'"),
    ({"target": "empty"}, "empty in every row"), ({"target": "constant"}, "same value"),
    ({"target": "id"}, "identifiers"), ({"target": "grade", "task": "tabular_regression"}, "text"),
    ({"task": "regression"}, "no task"), ({"estimator": "lightgmb"}, "no model"),
    ({"parameters": {"round": 3}}, "no parameter 'round'"), ({"parameters": {"rounds": "many"}}, "rounds cannot be"),
    ({"parameters": {"rounds": 0}}, "from 1 to"), ({"test_size": 0.0}, "between 0 and 1"),
    ({"test_size": float("nan")}, "between 0 and 1"), ({"features": ("grade",)}, "no column to learn from"),
    ({"test_size": 0.999}, "too few of the 196 usable rows"), ({"target": "price", "test_size": 0.999}, "too few"),
    ({"features": ("siz",)}, "no column 'siz'"), ({"without": ("siz",)}, "no column 'siz'"),
    ({"features": ("size",), "without": ("size",)}, "both a feature and left out"),
    ({"without": ("id", "size", "colour", "constant", "price", "empty")}, "No column is left")])
def test_an_order_that_cannot_run_says_why(desk: Desk, change: dict[str, Any], words: str) -> None:
    order = replace(ORDER, **change)
    check = desk.runs.check(order)
    assert check.why_not is not None
    assert words in check.why_not
    with pytest.raises(BadInput) as refused:
        desk.runs.start(order)
    assert str(refused.value) == check.why_not
    assert desk.runs.list() == []


@pytest.mark.parametrize(("change", "hint"), [
    ({"target": "grad"}, "'grade'"), ({"estimator": "lightgmb"}, "'lightgbm'"),
    ({"estimator": "lgbm"}, "'lightgbm'"), ({"estimator": "oracle"}, "mldesk models kinds"),
    ({"parameters": {"round": 3}}, "'rounds'"), ({"task": "tabular_regresion"}, "'tabular_regression'")])
def test_a_slip_of_the_finger_is_answered_with_the_nearest_word(desk: Desk, change: dict[str, Any], hint: str) -> None:
    assert hint in desk.runs.check(replace(ORDER, **change)).hint


def test_columns_are_chosen_by_naming_them_or_by_naming_the_others(desk: Desk) -> None:
    assert desk.runs.check(replace(ORDER, features=("size", "price", "size"))).features == ("size", "price")
    assert desk.runs.check(replace(ORDER, without=("id", "grade"))).features == ("size", "colour", "constant", "price")
    run = desk.runs.start(replace(ORDER, without=("id",)))
    assert run.spec["payload"]["features"] == ["size", "colour", "constant", "price"]


def test_a_good_order_is_filled_in(desk: Desk) -> None:
    check = desk.runs.check(replace(ORDER, parameters={"rounds": "20"}))
    assert check.why_not is None
    assert (check.task, check.estimator, check.parameters["rounds"]) == ("tabular_classification", "lightgbm", 20)
    assert check.features == ("id", "size", "colour", "constant", "price")
    assert [advice.text for advice in check.advice] == [
        "4 rows without a value in grade are left out.", "Every row has its own id: nothing can be learned from that."]


def test_an_unknown_dataset_is_not_found_with_the_nearest_name(desk: Desk) -> None:
    with pytest.raises(NotFound) as missing:
        desk.runs.check(replace(ORDER, dataset="shp"))
    assert missing.value.hint == "Did you mean 'shop'?"
    with pytest.raises(NotFound):
        desk.runs.check(replace(ORDER, dataset="shop@7"))


def test_the_catalogue_puts_the_default_first(desk: Desk) -> None:
    assert desk.runs.estimators("tabular_regression")[0].name == "lightgbm"
    assert {entry.name for entry in desk.runs.estimators()} >= {"lightgbm", "mlp", "linear", "random_forest"}


@pytest.mark.parametrize(("distinct", "missing", "folds", "words"), [
    (1, 0, 0, "1 different time, in 200 of 200 rows; a split by time needs 3"), (2, 0, 0, "2 different times"),
    (1, 199, 0, "in 1 of 200 rows"), (9, 191, 0, "in 9 of 200 rows"), (4, 0, 3, "needs 5"),
    (3, 0, 0, ""), (10, 190, 0, ""), (5, 0, 3, "")])
def test_a_split_by_time_needs_times(desk: Desk, distinct: int, missing: int, folds: int, words: str) -> None:
    day = Column("day", ColumnType.DATE, missing, distinct)
    version = replace(desk.datasets.show("shop"), columns=(*COLUMNS, day))
    said = check_order(replace(ORDER, split="time", split_column="day", folds=folds), version).why_not
    assert said is None if not words else said is not None and words in said


def test_folds_by_time_are_made_and_those_of_a_column_refused(desk: Desk) -> None:
    check = desk.runs.check(replace(ORDER, split="time", split_column="size", folds=3))
    assert check.why_not is None and not any("other rows" in advice.text for advice in check.advice)
    run = desk.runs.start(replace(ORDER, split="time", split_column="size", folds=3))
    assert run.spec["payload"]["split"]["same_test"]
    refused = desk.runs.check(replace(ORDER, split="column", split_column="colour", folds=3)).why_not
    assert refused is not None and "cannot be dealt into folds" in refused
