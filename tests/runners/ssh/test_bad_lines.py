"""Lines that do worse than break: that fall silent, crawl, or end in the middle of a handshake. And hosts that ask."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import paramiko
import pytest

from mldesk.core.errors import RunnerUnreachable
from mldesk.core.ids import new_id
from mldesk.runners.ssh import lifeline, paramiko_backend
from mldesk.runners.ssh.config import Hop, Route, Target
from mldesk.runners.ssh.credentials import NoCredentials
from mldesk.runners.ssh.errors import LoginRefused
from mldesk.runners.ssh.host_keys import HostKey
from mldesk.runners.ssh.known_hosts import KnownHosts
from mldesk.runners.ssh.paramiko_backend import connect
from mldesk.wire.jobs import JobSpec
from tests.runners.ssh.box import Box, Person, Sshd
from tests.runners.ssh.proxy import Proxy

BOTH = pytest.mark.parametrize("system", [False, True], ids=["paramiko", "system ssh"])


@BOTH
def test_a_line_that_falls_silent_is_found_out_by_pings_and_replaced(
        box: Box, person: Person, sshd: Sshd, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, system: bool) -> None:
    monkeypatch.setattr(lifeline, "PING_EVERY", 0.3)
    monkeypatch.setattr(lifeline, "SUSPECT", 0.3)
    monkeypatch.setattr(lifeline, "SILENCE", 2.0)
    monkeypatch.setattr(paramiko_backend, "HANDSHAKE_SECONDS", 2.0)  # what is swallowed here never arrives
    person.pin(sshd, proxy.port)
    if system:
        person.by_system()
    runner = box.runner(person, proxy.port)
    try:
        runner.connect()
        proxy.silent = True  # nothing passes, nobody closes anything
        deadline = time.monotonic() + 30
        while runner.link.connected:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        proxy.silent = False
        assert runner.jobs() == []
        assert runner.link.connected
        assert proxy.connections > 1
    finally:
        runner.close()


@BOTH
def test_a_connection_that_a_router_forgot_is_replaced_beside_it(
        box: Box, person: Person, sshd: Sshd, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, system: bool) -> None:
    monkeypatch.setattr(lifeline, "PING_EVERY", 0.3)
    monkeypatch.setattr(lifeline, "SUSPECT", 1.0)
    person.pin(sshd, proxy.port)
    if system:
        person.by_system()
    runner = box.runner(person, proxy.port)
    try:
        runner.connect()
        job = JobSpec(new_id(), "train", "a job", (), {"steps": 1, "end": "hang"})
        runner.submit(job)
        while len(seen := runner.events(job.id, 0, wait=1.0)) < 4:
            pass
        proxy.half_open()  # under a long poll that would last 25 seconds, and its link 35
        threading.Timer(0.5, runner.cancel, [job.id]).start()
        assert runner.events(job.id, len(seen), wait=25.0)[0].kind == "stopping"
    finally:
        runner.close()


def test_a_slow_and_uneven_line_is_only_slow(box: Box, person: Person, sshd: Sshd, proxy: Proxy) -> None:
    person.pin(sshd, proxy.port)
    proxy.delay = (0.005, 0.06)
    runner = box.runner(person, proxy.port)
    try:
        runner.connect()
        for _ in range(3):
            assert runner.jobs() == []
        assert proxy.connections == 1
    finally:
        runner.close()


def test_a_handshake_that_is_cut_anywhere_is_tried_again(
        box: Box, person: Person, sshd: Sshd, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifeline, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(lifeline, "LONGEST_PAUSE", 0.05)
    person.pin(sshd, proxy.port)
    for budget in (1, 40, 700, 2500):
        proxy.budget = budget
        runner = box.runner(person, proxy.port)
        try:
            assert runner.jobs() == []
        finally:
            runner.close()


def test_a_port_that_speaks_no_ssh_is_named_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mldesk.runners.ssh.paramiko_backend.HANDSHAKE_SECONDS", 0.5)
    for words in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b""):
        with socket.create_server(("127.0.0.1", 0)) as server:
            taken: list[socket.socket] = []

            def take(server: socket.socket = server, words: bytes = words, taken: list[socket.socket] = taken) -> None:
                peer, _ = server.accept()
                taken.append(peer)
                peer.sendall(words)

            thread = threading.Thread(target=take)
            thread.start()
            with pytest.raises(RunnerUnreachable, match=r"does not speak SSH|said nothing"):
                connect(_route(server.getsockname()[1]), KnownHosts(tmp_path / "known"), NoCredentials())
            thread.join()
            taken[0].close()


# --- keyboard-interactive, which Debian's sshd has only with PAM: against paramiko's own server


class Questions(paramiko.ServerInterface):
    """Lets in who has the right password, or the right answers to two questions."""

    def get_allowed_auths(self, _user: str) -> str:
        return "keyboard-interactive"

    def check_auth_interactive(self, _user: str, _submethods: str) -> paramiko.InteractiveQuery:
        return paramiko.InteractiveQuery("Two steps", "please", ("Password: ", False), ("Code: ", True))

    def check_auth_interactive_response(self, answers: Sequence[str]) -> int:
        right = list(answers) == ["secret", "123456"]
        return paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED


class Answers(NoCredentials):
    def __init__(self, code: str) -> None:
        self.code, self.seen = code, []

    def answers(self, host: str, title: str, prompts: Sequence[tuple[str, bool]]) -> Sequence[str] | None:
        self.seen.append((host, title, list(prompts)))
        return ["secret", self.code]


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[tuple[int, KnownHosts]]:
    """A server that asks; give its port, and a store that knows it."""
    key = paramiko.ECDSAKey.generate()
    server = socket.create_server(("127.0.0.1", 0))
    transports: list[paramiko.Transport] = []

    def serve() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            transports.append(paramiko.Transport(peer))
            transports[-1].add_server_key(key)
            transports[-1].start_server(server=Questions())

    thread = threading.Thread(target=serve)
    thread.start()
    port = server.getsockname()[1]
    known = KnownHosts(tmp_path / "known")
    known.pin("127.0.0.1", port, HostKey(key.get_name(), key.asbytes()))
    yield port, known
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)
    for transport in transports:
        transport.close()
        transport.join(5)


def test_a_host_that_asks_questions_gets_the_callers_answers(asking: tuple[int, KnownHosts]) -> None:
    port, known = asking
    answers = Answers("123456")
    connection = connect(_route(port), known, answers)
    assert connection.alive
    connection.close()
    assert not connection.alive
    ((host, title, prompts),) = answers.seen
    assert host == f"ada@127.0.0.1:{port}"
    assert title == "Two steps please"
    assert prompts == [("Password: ", False), ("Code: ", True)]
    for credentials in (Answers("000000"), NoCredentials()):
        with pytest.raises(LoginRefused, match="answers to its questions"):
            connect(_route(port), known, credentials)


def _route(port: int) -> Route:
    return Route(Target("127.0.0.1", "ada", port), (Hop("127.0.0.1", port, "ada", (), use_agent=False),))


def test_a_line_that_loses_bytes_is_a_line_that_broke(
        box: Box, person: Person, sshd: Sshd, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifeline, "FIRST_PAUSE", 0.01)
    person.pin(sshd, proxy.port)
    runner = box.runner(person, proxy.port)
    try:
        runner.connect()
        session = runner._line.session(1.0)
        for opening in (lambda: session.open("send"), lambda: session.open("send")):
            proxy.mangle = 1  # paramiko's reading thread ends with an error of the cipher
            with pytest.raises(RunnerUnreachable):
                opening()
        assert runner.jobs() == []
    finally:
        runner.close()
