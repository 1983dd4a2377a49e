"""What a trainer started goes with it, wherever it went; what cannot be killed is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from mldesk.wire.states import JobState
from runner_agent import verdict
from tests.runner_agent.bench import Bench, command_of, kill, last
from tests.runner_agent.fake_trainer import DEAF


def family(bench: Bench) -> list[int]:
    """The deaf children of the job, wherever they are: they work in the runner's folder as everything there does."""
    return [process.pid for process in bench.processes() if DEAF in command_of(process)]


def with_family(bench: Bench, **payload: object) -> str:
    job = bench.submit(family=True, steps=10_000, delay=0.01, **payload)
    bench.follow(job, until=lambda event: event.kind == "metrics")
    assert len(bench.wait_for(lambda: found if len(found := family(bench)) == 3 else None)) == 3
    return job


@pytest.mark.parametrize("deaf", [[], ["cancel"], ["cancel", "SIGTERM"]])
def test_a_cancel_ends_workers_sessions_and_daemons_before_it_is_said_to_be_done(bench: Bench, deaf: list[str]) -> None:
    job = with_family(bench, deaf=deaf)
    bench.runner.cancel(job)
    assert last(bench.follow(job)) == {"kind": "cancelled", "cause": "cancelled", "message": "Cancelled."}
    assert family(bench) == []


def test_they_go_with_a_trainer_that_is_killed_from_outside(bench: Bench) -> None:
    job = with_family(bench)
    kill(bench.trainer_pid(job))
    assert last(bench.follow(job))["cause"] == "killed_external"
    assert family(bench) == []


def test_they_go_with_a_job_that_is_released(bench: Bench) -> None:
    job = with_family(bench, checkpoints=True)
    bench.runner.release(job)
    assert last(bench.follow(job))["cause"] == "moved"
    assert family(bench) == []


def test_they_go_though_another_supervisor_took_over_meanwhile(bench: Bench) -> None:
    job = bench.submit(family=True, steps=10_000, delay=0.01)
    bench.follow(job, until=lambda event: event.kind == "metrics")
    first = bench.supervisor(job)
    kill(first)
    bench.wait_for(lambda: (now := bench.supervisor(job)) and now != first)
    bench.runner.cancel(job)
    assert bench.follow(job)[-1].kind == "cancelled"
    left = family(bench)
    # Only a daemon that left group, session, parents and environment alike got out of sight with the supervisor.
    assert len(left) <= 1
    for pid in left:
        kill(pid)


def test_orphans_that_end_by_themselves_are_let_go(tmp_path: Path) -> None:
    script = tmp_path / "orphans.py"
    script.write_text(_ORPHANS)
    bench = Bench(tmp_path, "--no-warm", "--trainer", f'["{sys.executable}", "{script}"]')
    try:
        job = bench.submit()
        supervisor = bench.wait_for(lambda: bench.supervisor(job))
        bench.follow(job, until=lambda event: event.kind == "metrics")
        bench.wait_for(lambda: all(child.status() != psutil.STATUS_ZOMBIE for child in supervisor.children()))
        bench.runner.cancel(job)
        bench.follow(job)
    finally:
        bench.close()


_ORPHANS = """
import json, os, subprocess, sys, time
for _ in range(20):
    subprocess.run(["sh", "-c", "sleep 0.1 &"], check=True)
spool = open(f"{sys.argv[1]}/spool.1", "ab", buffering=0)
time.sleep(0.3)
for n, kind in enumerate(("started", "metrics"), start=1):
    spool.write(json.dumps({"n": n, "time": time.time(), "kind": kind}).encode() + b"\\n")
time.sleep(600)
"""


# --- what does not die


_SEIZE, _CONTINUE, _EXITS = 0x4206, 7, 1 << 6


class Holder:
    """Keeps a process from dying when it is killed: held at the last step of its end by a tracer, as by a driver.

    The tracer lets go when its input ends.
    """

    def __init__(self, pid: int) -> None:
        code = (f"import ctypes, os, sys\nlibc = ctypes.CDLL(None, use_errno=True)\n"
                f"failed = libc.ptrace({_SEIZE}, {pid}, None, ctypes.c_void_p({_EXITS}))\n"
                f"print('held' if not failed else os.strerror(ctypes.get_errno()), flush=True)\nsys.stdin.read()\n")
        self.process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline().decode().strip()

    def close(self) -> None:
        self.process.communicate()


def test_a_job_whose_processes_do_not_die_says_so_with_their_numbers(bench: Bench) -> None:
    job = bench.submit(steps=10_000, delay=0.01, deaf=["cancel", "SIGTERM"])
    bench.follow(job, until=lambda event: event.kind == "metrics")
    pid = bench.trainer_pid(job)
    holder = Holder(pid)
    try:
        if holder.said != "held":
            pytest.skip(f"this machine lets nobody trace another process: {holder.said}")
        bench.runner.cancel(job)
        end = last(bench.follow(job))
        assert (end["kind"], end["cause"]) == ("failed", "unkillable")
        assert f"(pid {pid})" in end["message"]
        assert bench.runner.state(job) is JobState.FAILED
        assert psutil.pid_exists(pid)
        following = bench.submit(steps=1)
        kill(bench.agent())
        view = bench.runner.queue()  # what it holds is not free, though the job has ended
        assert [slot.job for slot in view.slots] == [job]
        assert [item.job for item in view.waiting] == [following]
    finally:
        holder.close()
    assert bench.follow(following)[-1].kind == "succeeded"
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_child_that_does_not_die_is_named_though_its_trainer_went_willingly(bench: Bench) -> None:
    job = with_family(bench)
    pid = family(bench)[0]
    holder = Holder(pid)
    try:
        if holder.said != "held":
            pytest.skip(f"this machine lets nobody trace another process: {holder.said}")
        bench.runner.cancel(job)
        end = last(bench.follow(job))
        assert (end["kind"], end["cause"]) == ("failed", "unkillable")
        assert f"(pid {pid})" in end["message"]
    finally:
        holder.close()
    bench.wait_for(lambda: family(bench) == [])


def test_many_stuck_processes_are_not_all_named() -> None:
    message = verdict.unkillable(list(range(100, 200))).message
    assert message.endswith("119 and more).")
