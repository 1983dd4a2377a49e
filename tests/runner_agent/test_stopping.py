"""Cancel, finish, resume: what was asked is written down before it is done, and done once."""

from __future__ import annotations

import contextlib
import signal

import pytest

from mldesk.core.errors import Conflict
from mldesk.core.ids import new_id
from mldesk.wire.states import JobState
from runner_agent.folder import Command
from tests.runner_agent.bench import Bench, dense, kill, kinds, last, steps


def test_a_cancelled_job_stops_and_says_so(bench: Bench) -> None:
    job = bench.submit(steps=10_000, delay=0.01)
    bench.follow(job, until=lambda event: event.kind == "metrics")
    bench.runner.cancel(job)
    events = bench.follow(job)
    assert dense(events)
    assert [event.payload["asked"] for event in events if event.kind == "stopping"] == ["cancel"]
    assert last(events) == {"kind": "cancelled", "cause": "cancelled", "message": "Cancelled."}
    bench.runner.cancel(job)  # again is not wrong
    assert bench.runner.state(job) is JobState.CANCELLED


@pytest.mark.parametrize("deaf", [["cancel"], ["cancel", "SIGTERM"]])
def test_a_trainer_that_does_not_listen_is_stopped_all_the_same(bench: Bench, deaf: list[str]) -> None:
    job = bench.submit(steps=10_000, delay=0.01, deaf=deaf)
    bench.follow(job, until=lambda event: event.kind == "metrics")
    pid = bench.trainer_pid(job)
    bench.runner.cancel(job)
    assert bench.follow(job)[-1].kind == "cancelled"
    bench.wait_for(lambda: not any(process.pid == pid for process in bench.processes()))


def test_finish_keeps_the_model(bench: Bench) -> None:
    job = bench.submit(steps=10_000, delay=0.01)
    bench.follow(job, until=lambda event: event.kind == "metrics")
    bench.runner.finish(job)
    events = bench.follow(job)
    assert [event.payload["asked"] for event in events if event.kind == "stopping"] == ["finish"]
    assert events[-1].payload["result"]["finished_early"] is True
    bench.runner.finish(job)
    with pytest.raises(Conflict, match="succeeded already"):
        bench.runner.cancel(job)


def test_a_cancel_overrides_a_finish_that_takes_long(bench: Bench) -> None:
    job = bench.submit(steps=1, end="hang")
    bench.follow(job, until=lambda event: event.kind == "metrics")
    bench.runner.finish(job)
    bench.follow(job, until=lambda event: event.kind == "stopping")
    bench.runner.cancel(job)
    events = bench.follow(job)
    assert [event.payload["asked"] for event in events if event.kind == "stopping"] == ["finish", "cancel"]
    assert events[-1].kind == "cancelled"


def test_a_queued_job_is_cancelled_at_once_and_never_starts(bench: Bench) -> None:
    running, waiting = bench.submit(steps=10_000, delay=0.01), bench.submit(steps=1)
    with pytest.raises(Conflict, match="has not started"):
        bench.runner.finish(waiting)
    bench.runner.cancel(waiting)
    assert bench.runner.state(waiting) is JobState.CANCELLED
    bench.runner.cancel(waiting)
    bench.runner.cancel(running)
    bench.follow(running)
    assert kinds(bench.follow(waiting)) == ["queued", "cancelled"]
    assert not (bench.folder(waiting).path / "starts").exists()


def test_an_interrupted_job_goes_on_where_it_was_in_the_same_journal(bench: Bench) -> None:
    job = bench.submit(steps=40, delay=0.01, checkpoints=True)
    bench.follow(job, until=lambda event: event.seq == 10)
    kill(bench.trainer_pid(job))
    first = bench.follow(job)
    assert (first[-1].kind, first[-1].payload["cause"]) == ("interrupted", "killed_external")
    bench.runner.resume(job)
    second = bench.follow(job, after=first[-1].seq)
    events = first + second
    assert dense(events)
    assert kinds(second)[:3] == ["queued", "staged", "started"]
    assert second[2].payload["attempt"] == 2
    reached = second[2].payload["resumed_from"]
    assert steps(second) == list(range(reached + 1, 41))
    assert events[-1].kind == "succeeded"
    assert bench.runner.log(job)[0] == b"hello from the trainer\n" * 2
    with pytest.raises(Conflict, match="Only an interrupted job"):
        bench.runner.resume(job)


def test_an_interrupted_job_may_be_cancelled_instead(bench: Bench) -> None:
    job = bench.submit(end="signal:9")
    bench.follow(job)
    bench.runner.cancel(job)
    assert bench.runner.state(job) is JobState.CANCELLED
    with pytest.raises(Conflict):
        bench.runner.resume(job)


def test_a_cancel_of_one_attempt_does_not_stop_the_next(bench: Bench) -> None:
    job = bench.submit(steps=5, end="signal:9")
    first = bench.follow(job)
    bench.folder(job).add_command(Command(new_id(), "cancel", 1))  # it came too late to be acted on
    bench.runner.resume(job)
    assert kinds(bench.follow(job, after=first[-1].seq))[:3] == ["queued", "staged", "started"]


def test_a_cancel_counts_though_everything_is_killed_before_it_is_acted_on(bench: Bench) -> None:
    job = bench.submit(steps=10_000, delay=0.01)
    bench.follow(job, until=lambda event: event.seq == 5)
    supervisor = bench.supervisor(job)
    kill(supervisor, signal.SIGSTOP)
    bench.runner.cancel(job)
    kill(bench.trainer_pid(job))
    kill(supervisor)
    assert kinds(bench.follow(job))[-2:] == ["stopping", "cancelled"]


def test_a_cancel_is_heard_though_the_supervisor_is_frozen(bench: Bench) -> None:
    job = bench.submit(steps=10_000, delay=0.01)
    bench.follow(job, until=lambda event: event.seq == 5)
    frozen = bench.supervisor(job)
    assert frozen is not None
    kill(frozen, signal.SIGSTOP)
    try:
        bench.runner.cancel(job)
        events = bench.follow(job)
        assert dense(events)
        assert kinds(events).count("stopping") == 1
        assert events[-1].kind == "cancelled"
    finally:
        with contextlib.suppress(ProcessLookupError):
            kill(frozen, signal.SIGCONT)
