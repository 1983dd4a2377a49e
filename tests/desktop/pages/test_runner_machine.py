"""A runner's machine tab."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.runners.runner_machine import MachineView
from tests.desktop.fake_runners import machine

PLAN = "It gets torch: upload 351 MB."


@pytest.mark.parametrize(("trains", "shown", "hidden"), [(True, "ready", PLAN), (False, PLAN, "ready")])
def test_a_runner_that_can_train_is_ready_and_another_says_what_it_lacks(qtbot: QtBot, trains: bool, shown: str,
                                                                         hidden: str) -> None:
    view, record = MachineView(), machine("box", "me@box").record
    qtbot.addWidget(view)
    view.show_record(replace(record, options={"training": PLAN, "trains": trains}))
    texts = [label.text() for label in view.findChildren(QLabel)]
    assert shown in texts
    assert hidden not in texts


@pytest.mark.parametrize(("at_boot", "shown"), [
    ("systemd", "starts by systemd"), ("cron", "starts by the crontab"),
    ("next_connect", "starts when MLDesk connects next")])
def test_it_says_what_becomes_of_the_agent_after_a_reboot(qtbot: QtBot, at_boot: str, shown: str) -> None:
    view, record = MachineView(), machine("box", "me@box").record
    qtbot.addWidget(view)
    view.show_record(replace(record, options={"at_boot": at_boot}))
    texts = [label.text() for label in view.findChildren(QLabel)]
    assert texts[texts.index("After a reboot") + 1] == shown
