"""Runners and desktops of other versions: what both speak works, and the rest names the one step that mends it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mldesk.core.errors import BadInput, Conflict
from mldesk.runners import LocalRunner
from mldesk.runners.calls import RunnerTooOld
from mldesk.runners.ssh import programs
from mldesk.runners.ssh.errors import Refused
from mldesk.wire import bulk
from mldesk.wire.jobs import JobSpec, Resources
from mldesk.wire.protocol import METHODS, PROTOCOL, STEERED
from mldesk.wire.states import JobState
from tests.runner_agent.bench import Bench, kill, steps


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


UPGRADE = "mldesk runners upgrade local"


def speaking(client: LocalRunner, low: int, high: int) -> LocalRunner:
    client._protocol = (low, high)
    return client


def test_an_older_runner_does_all_that_it_can_and_is_not_asked_for_more(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "--no-warm", "--protocol", "[1, 1]")
    try:
        assert bench.runner.hello()["protocol"] == [1, 1]
        job = bench.submit(steps=3)
        assert steps(bench.follow(job)) == [1, 2, 3]
        spec = bench.spec()
        card = JobSpec(spec.id, "train", "", (), {}, Resources(gpu_memory=1))
        for ask in (bench.runner.queue, bench.runner.settings, bench.runner.cache, bench.runner.collect,
                    bench.runner.telemetry, bench.runner.agent_log, lambda: bench.runner.drain(True),
                    lambda: bench.runner.release(job), lambda: bench.runner.checkpoint(job),
                    lambda: bench.runner.take_over(spec, b"", None), lambda: bench.runner.forget_job(job),
                    lambda: bench.runner.submit(spec, priority=1), lambda: bench.runner.submit(card),
                    lambda: bench.runner.tell(job, "a", {"learning_rate": 0.1}, since=STEERED)):
            with pytest.raises(RunnerTooOld) as caught:
                ask()  # type: ignore[operator]
            assert UPGRADE in caught.value.hint
            assert isinstance(caught.value, Conflict)
            assert caught.value.code == "runner_too_old"
        assert bench.runner.submit(spec) is JobState.QUEUED
    finally:
        bench.close()


def test_an_agent_that_an_older_mldesk_started_here_is_replaced_and_its_jobs_go_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "--no-warm", "--protocol", "[1, 1]")
    try:
        older = speaking(bench.client(), 1, 1)
        job = bench.spec(steps=50, delay=0.02)
        older.submit(job)
        before = bench.agent().pid
        bench.options[-2:] = []
        newer = LocalRunner(bench.home, agent_options=bench.options)
        assert newer.queue().slots[0].job in ("", job.id)
        assert bench.agent().pid != before
        assert older.state(job.id) in (JobState.QUEUED, JobState.PREPARING, JobState.RUNNING)
        assert steps(bench.follow(job.id)) == list(range(1, 51))
        older.close()
        newer.close()
    finally:
        bench.close()


@pytest.mark.parametrize(("ours", "theirs", "remedy"), [
    ((3, 3), "[1, 2]", "mldesk runners upgrade"), ((1, 1), "[2, 2]", "Upgrade MLDesk"),
])
def test_ends_that_share_no_version_say_which_of_them_to_upgrade(tmp_path: Path, ours: tuple[int, int], theirs: str,
                                                                remedy: str) -> None:
    bench = Bench(tmp_path, "--no-warm", "--protocol", theirs)
    try:
        speaking(bench.runner, *ours)
        with pytest.raises(BadInput, match="too old") as caught:
            bench.runner.jobs()
        assert remedy in caught.value.hint
    finally:
        speaking(bench.runner, 1, 2)
        bench.close()


def test_a_newer_desktop_that_still_speaks_our_versions_is_served(bench: Bench) -> None:
    newer = speaking(bench.client(), 2, 3)
    newer._renewed = True  # it would replace our agent with its own, which is not to be had here
    assert newer.queue().waiting == ()
    newer.close()


def test_a_runner_that_became_older_meanwhile_is_noticed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "--no-warm")
    try:
        bench.runner.queue()
        bench.runner._renewed = True
        bench.options += ["--protocol", "[1, 1]"]
        kill(bench.agent())
        with pytest.raises(RunnerTooOld):
            bench.runner.queue()
    finally:
        bench.close()


@pytest.mark.parametrize(("theirs", "remedy"), [([PROTOCOL[1] + 1, PROTOCOL[1] + 2], "Upgrade MLDesk"),
                                                ([0, 0], "mldesk runners upgrade"), (None, "mldesk runners upgrade")])
def test_the_first_line_of_a_runner_over_ssh_already_tells(theirs: object, remedy: str) -> None:
    with pytest.raises(Refused) as caught:
        programs._check({"rpyc": "6.0.2", "bulk": bulk.VERSION, "protocol": theirs})
    assert remedy in caught.value.hint


def test_every_method_says_since_when_there_is_one() -> None:
    assert {name for name, method in METHODS.items() if method.since == 1} == {
        "hello", "submit", "events", "state", "cancel", "finish", "resume", "log", "jobs", "have", "put", "complete",
        "get", "shutdown"}
