"""Test rows are told apart by what they hold, in whatever version of the data they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mldesk.training.split import TEST
from mldesk.training.values import Array, ColumnData, TextColumn
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.run_book import RunBook
from mldesk.workbench.tested_rows import match
from tests.workbench.judged_runs import finished
from tests.workbench.stand_ins import Desk

ROWS = 60
SPLIT = np.where(np.arange(ROWS) % 3 == 0, TEST, 0).astype(np.uint8)


def _table(rows: int = 20) -> dict[str, ColumnData]:
    draw = np.random.default_rng(0)
    return {"size": draw.normal(size=rows), "kind": TextColumn.of([f"k{index % 3}" for index in range(rows)]),
            "price": np.round(draw.normal(size=rows), 1)}


def test_the_same_rows_are_found_in_any_order_and_beside_other_columns() -> None:
    ours = _table()
    order = np.random.default_rng(1).permutation(20)
    turned = {name: data.take(order) if isinstance(data, TextColumn) else data[order] for name, data in ours.items()}
    found = match(ours, {**turned, "made": np.arange(20.0)}, "price")
    assert isinstance(found, np.ndarray) and order[found].tolist() == list(range(20))
    assert match(ours, {**ours, "made": np.arange(20.0)}, "price") is True
    assert match({name: ours[name] for name in ("kind", "price")}, ours, "price") is not False   # it lost one


def test_cleaned_cells_are_the_same_rows_and_other_rows_are_not() -> None:
    ours = _table()
    assert match(ours, {**ours, "kind": TextColumn.of(["x"] * 20)}, "price") is True
    assert match(ours, {**ours, "price": -np.asarray(ours["price"])}, "price") is False   # another truth
    replaced = {name: data.copy() if not isinstance(data, TextColumn) else data for name, data in ours.items()}
    replaced["size"][7], replaced["price"][7] = 99.0, 99.0  # type: ignore[index]
    assert match(ours, replaced, "price") is False
    assert match({"kind": ours["kind"], "a": ours["size"]}, {"kind": ours["kind"], "b": ours["size"]},
                 "kind") is False   # a target of three classes tells no rows apart


def _judged(desk: Desk, dataset: str, prices: Array, noise: float = 0.1) -> str:
    y = prices[SPLIT == TEST]
    draw = np.random.default_rng(int(noise * 100))
    return finished(desk, TrainOrder(dataset, "price"), SPLIT, y, y + noise * draw.normal(size=len(y)))


def _prices(desk: Desk, dataset: str) -> Array:
    page = desk.datasets.preview(dataset, rows=ROWS)
    return np.array([row[page.columns.index("price")] for row in page.rows])


@pytest.fixture
def num(desk: Desk, tmp_path: Path) -> Desk:
    """A desk with num@1, @2 (sorted otherwise), @3 (as @1, a column more) and @4 (as @1, a column scaled)."""
    draw = np.random.default_rng(2)
    lines = [f"{index},{draw.normal():.3f},{draw.normal():.3f}" for index in range(ROWS)]
    for name, rows in (("num.csv", lines), ("sorted.csv", sorted(lines, key=lambda line: float(line.split(",")[1])))):
        (tmp_path / name).write_text("\n".join(["id,size,price", *rows]) + "\n", "utf-8")
        desk.datasets.import_files([tmp_path / name], "num")
    steps: list[dict[str, Any]] = [
        {"step": "derive", "name": "twice", "expression": "size * 2"},
        {"step": "clip", "columns": ["size"], "low": -0.5, "high": 0.5}]
    for step in steps:
        desk.cleaning.clean("num@1", [step])
    return desk


def test_versions_whose_test_rows_differ_are_not_ranked_and_those_with_the_same_are(num: Desk) -> None:
    first, other = _judged(num, "num@1", _prices(num, "num@1")), _judged(num, "num@2", _prices(num, "num@2"), 0.5)
    found = num.judging.compare([first, other])
    assert (found["best"], found["verdicts"], found["comparable"]) == ({}, {}, False)
    (warning,) = found["warnings"]
    assert warning.startswith("The runs were tested on different rows: a better score may be luck. They learned from "
                              "num@1 and num@2, whose test rows")
    (pair,) = num.judging.paired([first, other])
    assert "not tested on the same rows" in pair["why_not"]
    at_once = num.judging.compare([first, other], judged=False)   # nothing was read, so nothing is claimed
    assert (at_once["warnings"], at_once["comparable"], at_once["best"]) == ([], False, {})
    more = [_judged(num, version, _prices(num, version), 0.5) for version in ("num@3", "num@4")]
    found = num.judging.compare([first, *more])
    assert found["comparable"] and found["verdicts"]["root_mean_squared_error"] == "clear"
    pairs = num.judging.paired([first, *more])
    assert all(pair["why_not"] is None and pair["differences"]["r2"]["sure"] for pair in pairs)
    book = RunBook(num.library)
    assert book.looks_together([first, first]) == 1
    assert book.looks_together([first, *more]) == 3


def test_rows_that_were_sorted_otherwise_are_paired_with_themselves(num: Desk) -> None:
    """The same rows are tested, each table having them at other places."""
    page = num.datasets.preview("num@2", rows=ROWS)
    order = np.array([int(row[page.columns.index("id")]) for row in page.rows])   # of each row its place in num@1
    prices, said = _prices(num, "num@1"), np.random.default_rng(3).normal(size=ROWS)
    split = SPLIT[order]
    there = np.flatnonzero(split == TEST)
    one = finished(num, TrainOrder("num@1", "price"), SPLIT, prices[SPLIT == TEST], said[SPLIT == TEST])
    other = finished(num, TrainOrder("num@2", "price"), split, prices[order][there], said[order][there])
    found = num.judging.compare([one, other])
    assert (found["comparable"], found["warnings"]) == (True, [])
    (pair,) = num.judging.paired([one, other])   # row by row they said the same
    assert pair["differences"]["r2"] == {"low": 0.0, "high": 0.0, "sure": False}
    assert RunBook(num.library).looks_together([one, other]) == 2
