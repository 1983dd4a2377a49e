"""The trainer that is kept ready: it takes the next job, dies with its agent, and is never more than one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.runner_agent.bench import Bench, dense, kill, steps

pytestmark = pytest.mark.usefixtures("warm_as_ever")


@pytest.fixture
def warm(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, "--slots", "2")
    yield bench
    bench.close()


def _pairs(bench: Bench) -> list[psutil.Process]:
    return [process for process in bench.processes() if "--warm" in process.cmdline()
            and "runner_agent.supervisor" in process.cmdline()]


def _ready(bench: Bench) -> psutil.Process:
    bench.runner.hello()
    place = bench.home.runner / "warm"
    bench.wait_for(lambda: place.is_dir() and any(log.read_bytes() == b"ready\n" for log in place.glob("*.log")))
    return _pairs(bench)[0]


def test_the_next_job_runs_in_the_trainer_that_waits(warm: Bench) -> None:
    pair = _ready(warm)
    trainer = pair.children()[0].pid
    job = warm.submit(steps=7)
    events = warm.follow(job)
    assert dense(events)
    assert steps(events) == list(range(1, 8))
    assert events[2].payload["pid"] == trainer
    assert warm.runner.log(job)[0] == b"hello from the trainer\n"
    assert not list((warm.home.runner / "warm").glob(f"*{trainer}*"))


def test_a_resumed_job_keeps_its_log_when_a_warm_trainer_takes_it(warm: Bench) -> None:
    _ready(warm)
    job = warm.submit(steps=3, end="signal:9", print="first words")
    after = warm.follow(job)[-1].seq
    _ready(warm)
    warm.runner.resume(job)
    warm.follow(job, after=after)
    assert warm.runner.log(job)[0] == b"first words\n" * 2


def test_there_is_at_most_one_and_none_beside_a_job_that_just_began(warm: Bench) -> None:
    _ready(warm)
    job = warm.submit(steps=100, delay=0.01)
    warm.follow(job, until=lambda event: event.kind == "metrics")
    assert len(_pairs(warm)) == 1  # the job's own
    warm.follow(job)
    _ready(warm)
    assert len(_pairs(warm)) == 1


def test_it_dies_with_its_agent(warm: Bench) -> None:
    pair = _ready(warm)
    trainer = pair.children()[0].pid
    kill(warm.agent())
    warm.wait_for(lambda: not any(process.pid in (pair.pid, trainer) for process in warm.processes()))


@pytest.mark.parametrize("victim", ["supervisor", "trainer"])
def test_a_job_runs_though_the_warm_pair_was_killed(warm: Bench, victim: str) -> None:
    pair = _ready(warm)
    kill(pair if victim == "supervisor" else pair.children()[0])
    job = warm.submit(steps=3)
    events = warm.follow(job)
    assert steps(events) == [1, 2, 3]
    assert (warm.folder(job).path / "starts").read_bytes() == b"x"


def test_a_trainer_that_cannot_get_warm_is_not_tried_all_the_time(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "--slots", "1", "--trainer", '["false"]')
    try:
        bench.runner.hello()
        log = bench.home.logs / "agent.log"
        bench.wait_for(lambda: "the warm trainer ended" in log.read_text())
        assert bench.follow(bench.submit())[-1].kind == "failed"
        assert log.read_text().count("the warm trainer ended") == 1
    finally:
        bench.close()
