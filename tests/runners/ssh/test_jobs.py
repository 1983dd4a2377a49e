"""Jobs over SSH: they run on a box of another user, through a network that does not hold."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mldesk.core.errors import Conflict, NotFound
from mldesk.core.ids import new_id
from mldesk.runners.client import RunnerClient
from mldesk.runners.ssh.client import SshRunner
from mldesk.wire.events import TERMINAL, Event
from mldesk.wire.jobs import JobSpec
from mldesk.wire.states import JobState
from tests.runner_agent.bench import dense, kinds, steps
from tests.runners.ssh.box import Box, Person, Sshd
from tests.runners.ssh.proxy import Proxy

PATIENCE = 60.0


@pytest.fixture(params=[False, True], ids=["paramiko", "system ssh"])
def runner(request: pytest.FixtureRequest, box: Box, person: Person, sshd: Sshd, proxy: Proxy) -> Iterator[SshRunner]:
    person.pin(sshd, proxy.port)
    if request.param:
        person.by_system()
    runner = box.runner(person, proxy.port)
    yield runner
    runner.close()


def spec(**payload: Any) -> JobSpec:
    return JobSpec(new_id(), "train", "a job", (), payload)


def follow(runner: RunnerClient, job: str, meanwhile: Callable[[list[Event]], object] = lambda _: None) -> list[Event]:
    """Return every event up to the terminal one."""
    events: list[Event] = []
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        events += runner.events(job, len(events), wait=2.0)
        if events and events[-1].kind in TERMINAL:
            return events
        meanwhile(events)
    raise AssertionError(f"nothing more came after {kinds(events)[-5:]}")


def test_a_job_survives_cuts_of_the_connection_without_a_gap(runner: SshRunner, proxy: Proxy) -> None:
    job = spec(steps=1000, delay=0.05)
    assert runner.submit(job) is JobState.QUEUED
    due = [3, 12, 25, 40]  # steps after which to cut; after the last one, the job is to finish instead

    def disturb(events: list[Event]) -> None:
        if due and len(steps(events)) >= due[0]:
            del due[0]
            proxy.cut() if due else runner.finish(job.id)

    events = follow(runner, job.id, disturb)
    assert dense(events)
    assert steps(events) == list(range(1, len(steps(events)) + 1))
    assert events[-1].kind == "succeeded"
    assert proxy.connections > 3


def test_a_connection_that_is_cut_under_a_long_poll_goes_on(runner: SshRunner, proxy: Proxy) -> None:
    job = spec(steps=2, end="hang")
    runner.submit(job)
    seen: list[Event] = []
    while "metrics" not in kinds(seen) or len(steps(seen)) < 2:
        seen += runner.events(job.id, len(seen), wait=2.0)
    got: list[Event] = []
    polling = threading.Thread(target=lambda: got.extend(runner.events(job.id, len(seen), wait=25.0)))
    polling.start()
    while proxy.connections < 1:
        time.sleep(0.01)
    time.sleep(0.2)
    proxy.cut()
    runner.cancel(job.id)
    polling.join(30)
    assert [event.seq for event in got][:1] == [len(seen) + 1]
    assert follow(runner, job.id)[-1].kind == "cancelled"


def test_what_is_refused_is_refused_as_it_is_here(runner: SshRunner) -> None:
    with pytest.raises(NotFound):
        runner.state(new_id())
    job = spec(steps=1)
    runner.submit(job)
    assert runner.submit(job) in JobState
    with pytest.raises(Conflict):
        runner.submit(JobSpec(job.id, "train", "another", (), {"steps": 2}))
    follow(runner, job.id)
    with pytest.raises(Conflict):
        runner.cancel(job.id)
    text, offset = runner.log(job.id)
    assert (text, offset) == (b"hello from the trainer\n", len(text))
    assert [item["id"] for item in runner.jobs()] == [job.id]


def test_an_agent_that_is_ended_is_started_again_and_its_job_is_untouched(runner: SshRunner) -> None:
    job = spec(steps=30, delay=0.05)
    runner.submit(job)
    runner.stop_agent()
    events = follow(runner, job.id)
    assert dense(events)
    assert steps(events) == list(range(1, 31))


def test_a_storm_of_submits_over_a_cutting_line_starts_each_job_once(
        box: Box, person: Person, sshd: Sshd, proxy: Proxy) -> None:
    person.pin(sshd, proxy.port)
    runner, chance = box.runner(person, proxy.port), random.Random(7)
    jobs = [spec(steps=1) for _ in range(12)]
    stop = threading.Event()

    def cutting() -> None:
        while not stop.wait(chance.uniform(1.5, 4.0)):
            proxy.cut()

    cutter = threading.Thread(target=cutting)
    cutter.start()
    try:
        for job in jobs:
            for _ in range(chance.randint(1, 4)):
                runner.submit(job)
    finally:
        stop.set()
        cutter.join()
    try:
        for job in jobs:
            assert dense(follow(runner, job.id))
            assert (box.place / "runner/jobs" / job.id / "starts").read_bytes() == b"x"
        assert len(runner.jobs()) == len(jobs)
    finally:
        runner.close()


def test_more_callers_than_a_link_takes_at_once_wait_their_turn(runner: SshRunner) -> None:
    runner.hello()
    answers: list[object] = []

    def ask() -> None:
        answers.extend([runner.jobs() for _ in range(20)])

    callers = [threading.Thread(target=ask) for _ in range(60)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(answers) == 60 * 20
