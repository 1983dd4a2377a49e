"""Jobs that wait: in which order, for what, on which card, and how they are held back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mldesk.core.errors import BadInput, Conflict
from mldesk.core.ids import new_id
from mldesk.wire.jobs import JobSpec, Resources
from mldesk.wire.runner_view import RunnerSettings
from mldesk.wire.states import JobState
from runner_agent.cards import CardWatch
from runner_agent.dispatcher import Dispatcher
from runner_agent.folder import JobFolder
from runner_agent.jobs import Jobs
from runner_agent.launcher import Command, WarmPair
from runner_agent.settings import SettingsKeeper
from tests.runner_agent.bench import Bench, kill, kinds, last

LISTED = "0, GPU-small, RTX 4090, 24564\n1, GPU-large, NVIDIA H200, 143771\n"
GB = 10**9


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put an nvidia-smi of a few lines on the path, for agents that are started afterwards."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def install(script: str) -> None:
        (folder / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "nvidia-smi").chmod(0o700)
    return install


def wanting(bench: Bench, wanted: Resources, **payload: object) -> str:
    spec = JobSpec(new_id(), "train", "a job", (), payload, wanted)
    bench.runner.submit(spec)
    return spec.id


def waiting(bench: Bench) -> list[str]:
    return [item.job for item in bench.runner.queue().waiting]


def started(bench: Bench, job: str) -> float:
    return next(event.time for event in bench.follow(job) if event.kind == "started")


# --- the order


def test_the_order_people_made_outlives_the_agent_and_is_the_order_of_the_starts(bench: Bench) -> None:
    running = bench.submit(steps=10_000, delay=0.01)
    a, b, c, d = (bench.submit(steps=1) for _ in range(4))
    urgent = bench.spec(steps=1)
    bench.runner.submit(urgent, priority=7)
    bench.wait_for(lambda: bench.runner.state(running) is JobState.RUNNING)
    bench.runner.reorder(d, b)
    bench.runner.prioritize(c, 3)
    order = [urgent.id, c, a, d, b]
    assert waiting(bench) == order
    assert [item.priority for item in bench.runner.queue().waiting] == [7, 3, 0, 0, 0]
    kill(bench.agent())
    assert waiting(bench) == order
    bench.runner.cancel(running)
    starts = [started(bench, job) for job in order]
    assert starts == sorted(starts)
    with pytest.raises(Conflict, match="does not wait"):
        bench.runner.reorder(a, b)


def test_a_resumed_job_keeps_its_priority_and_goes_last_of_it(bench: Bench) -> None:
    spec = bench.spec(steps=1, end="signal:9")
    bench.runner.submit(spec, priority=4)
    bench.follow(spec.id)
    bench.runner.drain(True)
    other = bench.spec(steps=1)
    bench.runner.submit(other, priority=4)
    bench.runner.resume(spec.id)
    assert [(item.job, item.priority) for item in bench.runner.queue().waiting] == [(other.id, 4), (spec.id, 4)]


def test_a_priority_out_of_range_is_refused(bench: Bench) -> None:
    bench.runner.drain(True)
    job = bench.submit()
    with pytest.raises(BadInput, match="from -10 to 10"):
        bench.runner.prioritize(job, 11)


# --- holding back


def test_a_draining_runner_finishes_what_runs_and_remembers_that_it_drains(bench: Bench) -> None:
    running = bench.submit(steps=30, delay=0.01)
    bench.follow(running, until=lambda event: event.kind == "metrics")
    bench.runner.drain(True)
    kept = bench.submit(steps=1)
    kill(bench.agent())
    assert bench.follow(running)[-1].kind == "succeeded"
    view = bench.runner.queue()
    assert view.draining
    assert view.waiting[0].why == "The runner is draining: it finishes what runs and starts nothing new."
    bench.wait_for(lambda: not bench.runner.queue().slots[0].job)  # its supervisor says the last word, then ends
    bench.runner.drain(False)
    assert bench.follow(kept)[-1].kind == "succeeded"


def test_settings_are_kept_and_what_makes_no_sense_is_refused(bench: Bench) -> None:
    assert bench.runner.settings() == RunnerSettings()
    assert "UTC" in bench.runner.zone()
    wanted = RunnerSettings(2, 3, ((1320, 420), (720, 780)), "wait", 10**9)
    bench.runner.configure(wanted)
    kill(bench.agent())
    assert bench.runner.settings() == wanted
    for wrong in (RunnerSettings(cpu_slots=0), RunnerSettings(quiet=((60, 60),)), RunnerSettings(quiet=((0, 1441),)),
                  RunnerSettings(on_reboot="never")):  # type: ignore[arg-type]
        with pytest.raises(BadInput):
            bench.runner.configure(wrong)
    assert bench.runner.settings() == wanted


def test_more_slots_take_effect_at_once(bench: Bench) -> None:
    first, second = bench.submit(steps=10_000, delay=0.01), bench.submit(steps=10_000, delay=0.01)
    bench.follow(first, until=lambda event: event.kind == "started")
    assert [slot.job for slot in bench.runner.queue().slots] == [first]
    bench.runner.configure(RunnerSettings(cpu_slots=2))
    bench.follow(second, until=lambda event: event.kind == "started")
    view = bench.runner.queue()
    assert [slot.job for slot in view.slots] == [first, second]
    assert view.free == ()


class Wall:
    """A clock whose hands a test moves."""

    def __init__(self, hour: float) -> None:
        self.hour = hour

    def now(self) -> float:
        return self.hour * 3600

    def monotonic(self) -> float:
        return self.hour * 3600


class Sleeper(Command):
    """Supervisors that do nothing at all."""

    def line(self, *_: str) -> list[str]:
        return ["sleep", "600"]


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wall]:
    import time
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield Wall(12.0)
    monkeypatch.undo()
    time.tzset()


def test_in_quiet_hours_nothing_starts_and_after_midnight_they_end_in_the_morning(tmp_path: Path, wall: Wall) -> None:
    jobs = Jobs(tmp_path)
    command = Sleeper(tmp_path, (), (1.0, 1.0, 1.0))
    keeper = SettingsKeeper(tmp_path, RunnerSettings(), lambda: None)
    keeper.methods()["configure"](RunnerSettings(2, quiet=((22 * 60, 7 * 60),)).to_json())
    dispatcher = Dispatcher(tmp_path, command, WarmPair(command, tmp_path / "warm", enabled=False), keeper, CardWatch(),
                            clock=wall)
    try:
        for hour, count in ((21.9, 1), (22.0, 1), (30.9, 1), (31.0, 2)):  # 30.9 is 06:54 of the next day
            wall.hour = hour
            dispatcher.enqueue(jobs.add(JobFolder.create(jobs.folder, JobSpec(new_id(), "train", "", (), {}))))
            dispatcher.tick()
            assert len(dispatcher.under_way()) == count
            view = dispatcher.queue_view()
            assert view.quiet == (22.0 <= hour < 31.0)
            if view.quiet:
                assert view.waiting[0].why == "These are the runner's quiet hours; jobs start again at 07:00."
    finally:
        for item in dispatcher._running.values():
            assert item.process is not None
            item.process.kill()
            item.process.wait()


# --- cards


def test_each_job_sees_the_card_it_was_given_and_no_other(tmp_path: Path, tool: Callable[[str], None]) -> None:
    tool(f"cat <<'END'\n{LISTED}END")
    bench = Bench(tmp_path)
    try:
        facts = bench.runner.hello()
        assert [(card["index"], card["uuid"]) for card in facts["devices"]] == [(0, "GPU-small"), (1, "GPU-large")]
        assert facts["slots"] == 3
        kept = {"steps": 10_000, "delay": 0.01}
        large = wanting(bench, Resources(gpu_memory=80 * GB), **kept)
        small = wanting(bench, Resources(prefers_gpu=True), **kept)
        third = wanting(bench, Resources("cuda"), steps=1)
        plain = wanting(bench, Resources(), steps=1)
        seen = {job: next(event.payload["device"] for event in bench.follow(job, until=lambda e: e.kind == "started")
                          if event.kind == "started") for job in (large, small, plain)}
        assert seen == {large: "GPU-large", small: "GPU-small", plain: ""}
        staged = bench.follow(large, until=lambda event: event.kind == "staged")[-1].payload
        assert staged == {"device": "NVIDIA H200", "card": 1}
        kill(bench.agent())
        view = bench.runner.queue()
        assert [(slot.kind, slot.job) for slot in view.slots if slot.kind == "gpu"] == [("gpu", small), ("gpu", large)]
        assert [(item.job, item.why) for item in view.waiting] == [(third, "It waits for a graphics card.")]
        kill(bench.wait_for(lambda: bench.supervisor(small)))  # the next supervisor knows the card as well
        bench.runner.cancel(small)
        assert bench.follow(third)[-1].kind == "succeeded"
    finally:
        bench.close()


@pytest.mark.usefixtures("warm_as_ever")
def test_a_warm_trainer_sees_the_card_of_its_job_only(tmp_path: Path, tool: Callable[[str], None]) -> None:
    tool(f"cat <<'END'\n{LISTED}END")
    bench = Bench(tmp_path, "--slots", "1")
    try:
        bench.runner.hello()
        place = bench.home.runner / "warm"
        bench.wait_for(lambda: place.is_dir() and any(log.read_bytes() == b"ready\n" for log in place.glob("*.log")))
        job = wanting(bench, Resources("cuda:1"), steps=1)
        assert next(event for event in bench.follow(job) if event.kind == "started").payload["device"] == "GPU-large"
        assert "in the warm trainer" in bench.runner.agent_log()[0].decode()
    finally:
        bench.close()


@pytest.mark.parametrize(("wanted", "words"), [
    (Resources("cuda"), "The job needs a graphics card, and this runner has none."),
    (Resources(gpu_memory=GB), "The job needs a graphics card, and this runner has none."),
])
def test_a_job_that_can_never_run_here_fails_at_once_and_says_so(bench: Bench, tool: Callable[[str], None],
                                                                wanted: Resources, words: str) -> None:
    tool("exit 6")  # "No devices were found"
    bench.runner.drain(True)
    events = bench.follow(wanting(bench, wanted))
    assert kinds(events) == ["queued", "failed"]
    assert last(events) == {"kind": "failed", "cause": "user_error", "message": words,
                            "hint": "Choose another runner for it, or ask for less."}


def test_a_driver_that_fails_keeps_jobs_waiting_and_is_named(bench: Bench, tool: Callable[[str], None]) -> None:
    tool("echo NVIDIA-SMI has failed because it could not talk; exit 9")
    job = wanting(bench, Resources("cuda"))
    why = bench.wait_for(lambda: next((item.why for item in bench.runner.queue().waiting
                                       if "NVIDIA-SMI has failed" in item.why), ""))
    assert "do not answer" in why
    assert bench.runner.hello()["devices"] == []
    bench.runner.cancel(job)


# --- what else is asked of an agent


def test_the_agents_own_log_is_given_from_its_end_or_from_where_it_was_read_to(bench: Bench) -> None:
    bench.runner.hello()
    text, end = bench.runner.agent_log(-20)
    assert len(text) == 20
    assert text in (bench.home.logs / "agent.log").read_bytes()
    bench.runner.drain(True)
    more, after = bench.runner.agent_log(end)
    assert b"drains" in more
    assert after == end + len(more)


def test_the_tool_of_a_runner_under_test_is_a_stand_in(tool: Callable[[str], None]) -> None:
    tool(f"cat <<'END'\n{LISTED}END")
    code = "from runner_agent import cards; import json; print(json.dumps([card.uuid for card in cards.ask()]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["GPU-small", "GPU-large"]
