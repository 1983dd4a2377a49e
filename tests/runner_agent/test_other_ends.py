"""Ends that take more than a kill: a restarted machine, a damaged journal, what a trainer leaves behind, idleness."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mldesk.core.errors import LibraryDamaged
from mldesk.core.paths import socket_directory
from mldesk.wire.states import JobState
from tests.runner_agent.bench import Bench, command_of, dense, kill, kinds, steps


def test_a_damaged_journal_is_refused_by_its_line_and_harms_no_other_job(bench: Bench) -> None:
    job = bench.submit(steps=20, end="hang")
    bench.follow(job, until=lambda event: event.seq == 20)
    trainer = bench.trainer_pid(job)
    for process in (bench.agent(), bench.supervisor(job)):
        kill(process)
    path = bench.folder(job).journal
    path.write_bytes(path.read_bytes().replace(b'"step":7', b'"step":9'))
    with pytest.raises(LibraryDamaged, match="Line 10 of the journal"):
        bench.runner.state(job)
    with pytest.raises(LibraryDamaged, match="Line 10"):
        bench.runner.events(job, 0)
    assert bench.runner.jobs()[0]["state"] == "lost"
    kill(trainer)
    assert bench.follow(bench.submit(steps=2))[-1].kind == "succeeded"


def test_processes_a_trainer_leaves_behind_go_with_it(tmp_path: Path) -> None:
    script = tmp_path / "leaver.py"
    script.write_text(_LEAVER)
    bench = Bench(tmp_path, "--no-warm", "--trainer", json.dumps([sys.executable, str(script)]))
    try:
        job = bench.submit()
        assert bench.follow(job)[-1].kind == "succeeded"
        bench.wait_for(lambda: bench.supervisor(job) is None)
        assert [words for words in map(command_of, bench.processes()) if words.startswith("sleep")] == []
    finally:
        bench.close()


# Starts one child in its own group and one in a session of its own, and ends well.
_LEAVER = """
import json, os, subprocess, sys, time
spool = open(f"{sys.argv[1]}/spool.1", "ab", buffering=0)
for session in (False, True):
    subprocess.Popen(["sleep", "1000"], start_new_session=session)
for n, (kind, rest) in enumerate([("started", {"attempt": 1, "pid": 1, "host": "", "device": "", "resumed_from": None}),
                                  ("succeeded", {"result": {}})], start=1):
    spool.write(json.dumps({"n": n, "time": time.time(), "kind": kind, **rest}).encode() + b"\\n")
"""


def test_reports_that_cannot_be_read_become_warnings(tmp_path: Path) -> None:
    script = tmp_path / "babbler.py"
    script.write_text(_LEAVER.replace("for session in (False, True)", "spool.write(b'what\\n')\nfor session in ()"))
    bench = Bench(tmp_path, "--no-warm", "--trainer", json.dumps([sys.executable, str(script)]))
    try:
        assert "warning" in kinds(bench.follow(bench.submit()))
    finally:
        bench.close()


def test_an_agent_that_nobody_needs_ends_and_comes_back_when_one_does(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "--no-warm", "--idle-exit", "0.3")
    try:
        job = bench.submit(steps=3)
        bench.follow(job)
        first = bench.agent().pid
        bench.runner._drop(bench.runner._link)
        bench.wait_for(lambda: not any(process.pid == first for process in bench.processes()))
        assert not (socket_directory(bench.home.runner) / "agent.sock").exists()
        assert bench.runner.state(job) is JobState.SUCCEEDED
        assert bench.agent().pid != first
    finally:
        bench.close()


def test_an_agent_that_is_told_to_end_lets_its_jobs_go_on(bench: Bench) -> None:
    job = bench.submit(steps=80, delay=0.01)
    bench.follow(job, until=lambda event: event.seq == 5)
    bench.runner.stop_agent()
    assert bench.supervisor(job) is not None
    events = bench.follow(job)
    assert dense(events)
    assert steps(events) == list(range(1, 81))
    kill(bench.agent(), signal.SIGTERM)
    bench.wait_for(lambda: not bench.processes())


def test_an_agent_whose_folder_was_deleted_ends(bench: Bench) -> None:
    bench.runner.hello()
    shutil.rmtree(bench.home.runner)
    bench.wait_for(lambda: not bench.processes())


def test_a_second_agent_for_the_same_root_gives_way(bench: Bench) -> None:
    bench.runner.hello()
    command = [sys.executable, "-m", "runner_agent", "serve", "--root", str(bench.home.runner),
               "--objects", str(bench.home.objects)]
    assert subprocess.run(command, check=False).returncode == 3


def test_the_agent_and_the_supervisor_stay_light() -> None:
    for module, banned in (("runner_agent.agent", "torch|numpy|PySide6|sqlalchemy|pandas"),
                           ("runner_agent.supervisor", "rpyc|numpy|torch|logging.handlers|asyncio")):
        code = f"import sys, {module}; print([m for m in {banned.split('|')} if m in sys.modules])"
        assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                              check=True).stdout.strip() == "[]"
