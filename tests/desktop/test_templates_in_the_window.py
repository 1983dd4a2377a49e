"""A project to start from, on Home: its data come in, and Train begins with its target and settings."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.home_templates import TemplateCard
from mldesk.desktop.pages.runs.train_dialog import TrainDialog
from tests.desktop.scripted_user import User, dialogs, play


async def script(user: User) -> None:
    window = user.window
    await user.until(lambda: window.desk.ready.value, "the library")
    await user.shot("home")
    card = await user.until(lambda: user.find(TemplateCard, name="Wafer faults"), "the card")
    QTest.mouseClick(card, Qt.MouseButton.LeftButton)
    page = await user.until(window.dataset_page, "the dataset")
    version = await user.until(lambda: page.state.version.value, "its version")
    assert (version.dataset, version.rows) == ("wafer_faults", 1500)
    await user.shot("dataset")
    window.train("wafer_faults")
    dialog = await user.until(lambda: next((one for one in dialogs() if isinstance(one, TrainDialog)), None), "Train")
    order = dialog.state.order.value
    assert (order.target, order.folds, order.parameters) == ("faulty", 5, {"class_weight": "balanced"})
    assert order.features is not None and "wafer" not in order.features
    await user.until(lambda: dialog.state.check.value is not None, "what is said of the order")
    await user.shot("train")
    dialog.reject()
    assert "wafer_faults" in window.desk.workbench.presets.list()
    window.go("home")
    await user.shot("home-later")
    card = await user.until(lambda: user.find(TemplateCard, name="Wafer faults"), "the card")
    QTest.mouseClick(card, Qt.MouseButton.LeftButton)
    await user.until(window.dataset_page, "the dataset, as it is")
    assert [item.versions for item in window.desk.workbench.datasets.list()] == [1]


def test_a_project_is_started_from_home(tmp_path: Path, qtbot: QtBot) -> None:
    play(tmp_path / "home", script, patience=120, meet_machine=False)
