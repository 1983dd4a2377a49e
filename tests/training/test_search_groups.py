"""Rows in groups: a search judges its trials by whole groups; by what a column names where it names some."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mldesk.training.estimators.linear import Linear
from mldesk.training.search.budget import estimate, judging
from mldesk.wire.jobs import SplitRequest
from tests.training.jobs import Table, of, put_table, result, run_here
from tests.training.test_search_forward import search_job

GROUPS = 40


def _grouped(root: Path, *, classes: bool) -> Table:
    """Store rows of 40 groups whose ``mark`` says the group: 1000 for the group 0, 1001 for the next."""
    draw = np.random.default_rng(0)
    group = draw.permutation(np.repeat(np.arange(GROUPS), 5))
    x = draw.normal(size=len(group))
    y: Any = np.where(x + draw.normal(size=len(x)) > 0, "yes", "no") if classes else x + group
    part = np.where(group < 8, "test", "train")
    return put_table(root, pa.table({
        "who": [f"g{one}" for one in group], "mark": 1000.0 + group, "x": x, "y": y, "part": part,
        "parts": np.where((group >= 8) & (group < 16), "validation", part)}))


def _seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[set[int], set[int]]]:
    """Return what fits look at: the marks that each learns from, and those it is judged by."""
    found: list[tuple[set[int], set[int]]] = []
    fit = Linear.fit

    def spied(self: Any, context: Any) -> Any:
        found.append((_marks(context.train.x), _marks(context.validation.x)))
        return fit(self, context)

    monkeypatch.setattr(Linear, "fit", spied)
    return found


def _marks(x: Any) -> set[int]:
    """Return the values of the first column, whatever was taken off it and divided by."""
    return {round(float(value) * 1e4) for value in x[:, 0]}


@pytest.mark.parametrize("classes", [True, False])
def test_a_group_is_never_on_both_sides_of_a_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *,
                                                   classes: bool) -> None:
    table, seen = _grouped(tmp_path, classes=classes), _seen(monkeypatch)
    said = run_here(search_job(tmp_path, table, SplitRequest("group", column="who"), features=("mark", "x"),
                               trials=2, estimators=("linear",)), table)
    done = result(said)
    assert done["folds"] == 5 and done["rows"]["test"] == 40
    assert len(of("trial", said)) == 2
    trials = [seen[first:first + 5] for first in (0, 5)]
    for folds in trials:
        assert all(not learnt & judged for learnt, judged in folds)
        everyone = set().union(*(judged for _, judged in folds))
        assert len(everyone) == GROUPS - 8 == sum(len(judged) for _, judged in folds)    # each group once, none twice
        assert set().union(*(learnt for learnt, _ in folds)) == everyone                 # ... and no test group
    assert sum(member["weight"] for member in done["members"]) == pytest.approx(1)


@pytest.mark.parametrize(("column", "folds"), [("parts", 1), ("part", 5)])
def test_what_a_column_validates_by_is_one_part(tmp_path: Path, column: str, folds: int) -> None:
    table = _grouped(tmp_path, classes=False)
    done = result(run_here(search_job(tmp_path, table, SplitRequest("column", column=column), features=("mark", "x"),
                                      trials=1, estimators=("linear",)), table))
    assert (done["folds"], done["rows"]["test"]) == (folds, 40)


def test_what_a_search_will_be_judged_by_is_said_of_every_split() -> None:
    def folds(split: str, values: int = 0, rows: int = 500, seconds: float = 60.0) -> int:
        return judging(rows, 10, seconds, split, round(rows * 0.15), values)

    assert [folds("random"), folds("group", 40), folds("group", 3), folds("time", 400)] == [5, 5, 3, 3]
    assert [folds("column", 2), folds("column", 3)] == [5, 1]
    assert [folds(split, 40, 10**6) for split in ("random", "group", "time")] == [1, 1, 1]
    assert judging(500, 10, 60.0, "time", 250, 400) == 1
    assert estimate(500, 10, 60.0, 0, 2, 1).trials > estimate(500, 10, 60.0, 0, 2, 5).trials
