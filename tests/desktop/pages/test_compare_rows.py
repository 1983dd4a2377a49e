"""Many runs compared: rows that can be sorted, parallel coordinates, and one run that stands out in both."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.pages.runs.compare_rows import CompareRows, fact_value, names_of
from mldesk.desktop.pages.runs.judged_cards import JudgedCards
from mldesk.desktop.pages.runs.parallel_card import ParallelCard
from mldesk.desktop.widgets import ElidedLink
from mldesk.library.records import Run
from tests.desktop.fake_workbench import make_run

RUNS = [make_run(f"01RUN{number}", name="wave" if number < 2 else f"run {number}") for number in range(6)]


@pytest.fixture
def comparison() -> dict[str, Any]:
    return {"metrics": {"roc_auc": [0.9, 0.8, None, 0.7, 0.6, 0.5], "log_loss": [0.3, 0.1, None, 0.5, 0.6, 0.7]},
            "differs": {"estimator": ["mlp", "linear", "linear", "mlp", "mlp", "linear"],
                        "parameter rate": [0.1, None, None, 0.3, 0.2, None]},
            "best": {"roc_auc": "01RUN0", "log_loss": "01RUN1"},
            "verdicts": {"roc_auc": "clear", "log_loss": "unclear"}}


def texts(rows: CompareRows, column: int) -> list[str]:
    assert rows.table is not None
    model = rows.table.model()
    return [str(model.index(row, column).data()) for row in range(model.rowCount())]


def test_runs_are_rows_starred_where_clear_and_sorted_by_any_column(qtbot: QtBot, comparison: dict[str, Any]) -> None:
    rows = CompareRows()
    qtbot.addWidget(rows)
    rows.show_runs(RUNS, comparison)
    rows.show()
    assert rows.table is not None
    assert texts(rows, 0)[:3] == ["wave · RUN0", "wave · RUN1", "run 2"]
    assert texts(rows, 1)[:3] == ["0.9000  ★", "0.8000", ""] and "★" not in "".join(texts(rows, 2))
    assert texts(rows, 4)[:2] == ["0.1", "–"]
    rows.table.records.sort(2, Qt.SortOrder.DescendingOrder)   # the better, the higher up
    assert texts(rows, 0)[0] == "wave · RUN1" and texts(rows, 0)[-1] == "run 2"
    rows.table.records.sort(4)
    assert texts(rows, 4) == ["–", "–", "–", "0.1", "0.2", "0.3"]


def test_more_scores_than_fit_are_shown_when_asked_for(qtbot: QtBot, comparison: dict[str, Any]) -> None:
    rows = CompareRows()
    qtbot.addWidget(rows)
    many = {f"score_{number}": [0.1 * number] * 6 for number in range(9)}
    rows.show_runs(RUNS, {**comparison, "metrics": many})
    assert rows.table is not None and rows.table.model().columnCount() == 1 + 5 + 2 + 1
    assert rows.all.text() == "All 9 scores" and not rows.all.isHidden()
    rows.all.click()
    assert rows.table.model().columnCount() == 1 + 9 + 2 + 1
    rows.show_runs(RUNS, comparison)   # two scores: nothing to ask for
    assert rows.all.isHidden()


def test_every_class_is_set_against_the_run_that_was_chosen(qtbot: QtBot) -> None:
    evaluations: list[dict[str, Any]] = [
        {"parts": {"test": {"per_class": [{"class": "yes", "f1": f1}]}}} for f1 in (0.5, 0.75)]
    cards = JudgedCards()
    qtbot.addWidget(cards)
    for against, said in (("01RUN2", ["", "+25.0"]), ("01RUN3", ["-25.0", ""])):
        cards.show_runs(RUNS[2:4], [], evaluations, None, against)
        table = next(one for one in cards.findChildren(RecordTable) if not one.isHidden() and one.parent() and
                     not one.parent().isHidden())
        model = table.model()
        assert [str(model.index(row, 3).data()) for row in range(2)] == said


def test_the_run_that_is_pointed_at_stands_out(qtbot: QtBot, comparison: dict[str, Any]) -> None:
    rows, card = CompareRows(), ParallelCard()
    for widget in (rows, card):
        qtbot.addWidget(widget)
        widget.show_runs(RUNS, comparison)
        widget.show()
    told: list[str] = []
    rows.pointed.connect(told.append)
    rows._point(3)
    assert told == ["01RUN3"]
    rows.point_at("01RUN4")
    assert rows.table is not None and [row[0].id for row in rows.table.selected()] == ["01RUN4"] and len(told) == 1
    card.point_at("01RUN4")
    assert "roc" in card.chart.sentence(4).lower() and card.chart._line == 4
    card.chart.brush(0, (0.0, 0.1))
    assert "of 6 runs" in card._said.text()
    opened: list[str] = []
    card.opened.connect(opened.append)
    card.chart.opened.emit(2)
    assert opened == ["01RUN2"]


def test_a_long_name_is_a_link_that_loses_its_middle(qtbot: QtBot) -> None:
    name = "tuning-of-the-whole-customer-table-2026-11-29-" + "x" * 40
    link = ElidedLink(name)
    qtbot.addWidget(link)
    link.resize(link.sizeHint())
    link.show()
    whole = link.sizeHint().width()
    link.grab()
    assert link.shown() == name and not link.toolTip() and link.minimumSizeHint().width() < whole / 4
    link.resize(whole // 3, link.height())
    link.grab()
    assert "…" in link.shown() and link.toolTip() == link.accessibleName() == name


def test_the_last_axis_is_a_score_that_tells_the_runs_apart(qtbot: QtBot, comparison: dict[str, Any]) -> None:
    card = ParallelCard()
    qtbot.addWidget(card)
    comparison["metrics"] = {"roc_auc": [1.0] * 6, "log_loss": [0.3, 0.1, 0.2, 0.5, 0.6, 0.7]}
    card.show_runs(RUNS, comparison)
    assert card.score.currentData() == "log_loss"
    card.score.setCurrentIndex(0)
    card.show_runs(RUNS, comparison)
    assert card.score.currentData() == "roc_auc"   # as chosen


def test_few_runs_or_none_that_differ_have_no_parallel_coordinates(qtbot: QtBot, comparison: dict[str, Any]) -> None:
    card = ParallelCard()
    qtbot.addWidget(card)
    two: list[Run] = RUNS[:2]
    card.show_runs(two, {**comparison, "metrics": {"roc_auc": [0.9, 0.8]}, "differs": {"parameter rate": [1, 2]}})
    assert card.isHidden()
    assert names_of(two) == {"01RUN0": "wave · RUN0", "01RUN1": "wave · RUN1"}


def test_rows_that_one_of_two_runs_alone_has_right_are_led_to(qtbot: QtBot) -> None:
    pair = {"run": "01RUN2", "against": "01RUN3", "why_not": "", "folds": None, "rows": 9,
            "differences": {"accuracy": {"low": -0.1, "high": 0.2, "sure": False}},
            "mcnemar": {"only_first": 1, "only_second": 2, "p": 1.0, "rows_first": [3], "rows_second": [5, 8]}}
    cards = JudgedCards()
    qtbot.addWidget(cards)
    cards.show_runs(RUNS[2:4], [pair], [{}, {}])
    links = [button for button in cards.findChildren(QPushButton) if button.text().startswith("Where")]
    assert [link.text() for link in links] == ["Where run 2 alone is right", "Where run 3 alone is right"]
    with qtbot.waitSignal(cards.looked) as looked:
        links[1].click()
    assert looked.args == ["Where run 3 alone is right", "table@1", (4, 7)]   # places from 0
    said = [label.text() for label in cards.findChildren(QLabel)]
    assert "run 2 alone is right in 1 row, run 3 alone in 2; McNemar p = 1." in said


def test_what_a_run_has_not_is_a_dash() -> None:
    assert [fact_value("dataset", value) for value in (None, "", "shop@1")] == ["–", "–", "shop@1"]
