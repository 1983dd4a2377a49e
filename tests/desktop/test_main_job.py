"""The main job by a scripted user, on the real runner: the short version of what ``scripted_user`` plays in full."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from mldesk.core.resources import resource
from mldesk.desktop.pages.runs.run import RunPage
from mldesk.desktop.tasks import in_remote
from mldesk.wire.states import JobState
from mldesk.workbench.bench import Workbench
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.searching import SearchOrder
from tests.desktop import scripted_user
from tests.desktop.scripted_user import User, play


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path]:
    """The first 500 customers of the sample to learn from, and 40 others."""
    lines = resource("samples", "telco_churn.csv").read_text("utf-8").splitlines(keepends=True)
    learn, ask = tmp_path / "telco_churn.csv", tmp_path / "new_customers.csv"
    learn.write_text("".join(lines[:501]), "utf-8")
    ask.write_text("".join([lines[0], *lines[1000:1040]]), "utf-8")
    return learn, ask


def test_the_main_job_from_a_dropped_file_to_predictions(home: Path, tables: tuple[Path, Path], tmp_path: Path,
                                                         qtbot: QtBot) -> None:
    async def script(user: User) -> dict[str, Any]:
        return await scripted_user.main_job(user, *tables, tmp_path, epochs=3)

    told = play(home, script, patience=200)
    assert told["run"].state is JobState.SUCCEEDED
    assert told["version"].number == 2 and len(told["version"].columns) == 20
    assert told["model"].metrics.keys() >= {"accuracy", "roc_auc"}
    with (tmp_path / "predictions.csv").open(encoding="utf-8", newline="") as file:
        predictions = list(csv.reader(file))
    assert predictions[0] == ["prediction", "probability_No", "probability_Yes"]
    assert len(predictions) == 41


def test_a_run_of_the_command_line_is_followed_finished_early_and_kept(home: Path, tables: tuple[Path, Path],
                                                                       qtbot: QtBot) -> None:
    async def script(user: User) -> None:
        import asyncio
        import subprocess
        import sys

        window = user.window
        await user.until(lambda: window.desk.ready.value, "the library")
        user.drop(tables[0])
        await user.until(window.dataset_page, "the dataset")
        window.go("runs")
        command = [sys.executable, "-m", "mldesk", "--home", str(home), "train", "telco_churn", "--target", "Churn",
                   "--model", "mlp", "--param", "epochs=100000", "--param", "patience=none", "--detach", "--json"]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
        listed = window.stack.currentWidget().list_page
        run = (await user.until(lambda: listed.state.runs.value, "the run"))[0]
        window.open_run(run.id)
        page = window.run_page()
        await user.until(lambda: page.state.curves.curves.get("validation_loss"), "a validation loss")
        assert window.sidebar._entries["runs"].count == "1"
        await user.press("Finish now")
        await user.until(lambda: page.state.run.value.state is JobState.SUCCEEDED, "the model")
        assert page.state.run.value.result["finished_early"]
        await user.until(lambda: page.state.evaluation.value and page.evaluation.complete, "the evaluation")
        assert page.tabs.value() == "evaluation"

    play(home, script, patience=200)


def _begin(bench: Workbench, kind: str) -> str:
    """Start what ends only when it is told to; return the run's id."""
    order = TrainOrder("telco_churn", "Churn", estimator="mlp", parameters={"epochs": 100_000, "patience": None})
    if kind == "search":
        return bench.searches.start(SearchOrder(order, trials=100_000, estimators=("linear",))).id
    return bench.runs.start(order).id


def _amount(page: RunPage) -> int:
    """Return how far a run is: its trials, or the steps of its curve."""
    curve = page.state.curves.curves.get("validation_loss")
    return len(page.state.trials) or (len(curve.values) if curve is not None else 0)


@pytest.mark.parametrize("kind", ["train", "search"])
def test_a_run_goes_on_while_no_window_is_open_and_the_next_one_shows_it(
        home: Path, tables: tuple[Path, Path], qtbot: QtBot, kind: str) -> None:
    async def begin(user: User) -> tuple[str, int]:
        bench = await user.until(lambda: user.window.desk.ready.value and user.window.desk.workbench, "the library")
        await in_remote(bench.datasets.import_files, [tables[0]], "telco_churn")
        run = await in_remote(_begin, bench, kind)
        user.window.open_run(run)
        page = user.window.run_page()
        await user.until(lambda: _amount(page), "something to look at")
        return run, _amount(page)

    run, seen = play(home, begin, patience=200, meet_machine=False)   # and the window is closed

    async def go_on(user: User) -> None:
        await user.until(lambda: [one.id for one in user.window.desk.active.value] == [run], "the run that goes on")
        user.window.open_run(run)
        page = user.window.run_page()
        await user.until(lambda: _amount(page) > seen + 1 and page.state.run.value, "what came meanwhile and since")
        assert not page.state.run.value.state.ended
        events = await in_remote(user.window.desk.workbench.library.runs.events, run, 0)
        assert [event.kind for event in events].count("started") == 1
        await user.press("Finish now")
        await user.until(lambda: page.state.run.value.state is JobState.SUCCEEDED, "the model")

    play(home, go_on, patience=200, meet_machine=False)
