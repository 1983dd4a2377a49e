"""The main job by a scripted user, on the real runner: the short version of what ``scripted_user`` plays in full."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from mldesk.core.resources import resource
from mldesk.wire.states import JobState
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
