"""How rows are dealt, as the Train dialog asks it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.data.dataset_filter import DatasetFilterBar
from mldesk.desktop.pages.runs.report_place import why_no_split
from mldesk.desktop.pages.runs.train_split import SplitSection
from mldesk.desktop.states.train import like
from mldesk.wire.schema import Column, ColumnType
from mldesk.workbench.dataset_filter import DatasetFilter
from mldesk.workbench.orders import TrainOrder
from tests.desktop.fake_workbench import make_run


def test_rows_that_are_dealt_as_in_another_run_are_in_no_folds(qtbot: QtBot) -> None:
    section = SplitSection([Column("a", ColumnType.NUMBER, 0, 9)], TrainOrder("t", "a", split="run:01RUN"))
    qtbot.addWidget(section)
    told: list[dict[str, Any]] = []
    section.changed.connect(told.append)
    assert (section.how.value(), section.folds.isEnabled()) == ("run:01RUN", False)
    section.how.set_value("random")
    assert section.folds.isEnabled()
    section.folds.setValue(5)
    section.how.set_value("run:01RUN")
    assert (told[-1], section.folds.isEnabled()) == ({"split": "run:01RUN", "split_column": None, "folds": 0}, False)


def test_a_run_whose_rows_were_given_is_trained_again_on_the_same() -> None:
    run = make_run("01RUN")
    given = replace(run, spec={**run.spec, "payload": {**run.spec.get("payload", {}), "split": {
        "method": "given", "membership": "f" * 64, "test_size": 0.2}}})
    assert "split" not in like(given)
    kept = replace(given, result={"split": "f" * 64})
    assert like(kept)["split"] == "run:01RUN"
    assert why_no_split(given)
    assert why_no_split(kept) == ""


def test_the_list_of_datasets_says_what_it_is_narrowed_by(qtbot: QtBot) -> None:
    bar = DatasetFilterBar()
    qtbot.addWidget(bar)
    bar.tags = ("gold",)
    bar.say(3, 3)
    assert bar.isHidden()
    for title in ("below 1,000 rows", "nothing trained on it", "gold"):
        next(entry for entry in bar.entries() if entry.title == title).act()
    assert bar.wanted == DatasetFilter(tags=("gold",), task="none", most_rows=999)
    assert [entry.title for entry in bar.entries() if entry.icon == "check"] == [
        "below 1,000 rows", "nothing trained on it", "gold"]
    bar.say(1, 3)
    assert bar._said.text() == "1 of 3 datasets: below 1,000 rows, nothing trained on it, gold"
    bar.clear.click()
    assert bar.wanted == DatasetFilter()
