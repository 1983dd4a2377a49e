"""The link does what it is for."""

from __future__ import annotations

import json
import os
import socket
import stat
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mldesk.core.errors import BadInput, Conflict, NotFound, RunnerUnreachable
from mldesk.wire import link_server
from mldesk.wire.link_client import LinkLost, RemoteError, connect
from mldesk.wire.link_protocol import MAX_DATA, OUTSTANDING
from mldesk.wire.link_server import LinkServer
from mldesk.wire.link_sockets import dial, private_directory, welcome
from tests.wire.link_bench import raw, serving


@pytest.mark.parametrize("loopback", [False, True])
def test_values_and_raw_bytes_cross_as_they_are(loopback: bool) -> None:
    with serving(loopback=loopback) as (path, _):
        link = connect(path, loopback=loopback)
        payload = {"text": "größer\n", "number": 1.5, "list": [1, None, True], "deep": {"a": {}}}
        body = bytes(range(256)) * 4096 * 4
        assert link.exchange("echo", payload, body) == (payload, body)
        assert link.call("echo", {}) == {}
        assert link.ping() < 10
        link.close()


def test_errors_come_back_as_the_same_kind(caplog: pytest.LogCaptureFixture) -> None:
    with serving() as (path, _):
        link = connect(path)
        with pytest.raises(Conflict, match=r"It cannot be done\.") as caught:
            link.call("refuse", {})
        assert caught.value.hint == "Do something else."
        with pytest.raises(NotFound, match="no method 'nothing'"):
            link.call("nothing", {})
        with pytest.raises(RemoteError, match="went wrong") as fault:
            link.call("break", {})
        assert fault.value.remote_code == "internal"
        assert "secret" not in str(fault.value)
        assert "a secret of ours" in caplog.text  # the log on its own side has it
        link.close()


def test_a_slow_call_holds_up_no_other() -> None:
    gate = threading.Event()
    with serving({"slow": lambda *_: {"waited": gate.wait(10)}}) as (path, _), ThreadPoolExecutor(4) as pool:
        link = connect(path)
        slow = [pool.submit(link.call, "slow", {}) for _ in range(4)]
        assert [link.call("echo", {"n": n})["n"] for n in range(50)] == list(range(50))
        assert not any(call.done() for call in slow)
        gate.set()
        assert all(call.result() == {"waited": True} for call in slow)
        link.close()


def test_answers_find_their_question_whatever_the_order() -> None:
    def nap(payload: dict[str, int], _body: bytes) -> dict[str, int]:
        time.sleep(payload["n"] % 7 / 1000)
        return payload

    with serving({"nap": nap}) as (path, _), ThreadPoolExecutor(24) as pool:
        link = connect(path)
        assert [item["n"] for item in pool.map(lambda n: link.call("nap", {"n": n}), range(300))] == list(range(300))
        link.close()


def test_a_call_without_an_answer_ends_in_time_and_the_link_goes_on() -> None:
    gate = threading.Event()
    with serving({"slow": lambda *_: {"waited": gate.wait(10)}}) as (path, _):
        link = connect(path)
        with pytest.raises(LinkLost, match=r"no answer within 0\.05 seconds"):
            link.call("slow", {}, timeout=0.05)
        gate.set()
        assert link.call("echo", {"n": 1}) == {"n": 1}
        link.close()


def test_calls_fail_at_once_when_the_other_side_goes() -> None:
    gate = threading.Event()
    with serving({"slow": lambda *_: {"waited": gate.wait(10)}}) as (path, server), ThreadPoolExecutor(1) as pool:
        link = connect(path)
        waiting = pool.submit(link.call, "slow", {})
        while not server.connections:
            time.sleep(0.001)
        time.sleep(0.05)
        server.close()
        with pytest.raises(LinkLost):
            waiting.result(5)
        assert link.closed
        with pytest.raises(LinkLost):
            link.call("echo", {})
        gate.set()
        link.close()


def test_closing_asks_a_silent_peer_for_nothing() -> None:
    gate = threading.Event()
    with serving({"slow": lambda *_: {"waited": gate.wait(10)}}) as (path, _), ThreadPoolExecutor(1) as pool:
        link = connect(path)
        waiting = pool.submit(link.call, "slow", {})
        time.sleep(0.05)
        link.close()
        link.close()
        with pytest.raises(LinkLost):
            waiting.result(5)
        gate.set()


def test_what_is_too_large_is_refused_on_the_side_it_comes_from() -> None:
    with serving({"huge": lambda *_: ({}, b"x" * MAX_DATA)}) as (path, _):
        link = connect(path)
        with pytest.raises(BadInput, match="too many to send"):
            link.exchange("echo", {}, b"x" * MAX_DATA)
        with pytest.raises(BadInput, match="too large to send"):
            link.exchange("huge", {})
        assert link.call("echo", {}) == {}
        link.close()


def test_a_client_waits_its_turn_when_too_many_calls_are_open() -> None:
    gate = threading.Event()
    with serving({"slow": lambda *_: {"waited": gate.wait(10)}}) as (path, _):
        link = connect(path)
        with ThreadPoolExecutor(OUTSTANDING) as pool:
            slow = [pool.submit(link.call, "slow", {}) for _ in range(OUTSTANDING)]
            time.sleep(0.3)
            with pytest.raises(LinkLost, match="calls open"):
                link.call("echo", {}, timeout=0.05)
            gate.set()
            assert all(call.result() == {"waited": True} for call in slow)
        link.close()


def test_nobody_there_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(RunnerUnreachable, match="does not answer"):
        connect(tmp_path / "s" / "link.sock")
    with pytest.raises(RunnerUnreachable, match="does not answer"):
        connect(tmp_path / "s" / "link.sock", loopback=True)


def test_the_socket_lies_where_only_its_user_gets() -> None:
    with serving() as (path, _):
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_that_others_can_write_to_is_not_trusted(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o700)
    shared.chmod(0o777)
    with pytest.raises(RunnerUnreachable, match="Others may write"):
        private_directory(shared / "x")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(RunnerUnreachable, match="belongs to somebody else"):
        private_directory(tmp_path / "link")


def test_a_server_leaves_no_folder_and_sweeps_those_of_others() -> None:
    with tempfile.TemporaryDirectory(prefix="ml") as folder:
        parent = Path(folder) / "mldesk-1"
        parent.mkdir(mode=0o755)
        old, young, used, other = (parent / name for name in ("0" * 16, "1" * 16, "2" * 16, "something"))
        for item in (old, young, used, other):
            item.mkdir()
        (used / "agent.sock").touch()
        for item in (old, used, other):
            os.utime(item, (1, 1))
        server = LinkServer(parent / ("3" * 16) / "agent.sock", {})
        assert stat.S_IMODE(parent.stat().st_mode) == 0o700
        assert {item.name[0] for item in parent.iterdir()} == {"1", "2", "3", "s"}
        server.close()
        assert {item.name[0] for item in parent.iterdir()} == {"1", "2", "s"}


def test_asking_for_a_server_that_is_not_there_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(RunnerUnreachable, match="does not answer"):
        dial(tmp_path / "a" / "b" / "agent.sock", 1)
    assert not (tmp_path / "a").exists()


def test_a_folder_of_another_user_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private_directory(tmp_path / "a" / "b")
    me = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    with pytest.raises(RunnerUnreachable, match="belongs to somebody else"):
        private_directory(tmp_path / "a" / "b")


def test_the_kernel_says_who_the_other_end_is(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()
    assert welcome(ours, "")
    me = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    assert not welcome(ours, "")
    ours.close()
    theirs.close()


def test_a_process_of_another_user_is_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_server, "welcome", lambda *_: False)
    with serving() as (path, server):
        peer = raw(path)
        assert peer.recv(1) == b""
        assert server.connections == 0
        peer.close()


@pytest.mark.parametrize("token", [b"", b"0" * 64 + b"\n", b"x" * 5000])
def test_a_loopback_client_without_the_token_is_turned_away(token: bytes) -> None:
    with serving(loopback=True) as (path, server):
        facts = json.loads(path.read_bytes())
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with socket.create_connection(("127.0.0.1", facts["port"]), 5) as peer:
            try:
                peer.sendall(token)
                peer.shutdown(socket.SHUT_WR)
                assert peer.recv(1) == b""
            except OSError:
                pass  # it hung up before it had read all of it
        assert server.connections == 0
        link = connect(path, loopback=True)
        assert link.call("echo", {}) == {}
        link.close()


def test_a_server_keeps_answering_at_a_socket_that_was_removed() -> None:
    with serving() as (path, server):
        link = connect(path)
        path.unlink()
        server.keep_reachable()
        other = connect(path)
        assert other.call("echo", {"a": 1}) == link.call("echo", {"a": 1})
        for item in (link, other):
            item.close()
    with pytest.raises(RunnerUnreachable):
        dial(path, 1)
