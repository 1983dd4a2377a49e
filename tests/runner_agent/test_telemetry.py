"""The load of a runner: measured by a helper that may die, hang, or be of no use to anybody."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from runner_agent.load import usage_of
from runner_agent.telemetry import TelemetryMethods, Timing
from tests.runner_agent.bench import Bench, command_of, kill
from tests.runner_agent.fake_cards import make_driver

QUICK = Timing(silence=3.0, unwanted=60.0, pause=0.05, longest_pause=0.2, without_cards=1.0)
JOB = "01JD0000000000000000000000"


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., TelemetryMethods]]:
    made: list[TelemetryMethods] = []

    def begin(**options: Any) -> TelemetryMethods:
        made.append(TelemetryMethods(tmp_path, **{"timing": QUICK, **options}))
        return made[-1]

    yield begin
    for telemetry in made:
        telemetry.close()
    until(lambda: not helpers() and not [thread for thread in threading.enumerate() if thread.name == "telemetry"])


def samples(telemetry: TelemetryMethods, count: int, after: int = 0) -> list[dict[str, Any]]:
    """Return so many samples, by long polls."""
    found: list[dict[str, Any]] = []
    for _ in range(10 * count):
        found += telemetry.telemetry(found[-1]["seq"] if found else after, 20.0)["samples"]
        if len(found) >= count:
            return found
    raise AssertionError("no samples came")


def helpers() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "runner_agent.telemetry" in command_of(child)]


def until(what: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if value := what():
            return value
        time.sleep(0.02)
    raise AssertionError("it did not come about")


def test_samples_come_one_after_the_other_with_what_the_machine_has(begin: Callable[..., TelemetryMethods]) -> None:
    found = samples(begin(), 2)
    assert [sample["seq"] for sample in found] == [1, 2]
    memory = psutil.virtual_memory().total
    for sample in found:
        assert 0 <= sample["cpu"] <= 1
        assert abs(sample["memory_total"] - memory) < 1 << 20
        assert 0 < sample["memory_used"] < memory
        assert 0 < sample["disk_used"] < sample["disk_total"]


def test_a_number_of_an_earlier_agent_gives_what_there_is(begin: Callable[..., TelemetryMethods]) -> None:
    telemetry = begin()
    samples(telemetry, 1)
    assert telemetry.telemetry(5000, 0.0)["samples"][0]["seq"] == 1
    assert telemetry.telemetry(1 << 40, 0.0)["samples"]


def test_a_job_is_charged_for_its_children_too(begin: Callable[..., TelemetryMethods]) -> None:
    code = ("import os, time\nblock = bytearray(60_000_000)\n"
            "if os.fork() == 0:\n    end = time.time() + 60\n    while time.time() < end: pass\ntime.sleep(60)")
    job = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    try:
        telemetry = begin(groups=lambda: {JOB: job.pid})
        sample = until(lambda: next((s for s in samples(telemetry, 1, after=telemetry._seq)
                                     if s["jobs"].get(JOB, {}).get("cpu", 0) > 0.02), None))
        assert sample["jobs"][JOB]["memory"] > 60_000_000
        assert len(usage_of({JOB: job.pid})[JOB].pids) == 2
    finally:
        os.killpg(job.pid, signal.SIGKILL)
        job.wait()
    until(lambda: not samples(telemetry, 1, after=telemetry._seq)[-1]["jobs"])


def test_cards_and_what_a_job_holds_on_them_are_read(tmp_path: Path, begin: Callable[..., TelemetryMethods],
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    make_driver(tmp_path)
    job = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    monkeypatch.setenv("FAKE_NVML_PID", str(job.pid))
    try:
        sample = samples(begin(groups=lambda: {JOB: job.pid}), 1)[0]
    finally:
        job.kill()
        job.wait()
    assert sample["gpus"][1] == {"index": 1, "name": "Card B", "utilization": 0.75, "memory_used": (4 << 30) + 1,
                                 "memory_total": 80 << 30, "temperature": 41.0, "power": 70.501}
    assert sample["jobs"][JOB]["gpu_memory"] >= 3 << 30


def test_a_driver_that_hangs_costs_the_cards_and_nothing_else(tmp_path: Path, begin: Callable[..., TelemetryMethods],
                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    make_driver(tmp_path)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    monkeypatch.setenv("FAKE_NVML", "hang")
    telemetry = begin()
    sample = samples(telemetry, 1)[0]
    assert sample["gpus"] == []
    monkeypatch.delenv("FAKE_NVML")  # it works again: some time later it is asked again
    assert until(lambda: samples(telemetry, 1, after=telemetry._seq)[-1]["gpus"])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_helper_that_dies_or_stops_is_replaced(begin: Callable[..., TelemetryMethods], number: int) -> None:
    telemetry = begin()
    samples(telemetry, 1)
    before = helpers()[0]
    before.send_signal(number)
    seen = telemetry._seq
    assert samples(telemetry, 2, after=seen)[0]["seq"] > seen
    until(lambda: not before.is_running() or before.status() == psutil.STATUS_ZOMBIE)
    until(lambda: len(helpers()) == 1)   # a process that has just begun has no command line yet


def test_nobody_asks_and_nothing_runs_so_no_helper_runs(begin: Callable[..., TelemetryMethods]) -> None:
    telemetry = begin(timing=Timing(unwanted=0.3))
    assert not helpers()
    telemetry.need()
    until(helpers)
    until(lambda: not helpers() and telemetry._thread is None)
    assert samples(telemetry, 1)  # and again when it is wanted


def test_a_helper_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = ("import subprocess, sys, os\n"
            f"helper = subprocess.Popen([sys.executable, '-m', 'runner_agent.telemetry', '--root', {str(tmp_path)!r},"
            " '--parent', str(os.getpid())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)\n"
            "helper.stdout.readline()\nprint(helper.pid, flush=True)\nsys.stdin.read()")
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None and parent.stdin is not None
    helper = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    parent.stdin.close()
    until(lambda: not helper.is_running() or helper.status() == psutil.STATUS_ZOMBIE)


def test_a_helper_whose_parent_is_gone_already_does_not_begin(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "runner_agent.telemetry", "--root", tmp_path, "--parent", "1"],
                          stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_noise_on_its_output_is_no_sample(tmp_path: Path, begin: Callable[..., TelemetryMethods]) -> None:
    noisy = tmp_path / "noisy.py"
    noisy.write_text("import time\nprint('hello\\n[1]\\n{\"cpu\": 0.5}', flush=True)\ntime.sleep(60)\n")
    assert samples(begin(command=(sys.executable, str(noisy))), 1) == [{"cpu": 0.5, "seq": 1}]


def test_an_answer_is_never_too_long_for_the_link(begin: Callable[..., TelemetryMethods]) -> None:
    telemetry = begin()
    for number in range(700):
        telemetry._take(json.dumps({"time": number, "text": "x" * 20_000}).encode())
    found = telemetry.telemetry(0, 0.0)["samples"]
    assert [sample["seq"] for sample in found] == list(range(found[0]["seq"], 701))
    assert 1_000_000 < len(json.dumps(found)) < 4 * 1024 * 1024


def test_a_running_job_is_in_the_samples_of_its_runner(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    try:
        job = bench.submit(steps=100_000, delay=0.01)
        seen = bench.wait_for(lambda: next((sample.jobs[job] for sample in bench.runner.telemetry(wait=5.0)
                                            if job in sample.jobs), None))
        assert seen.memory > 1 << 20
        bench.runner.cancel(job)
        bench.follow(job)
        agent = bench.agent()
        assert bench.wait_for(lambda: [child for child in agent.children()
                                       if "runner_agent.telemetry" in command_of(child)])
        kill(agent)
        agent.wait(30)  # its helper goes with it, which ``close`` sees to
    finally:
        bench.close()
