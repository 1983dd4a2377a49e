"""The 5×2cv test of two runs in the real window: begun by its button, stopped, finished; it leaves no model behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.runs.compare import ComparePage
from mldesk.desktop.tasks import in_remote
from mldesk.library.records import Run
from mldesk.workbench.bench import Workbench
from mldesk.workbench.orders import TrainOrder
from tests.cli.conftest import make_table
from tests.desktop.scripted_user import User, play, stop_agent

pytestmark = pytest.mark.timeout(1800)   # ten runs take minutes on a machine under load


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A library whose runner is gone in the end."""
    yield tmp_path / "home"
    stop_agent(tmp_path / "home")


def two_runs(bench: Workbench, table: Path) -> list[Run]:
    """Train the same kind of model twice, with other settings."""
    bench.datasets.import_files([table], "shop")
    target = bench.datasets.show("shop").columns[-1].name
    runs = [bench.runs.start(TrainOrder("shop", target, estimator="linear", parameters={"regularization": strength}))
            for strength in (1.0, 0.01)]
    for run in runs:
        assert list(bench.runs.follow(run.id))
    return [bench.runs.get(run.id) for run in runs]


async def begin_stop_and_go_on(user: User, table: Path) -> None:
    """Press the button while the runner starts nothing, stop, go on with what is missing, and look what it left."""
    await user.until(lambda: user.window.desk.ready.value, "the library")
    bench = user.window.desk.workbench
    runs = await in_remote(two_runs, bench, table)
    models = await in_remote(bench.models.list)
    user.window.compare_runs([run.id for run in runs])
    page: ComparePage = await user.until(lambda: user.window._seen("runs", "ComparePage"), "the comparison")
    await in_remote(bench.runners.drain, "local", True)
    await user.press("Run 5×2cv")
    begun = await user.until(lambda: page.five.progress.isVisible() and (now := page.state.five.value) and
                             len(now.runs) == 10 and now, "its progress")
    assert begun.done == 0
    assert "0 of 10 runs are done" in page.five.progress._text.text()
    await user.press("Stop")
    stopped = await user.until(lambda: (now := page.state.five.value) and not now.active and now, "all to be stopped")
    assert len(stopped.failed) == 10
    await user.until(lambda: not page.five.stop.isVisible() and not page.five.progress.isVisible(), "it to say so")
    await in_remote(bench.runners.drain, "local", False)
    await user.press("Run what is missing")
    done = await user.until(lambda: (now := page.state.five.value) and now.done == 10 and now, "all ten")
    await user.until(lambda: page.five._result.count(), "what came of it")
    assert done.result["test"] == "5x2cv"
    assert not page.five.button.isVisible() and not page.five.progress.isVisible()
    assert await in_remote(bench.models.list) == models
    assert all(run.model is None and run.result["metrics"] for run in done.runs)


def test_it_is_begun_stopped_and_finished_and_keeps_no_model(home: Path, tmp_path: Path, qtbot: QtBot) -> None:
    table = make_table(tmp_path / "shop.csv")
    play(home, lambda user: begin_stop_and_go_on(user, table), patience=800, meet_machine=False)
