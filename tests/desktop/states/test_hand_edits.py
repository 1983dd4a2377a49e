"""Cells and rows changed by hand: typed as their column, undone without end, one step of a recipe."""

from __future__ import annotations

import pytest

from mldesk.desktop.states.hand_edits import Changes, HandEdits
from mldesk.wire.schema import Column, ColumnType

AGE, CITY = Column("age", ColumnType.INTEGER, 0, 9), Column("city", ColumnType.TEXT, 0, 9)


def test_changes_are_one_step_that_counts_rows_from_1() -> None:
    edits = HandEdits()
    assert edits.put(4, AGE, "40", 39) == ""
    assert edits.put(4, CITY, "", "Graz") == ""
    edits.put(7, CITY, "Porto", "Lyon")
    edits.take_out([7, 9])
    assert edits.changes.value.step() == {
        "step": "edit", "remove": [8, 10],
        "cells": [{"row": 5, "column": "age", "value": 40}, {"row": 5, "column": "city", "value": None}]}
    assert edits.cell(4, "city") == (None,) and edits.cell(4, "day") is None


def test_what_is_typed_back_as_it_was_is_no_change() -> None:
    edits = HandEdits()
    edits.put(0, AGE, "40", 39)
    edits.put(0, AGE, "39", 39)
    assert not edits.changes.value
    assert edits.changes.can_undo


def test_rows_that_are_out_come_back_when_they_are_taken_out_once_more() -> None:
    edits = HandEdits()
    edits.take_out([1, 2])
    edits.take_out([2, 3])
    assert edits.changes.value.gone == {1, 2, 3}
    edits.take_out([2, 3])
    assert edits.changes.value.gone == {1}


@pytest.mark.parametrize(("text", "kind"), [
    ("forty", ColumnType.INTEGER), ("1.5", ColumnType.INTEGER), ("1e999", ColumnType.INTEGER),
    ("nan", ColumnType.NUMBER), ("maybe", ColumnType.BOOLEAN), ("2024-13-01", ColumnType.DATE),
    ("25:00", ColumnType.TIME), ("soon", ColumnType.DATETIME)])
def test_what_does_not_fit_its_column_is_refused_in_words(text: str, kind: ColumnType) -> None:
    edits = HandEdits()
    assert "stays as it was" in edits.put(0, Column("c", kind, 0, 1), text, None)
    assert not edits.changes.value and not edits.changes.can_undo


def test_everything_can_be_undone_and_done_again_and_survives_a_restart() -> None:
    edits = HandEdits()
    edits.put(0, AGE, "1", 2)
    edits.take_out([5])
    edits.clear()
    edits.changes.undo()
    seen = edits.changes.value
    assert seen.gone == {5} and Changes.from_json(seen.to_json()) == seen
    edits.changes.undo()
    edits.changes.undo()
    assert not edits.changes.can_undo and not edits.changes.value
    edits.changes.redo()
    assert edits.cell(0, "age") == (1,)
    assert Changes.from_json({"cells": "?"}) == Changes() == Changes.from_json(None)
