"""What the page of a run shows and offers in each state, without a runner."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from mldesk.desktop.actions import Actions
from mldesk.desktop.pages.runs.rate_dialog import RateDialog
from mldesk.desktop.pages.runs.run import RunPage
from mldesk.desktop.pages.runs.run_facts import settings
from mldesk.desktop.preferences import PreferencesFile
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.states.run_reasons import why_not_rate
from mldesk.wire.runner_view import Waiting
from mldesk.wire.states import Cause, JobState
from tests.desktop.fake_workbench import make_run


class FakeShell:
    """The little of a window that the page asks for."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk(lambda: None)  # type: ignore[arg-type,return-value]
        self.preferences = PreferencesFile(folder / "window.json")
        self.registry = Actions()

    def go(self, place: str) -> None: ...


@pytest.fixture
def page(qtbot: QtBot, tmp_path: Path) -> RunPage:
    made = RunPage(FakeShell(tmp_path), "01RUN")  # type: ignore[arg-type]
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.show()
    return made


def show(page: RunPage, state: JobState, **fields: Any) -> None:
    page.state.run.value = make_run(state=state, **fields)


def test_while_it_runs_it_can_be_finished_or_cancelled(page: RunPage) -> None:
    progress = {"done": 3, "total": 12, "unit": "epochs", "rate": 1.5, "eta": 6.0}
    show(page, JobState.RUNNING, stage="Training", progress=progress)
    assert page._cancel.isEnabled() and page._finish.isEnabled()
    assert not page._again.isVisible() and not page._model.isVisible() and not page._notice.isVisible()
    assert "Training · 25%" in page.training.progress._line._text.text()
    assert "3 / 12 epochs" in page.training.progress._facts.text()


def test_a_run_says_how_fast_it_goes_and_what_it_takes_of_the_machine(page: RunPage) -> None:
    progress = {"done": 3, "total": 12, "unit": "epochs", "rate": 0.25, "rows": 1234.5, "eta": 36.0}
    for number, load in enumerate((150.0, 90.0)):
        page.state.machine.add(1000.0 + number, {"cpu": load, "memory": 2e9, "gpu": load / 2, "gpu_memory": 3e9})
    show(page, JobState.RUNNING, stage="Training", progress=progress)
    facts, machine = page.training.progress._facts.text(), page.training.machine
    assert "4.0 s each" in facts and "1,234 rows/s" in facts
    assert machine._cpu._value.text() == "90 % of a core"
    assert machine._gpu._value.text() == "45 % · 3.0 GB in use" and not machine._gpu.isHidden()
    show(page, JobState.SUCCEEDED, finished=1010.0, progress=progress, result={"metrics": {}})
    assert machine._cpu._value.text() == "at most 150 % of a core"
    assert "rows/s" not in page.training.progress._facts.text()


def test_what_is_left_of_a_search_is_said_once(page: RunPage) -> None:
    progress = {"done": 42.0, "total": 300.0, "unit": "seconds", "rate": 1.0, "eta": 258.0}
    show(page, JobState.RUNNING, kind="search", stage="Searching", progress=progress)
    assert " left" not in page.training.progress._facts.text()
    show(page, JobState.RUNNING, kind="search", stage="Searching", progress={**progress, "eta": None})
    assert "4 min 18 s left" in page.training.progress._facts.text()


def test_settings_stand_in_one_order_whoever_wrote_them_down() -> None:
    asked = {"learning_rate": 0.1, "rounds": 50, "own": 1}
    going, ended = (settings(make_run(estimator="lightgbm", parameters=given))
                    for given in (asked, dict(reversed(asked.items()))))
    assert going == ended and len(going) == 4


def test_before_training_begins_finish_is_off_and_says_why(page: RunPage) -> None:
    show(page, JobState.QUEUED, started=None)
    assert not page._finish.isEnabled()
    assert "no model to keep" in page._finish.toolTip()
    assert page._cancel.isEnabled()


def test_an_interrupted_run_offers_to_go_on(page: RunPage, qtbot: QtBot) -> None:
    show(page, JobState.INTERRUPTED, cause=Cause.KILLED_EXTERNAL, message="Something stopped it.", finished=1010.0)
    assert page._notice.isVisible()
    assert page._notice.button.text() == "Resume"
    assert page._again.isVisible() and not page._cancel.isVisible()


def test_a_run_that_a_person_paused_is_called_so(page: RunPage) -> None:
    show(page, JobState.INTERRUPTED, cause=Cause.PAUSED, message="It was paused.", finished=1010.0)
    assert page._badge.text == "Paused" and page._notice.button.text() == "Resume"
    assert page.training.progress._line._text.text().startswith("Paused")
    show(page, JobState.INTERRUPTED, cause=Cause.KILLED_EXTERNAL, message="Something stopped it.", finished=1010.0)
    assert page._badge.text == "Interrupted"


def test_a_run_that_finishes_early_is_not_called_stopping_and_can_still_be_cancelled(page: RunPage) -> None:
    show(page, JobState.STOPPING, cause=Cause.FINISHING)
    assert page._badge.text == "Finishing"
    assert page.training.progress._line._text.text().startswith("Finishing early")
    show(page, JobState.STOPPING, cause=Cause.CANCELLED)
    assert page._badge.text == "Stopping"


def test_what_speaks_against_the_scores_stands_over_every_tab(page: RunPage) -> None:
    leak = "told alone gives 1.000 of ROC AUC: is it known beforehand?"
    show(page, JobState.SUCCEEDED, finished=1010.0, result={"warnings": [
        "Only 9 test rows.", f"{leak} `mldesk data guard t --target 'a b'` shows the rows."]})
    assert page._notice.isVisible() and page._notice.button.text() == "Look at the data"
    assert page._notice._text.text() == f"Only 9 test rows.\n{leak}"
    show(page, JobState.SUCCEEDED, result={"warnings": []}, finished=1010.0)
    assert not page._notice.isVisible()


def test_a_failed_run_says_what_happened_and_what_to_do(page: RunPage) -> None:
    show(page, JobState.FAILED, cause=Cause.GPU_OOM, message="The GPU is full.", hint="Halve the batch.",
         finished=1010.0)
    assert "The GPU is full. Halve the batch." in page._notice.accessibleName()


def test_silence_of_the_runner_is_shown_and_not_taken_for_an_end(page: RunPage) -> None:
    show(page, JobState.RUNNING)
    page.shell.desk.unreachable.value = {"01RUN": 1000.0}
    assert page._badge.text == "Out of reach"
    assert "may well go on" in page._notice.accessibleName()
    assert page._cancel.isEnabled()
    page.shell.desk.unreachable.value = {}
    assert page._badge.text == "Running"
    assert not page._notice.isVisible()


def test_a_run_that_succeeded_leads_to_its_model(page: RunPage) -> None:
    show(page, JobState.SUCCEEDED, model="m@2", finished=1010.0, result={"finished_early": True, "metrics": {}})
    assert page._model.isVisible()
    assert "Finished early" in page.training.progress._line._text.text()
    assert "took 9.0 s" in page.training.progress._facts.text()


def test_a_run_that_waits_says_its_place_and_why(page: RunPage) -> None:
    page.state.place.value = Waiting("01RUN", "a run", 0, 2, "a card with 24 GB is free first")
    show(page, JobState.QUEUED, started=None, runner="box")
    assert page._badge.text == "Waiting, 2nd"
    assert "Waiting on box, 2nd in line: a card with 24 GB" in page.training.progress._line._text.text()
    assert page._where.text == "box"


def test_a_run_out_of_reach_says_since_when_and_why_and_can_be_tried(page: RunPage) -> None:
    page.shell.desk.reasons["01RUN"] = "The machine is off."
    page.shell.desk.unreachable.value = {"01RUN": 1000.0}
    show(page, JobState.RUNNING, runner="box")
    assert page._notice._title.text().startswith("box is unreachable since")
    assert "The machine is off." in page._notice._text.text()
    assert page._notice.button.text() == "Try now" and page._badge.text == "Out of reach"


def test_a_run_on_its_way_to_another_runner_says_so(page: RunPage) -> None:
    show(page, JobState.INTERRUPTED, runner="box", handover={"from": "local", "checkpoint": None})
    assert page._badge.text == "Moving" and "on its way to box" in page._notice._title.text()
    assert not page._notice.button.isVisible()


def test_another_learning_rate_is_asked_for_while_a_model_is_trained_step_by_step(qtbot: QtBot) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    going = make_run(spec={"payload": {"estimator": "mlp", "parameters": {"learning_rate": 0.002}}})
    dialog = RateDialog(SimpleNamespace(host=host), going)  # type: ignore[arg-type]
    assert dialog.rate.text() == "0.002" and dialog.wanted() == 0.002
    for text, wanted in (("1e-4", 0.0001), ("0", None), ("2", None), ("nan", None), ("fast", None), ("", None)):
        dialog.rate.setText(text)
        assert dialog.wanted() == wanted, text
    assert why_not_rate(going) == ""
    assert "does not learn step by step" in why_not_rate(make_run(spec={"payload": {"estimator": "linear"}}))
    assert "CatBoost keeps the one" in why_not_rate(make_run(spec={"payload": {"estimator": "catboost"}}))
    assert "Only that of a training" in why_not_rate(make_run(kind="search"))
    assert "nothing left to learn" in why_not_rate(make_run(state=JobState.SUCCEEDED))
