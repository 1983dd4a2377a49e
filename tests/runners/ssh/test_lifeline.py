"""When to try again, who waits for whom, and when a link counts as dead: with sessions and a clock of our own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from mldesk.core.clock import SystemClock
from mldesk.core.errors import BadInput, RunnerUnreachable
from mldesk.runners.ssh import lifeline
from mldesk.runners.ssh.errors import LoginRefused, NoRoute
from mldesk.runners.ssh.lifeline import Lifeline


class FakeSession:
    def __init__(self) -> None:
        self.alive, self.closed, self.deaf = True, False, False
        self.pings: list[float] = []

    def ping(self, seconds: float) -> float:
        self.pings.append(seconds)
        if self.deaf:
            raise RunnerUnreachable("no answer")
        return 0.001

    def close(self) -> None:
        self.alive, self.closed = False, True


class LeapingClock(SystemClock):
    """The machine's clock, whose wall clock can leap as it does over a sleep."""

    leap = 0.0

    def now(self) -> float:
        return super().now() + self.leap


class Host:
    """What answers: sessions, or the errors prepared for the next attempts."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self.sessions: list[FakeSession] = []
        self.attempts = 0
        self.slow = 0.0

    def open(self) -> FakeSession:
        self.attempts += 1
        time.sleep(self.slow)
        if self.errors:
            raise self.errors.pop(0)
        self.sessions.append(FakeSession())
        return self.sessions[-1]


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def clock() -> LeapingClock:
    return LeapingClock()


@pytest.fixture
def line(host: Host, clock: LeapingClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lifeline[FakeSession]]:
    monkeypatch.setattr(lifeline, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(lifeline, "PING_EVERY", 0.02)
    monkeypatch.setattr(lifeline, "SUSPECT", 0.05)
    monkeypatch.setattr(lifeline, "_LOOK", 0.01)
    line = Lifeline(host.open, clock, "test")
    yield line
    line.close()


def soon(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)


def test_many_who_ask_at_once_share_one_attempt(line: Lifeline[FakeSession], host: Host) -> None:
    host.slow = 0.1
    got: list[FakeSession] = []
    threads = [threading.Thread(target=lambda: got.append(line.session(20))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert host.attempts == 1
    assert len(set(map(id, got))) == 1
    assert line.state.connected


def test_failures_are_tried_again_until_the_caller_has_no_patience_left(
        line: Lifeline[FakeSession], host: Host) -> None:
    host.errors = [NoRoute("off"), RunnerUnreachable("busy"), NoRoute("off")]
    assert line.session(20) is host.sessions[0]
    assert host.attempts == 4
    host.sessions[0].alive = False
    host.errors = [NoRoute("off")] * 10_000
    with pytest.raises(NoRoute, match="off"):
        line.session(0.2)
    assert not line.state.connected
    assert line.state.reason == "off"


def test_a_machine_that_never_answered_is_not_waited_for_as_one_that_is_cut_off(
        line: Lifeline[FakeSession], host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifeline, "UNMET", 0.1)
    monkeypatch.setattr(lifeline, "DIAL_PAUSE", 0.02)
    host.errors = [NoRoute("off")] * 10_000
    with pytest.raises(NoRoute, match="off"):
        line.session(1e6)
    line.nudge()
    host.errors = [RunnerUnreachable("busy")] * 3   # it is there
    assert line.session(1e6).alive
    host.errors = [NoRoute("off")] * 60             # a tunnel, longer than a stranger is waited for
    line.lost(host.sessions[0], "a cut")
    line.nudge()
    assert line.session(1e6) is host.sessions[1]


def test_what_only_a_person_can_mend_is_said_at_once_and_not_hammered(
        line: Lifeline[FakeSession], host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifeline, "FIRST_PAUSE", 1e6)
    monkeypatch.setattr(lifeline, "LONGEST_PAUSE", 1e6)
    host.errors = [LoginRefused("no"), LoginRefused("no")]
    for _ in range(5):
        with pytest.raises(LoginRefused):
            line.session(20)
    assert host.attempts == 1
    line.nudge()
    with pytest.raises(LoginRefused):
        line.session(20)
    assert host.attempts == 2
    line.nudge()
    assert line.session(20).alive


def test_pauses_double_up_to_the_longest_and_dialling_stays_quick(
        line: Lifeline[FakeSession], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifeline, "FIRST_PAUSE", 0.5)
    ceilings: list[float] = []
    monkeypatch.setattr(lifeline.random, "uniform", lambda low, high: ceilings.append(high) or low)
    for _ in range(9):
        line._failed(RunnerUnreachable("busy"))
    assert ceilings == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    ceilings.clear()
    line.nudge()
    for _ in range(5):
        line._failed(NoRoute("off"))
    assert ceilings == [0.5, 1, 1, 1, 1]


def test_a_session_that_is_silent_is_replaced_as_soon_as_another_answers(
        line: Lifeline[FakeSession], host: Host) -> None:
    first = line.session(5)
    soon(lambda: len(first.pings) > 2)
    first.deaf = True
    soon(lambda: first.closed)
    assert line.state.connected
    assert line.session(5) is host.sessions[1]
    assert not host.sessions[1].closed


def test_a_session_that_is_silent_is_given_up_in_time_where_nothing_else_answers(
        line: Lifeline[FakeSession], host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifeline, "SILENCE", 0.5)
    first = line.session(5)
    host.errors = [NoRoute("off")] * 10_000
    first.deaf = True
    soon(lambda: host.attempts > 3)
    assert line.state.connected
    soon(lambda: first.closed)
    assert not line.state.connected
    assert line.state.reason == "no answer"


def test_a_session_that_answers_late_is_kept_and_the_other_one_let_go(
        line: Lifeline[FakeSession], host: Host) -> None:
    first = line.session(5)
    host.slow = 0.3
    first.deaf = True
    soon(lambda: host.attempts == 2)
    first.deaf = False
    soon(lambda: len(host.sessions) == 2 and host.sessions[1].closed)
    assert not first.closed
    assert line.session(5) is first


def test_a_line_on_which_nothing_even_can_be_sent_is_found_out(line: Lifeline[FakeSession], host: Host) -> None:
    first = line.session(5)
    stuck = threading.Event()
    first.ping = lambda _seconds: float(stuck.wait(20))  # type: ignore[method-assign]
    soon(lambda: first.closed)
    assert line.session(5) is host.sessions[1]
    stuck.set()


def test_an_attempt_that_gets_nowhere_holds_up_nobody_for_long(
        line: Lifeline[FakeSession], host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifeline, "HEDGE", 0.1)
    monkeypatch.setattr(lifeline, "_NAP", 0.05)
    stuck, quick = threading.Event(), host.open
    line._open = lambda: (stuck.wait(20), quick())[1]
    first = threading.Thread(target=line.session, args=(20,))
    first.start()
    soon(lambda: line._attempts == 1)
    line._open = quick
    session = line.session(20)
    assert session is host.sessions[0]
    stuck.set()
    first.join(20)
    soon(lambda: host.sessions[1].closed)
    assert not session.closed


def test_a_machine_that_woke_does_not_sit_out_a_pause_of_before(
        line: Lifeline[FakeSession], host: Host, clock: LeapingClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifeline, "FIRST_PAUSE", 1e6)
    monkeypatch.setattr(lifeline, "LONGEST_PAUSE", 1e6)
    monkeypatch.setattr(lifeline.random, "uniform", lambda _low, high: high)
    host.errors = [RunnerUnreachable("busy")]
    waiting = threading.Thread(target=line.session, args=(1e7,))
    waiting.start()
    soon(lambda: line.state.reason == "busy")
    clock.leap += 3600
    waiting.join(20)
    assert host.attempts == 2
    assert line.state.connected


def test_a_line_that_is_closed_tells_everybody(line: Lifeline[FakeSession], host: Host) -> None:
    session = line.session(5)
    line.close()
    line.close()
    assert session.closed
    with pytest.raises(RunnerUnreachable, match="closed"):
        line.session(5)


def test_an_error_of_ours_or_of_the_settings_does_not_jam_the_line(line: Lifeline[FakeSession], host: Host) -> None:
    host.errors = [BadInput("~/.ssh/config cannot be read"), ZeroDivisionError()]
    with pytest.raises(BadInput):
        line.session(5)
    with pytest.raises(ZeroDivisionError):
        line.session(5)
    assert line.session(5).alive
