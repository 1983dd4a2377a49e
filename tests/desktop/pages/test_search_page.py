"""A search in the window: its leaderboard while it goes, the members of its model, and the form it is ordered with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from mldesk.desktop import words
from mldesk.desktop.pages.runs import train_opening
from mldesk.desktop.pages.runs.extend_dialog import ExtendDialog
from mldesk.desktop.pages.runs.leaderboard import LeaderboardCard, MembersCard
from mldesk.desktop.pages.runs.run import RunPage
from mldesk.desktop.pages.runs.search_form import SearchForm
from mldesk.desktop.pages.runs.searches import SearchesPage
from mldesk.desktop.states.lists import Standing
from mldesk.desktop.states.run_reasons import why_not_extend
from mldesk.desktop.states.search import Member, SearchWish, Trial
from mldesk.desktop.widgets import why_disabled
from mldesk.training.catalogue import estimators_for
from mldesk.training.search.budget import Estimate
from mldesk.wire.states import JobState
from tests.desktop.fake_runners import machine
from tests.desktop.fake_workbench import FakeDatasets, make_run
from tests.desktop.pages.test_run_page import FakeShell

TASK = "tabular_classification"
TRIALS = (Trial(1, 3, "lightgbm", {"learning_rate": 0.1}, "roc_auc", 0.9, 4.0),
          Trial(2, 1, "linear", {}, "roc_auc", 0.8, 1.0),
          Trial(0, 2, "knn", {}, "roc_auc", None, 0.5, "Out of memory."))


@pytest.fixture
def page(qtbot: QtBot, tmp_path: Path) -> RunPage:
    made = RunPage(FakeShell(tmp_path), "01RUN")  # type: ignore[arg-type]
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.show()
    return made


def cells(card: LeaderboardCard, row: int) -> list[str]:
    model = card.table.records
    return [str(model.index(row, column).data()) for column in range(model.columnCount())]


def test_the_leaderboard_shows_the_best_first_and_why_a_trial_failed(qtbot: QtBot) -> None:
    card = LeaderboardCard()
    qtbot.addWidget(card)
    assert "Choose a trial" in why_disabled(card.train)
    card.show_trials(TRIALS, "local")
    assert card.table.isColumnHidden(4)
    assert cells(card, 0) == ["1", "3", "LightGBM", "0.9000", "this machine", "4.0 s", "standard", "Learning rate 0.1"]
    assert cells(card, 1)[-1] == "its defaults"
    assert (cells(card, 2)[3], cells(card, 2)[-1]) == ("failed", "Out of memory.")
    weak = Trial(0, 4, "tabm", {}, "roc_auc", None, 0.5, "Given up after one fold.", weak=True)
    card.show_trials((*TRIALS, weak), "local")
    assert (cells(card, 3)[3], cells(card, 3)[-1]) == ("given up", "Given up after one fold.")
    card.table.select([3])
    with qtbot.waitSignal(card.wanted) as wanted:
        qtbot.mouseClick(card.train, Qt.MouseButton.LeftButton)
    assert wanted.args == [TRIALS[0]]
    piped = Trial(0, 5, "mlp", {}, "roc_auc", None, 0.5, "Pruned at step 90.", curve=((1, 0.9), (90, 0.8)),
                  pipeline="logarithm of the target", pruned=True)
    card.show_trials((*TRIALS, piped), "local")
    assert cells(card, 3)[3:] == ["pruned", "this machine", "0.5 s", "logarithm of the target", "Pruned at step 90."]
    card.table.select([5])
    assert not card.chart.isHidden()     # what was ended on the way has its curve
    assert card.about.text().endswith("How its columns are prepared: logarithm of the target. Pruned at step 90.")
    assert "keep the trial itself" in why_disabled(card.train)
    with qtbot.waitSignal(card.kept) as kept:
        qtbot.mouseClick(card.keep, Qt.MouseButton.LeftButton)
    assert kept.args == [piped]


def test_where_others_help_the_leaderboard_says_who_made_a_trial(qtbot: QtBot) -> None:
    card = LeaderboardCard()
    qtbot.addWidget(card)
    card.resize(1000, 400)
    card.show()
    card.show_trials((Trial(1, 9, "knn", {}, "roc_auc", 0.95, 1.0, runner="lab"), *TRIALS), "local")
    assert not card.table.isColumnHidden(4) and cells(card, 0)[4] == "lab"


def test_a_chosen_trial_shows_its_curve(qtbot: QtBot) -> None:
    card = LeaderboardCard()
    qtbot.addWidget(card)
    card.show()
    card.show_trials((replace(TRIALS[0], curve=((1.0, 0.7), (2.0, 0.5), (3.0, 0.6))), *TRIALS[1:]))
    assert card.chart.isHidden() and card.about.isHidden()
    card.table.selectRow(0)
    assert card.chart.names() == ["Trial 3"] and not card.chart.isHidden()
    assert card.about.text().startswith("How trial 3, LightGBM, learned")
    assert "0.6" in card.chart.csv()
    card.table.selectRow(1)
    assert card.chart.isHidden() and card.about.text() == "Trial 1 has no curve: its model is fitted in one step."
    card.table.selectRow(2)
    assert card.about.text() == "Trial 2 has no curve."


def test_searches_have_a_page_that_says_what_each_has_left(
        qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = FakeShell(tmp_path)
    shell.choose_import = lambda: None  # type: ignore[attr-defined]
    page = SearchesPage(shell)  # type: ignore[arg-type]
    qtbot.addWidget(page)
    page.resize(1100, 600)
    page.show()
    assert "Import a table first" in why_disabled(page.begin_button)
    page._data.datasets.value = tuple(FakeDatasets().list())
    page.state.runs.value = ()
    assert page._stack.currentIndex() == 2 and page.begin_button.isEnabled()      # none yet, and the way to the first
    page.state.runs.value = (
        make_run(kind="search", estimator="search", progress={"done": 20.0, "total": 80.0, "unit": "seconds"}),
        make_run("02RUN", kind="search", estimator="search", progress={"done": 4, "total": 10, "unit": "trials"}),
        make_run("03RUN", kind="search", estimator="blend", state=JobState.SUCCEEDED, finished=1010.0,
                 result={"trials": 12, "metrics": {}}))
    model = page.table.records
    page.state.standing.value = {"01RUN": Standing("roc_auc", 0.875, 7)}
    shown = {field.title: [str(model.index(row, column).data()) for row in range(3)]
             for column, field in enumerate(model.fields)}
    assert shown["Left"] == ["1 min", "6 trials", ""]
    assert shown["Trials"] == ["7", "4", "12"]
    assert shown["Score"] == ["ROC AUC 0.8750", words.MISSING, words.MISSING]
    tip = str(model.index(0, list(shown).index("Score")).data(Qt.ItemDataRole.ToolTipRole))
    assert tip == "ROC AUC 0.8750: the best of 7 trials so far, on rows that they were not fitted on"
    begun: list[tuple[str, Any]] = []
    monkeypatch.setattr(train_opening, "open_train_dialog", lambda _shell, *asked: begun.append(asked))
    qtbot.mouseClick(page.begin_button, Qt.MouseButton.LeftButton)
    assert begun == [(page.dataset.value(), {"search": SearchWish()})]
    page.dispose()


def test_a_second_fit_is_offered_of_a_search_that_has_ended(qtbot: QtBot) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    ended = make_run(kind="search", estimator="blend", state=JobState.SUCCEEDED, finished=1010.0)
    dialog = ExtendDialog(SimpleNamespace(host=host), ended)  # type: ignore[arg-type]
    dialog.by.set_value("refit")
    assert "fitted again on all rows but the test rows" in dialog.amount.editor.accessibleDescription()
    assert dialog.minutes.isHidden() and dialog.trials.isHidden()
    going = ExtendDialog(SimpleNamespace(host=host), make_run(kind="search"))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="refit"):
        going.by.set_value("refit")
    for result in ({"folds": 3, "forward": True}, {"folds": 1}):   # it would make the same model
        same = ExtendDialog(SimpleNamespace(host=host), replace(ended, result=result))  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="refit"):
            same.by.set_value("refit")


def test_a_search_is_paused_and_one_that_has_ended_extended(page: RunPage) -> None:
    page.state.run.value = make_run(kind="search", estimator="search")
    assert page._pause.isVisible() and page._pause.isEnabled() and not page._extend.isVisible()
    page.state.run.value = make_run(kind="search", estimator="blend", state=JobState.SUCCEEDED, finished=1010.0,
                                    result={"members": [], "metrics": {}})
    assert page._extend.isVisible() and not page._pause.isVisible()


@pytest.mark.parametrize(("asked", "by", "said"), [
    ({"seconds": 60.0}, "trials", "They come once its time is over."), ({"seconds": 60.0}, "time", ""),
    ({"trials": 5}, "time", "They come once its trials are made."), ({"trials": 5}, "trials", ""),
    ({"trials": 5, "seconds": 60.0}, "time", "They come once its time or its trials are over.")])
def test_what_a_search_is_given_beside_its_limits_comes_after_them(qtbot: QtBot, asked: dict[str, Any], by: str,
                                                                   said: str) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    dialog = ExtendDialog(SimpleNamespace(host=host), make_run(kind="search", spec={"payload": asked}))  # type: ignore[arg-type]
    dialog.by.set_value(by)
    assert dialog.amount.editor.accessibleDescription() == said
    assert why_not_extend(make_run(kind="search", spec={"payload": asked})) == ""
    assert "nothing to extend" in why_not_extend(make_run(kind="search", spec={"payload": {"target_score": 0.9}}))


def test_runners_that_help_are_chosen_among_the_others(qtbot: QtBot) -> None:
    form = SearchForm(SearchWish(helpers=("lab",), parallel=2))
    qtbot.addWidget(form)
    assert form.wish().helpers == ("lab",) and form._others_row.isHidden()
    form.offer_runners([machine("local").record, machine("lab").record, machine("attic").record], "local")
    assert list(form._helpers) == ["lab", "attic"] and form.wish().helpers == ("lab",)
    form.offer_runners([machine("local").record, machine("lab").record, machine("attic").record], "lab")
    assert list(form._helpers) == ["local", "attic"] and form.wish() == SearchWish(parallel=2)
    form.show_outlook(Estimate(5, 40, 600.0))
    assert form.outlook.text() == "About 40 trials in 10 min, each judged by 5 folds."
    form.show_outlook(Estimate(5, 40, 600.0, "group"))
    assert form.outlook.text() == "About 40 trials in 10 min, each judged by 5 folds of whole groups."
    form.show_outlook(Estimate(1, 40, 600.0, "column"))
    assert form.outlook.text() == "About 40 trials in 10 min, each judged by one validation part."


def test_a_long_leaderboard_shows_its_best_and_all_when_asked_without_a_bar_of_its_own(qtbot: QtBot) -> None:
    card = LeaderboardCard()
    qtbot.addWidget(card)
    card.show_trials(TRIALS)
    assert card.all.isHidden()
    many = [Trial(rank, rank, "knn", {}, "roc_auc", 1 / rank, 1.0) for rank in range(1, 31)]
    card.show_trials(many)
    assert card.all.text() == "Show all 30 trials" and not card.all.isHidden()
    few = card.table.maximumHeight()
    card.all.click()
    assert card.table.maximumHeight() > few + 20 * 25 and card.all.text() == "Show the best 8 only"
    card.show_trials([*many, Trial(31, 31, "knn", {}, "roc_auc", 0.01, 1.0)])
    assert card.all.isChecked()   # what was asked for holds while trials come
    wheel = QWheelEvent(QPointF(5, 5), QPointF(5, 5), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
                        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False)
    card.table.wheelEvent(wheel)
    assert not wheel.isAccepted()   # so that the page scrolls


def test_what_is_chosen_stays_chosen_while_trials_come(qtbot: QtBot) -> None:
    card = LeaderboardCard()
    qtbot.addWidget(card)
    card.show_trials(TRIALS)
    card.table.select([1])
    card.show_trials((Trial(1, 9, "knn", {}, "roc_auc", 0.95, 1.0), *TRIALS))
    assert [trial.number for trial in card.table.selected()] == [1] and card.train.isEnabled()


def test_the_page_of_a_search_has_a_leaderboard_and_that_of_a_training_none(page: RunPage) -> None:
    page.state.trials = TRIALS
    page.state.run.value = make_run(kind="search", estimator="search")
    assert page.training.leaderboard.isVisible() and len(page.training.leaderboard.table.records.records) == 3
    assert page.tabs.bar.button("training").text() == "Search"
    assert "the best trials so far" in page._finish.toolTip() and not page.training.members.isVisible()
    page.state.run.value = make_run(kind="train")
    assert not page.training.leaderboard.isVisible()


def test_a_search_that_ended_says_what_its_model_is_made_of(page: RunPage) -> None:
    member = {"trial": 3, "estimator": "lightgbm", "weight": 1.0, "score": 0.9, "parameters": {}}
    page.state.run.value = make_run(kind="search", estimator="blend", state=JobState.SUCCEEDED, finished=1010.0,
                                    result={"members": [member], "metrics": {}, "trials": 3, "failed_trials": 1})
    assert page.training.members.isVisible()
    assert page.training.members.table.records.records == [Member(3, "lightgbm", 1.0, 0.9, {})]


def test_a_trial_is_trained_with_its_own_model_and_parameters(page: RunPage, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []
    monkeypatch.setattr(train_opening, "open_train_dialog", lambda _, reference, like: opened.append((reference, like)))
    split = {"test_size": 0.3, "method": "group", "column": "id", "folds": 3}
    payload = {"train": {"seed": 7, "split": split, "features": ["x"]}, "seconds": 60.0, "ensemble": True}
    page.state.run.value = make_run(kind="search", estimator="blend", state=JobState.SUCCEEDED, finished=1010.0,
                                    spec={"payload": payload})
    page.training.leaderboard.wanted.emit(TRIALS[0])
    reference, like = opened[0]
    assert reference == "table@1" and like["search"] is None
    assert (like["estimator"], like["parameters"]) == ("lightgbm", {"learning_rate": 0.1})
    assert (like["seed"], like["test_size"], like["features"]) == (7, 0.3, ("x",))
    assert (like["split"], like["split_column"], like["folds"]) == ("group", "id", 3)
    page._train_again()
    assert opened[1][1]["search"] == SearchWish(minutes=1.0) and opened[1][1]["estimator"] == "auto"


def test_the_form_says_what_is_wished_and_what_keeps_it_from_being_ordered(qtbot: QtBot) -> None:
    form = SearchForm(SearchWish("trials", trials=5, metric="accuracy", estimators=("lightgbm", "linear")))
    qtbot.addWidget(form)
    form.offer(TASK, estimators_for(TASK))
    assert form.wish() == SearchWish("trials", 10.0, 5, "accuracy", ("lightgbm", "linear"))
    for tick in form._ticks.values():
        tick.setChecked(False)
    assert "at least one" in form.error()
    for tick in form._ticks.values():
        tick.setChecked(True)
    form.ends.set_value("time")
    form.blend.set_value("stack")
    assert form.wish().stack and form.wish().blend
    assert not form.columns.isHidden()
    form.columns.setChecked(True)
    assert form.wish().stack_columns
    form.blend.set_value(False)
    form.aim.set_value("")
    assert form.error() == "" and form.wish() == SearchWish("time", 10.0, 5, None, (), blend=False)


def test_the_form_asks_for_the_class_of_a_score_of_one(qtbot: QtBot) -> None:
    form = SearchForm(SearchWish())
    qtbot.addWidget(form)
    form.offer(TASK, estimators_for(TASK))
    assert form._class_row.isHidden()
    form.aim.set_value("f1:")
    assert not form._class_row.isHidden() and form.error() == "Name the class."
    form.of_class.setText(" Yes ")
    assert form.error() == "" and form.wish().metric == "f1:Yes"
    assert "F1 of Yes this high" in form.good_enough.accessibleDescription()
    again = SearchForm(form.wish())
    qtbot.addWidget(again)
    again.offer(TASK, estimators_for(TASK))
    assert again.wish() == form.wish() and not again._class_row.isHidden()


def test_members_that_vote_are_counted(qtbot: QtBot) -> None:
    card = MembersCard()
    qtbot.addWidget(card)
    card.show_members([Member(1, "linear", 0.6, 0.8, {}), Member(2, "knn", 0.4, 0.7, {})])
    assert "2 models vote" in card._subtitle.text()


def test_what_is_rarely_wanted_is_folded_away_until_it_was(qtbot: QtBot) -> None:
    form = SearchForm(SearchWish())
    qtbot.addWidget(form)
    form.offer(TASK, estimators_for(TASK))
    assert form._more.isHidden() and not form.refit.isHidden()
    form.more.click()
    assert not form._more.isHidden()
    form.ends.set_value("either")
    form.refit.setChecked(True)
    form.good_enough.setText("good")
    assert "a number" in form.error() and form.wish().good_enough is None
    form.good_enough.setText("0.9")
    assert form.error() == "" and form.wish() == SearchWish("either", refit=True, good_enough=0.9)
    form.aim.set_value("log_loss")
    assert "this low" in form.good_enough.accessibleDescription()
    again = SearchForm(form.wish())
    qtbot.addWidget(again)
    assert not again._more.isHidden() and again.wish() == SearchWish("either", refit=True, good_enough=0.9)
