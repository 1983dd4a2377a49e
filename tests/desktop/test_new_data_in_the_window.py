"""A model meets newer data in the window: has it drifted, train it again, the old version against the new, promote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from mldesk.app import open_workbench
from mldesk.desktop.pages.models.challenge_dialog import ChallengeDialog
from mldesk.desktop.pages.models.drift_dialog import DriftDialog
from mldesk.desktop.pages.models.model import ModelPage
from mldesk.desktop.pages.models.retrain_dialog import RetrainDialog
from mldesk.desktop.pages.runs.run import RunPage
from mldesk.desktop.tasks import in_thread
from mldesk.desktop.widgets import why_disabled
from mldesk.wire.states import JobState
from mldesk.workbench.orders import TrainOrder
from tests.data_folder import SHARED
from tests.desktop.scripted_user import User, dialogs, play

pytestmark = pytest.mark.timeout(900)   # a machine under load may need minutes to start a trainer
MODEL = "penguins-Species"
D = TypeVar("D", bound=QDialog)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A library with a model trained on penguins@1, and a penguins@2 without some rows."""
    home = tmp_path / "home"
    with open_workbench(home) as bench:
        bench.datasets.import_files([SHARED / "tabular" / "penguins_raw.csv"], "penguins")
        run = bench.runs.start(TrainOrder("penguins", "Species", estimator="linear"))
        assert [event.kind for event in bench.runs.follow(run.id)][-1] == "succeeded", bench.runs.get(run.id)
        bench.models.promote(MODEL, 1)
        bench.cleaning.clean("penguins", [{"step": "filter", "where": '"Sample Number" > 8'}])
        for name in ("moved", "raw"):
            bench.datasets.export("penguins@1", tmp_path / f"{name}.parquet")
    try:
        yield home
    finally:
        with open_workbench(home) as bench:
            bench.runners.stop("local")


async def _dialog(user: User, kind: type[D]) -> D:
    found: D = await user.until(lambda: next((one for one in dialogs() if isinstance(one, kind)), None), kind.__name__)
    return found


async def _page(user: User, number: int) -> ModelPage:
    page: ModelPage = await user.until(lambda: next((
        one for one in user.window.findChildren(ModelPage) if one.isVisible() and one.state.version.value is not None
        and one.state.version.value.number == number), None), f"version {number}")
    return page


def _move(path: Path) -> None:
    """Let every penguin of the file live on an island that nobody knows."""
    table = pq.read_table(path)
    place = table.column_names.index("Island")
    pq.write_table(table.set_column(place, "Island", pa.array(["Atlantis"] * table.num_rows)), path)


async def _check(user: User, page: ModelPage, moved: Path) -> None:
    page.check_drift()
    dialog = await _dialog(user, DriftDialog)
    await user.until(lambda: dialog.source.value() == "penguins@2", "the newest version")
    dialog.primary.click()
    await user.until(dialog.table.isVisible, "the columns")
    assert "shifted" in dialog.notice.accessibleName()
    await user.shot("drift-dataset")
    dialog.source.choose_file(moved)
    assert not dialog.table.isVisible(), "what is shown is of the rows that are chosen"
    dialog.primary.click()
    await user.until(dialog.table.isVisible, "the columns")
    assert "1 of them much: Island." in dialog.notice.accessibleName()
    assert dialog.table.records.records[0].unseen == ("Atlantis",)
    await user.shot("drift-file")
    assert not dialog.clean.isVisible(), "its table was cleaned by nothing"
    await in_thread(moved.unlink)
    dialog.primary.click()
    await user.until(lambda: "There is no file" in dialog._error_text.text(), "what went wrong")
    dialog.reject()


async def _ways(user: User, page: ModelPage, estimator: str, ways: list[str]) -> None:
    """What can be asked for depends on what the model is."""
    version = page.state.version.value
    assert version is not None
    dialog = RetrainDialog(page.shell, replace(version, estimator=estimator))
    dialog.open()
    await user.until(lambda: dialog.source.value() == "penguins@2", "the newest version")
    assert dialog.how.value() == (ways[0] if ways else None)
    for way in ways:
        dialog.how.set_value(way)
    await user.shot(f"retrain-{estimator}")
    dialog.reject()


async def _retrain(user: User, page: ModelPage) -> None:
    page.retrain()
    dialog = await _dialog(user, RetrainDialog)
    await user.until(lambda: dialog.source.value() == "penguins@2", "the newest version")
    await user.shot("retrain")
    assert dialog.source.height() >= dialog.source.box.sizeHint().height()   # not cut where the window is low
    dialog.primary.click()
    run = await user.until(lambda: next((one for one in user.window.findChildren(RunPage) if one.isVisible()), None),
                           "the run's page")
    await user.until(lambda: run.state.run.value is not None and run.state.run.value.state.ended, "its end")
    assert run.state.run.value.state is JobState.SUCCEEDED, run.state.run.value
    assert (run.state.run.value.dataset, run.state.run.value.model) == ("penguins@2", f"{MODEL}@2")


async def _promote(user: User) -> None:
    user.window.open_model(MODEL, 2)
    page = await _page(user, 2)
    await user.until(page.newer.isVisible, "the offer to compare")
    await user.shot("model-newer")
    page.newer.button.click()
    dialog = await _dialog(user, ChallengeDialog)
    await user.until(dialog.table.isVisible, "the scores")
    assert [item.metric for item in dialog.table.records.records] == ["log_loss", "accuracy"]
    assert "learned from" in dialog._doubt.text()
    await user.shot("challenge")
    dialog.primary.click()
    await user.until(lambda: page.state.model.value is not None and page.state.model.value.promoted == 2, "promoted")
    await user.until(lambda: not page.newer.isVisible(), "nothing is left to compare")
    page.compare()
    dialog = await _dialog(user, ChallengeDialog)
    await user.until(dialog.table.isVisible, "the scores")
    assert "already" in why_disabled(dialog.primary)
    dialog.reject()


async def _clean_first(user: User, page: ModelPage, raw: Path) -> None:
    """Rows as they were before cleaning are cleaned as the model's table was, and then are like it."""
    page.check_drift()
    dialog = await _dialog(user, DriftDialog)
    await user.until(dialog.clean.isVisible, "the offer to clean")
    dialog.source.choose_file(raw)
    dialog.primary.click()
    await user.until(dialog.table.isVisible, "the columns")
    assert "Cleaning left" not in dialog.notice.accessibleName()
    dialog.clean.setChecked(True)
    assert not dialog.table.isVisible(), "what is shown is of rows that were not cleaned"
    dialog.primary.click()
    await user.until(dialog.table.isVisible, "the columns of cleaned rows")
    assert "Cleaning left 24 rows out." in dialog.notice.accessibleName(), dialog.notice.accessibleName()
    assert "like those the model learned from" in dialog.notice.accessibleName()
    await user.shot("drift-cleaned")
    dialog.reject()


def test_a_model_is_checked_retrained_compared_and_promoted(home: Path, tmp_path: Path, qtbot: QtBot) -> None:
    _move(tmp_path / "moved.parquet")

    async def script(user: User) -> None:
        await user.until(lambda: user.window.desk.ready.value, "the library")
        user.window.open_model(MODEL, 1)
        page = await _page(user, 1)
        assert not page.newer.isVisible()
        assert [entry.why_not == "" for entry in page.entries() if entry.title] == [
            True, True, True, False, False, True, True, True]
        await _check(user, page, tmp_path / "moved.parquet")
        for estimator, ways in (("lightgbm", ["anew", "warm"]), ("blend", ["anew", "search"]), ("linear", [])):
            await _ways(user, page, estimator, ways)
        await _retrain(user, page)
        await _promote(user)
        await _clean_first(user, await _page(user, 2), tmp_path / "raw.parquet")
        assert (await in_thread(user.window.desk.workbench.models.show, MODEL)).number == 2

    play(home, script, patience=300, meet_machine=False)
