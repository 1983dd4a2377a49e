"""One job through agent, supervisor and a fake trainer."""

from __future__ import annotations

import pytest

from mldesk.core.errors import BadInput, Conflict, NotFound
from mldesk.core.ids import new_id
from mldesk.wire.jobs import JobSpec, Limits
from mldesk.wire.protocol import PROTOCOL
from mldesk.wire.states import JobState
from tests.runner_agent.bench import Bench, dense, kinds, last, steps


def test_a_job_reports_every_step_and_succeeds(bench: Bench) -> None:
    job = bench.submit(steps=20)
    events = bench.follow(job)
    assert dense(events)
    assert kinds(events)[:3] == ["queued", "staged", "started"]
    assert steps(events) == list(range(1, 21))
    assert last(events) == {"kind": "succeeded", "result": {"finished_early": False, "steps": 20}}
    assert bench.runner.state(job) is JobState.SUCCEEDED
    text, offset = bench.runner.log(job)
    assert text == b"hello from the trainer\n"
    assert offset == len(text)
    assert bench.runner.log(job, offset) == (b"", offset)


def test_a_failed_job_says_the_trainers_own_reason(bench: Bench) -> None:
    events = bench.follow(bench.submit(end="failed"))
    assert last(events) == {"kind": "failed", "cause": "user_error", "message": "The data does not allow it.",
                            "hint": "Use other data."}


@pytest.mark.parametrize(("end", "kind", "cause", "words"), [
    ("exit:3", "failed", "internal", "exit code 3"),
    ("silent", "failed", "internal", "without a result"),
    ("signal:9", "interrupted", "killed_external", "SIGKILL"),
    ("signal:15", "interrupted", "killed_external", "SIGTERM"),
    ("exit:143", "interrupted", "killed_external", "SIGTERM"),
    ("signal:11", "failed", "internal", "SIGSEGV"),
])
def test_a_trainer_that_vanishes_is_told_from_one_that_is_killed(
        bench: Bench, end: str, kind: str, cause: str, words: str) -> None:
    events = bench.follow(bench.submit(end=end))
    assert dense(events)
    assert (events[-1].kind, events[-1].payload["cause"]) == (kind, cause)
    assert words in events[-1].payload["message"]
    if end == "exit:3":
        assert "something broke" in events[-1].payload["hint"]


def test_a_trainer_that_cannot_be_started_is_a_failure_with_the_reason(
        bench: Bench) -> None:
    bench.options += ["--trainer", '["/nowhere/trainer"]']
    events = bench.follow(bench.submit())
    assert events[-1].kind == "failed"
    assert "/nowhere/trainer cannot be started" in events[-1].payload["hint"]


def test_the_same_job_submitted_again_is_the_same_job(bench: Bench) -> None:
    spec = bench.spec(steps=3)
    bench.runner.submit(spec)
    bench.follow(spec.id)
    assert bench.runner.submit(spec) is JobState.SUCCEEDED
    assert (bench.folder(spec.id).path / "starts").read_bytes() == b"x"


def test_another_job_under_a_known_id_is_a_conflict(bench: Bench) -> None:
    job = bench.submit(steps=1)
    bench.follow(job)
    with pytest.raises(Conflict):
        bench.submit(id=job, steps=2)


def test_a_job_whose_data_is_not_there_is_refused_and_leaves_nothing(bench: Bench) -> None:
    spec = JobSpec(new_id(), "train", "", ("a" * 64,), {})
    with pytest.raises(NotFound, match="is not on the runner"):
        bench.runner.submit(spec)
    with pytest.raises(NotFound):
        bench.runner.state(spec.id)
    assert not bench.folder(spec.id).path.exists()


def test_jobs_wait_for_a_slot_in_the_order_they_came(bench: Bench) -> None:
    jobs = [bench.submit(steps=3, delay=0.05) for _ in range(3)]
    listed = {job["id"]: job["position"] for job in bench.runner.jobs()}
    assert listed[jobs[2]] > listed[jobs[1]] or listed[jobs[1]] == 0
    ends = [bench.follow(job)[1].time for job in jobs]
    assert ends == sorted(ends)
    assert bench.runner.jobs()[0] == {"id": jobs[2], "name": "a job", "state": "succeeded", "position": 0}


def test_a_time_limit_ends_a_job_as_timed_out(bench: Bench) -> None:
    events = bench.follow(bench.submit(limits=Limits(seconds=1.0), steps=10_000, delay=0.01))
    assert (events[-1].kind, events[-1].payload["cause"]) == ("failed", "timeout")
    assert "the limit it was given" in events[-1].payload["message"]


def test_a_memory_limit_ends_a_job_and_says_how_much_it_used(bench: Bench) -> None:
    events = bench.follow(bench.submit(limits=Limits(memory=1024), steps=10_000, delay=0.01))
    assert (events[-1].kind, events[-1].payload["cause"]) == ("failed", "host_oom")


def test_events_are_given_a_page_at_a_time_after_any_number(bench: Bench) -> None:
    job = bench.submit(steps=500)
    everything = bench.follow(job)
    for after in (0, 1, 63, 64, 65, 128, 333, len(everything) - 1):
        assert bench.runner.events(job, after, limit=7) == everything[after:after + 7]
    assert bench.runner.events(job, len(everything), wait=20) == []  # it is final: nobody waits


def test_what_the_runner_does_not_know_is_not_found(bench: Bench) -> None:
    for ask in (bench.runner.state, bench.runner.cancel, bench.runner.finish, bench.runner.resume):
        with pytest.raises(NotFound):
            ask(new_id())
    with pytest.raises(BadInput):
        bench.runner.state("../../etc")


def test_hello_says_what_the_machine_has(bench: Bench) -> None:
    facts = bench.runner.hello()
    assert facts["trains"] is True and facts["training"] == ""  # a trainer of its own
    assert facts["cores"] >= 1
    assert facts["memory"] > 0
    assert facts["protocol"] == list(PROTOCOL)
    assert "rpyc" in facts["versions"]
