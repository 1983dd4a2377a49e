"""Rows that are there already are found cell for cell, however the two tables hold them."""

from __future__ import annotations

import numpy as np

from mldesk.training.values import TextColumn
from mldesk.workbench.seen_rows import seen


def test_a_row_is_seen_if_every_shared_column_is_the_same() -> None:
    among = {"n": np.array([1.0, np.nan, -0.0]), "t": TextColumn(np.array([0, 1, -1], np.int32), ("a", "é")),
             "only here": np.zeros(3)}
    rows = {"t": TextColumn(np.array([2, 0, -1, 2, -1, 1], np.int32), ("é", "z", "a")),
            "n": np.array([1.0, np.nan, 0.0, 2.0, np.nan, 1.0]), "made": np.arange(6.0)}
    assert seen(rows, among).tolist() == [True, True, True, False, False, False]


def test_tables_without_a_shared_column_share_no_row() -> None:
    text = TextColumn(np.array([0], np.int32), ("1",))
    assert seen({"a": np.array([1.0])}, {"b": np.array([1.0])}).tolist() == [False]
    assert seen({"a": np.array([1.0])}, {"a": text}).tolist() == [False]
    assert seen({"a": np.zeros(0)}, {"a": np.zeros(3)}).tolist() == []


def test_values_that_change_places_are_another_row() -> None:
    one, two = np.array([1.0]), np.array([2.0])
    assert seen({"a": one, "b": two}, {"a": two, "b": one}).tolist() == [False]
