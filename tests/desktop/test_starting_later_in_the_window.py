"""Runs that begin later, in the window: ordered in the Train dialog, seen to wait, given another start, started.

    python -m tests.desktop.test_starting_later_in_the_window --out DIR [--mode dark] [--size 900x600]

leaves a screenshot of each step in DIR.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from pytestqt.qtbot import QtBot

from mldesk.desktop import words
from mldesk.desktop.pages.runs.run import RunPage
from mldesk.desktop.pages.runs.run_fields import began
from mldesk.desktop.pages.runs.start_dialog import StartDialog, start_now
from mldesk.desktop.pages.runs.train_dialog import TrainDialog
from mldesk.desktop.pages.runs.train_opening import open_train_dialog
from mldesk.desktop.status_bar import StatusBar
from mldesk.wire.states import JobState
from mldesk.workbench.orders import TrainOrder
from tests.desktop.life_user import dialog as dialog_of
from tests.desktop.life_user import page as page_of
from tests.desktop.pictures import picture_arguments
from tests.desktop.scripted_user import User, play, stop_agent


async def waits_and_is_moved(user: User) -> None:
    """Order two runs for later, look at them, give one another start, then none; cancel both."""
    page = await user.sample()
    shell, bench = page.shell, page.shell.desk.workbench
    open_train_dialog(shell, page.state.reference, {"target": "Churn", "without": ("tenure", "gender")})
    dialog = await dialog_of(user, TrainDialog)
    await user.until(lambda: dialog.state.check.value is not None, "what is said of the order")
    whole = dialog.features.columns.count()
    assert len(dialog.features.columns.values()) == whole - 2   # what is left out is seen
    assert "tenure" not in dialog.features.columns.values()
    dialog.when.kind.set_value("at")
    dialog.when.moment.set_value(time.time() - 60)
    assert "moment to come" in dialog.when.why_not()
    assert not dialog.primary.isEnabled()
    begin = float(int(time.time() / 60) * 60 + 5 * 3600)
    dialog.when.moment.set_value(begin)
    dialog.when.times.setValue(2)
    dialog.when.every.setCurrentIndex(2)   # a day apart
    await user.until(dialog.primary.isEnabled, "Train")
    dialog.page.ensureWidgetVisible(dialog.when)
    await user.settle(1.0)
    await user.shot("when")
    kept = dialog.state.set_up()
    assert isinstance(kept, TrainOrder)
    assert (kept.not_before, kept.without) == (0.0, ("tenure", "gender"))   # of which a preset keeps the columns only
    dialog.primary.click()
    seen = await page_of(user, RunPage)
    run = await user.until(lambda: seen.state.run.value, "the run")
    runs = bench.runs.list()
    assert run.not_before == begin == min(item.not_before or 0.0 for item in runs)
    assert len(runs) == 2
    await user.until(lambda: seen._notice.isVisible() and seen._notice.button.text() == "Start now", "that it waits")
    bar = user.window.findChild(StatusBar)
    assert bar is not None
    await user.until(lambda: bar.jobs.text() == "2 scheduled", "what is scheduled")
    assert began(run) == f"Starts {words.upcoming(begin)}"
    assert seen.training.curves.isHidden()
    await user.shot("it waits")
    shell.go("home")
    await user.shot("home")
    shell.go("runs")
    await user.shot("the list")
    shell.open_run(run.id)
    StartDialog(shell, run).open()
    sheet = await dialog_of(user, StartDialog)
    sheet.moment.set_value(begin + 3600)
    await user.shot("start at")
    sheet.confirmed.emit()
    await user.until(lambda: bench.runs.get(run.id).not_before == begin + 3600, "another start")
    bench.runners.drain("local", True)     # so that nothing is trained here
    start_now(shell, bench.runs.get(run.id))
    await user.until(lambda: bench.runs.get(run.id).not_before is None, "no start")
    await user.until(lambda: (now := bench.runners.queue("local").waiting) and not now[0].starts, "the queue")
    for item in runs:
        assert bench.runs.cancel(item.id).state is JobState.CANCELLED


def test_a_run_that_is_to_begin_later_waits_and_is_started(tmp_path: Path, qtbot: QtBot) -> None:
    play(tmp_path / "home", waits_and_is_moved, patience=60, meet_machine=False)


def main(arguments: list[str] | None = None) -> None:
    _, how = picture_arguments(argparse.ArgumentParser(), arguments)
    with tempfile.TemporaryDirectory() as folder:
        try:
            play(Path(folder) / "home", waits_and_is_moved, meet_machine=False, **how)
        finally:
            stop_agent(Path(folder) / "home")


if __name__ == "__main__":
    main()
