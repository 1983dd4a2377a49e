"""The machine restarts: jobs say so, and go on by themselves if the runner is set so, each time once."""

from __future__ import annotations

import json

import pytest

from mldesk.wire.events import Event
from mldesk.wire.runner_view import RunnerSettings
from mldesk.wire.states import JobState
from tests.runner_agent.bench import Bench, dense, kill, kinds, last, steps

WAIT = RunnerSettings(on_reboot="wait")


def reboot(bench: Bench, job: str) -> None:
    """What a restart leaves: every process gone, and on disk the name of a boot that is no more."""
    for process in (bench.agent(), bench.supervisor(job), bench.trainer_pid(job)):
        kill(process)
    path = bench.folder(job).processes
    record = json.loads(path.read_bytes())
    record["trainer"]["boot"] = record["supervisor"]["boot"] = "the boot before"
    path.write_text(json.dumps(record))


def cut(bench: Bench, job: str, after: int = 0) -> list[Event]:
    """Have the machine restart in the middle of an attempt; return the events up to what is said of that."""
    first = bench.follow(job, after=after, until=lambda event: event.kind == "metrics")
    reboot(bench, job)
    return first + bench.follow(job, after=first[-1].seq)


def test_a_job_that_a_restart_cut_goes_on_by_itself_from_its_last_checkpoint(bench: Bench) -> None:
    job = bench.submit(steps=40, delay=0.02, checkpoints=True)
    events = cut(bench, job)
    assert (events[-1].kind, last(events)["cause"], last(events)["resumes"]) == ("interrupted", "node_reboot", True)
    assert "goes on by itself" in last(events)["hint"]
    after = bench.follow(job, after=len(events))
    assert dense(events + after)
    assert dict(after[0].payload) == {"attempt": 2, "by": "reboot"}
    last_step, resumed = steps(events)[-1], int(after[2].payload["resumed_from"])
    assert last_step - 1 <= resumed <= last_step    # a step is said, then its checkpoint written
    assert steps(events) + steps(after) == [*range(1, last_step + 1), *range(resumed + 1, 41)]
    assert after[-1].kind == "succeeded"
    assert kinds(events + after).count("queued") == 2


def test_a_runner_that_is_to_wait_leaves_the_job_to_its_owner(bench: Bench) -> None:
    bench.runner.configure(WAIT)
    job = bench.submit(steps=40, delay=0.02, checkpoints=True)
    events = cut(bench, job)
    assert "resumes" not in last(events)
    bench.runner.configure(RunnerSettings())  # too late for this one
    bench.runner.stop_agent()
    assert bench.runner.state(job) is JobState.INTERRUPTED
    bench.runner.resume(job)
    assert bench.follow(job, after=len(events))[-1].kind == "succeeded"


def test_it_goes_on_once_whatever_is_killed_meanwhile(bench: Bench) -> None:
    job = bench.submit(steps=60, delay=0.02, checkpoints=True)
    events = cut(bench, job)
    for _ in range(4):
        kill(bench.agent())
        bench.runner.hello()
    after = bench.follow(job, after=len(events))
    assert kinds(after).count("queued") == 1
    assert after[-1].kind == "succeeded"
    assert (bench.folder(job).path / "starts").read_bytes() == b"xx"


def test_an_agent_that_finds_the_interruption_written_down_goes_on_where_the_last_one_was_killed(bench: Bench) -> None:
    job = bench.submit(steps=40, delay=0.02, checkpoints=True)
    bench.follow(job, until=lambda event: event.kind == "metrics")
    for process in (bench.agent(), bench.supervisor(job), bench.trainer_pid(job)):
        kill(process)
    with bench.folder(job).writing() as journal:
        journal.append("interrupted", {"cause": "node_reboot", "message": "", "hint": "", "resumes": True})
        ended = journal.last_seq
    assert bench.follow(job, after=ended)[-1].kind == "succeeded"


@pytest.mark.parametrize("end", ["signal:9", "signal:11", "exit:3"])
def test_what_crashed_otherwise_never_goes_on_by_itself(bench: Bench, end: str) -> None:
    job = bench.submit(steps=1, end=end)
    bench.follow(job)
    bench.runner.stop_agent()
    other = bench.submit(steps=1)
    assert bench.follow(other)[-1].kind == "succeeded"
    assert bench.runner.state(job).ended
    assert kinds(bench.runner.events(job, 0)).count("queued") == 1


def test_a_job_that_may_be_what_restarts_the_machine_is_not_started_for_ever(bench: Bench) -> None:
    job = bench.submit(steps=10_000, delay=0.02, checkpoints=True)
    events: list[Event] = []
    for _ in range(4):
        events += cut(bench, job, after=len(events))
    assert [event.payload.get("resumes", False) for event in events if event.kind == "interrupted"] == [
        True, True, True, False]
    assert bench.runner.state(job) is JobState.INTERRUPTED


def test_a_cancel_under_way_counts_more_than_the_restart(bench: Bench) -> None:
    job = bench.submit(steps=10_000, delay=0.02, deaf=["cancel", "SIGTERM"])
    bench.follow(job, until=lambda event: event.kind == "metrics")
    bench.runner.cancel(job)
    bench.follow(job, until=lambda event: event.kind == "stopping")
    reboot(bench, job)
    assert bench.follow(job)[-1].kind == "cancelled"
