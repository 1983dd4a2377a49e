"""Runs are brought up to date all at once; a machine that is off holds up nobody for long."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from mldesk.core.errors import RunnerUnreachable
from mldesk.runners import RunnerClient
from mldesk.wire.events import Event
from mldesk.wire.states import JobState
from mldesk.workbench import refreshing
from mldesk.workbench.orders import TrainOrder
from tests.workbench.stand_ins import Desk, ScriptedRunner


class Stuck(ScriptedRunner):
    """Says nothing until its connection is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.stuck, self.closed = False, threading.Event()

    def events(self, job: str, after: int, *, limit: int = 1000, wait: float = 0.0) -> list[Event]:
        if self.stuck:
            assert self.closed.wait(60)
            raise RunnerUnreachable("This connection to the runner was closed.")
        return super().events(job, after, limit=limit, wait=wait)

    def close(self) -> None:
        self.closed.set()


class TwoDesks(Desk):
    """A runner here, and one elsewhere that may be stuck."""

    def __init__(self, folder: Path) -> None:
        self.far = Stuck()
        super().__init__(folder)
        self.library.runners.add("far", "ssh", "me@far")

    def _connect(self, record: object) -> RunnerClient:
        return self.far if record.name == "far" else self.runner  # type: ignore[attr-defined,return-value]


def test_a_runner_that_is_stuck_holds_up_nobody_and_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refreshing, "PATIENCE", 0.2)
    desk = TwoDesks(tmp_path / "home")
    far, near = (desk.runs.start(TrainOrder("shop", "grade", runner=name)) for name in ("far", "local"))
    second = desk.runs.start(TrainOrder("shop", "grade", runner="far"))
    desk.finish_job(near.id)
    desk.far.stuck = True
    (trouble,) = desk.runs.refresh()
    assert "far gave no answer" in trouble
    assert desk.runs.get(near.id).state is JobState.SUCCEEDED
    assert {desk.runs.get(run.id).state for run in (far, second)} == {JobState.QUEUED}
    assert desk.runners.show("far").trouble == trouble
    desk.runners.close()
    desk.runs.close()
    assert desk.runners.show("far").trouble == trouble  # that we hung up says nothing of the runner
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("refresh-")]
    desk.library.close()


def test_a_silent_runner_is_asked_once_however_many_runs_it_has(tmp_path: Path) -> None:
    desk = TwoDesks(tmp_path / "home")
    for _ in range(3):
        desk.runs.start(TrainOrder("shop", "grade", runner="far"))
    desk.far.down = 1
    assert desk.runs.refresh() == ["No answer."]
    assert desk.far.down == 0
    assert desk.runs.refresh() == []
    desk.close()
