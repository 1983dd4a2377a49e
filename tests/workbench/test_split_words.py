"""A split in words."""

from __future__ import annotations

from typing import Any

import pytest

from mldesk.wire.jobs import SplitRequest
from mldesk.workbench.split_words import rows_words, split_words


@pytest.mark.parametrize(("split", "words"), [
    (SplitRequest(), "at random, 20 % to test, 15 % of the rest to validate, seed 0"),
    (SplitRequest("group", column="shop", seed=3),
     "whole groups (column shop), 20 % to test, 15 % of the rest to validate, seed 3"),
    (SplitRequest("time", 0.125, column="day"),
     "the latest last (column day), 12.5 % to test, 15 % of the rest to validate"),
    (SplitRequest("time", column="day", folds=3, same_test=True),
     "the latest last (column day), 3 folds learnt from what came before, 20 % to test, 15 % of the rest to validate"),
    (SplitRequest("stratified", folds=5), "by strata of the target, 5 folds, 15 % of the rest to validate, seed 0"),
    (SplitRequest("column", column="part"), "as a column says (column part)"),
    (SplitRequest("given", membership="e" * 64), "as in an earlier run"),
])
def test_how_rows_were_dealt_is_said(split: SplitRequest, words: str) -> None:
    assert split_words(split.to_json()) == words


def test_no_split_has_no_words() -> None:
    assert split_words({}) == ""


@pytest.mark.parametrize(("search", "split", "rows"), [
    (None, "20 % to test, 15 % of the rest to validate, ", "5,756 train, 1,016 validation, 1,693 test"),
    ({"folds": 1}, "20 % to test, 15 % of the rest to validate, ", "5,756 train, 1,016 validation, 1,693 test"),
    ({}, "20 % to test, ", "5,756 train, 1,016 validation, 1,693 test"),   # it goes on: folds or not, who knows
    ({"folds": 5}, "20 % to test, the rest in 5 folds, ", "6,772 rows in 5 folds, 1,693 test"),
    ({"folds": 3, "forward": True}, "20 % to test, the rest judged by the last 3 parts, ",
     "6,772 rows, judged by the last 3 parts, 1,693 test"),
])
def test_a_search_says_what_its_trials_were_judged_by(search: dict[str, Any] | None, split: str, rows: str) -> None:
    assert split_words(SplitRequest().to_json(), search) == f"at random, {split}seed 0"
    assert rows_words({"train": 5756, "validation": 1016, "test": 1693}, search) == rows
