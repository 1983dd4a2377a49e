"""Jobs that are not to start before a moment: they hold up nobody, outlive the agent, and go by the wall clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mldesk.core.errors import BadInput, Conflict
from mldesk.core.ids import new_id
from mldesk.runners.calls import RunnerTooOld
from mldesk.wire.jobs import JobSpec
from mldesk.wire.runner_view import RunnerSettings
from mldesk.wire.states import JobState
from runner_agent.cards import CardWatch
from runner_agent.dispatcher import Dispatcher
from runner_agent.folder import JobFolder
from runner_agent.jobs import Job, Jobs
from runner_agent.launcher import WarmPair
from runner_agent.settings import SettingsKeeper
from tests.runner_agent.bench import Bench, kill, kinds
from tests.runner_agent.test_waiting import Sleeper, Wall, wall

HOUR = 3600.0
__all__ = ["wall"]   # a fixture


class Alone:
    """A dispatcher without an agent, its clock in the hands of a test."""

    def __init__(self, root: Path, clock: Wall, *, warm: bool = False) -> None:
        self.jobs, command = Jobs(root), Sleeper(root, (), (1.0, 1.0, 1.0))
        self.warm = WarmPair(command, root / "warm", enabled=warm, clock=clock.now)
        self.keeper = SettingsKeeper(root, RunnerSettings(cpu_slots=8), lambda: None)
        self.dispatcher = Dispatcher(root, command, self.warm, self.keeper, CardWatch(), clock=clock)

    def queue(self, not_before: float = 0.0) -> Job:
        spec = JobSpec(new_id(), "train", "", (), {}, not_before=not_before)
        job = self.jobs.add(JobFolder.create(self.jobs.folder, spec))
        self.dispatcher.enqueue(job)
        return job

    def running(self) -> list[str]:
        self.dispatcher.tick()
        return [job.id for job in self.dispatcher.under_way()]

    def why(self) -> list[tuple[str, float]]:
        return [(item.why, item.starts) for item in self.dispatcher.queue_view().waiting]

    def is_warm(self) -> bool:
        self.dispatcher.tick()
        return self.warm._process is not None

    def close(self) -> None:
        if (process := self.warm._process) is not None:
            process.kill()
        self.warm.close()
        for item in self.dispatcher._running.values():
            assert item.process is not None
            item.process.kill()
            item.process.wait()


@pytest.fixture
def alone(tmp_path: Path, wall: Wall) -> Iterator[Alone]:
    found = Alone(tmp_path, wall)
    yield found
    found.close()


def test_no_trainer_is_kept_warm_while_all_that_waits_waits_for_hours(tmp_path: Path, wall: Wall,
                                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WarmPair, "_drop", _kill)   # what stands in for the pair does not end by itself
    alone, began = Alone(tmp_path, wall, warm=True), wall.now()
    try:
        wall.hour += 1 / 3600
        assert alone.is_warm()              # nothing waits, so anything may come
        alone.queue(began + HOUR)
        wall.hour += 200 / 3600
        assert alone.is_warm()
        wall.hour += 200 / 3600
        assert not alone.is_warm()
        wall.hour = (began + HOUR - 61) / 3600
        assert not alone.is_warm()
        wall.hour += 2 / 3600
        assert alone.is_warm()              # its moment is near
        alone.keeper.methods()["drain"](True)
        wall.hour += 400 / 3600
        assert not alone.is_warm()          # and nothing starts
    finally:
        alone.close()


def _kill(pair: WarmPair) -> None:
    if (process := pair._process) is not None:
        process.kill()
        process.communicate()
    pair._process = None


def test_a_job_waits_for_its_moment_and_holds_up_nobody(alone: Alone, wall: Wall) -> None:
    alone.keeper.methods()["configure"](RunnerSettings().to_json())   # one slot
    later = alone.queue(14 * HOUR)
    first, second = alone.queue(), alone.queue(13 * HOUR)
    assert alone.running() == [first.id]
    assert alone.why() == [("It starts at 1970-01-01 14:00.", 14 * HOUR), ("It starts at 1970-01-01 13:00.", 13 * HOUR)]
    wall.hour = 13.5
    assert alone.running() == [first.id]
    assert alone.why() == [("It starts at 1970-01-01 14:00.", 14 * HOUR), ("It waits for a free processor slot.", 0.0)]
    wall.hour = 14.0
    assert alone.why()[1] == ("It waits for its turn; 1 job is before it.", 0.0)
    assert alone.dispatcher.position(later) == 1
    assert second.starts == 13 * HOUR


def test_what_is_done_to_the_clock_only_counts_when_it_is_looked_at(alone: Alone, wall: Wall) -> None:
    job = alone.queue(13 * HOUR)
    wall.hour = 11.0       # set back, as when a wrong clock is put right
    assert alone.running() == []
    wall.hour = 500.0      # the machine slept for weeks
    assert alone.running() == [job.id]
    wall.hour = 1.0
    assert alone.running() == [job.id]   # what has begun goes on


def test_draining_and_quiet_hours_count_once_the_moment_has_come(alone: Alone, wall: Wall) -> None:
    alone.keeper.methods()["configure"](RunnerSettings(quiet=((13 * 60, 15 * 60),)).to_json())
    job = alone.queue(14 * HOUR)
    assert alone.why() == [("It starts at 1970-01-01 14:00.", 14 * HOUR)]
    wall.hour = 14.5
    assert alone.running() == []
    assert alone.why() == [("These are the runner's quiet hours; jobs start again at 15:00.", 0.0)]
    alone.keeper.methods()["drain"](True)
    wall.hour = 15.0
    assert alone.running() == []
    alone.keeper.methods()["drain"](False)
    assert alone.running() == [job.id]


def test_another_moment_is_kept_whoever_asks_next(alone: Alone, tmp_path: Path, wall: Wall) -> None:
    job, other = alone.queue(14 * HOUR), alone.queue()
    alone.dispatcher.schedule(job, 20 * HOUR, new_id())
    alone.dispatcher.schedule(other, 20 * HOUR, new_id())
    wall.hour = 15.0
    assert alone.running() == []
    following = Alone(tmp_path, wall)
    try:
        following.dispatcher.adopt(following.jobs.all())
        assert following.running() == []
        assert [found.starts for found in following.jobs.all()] == [20 * HOUR] * 2
        following.dispatcher.schedule(following.jobs.all()[1], 0.0, new_id())
        assert following.running() == [other.id]
    finally:
        following.close()


def test_a_job_starts_at_its_moment_though_nobody_is_there(bench: Bench) -> None:
    spec = bench.spec(steps=1)
    spec = JobSpec(spec.id, spec.kind, spec.name, (), spec.payload, not_before=time.time() + 1.5)
    bench.runner.submit(spec)
    bench.runner.close()       # no window, no command line
    journal = bench.folder(spec.id).journal
    bench.wait_for(lambda: b'"kind":"succeeded"' in journal.read_bytes())
    bench.runner = bench.client()
    began = next(event.time for event in bench.follow(spec.id) if event.kind == "started")
    assert began >= spec.not_before


def test_a_job_that_waits_for_its_time_is_steered_as_any_that_waits(bench: Bench) -> None:
    def later(hours: float = 5.0) -> str:
        spec = bench.spec(steps=1)
        bench.runner.submit(JobSpec(spec.id, "train", "", (), spec.payload, not_before=time.time() + hours * HOUR))
        return spec.id

    cancelled, paused, begun, past = later(), later(), later(), later(-1.0)
    assert bench.follow(past)[-1].kind == "succeeded"
    with pytest.raises(Conflict, match="has not started"):
        bench.runner.finish(cancelled)
    bench.runner.cancel(cancelled)
    assert bench.runner.state(cancelled) is JobState.CANCELLED
    bench.runner.reorder(begun, paused)
    bench.runner.prioritize(begun, 3)
    bench.runner.pause(paused)
    assert bench.runner.state(paused) is JobState.INTERRUPTED
    with pytest.raises(Conflict, match="does not wait"):
        bench.runner.start_at(paused, 0.0)
    bench.runner.resume(paused)        # which waits for its time, still
    kill(bench.agent())
    view = bench.runner.queue()
    assert [item.job for item in view.waiting] == [begun, paused]
    assert all(item.starts > time.time() and item.why.startswith("It starts at ") for item in view.waiting)
    bench.runner.start_at(begun, 0.0)
    events = bench.follow(begun)
    assert kinds(events)[:2] == ["queued", "scheduled"]
    assert kinds(events)[-1] == "succeeded"
    assert bench.runner.queue().waiting[0].job == paused
    with pytest.raises(BadInput):
        bench.runner.start_at(paused, -1.0)


def test_a_moment_that_was_chosen_later_goes_along_when_the_job_moves(bench: Bench) -> None:
    spec = bench.spec(steps=1)
    bench.runner.drain(True)
    bench.runner.submit(spec)
    moment = float(int(time.time() + HOUR))
    bench.runner.start_at(spec.id, moment)
    bench.runner.release(spec.id)
    history = bench.runner.history(spec.id)
    bench.runner.forget_job(spec.id)       # so that the runner has never heard of it
    assert bench.runner.take_over(spec, history, None) is JobState.QUEUED
    assert [item.starts for item in bench.runner.queue().waiting] == [moment]


def test_a_runner_that_knows_no_moments_is_not_given_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "--no-warm", "--protocol", "[1, 3]")
    try:
        spec = bench.spec(steps=1)
        later = JobSpec(spec.id, "train", "", (), spec.payload, not_before=time.time() + HOUR)
        history = b'00000000 {"kind":"scheduled","payload":{"not_before":1.0},"seq":1,"time":1.0}\n'
        for ask in (lambda: bench.runner.submit(later), lambda: bench.runner.take_over(later, b"", None),
                    lambda: bench.runner.take_over(spec, history, None), lambda: bench.runner.start_at(spec.id, 0.0)):
            with pytest.raises(RunnerTooOld, match="too old"):
                ask()  # type: ignore[operator]
        assert bench.runner.jobs() == []
    finally:
        bench.close()
