"""The evaluation page: cards for what a payload holds, the threshold slider, rows and cells that lead to the data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.record_table import RecordTable
from mldesk.desktop.pages.runs.evaluation import EvaluationView
from mldesk.desktop.pages.runs.threshold_card import ThresholdCard
from mldesk.desktop.widgets import Chart, ComboBox, HeatMap, Segmented
from mldesk.training.evaluation import payload
from mldesk.training.slices import worst
from mldesk.workbench.evaluated import WorstRow


def evaluation() -> dict[str, Any]:
    """Return a payload as the trainer makes it, of two classes."""
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 200)
    chance = np.clip(0.6 * truth + 0.4 * random.random(200), 0.01, 0.99)
    prediction = np.stack([1 - chance, chance], 1)
    test = payload(prediction, truth, ["No", "Yes"])
    test["worst"] = worst(prediction, truth, np.arange(200) + 1000, ["No", "Yes"])
    test["slices"] = [{"column": "kind", "value": "b", "rows": 40, "score": 0.5, "whole": 0.8, "sigmas": 4.2,
                       "loss": 1.0}]
    return {"task": "tabular_classification", "classes": ["No", "Yes"], "parts": {"test": test}, "importance": []}


@pytest.fixture
def view(qtbot: QtBot) -> EvaluationView:
    made = EvaluationView()
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.show()
    made.show_evaluation(evaluation())
    qtbot.waitUntil(lambda: made.complete)
    return made


def titles(view: EvaluationView) -> list[str]:
    return [card.accessibleName() for card in view.cards()]


def test_there_is_a_card_for_everything_the_payload_holds(view: EvaluationView) -> None:
    assert titles(view) == ["Confusion matrix", "When to say “Yes”", "Every class", "Where it is worse", "Most wrong",
                            "ROC curve", "Precision and recall", "Gain and lift", "Calibration"]


def test_where_nothing_was_kept_that_is_said(view: EvaluationView) -> None:
    assert view.nothing.isHidden()
    view.show_evaluation({})
    assert view.nothing.isVisible() and not view.tiles.isVisible() and not view.parts.isVisible()
    view.show_evaluation(evaluation())
    assert view.nothing.isHidden() and view.tiles.isVisible()


def test_an_older_payload_is_shown_without_what_it_lacks(qtbot: QtBot) -> None:
    view = EvaluationView()
    qtbot.addWidget(view)
    view.show_evaluation({"parts": {"test": {"metrics": {"accuracy": 0.8}, "rows": 5, "confusion": {
        "labels": ["a", "b"], "counts": [[2, 1], [0, 2]]}}}})
    qtbot.waitUntil(lambda: view.complete)
    assert titles(view) == ["Confusion matrix"]
    assert not view.tiles.fold.isVisibleTo(view)


def test_scores_beyond_the_first_are_folded_away(view: EvaluationView, qtbot: QtBot) -> None:
    assert "more scores" in view.tiles.fold.text() and not view.tiles.others.isVisible()
    qtbot.mouseClick(view.tiles.fold, Qt.MouseButton.LeftButton)
    assert view.tiles.others.isVisible()


def test_the_slider_moves_every_score_and_costs_move_the_best_place(view: EvaluationView, qtbot: QtBot) -> None:
    card = next(card for card in view.cards() if isinstance(card, ThresholdCard))
    before = card.called
    assert "looks better on them than it is" in card._subtitle.text()
    card.slider.setValue(900)
    assert card.threshold.value() == 0.9
    assert card.called.tp <= before.tp and card.called.fn >= before.fn
    shown = {key: value.text() for key, value in card._values.items()}
    card.slider.setValue(200)
    assert [key for key, value in card._values.items() if value.text() == shown[key]] == [], "every score moves"
    card.costs["fn"].setValue(50.0)
    qtbot.mouseClick(card.cheapest, Qt.MouseButton.LeftButton)
    assert card.called.fn == 0 and card.slider.value() == round(1000 * card.threshold.value())


def test_a_threshold_can_be_kept_where_there_is_a_model(view: EvaluationView, qtbot: QtBot) -> None:
    card = next(card for card in view.cards() if isinstance(card, ThresholdCard))
    assert not card.keep.isVisible() and not card.forget.isVisible()
    view.show_threshold(("Yes", 0.25))
    assert card.keep.isVisible() and card.forget.isVisible() and "from 0.25 on" in card._kept.text()
    assert card.threshold.value() == 0.25
    card.slider.setValue(300)
    with qtbot.waitSignal(view.threshold_wanted) as wanted:
        qtbot.mouseClick(card.keep, Qt.MouseButton.LeftButton)
    assert wanted.args == ["Yes", 0.3]
    with qtbot.waitSignal(view.threshold_wanted) as wanted:
        qtbot.mouseClick(card.forget, Qt.MouseButton.LeftButton)
    assert wanted.args == ["Yes", None]


def test_one_class_of_many_has_thresholds_and_a_gain(qtbot: QtBot) -> None:
    draw = np.random.default_rng(0)
    chances = draw.dirichlet((1.0, 1.0, 1.0), 90)
    truth = np.array([draw.choice(3, p=row) for row in chances])
    view = EvaluationView()
    qtbot.addWidget(view)
    view.show_evaluation({"classes": ["a", "b", "c"], "parts": {"test": payload(chances, truth, ["a", "b", "c"])}})
    qtbot.waitUntil(lambda: view.complete)
    card = next(card for card in view.cards() if isinstance(card, ThresholdCard))
    card.threshold.setValue(0.4)
    for place, label in enumerate("abc"):
        card.choice.set_value(place)
        called = int((chances[:, place] >= 0.4).sum())
        assert card.called.tp + card.called.fp == called and f"“{label}”" in card._said.text()
    gain = next(card for card in view.cards() if card.accessibleName() == "Gain and lift")
    chart = gain.findChildren(Chart)[0]
    first = list(chart._series["found"].y)
    gain.findChildren(ComboBox)[0].set_value(2)
    assert list(chart._series["found"].y) != first


def test_gain_turns_into_lift(view: EvaluationView) -> None:
    card = next(card for card in view.cards() if card.accessibleName() == "Gain and lift")
    chart, choice = card.findChildren(Chart)[0], card.findChildren(Segmented)[0]
    assert chart.names() == ["found", "chance"]
    choice.set_value("lift")
    assert chart.names() == ["times better than chance", "chance"]
    lift = chart._series["times better than chance"].y
    assert lift[0] == pytest.approx(2.0, rel=0.2) and lift[-1] == pytest.approx(1.0)  # half of the rows are cases


def test_a_row_and_a_cell_can_be_opened(view: EvaluationView, qtbot: QtBot) -> None:
    table: RecordTable[WorstRow] = next(table for table in view.findChildren(RecordTable)
                                        if table.accessibleName() == "Most wrong")
    with qtbot.waitSignal(view.row_opened) as opened:
        table.opened.emit(table.records.records[0])
    assert opened.args == [table.records.records[0].row] and opened.args[0] >= 1000
    with qtbot.waitSignal(view.cell_chosen) as chosen:
        view.findChildren(HeatMap)[0].chosen.emit(0, 1)
    assert chosen.args == ["No", "Yes"]


def test_of_a_thousand_classes_the_worst_are_shown_and_why_there_is_no_matrix(qtbot: QtBot) -> None:
    labels = [f"c{number}" for number in range(1000)]
    part = {"metrics": {"accuracy": 0.8}, "rows": 5, "confused": [
        {"actual": "c1", "predicted": "c2", "rows": 3, "of": 4}], "per_class": [
        {"class": label, "precision": 1.0, "recall": 1.0, "f1": 1 - number / 1000, "rows": 1}
        for number, label in enumerate(labels)]}
    view = EvaluationView()
    qtbot.addWidget(view)
    view.show_evaluation({"classes": labels, "parts": {"test": part}})
    qtbot.waitUntil(lambda: view.complete)
    assert titles(view) == ["Most confused", "Every class"]
    pairs, classes = view.cards()
    assert "matrix of 1,000 classes" in pairs._subtitle.text()
    assert ". 1,000 classes, those of least F1 first" in classes._subtitle.text()
    table = classes.findChild(RecordTable)
    assert table.records.records[0].label == "c999"
    chosen: list[tuple[object, object]] = []
    view.cell_chosen.connect(lambda *cell: chosen.append(cell))
    pairs.findChild(RecordTable).opened.emit(pairs.findChild(RecordTable).records.records[0])
    assert chosen == [("c1", "c2")]
    view.show_evaluation({"classes": labels, "parts": {"test": {"metrics": {"accuracy": 0.8}, "rows": 5}}})   # older
    qtbot.waitUntil(lambda: view.complete)
    assert titles(view) == ["Most confused", "Every class"] and "kept no scores" in view.cards()[1]._subtitle.text()
