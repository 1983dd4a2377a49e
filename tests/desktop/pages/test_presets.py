"""Presets in the Train dialog: its menu, and what one gives over a table with other columns."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.runs.preset_menu import preset_entries
from mldesk.desktop.states.search import SearchWish
from mldesk.desktop.states.train import TrainState, fields_of
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.presets import Preset
from tests.desktop.fake_workbench import make_version


def test_the_menu_starts_from_a_preset_and_keeps_the_runner(qtbot: QtBot) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    shell: Any = SimpleNamespace(desk=SimpleNamespace(workbench=SimpleNamespace(presets=None)))
    state = TrainState(shell.desk, make_version(), TrainOrder("table@1", "y", runner="gpu"))
    begun: list[Any] = []
    presets = {"net": Preset({"estimator": "mlp"}, None)}
    entries = preset_entries(shell, host, presets, state, begun.append)
    assert [entry.title for entry in entries if entry.title] == [
        "Start from net", "Keep these settings as a preset…", "Bring in presets from a file…",
        "Write all presets to a file…", "Forget net"]
    entries[0].act()
    assert begun == [{"estimator": "mlp", "without": (), "runner": "gpu"}]
    empty = preset_entries(shell, host, {}, state, begun.append)
    assert [entry.why_not for entry in empty] == ["", "", "There is no preset yet."]


def test_columns_that_the_table_lacks_are_left_out() -> None:
    train = {"target": "price", "order": ["a"], "features": ["x", "z"], "without": ["id", "z"], "split": "group",
             "split_column": "town", "folds": 5}
    assert fields_of(Preset(train, None), make_version()) == {"without": ("id",), "folds": 5}
    found = fields_of(Preset({"target": "y"}, {"seconds": 90.0, "stack": True}), make_version())
    assert found["search"] == SearchWish(minutes=1.5, stack=True) and found["target"] == "y"
