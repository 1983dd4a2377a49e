"""F1 of every class beside that of the run which the others are set against."""

from __future__ import annotations

from typing import Any

import pytest

from mldesk.workbench.class_deltas import class_deltas, most_moved


def _scored(**classes: float) -> dict[str, Any]:
    return {"parts": {"test": {"per_class": [{"class": name, "f1": f1} for name, f1 in classes.items()]}}}


def test_every_class_is_set_against_the_chosen_run() -> None:
    runs, evaluations = ["a", "b", "c"], [_scored(no=0.9, yes=0.5), _scored(no=0.8, yes=0.75), _scored(yes=0.25)]
    found = class_deltas(runs, evaluations, "b")
    assert [(item.label, item.run, item.f1) for item in found] == [
        ("no", "a", 0.9), ("no", "b", 0.8), ("yes", "a", 0.5), ("yes", "b", 0.75), ("yes", "c", 0.25)]
    assert [item.delta for item in found] == [pytest.approx(0.1), None, -0.25, None, -0.5]
    assert [item.delta for item in class_deltas(runs, evaluations, "c")] == [0.25, 0.5, None]   # the class that c knows


@pytest.mark.parametrize("evaluations", [[{}, {}], [_scored(no=1.0), {}], [{}, _scored(no=1.0)],
                                         [_scored(), _scored()], [_scored(no=1.0), _scored(blue=1.0)]])
def test_without_two_runs_scored_by_class_there_is_nothing(evaluations: list[dict[str, Any]]) -> None:
    assert class_deltas(["a", "b"], evaluations, "a") == []


def test_of_many_classes_those_that_differ_most_come_first() -> None:
    found = class_deltas(["a", "b"], [_scored(x=0.5, y=0.5, z=0.5), _scored(x=0.6, y=0.1, z=0.8)], "a")
    assert most_moved(found, 6) == found
    assert [(item.label, item.run) for item in most_moved(found, 5)] == [("y", "a"), ("y", "b"), ("z", "a"), ("z", "b")]
    assert len(most_moved(found, 1)) == 2   # a class is whole
