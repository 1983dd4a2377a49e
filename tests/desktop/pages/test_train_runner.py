"""The choice of a runner in the Train dialog."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.runs.train_runner import RunnerSection
from mldesk.library.records import RunnerRecord


def test_a_runner_that_cannot_train_cannot_be_chosen_and_says_why(qtbot: QtBot) -> None:
    section = RunnerSection()
    qtbot.addWidget(section)
    bare = RunnerRecord("bare", "ssh", "me@bare", {"trains": False}, None, options={"training": "it has no packages."})
    able = RunnerRecord("able", "ssh", "me@able", {"trains": True}, None)
    assert section._option(bare).why_not == "it has no packages"
    assert section._option(able).why_not == ""
