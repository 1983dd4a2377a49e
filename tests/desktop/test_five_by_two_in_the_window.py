"""The 5×2cv test of two runs in the real window: begun by its button, stopped, finished; it leaves no model behind.

Eight of the ten runs are written down as if they had been done elsewhere meanwhile, the two that are compared as well:
what is missing then is two, which are trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from mldesk.core.ids import new_id
from mldesk.desktop.pages.runs.compare import ComparePage
from mldesk.desktop.tasks import in_remote
from mldesk.desktop.widgets import why_disabled
from mldesk.library.records import Run
from mldesk.wire.events import Event
from mldesk.wire.jobs import JobSpec
from mldesk.workbench.bench import Workbench
from mldesk.workbench.orders import TrainOrder
from tests.cli.conftest import make_table
from tests.desktop.scripted_user import User, play

pytestmark = pytest.mark.timeout(1800)   # two runs take a minute on a machine under load


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def two_runs(bench: Workbench, table: Path) -> list[str]:
    """Return the ids of two runs of the same kind of model with other settings, which were done elsewhere."""
    bench.datasets.import_files([table], "shop")
    target = bench.datasets.show("shop").columns[-1].name
    bench.runners.drain("local", True)   # nothing is started here
    runs = [bench.runs.start(TrainOrder("shop", target, estimator="linear", parameters={"regularization": strength}))
            for strength in (1.0, 0.01)]
    for run in runs:
        bench.runs.cancel(run.id)
        assert list(bench.runs.follow(run.id))
    return done_elsewhere(bench, runs)


def done_elsewhere(bench: Workbench, cancelled: Sequence[Run]) -> list[str]:
    """Write down runs like these that succeeded; return their ids."""
    ids, scores = [], {"accuracy": 0.9, "roc_auc": 0.95}
    for number, run in enumerate(cancelled):
        spec = replace(JobSpec.from_json(run.spec), id=new_id())
        folds = {name: {"mean": value, "std": 0.0, "values": [value - number / 100, value + number % 3 / 100]}
                 for name, value in scores.items()}
        split = bench.library.objects.put_bytes(f"rows as seed {spec.payload['seed']} deals them".encode())
        started = {"attempt": 1, "pid": 1, "host": "elsewhere", "device": "cpu", "resumed_from": None}
        result = {"task": run.task, "metrics": dict(scores), "rows": {}, "seconds": 1.0, "estimator": run.estimator,
                  "parameters": dict(run.parameters), "split": split,
                  "cross_validation": {"folds": 2, "metrics": folds}}
        bench.library.runs.add(spec, "local", run.dataset, numbered=True)
        bench.library.runs.apply(spec.id, [Event(1, 1000.0, "started", started),
                                           Event(2, 1001.0, "succeeded", {"result": result})])
        ids.append(spec.id)
    return ids


async def begin_stop_and_go_on(user: User, table: Path) -> None:
    """Press the button while the runner starts nothing, stop, go on with what is missing, and look what it left."""
    await user.until(lambda: user.window.desk.ready.value, "the library")
    bench = user.window.desk.workbench
    runs = await in_remote(two_runs, bench, table)
    models = await in_remote(bench.models.list)
    user.window.compare_runs(runs)
    page: ComparePage = await user.until(lambda: user.window._seen("runs", "ComparePage"), "the comparison")
    await user.until(lambda: page.state.comparison.value and page.report.isEnabled(), "a report to be on offer")
    await user.press("Run 5×2cv")
    begun = await user.until(lambda: page.five.progress.isVisible() and (now := page.state.five.value) and
                             len(now.runs) == 10 and now, "its progress")
    assert begun.done == 0
    assert "0 of 10 runs are done" in page.five.progress._text.text()
    user.window.compare_runs([runs[0], begun.runs[0].id])   # of a run that waits there is no report yet
    other = await user.until(lambda: (now := user.window._seen("runs", "ComparePage")) is not page and now, "both")
    await user.until(lambda: why_disabled(other.report) == "The run has not ended.", "no report to be on offer")
    user.window.compare_runs(runs)
    page = await user.until(lambda: (now := user.window._seen("runs", "ComparePage")) and
                            now.state.ids == tuple(runs) and now, "the comparison again")
    await user.press("Stop")
    stopped = await user.until(lambda: (now := page.state.five.value) and not now.active and now, "all to be stopped")
    assert len(stopped.failed) == 10
    await user.until(lambda: not page.five.stop.isVisible() and not page.five.progress.isVisible(), "it to say so")
    there = await in_remote(done_elsewhere, bench, stopped.runs[:8])
    await in_remote(bench.runners.drain, "local", False)
    await user.press("Run what is missing")
    done = await user.until(lambda: (now := page.state.five.value) and now.done == 10 and now, "all ten")
    await user.until(lambda: page.five._result.count(), "what came of it")
    assert done.result["test"] == "5x2cv"
    assert set(there) < {run.id for run in done.runs}   # and the two that were missing
    assert not page.five.button.isVisible() and not page.five.progress.isVisible()
    assert await in_remote(bench.models.list) == models
    assert all(run.model is None and run.result["metrics"] for run in done.runs)


def test_it_is_begun_stopped_and_finished_and_keeps_no_model(home: Path, tmp_path: Path, qtbot: QtBot) -> None:
    table = make_table(tmp_path / "shop.csv")
    play(home, lambda user: begin_stop_and_go_on(user, table), patience=800, meet_machine=False)
