"""Decisions that need no process: what an end is called, when the next rung is due, which process is which."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from mldesk.wire.states import Cause
from runner_agent import processes, verdict
from runner_agent.ladder import Ladder, Patience, Rung
from runner_agent.processes import Identity
from runner_agent.verdict import Exit, Facts, judge


@pytest.mark.parametrize(("facts", "kind", "cause"), [
    (Facts(Exit(), reboot=True), "interrupted", Cause.NODE_REBOOT),
    (Facts(Exit(signal=9), reboot=True, oom=True), "interrupted", Cause.NODE_REBOOT),
    (Facts(Exit(signal=9)), "interrupted", Cause.KILLED_EXTERNAL),
    (Facts(Exit(signal=9), oom=True), "interrupted", Cause.HOST_OOM),
    (Facts(Exit(signal=15), oom=True), "interrupted", Cause.KILLED_EXTERNAL),
    (Facts(Exit(signal=11)), "failed", Cause.INTERNAL),
    (Facts(Exit(signal=64)), "interrupted", Cause.KILLED_EXTERNAL),
    (Facts(Exit()), "interrupted", Cause.KILLED_EXTERNAL),
    (Facts(Exit(code=1)), "failed", Cause.INTERNAL),
    (Facts(Exit(code=0)), "failed", Cause.INTERNAL),
    (Facts(Exit(code=1), disk_full=True), "interrupted", Cause.DISK_FULL),
    (Facts(Exit(code=1), tail="OSError: [Errno 28] No space left on device"), "interrupted", Cause.DISK_FULL),
])
def test_every_end_has_its_name(facts: Facts, kind: str, cause: Cause) -> None:
    end = judge(facts)
    assert (end.kind, end.cause) == (kind, cause)
    assert end.message.endswith((".", ")."))
    assert end.hint


def test_only_the_last_words_of_a_long_log_are_quoted() -> None:
    end = judge(Facts(Exit(code=1), tail="\n".join(f"line {n}" for n in range(100))))
    assert end.hint.count("\n") == 15
    assert end.hint.endswith("line 99")
    assert judge(Facts(Exit(code=1))).hint == "It printed nothing."


def test_a_cancelled_event_has_no_hint() -> None:
    assert verdict.CANCELLED.payload() == {"cause": "cancelled", "message": "Cancelled."}


def test_the_rungs_come_one_after_the_other_each_when_it_is_due() -> None:
    ladder = Ladder(100.0, Patience(3, 3, 2))
    taken = [(now, rung) for now in range(95, 120) for rung in [ladder.step(float(now))] if rung]
    assert taken == [(100, Rung.ASK), (103, Rung.TERMINATE), (106, Rung.KILL), (108, Rung.GIVE_UP)]


def test_no_rung_is_left_out_by_somebody_who_looks_late() -> None:
    ladder = Ladder(0.0, Patience())
    assert [ladder.step(1000.0) for _ in range(5)] == [*Rung, None]


def test_a_process_is_known_by_more_than_its_number() -> None:
    me = Identity.of(os.getpid())
    assert me is not None
    assert me.alive
    assert Identity.from_json(me.to_json()) == me
    assert not Identity(me.pid, "1", me.boot).alive
    assert not Identity(me.pid, me.start, "another boot").alive


def test_a_process_that_ended_is_not_alive_even_before_it_is_reaped() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = Identity.of(child.pid)
    assert identity is not None
    assert identity.alive
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not identity.alive
    assert Identity.of(child.pid) is None
    child.communicate()


def test_what_a_trainer_started_is_found_by_group_and_by_token() -> None:
    environment = {**os.environ, processes.TOKEN: "abc123"}
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env=environment,
                             start_new_session=True)
    assert processes.members(child.pid, "other") == [child.pid]
    assert processes.members(1 << 30, "abc123") == [child.pid]
    assert processes.resident_bytes(child.pid) > 1_000_000
    processes.signal_trainer(child.pid, signal.SIGTERM)
    child.communicate()
    assert child.returncode == -signal.SIGTERM
    processes.signal_trainer(child.pid, signal.SIGTERM)  # gone already
    processes.kill_all([child.pid])


def test_the_kernels_count_of_memory_kills_only_grows() -> None:
    first, second = processes.oom_kills(), processes.oom_kills()
    assert first is None or (second is not None and second >= first)
