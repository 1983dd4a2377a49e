"""A run goes from one runner to another and never runs at two, whatever is killed when."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mldesk.core.clock import SystemClock
from mldesk.core.errors import Conflict, NotFound, RunnerUnreachable
from mldesk.library import Library
from mldesk.runners import RunnerClient
from mldesk.wire.states import Cause, JobState
from mldesk.workbench import following
from mldesk.workbench.datasets import DatasetService
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.runners import RunnerService
from mldesk.workbench.runs import RunService
from tests.workbench.moving_runners import Cut, MovingRunner
from tests.workbench.stand_ins import Desk

ORDER = TrainOrder("shop", "grade", name="nomad", runner="old")


class Desks(Desk):
    """Two runners elsewhere beside the scripted one."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.old, self.new, self.third = (MovingRunner(name, self.library.objects) for name in ("old", "new", "third"))
        for name in ("old", "new", "third"):
            self.library.runners.add(name, "ssh", f"me@{name}")

    def _connect(self, record: object) -> RunnerClient:
        return {"local": self.runner, "old": self.old, "new": self.new,  # type: ignore[return-value]
                "third": self.third}[record.name]  # type: ignore[attr-defined]

    def running(self) -> str:
        """Return the id of a run that has taken three steps at the old runner."""
        run = self.runs.start(ORDER)
        self.old.start(run.id)
        return run.id

    def went_well(self, run: str, at: MovingRunner) -> None:
        """The run goes on at ``at`` from its last step, and nowhere else; the library holds every event once."""
        at.start(run)
        at.say(run, "succeeded", result={})
        list(self.runs.follow(run))
        events = self.library.runs.events(run)
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert [event.payload["step"] for event in events if event.kind == "metrics"] == list(range(1, 7))
        assert [event for event in events if event.kind == "started"][1].payload["resumed_from"] == 3
        assert sorted(self.old.starts + self.new.starts + self.third.starts) == [run, run]
        assert self.runs.get(run).state is JobState.SUCCEEDED
        assert self.runs.get(run).handover is None


@pytest.fixture
def desks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desks]:
    monkeypatch.setattr(following, "MOVE_PATIENCE", 0.0)
    opened = Desks(tmp_path / "home")
    yield opened
    opened.close()


def test_a_run_goes_on_elsewhere_from_its_last_checkpoint(desks: Desks) -> None:
    run = desks.running()
    said: list[str] = []
    moved = desks.runs.move("nomad", "new", report=lambda what, _part: said.append(what))
    assert (moved.runner, moved.state, moved.message) == ("new", JobState.QUEUED, "It moved from old to new.")
    assert said == ["old stops it", "Its checkpoint comes here", "new takes it over"]
    desks.went_well(run, desks.new)


def test_a_run_that_waits_is_withdrawn_and_waits_elsewhere(desks: Desks) -> None:
    run = desks.runs.start(ORDER).id
    assert desks.runs.move(run, "new").state is JobState.QUEUED
    assert desks.new.taken[run] is None
    assert desks.old.starts == []


@pytest.mark.parametrize("late", [False, True], ids=["asked", "answered"])
@pytest.mark.parametrize("runner", ["old", "new"])
@pytest.mark.parametrize("call", range(8))
def test_a_move_that_was_killed_anywhere_is_finished_by_moving_again(desks: Desks, runner: str, call: int,
                                                                     late: bool) -> None:
    run = desks.running()
    desks.runs.refresh()
    cut = getattr(desks, runner)
    cut.cut, cut.late = call, late
    try:
        desks.runs.move(run, "new")
    except Cut:
        pass
    else:
        cut.cut = -1
    assert desks.runs.move(run, "new").runner == "new"
    desks.went_well(run, desks.new)


@pytest.mark.parametrize("late", [False, True], ids=["asked", "answered"])
def test_whoever_follows_finishes_a_move_that_had_come_to_the_new_runner(desks: Desks, late: bool) -> None:
    run = desks.running()
    desks.new.cut, desks.new.late = 0, late
    with pytest.raises(Cut):
        desks.runs.move(run, "new")
    assert desks.runs.get(run).handover is not None
    desks.runs.refresh(run)
    assert desks.runs.get(run).state is JobState.QUEUED
    desks.went_well(run, desks.new)


def test_a_move_that_was_killed_may_be_answered_by_another_target(desks: Desks) -> None:
    run = desks.running()
    desks.new.cut, desks.new.late = 0, True  # it has it, and nobody heard so
    with pytest.raises(Cut):
        desks.runs.move(run, "new")
    assert desks.runs.move(run, "third").runner == "third"
    assert desks.new.state(run) is JobState.INTERRUPTED
    assert desks.library.runs.get(run).handover is None
    assert desks.new.starts == []


def test_a_new_runner_that_does_not_answer_leaves_the_run_where_it_is(desks: Desks) -> None:
    run = desks.running()
    desks.new.off = True
    with pytest.raises(RunnerUnreachable):
        desks.runs.move(run, "new")
    assert desks.old.state(run) is JobState.RUNNING
    assert desks.runs.get(run).runner == "old"


def test_a_run_may_not_leave_a_silent_runner_that_may_be_at_work_on_it(desks: Desks) -> None:
    run = desks.running()
    desks.runs.refresh()
    desks.old.off = True
    with pytest.raises(Conflict, match="never runs twice"):
        desks.runs.move(run, "new")
    assert desks.runs.get(run).state is JobState.RUNNING
    assert run not in desks.new.specs


@pytest.mark.parametrize(("cause", "resumes", "may"), [
    ("killed_external", False, True), ("node_reboot", False, False), ("host_oom", True, False)])
def test_a_run_that_was_interrupted_may_leave_a_silent_runner_unless_that_goes_on_by_itself(
        desks: Desks, cause: str, resumes: bool, may: bool) -> None:
    run = desks.running()
    desks.old.say(run, "interrupted", cause=cause, message="Gone.", hint="", **({"resumes": True} if resumes else {}))
    desks.runs.refresh()
    desks.old.off = True
    if not may:
        with pytest.raises(Conflict, match="never runs twice"):
            desks.runs.move(run, "new")
        assert run not in desks.new.specs
        return
    moved = desks.runs.move(run, "new")
    assert (moved.runner, "begins anew" in moved.message) == ("new", True)
    assert desks.new.taken[run] is None


def test_a_released_run_whose_checkpoint_is_out_of_reach_waits_for_it(desks: Desks) -> None:
    run = desks.running()
    desks.old.cut = 3  # after the release was heard of, before the checkpoint came
    with pytest.raises(Cut):
        desks.runs.move(run, "new")
    desks.runs.refresh(run)
    assert desks.runs.get(run).cause is Cause.MOVED
    desks.old.off = True
    with pytest.raises(Conflict, match="last checkpoint is still there"):
        desks.runs.move(run, "new")
    desks.old.off = False
    desks.runs.move(run, "new")
    desks.went_well(run, desks.new)


def test_a_run_that_was_quicker_than_its_move_has_ended(desks: Desks) -> None:
    run = desks.running()
    desks.old.say(run, "succeeded", result={})
    assert desks.runs.move(run, "new").state is JobState.SUCCEEDED
    with pytest.raises(Conflict, match="nothing left to move"):
        desks.runs.move(run, "new")


def test_another_face_that_follows_goes_on_at_the_new_runner(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "MOVE_PATIENCE", 60.0)
    run = desks.running()
    seen: list[int] = []
    released = threading.Event()
    with Library.open(desks.library.home) as library:
        other = RunService(library, DatasetService(library, library.home),
                           RunnerService(library, desks._connect, SystemClock()), SystemClock())

        def follow() -> None:
            for event in other.follow(run):
                seen.append(event.seq)
                if event.kind == "interrupted":
                    released.set()

        follower = threading.Thread(target=follow)
        follower.start()
        desks.old.release(run)
        assert released.wait(30)
        desks.runs.move(run, "new")
        desks.went_well(run, desks.new)
        follower.join(30)
        assert not follower.is_alive()
    assert seen == [event.seq for event in desks.library.runs.events(run)]


def test_a_run_of_a_forgotten_runner_stays_visible_and_says_so(desks: Desks) -> None:
    run = desks.running()
    desks.runs.refresh()
    desks.runners.forget("old")
    assert desks.runs.list()[0].id == run
    with pytest.raises(NotFound, match="does not know any more") as gone:
        list(desks.runs.follow(run))
    assert (gone.value.code, "mldesk runners add old" in gone.value.hint) == ("runner_forgotten", True)
    assert "does not know any more" in desks.runs.refresh()[0]
    assert desks.runs.get(run).state is JobState.RUNNING
    with pytest.raises(Conflict, match="never runs twice"):
        desks.runs.move(run, "new")
    desks.library.runners.add("old", "ssh", "me@old")
    desks.old.say(run, "succeeded", result={})
    list(desks.runs.follow(run))
    assert desks.runs.get(run).state is JobState.SUCCEEDED


def test_an_interrupted_run_of_a_forgotten_runner_begins_anew_elsewhere(desks: Desks) -> None:
    run = desks.running()
    desks.old.say(run, "interrupted", cause="killed_external", message="Gone.", hint="")
    desks.runs.refresh()
    desks.runners.forget("old")
    assert desks.runs.move(run, "new").runner == "new"
