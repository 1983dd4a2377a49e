"""One job through agent, supervisor and a fake trainer."""

from __future__ import annotations

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
