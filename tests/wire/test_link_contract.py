"""What is relied on in rpyc, and what a hostile peer gets."""

from __future__ import annotations

import copy
import socket
import threading

import pytest
from rpyc import version
from rpyc.core import brine, consts
from rpyc.core.protocol import DEFAULT_CONFIG, Connection

from mldesk.wire import link_server, link_values
from mldesk.wire.link_channel import MAX_FRAME, LinkBroken, LockedChannel, SocketStream
from mldesk.wire.link_client import LinkLost, RemoteError, connect
from mldesk.wire.link_protocol import CALL, CONFIG, OUTSTANDING, PING, LockedConnection
from mldesk.wire.link_server import ServingConnection
from tests.wire.link_bench import Fuzz, frame, hostile_server, message, raw, read_frame, request, serving

FRAMES = 4000


def test_rpyc_still_has_the_seams_the_lock_is_built_on() -> None:
    assert version.version[:2] == ("6", "0")
    for name in ("_box", "_unbox", "_box_exc", "_unbox_exc", "_dispatch", "_dispatch_request", "_request_handlers",
                 "_send", "_get_seq_id", "_seq_request_callback"):
        assert callable(getattr(Connection, name)), name
    assert (PING, CALL) == (1, 7)


def test_no_option_of_rpyc_is_left_to_its_default_or_the_environment() -> None:
    switches = {key for key, value in DEFAULT_CONFIG.items() if isinstance(value, bool)}
    assert switches <= CONFIG.keys()
    assert {key for key in switches if CONFIG[key]} == {"close_catchall"}


def test_each_end_answers_only_what_it_must() -> None:
    assert set(LockedConnection._request_handlers()) == {PING}
    assert set(ServingConnection._request_handlers()) == {PING, CALL}


@pytest.mark.parametrize("handler", [number for number in range(30) if number not in (PING, CALL)])
def test_every_other_request_of_rpyc_is_refused(handler: int) -> None:
    with serving() as (path, _):
        peer = raw(path)
        peer.sendall(request(handler, ("x", 1)))
        kind, seq, args = read_frame(peer)
        assert (kind, seq, args[0]) == (consts.MSG_EXCEPTION, 1, "unknown_request")
        peer.close()


def test_a_client_does_nothing_for_its_server_but_answer_pings() -> None:
    asked = [request(CALL, ("echo", b"{}\n"), 5), request(consts.HANDLE_GETROOT, (), 6), request(PING, ("hi",), 7)]
    ours, theirs = socket.socketpair()
    connection = LockedConnection(ours)
    connection.start("test")
    theirs.settimeout(10)
    theirs.sendall(b"".join(asked))
    answers = [read_frame(theirs) for _ in asked]
    assert [(kind, seq) for kind, seq, _ in answers] == [(3, 5), (3, 6), (2, 7)]
    assert answers[2][2] == (1, "hi")
    connection.close()
    connection.join(5)
    theirs.close()


@pytest.mark.parametrize("data", [
    frame(b"", length=MAX_FRAME + 1), frame(b"", length=2**32 - 1), frame(b"x", compressed=1), frame(b"x", end=b"?"),
    frame(b""), frame(b"\x01"), frame(b"\x09" + brine.dump((1, 2))),
    frame(message(1, "seq", (PING, (1, (1,))))), frame(message(1, 1, (PING, (2, (1,))))),
    frame(message(1, 1, (PING, (4, ("builtins.type", 1, 2))))), frame(message(1, 1, (PING, (1, 5)))),
    frame(message(1, 1, 7)), frame(message(2, 1, (4, ("a", 1, 2)))), frame(message(3, 1, ("a", "b"))),
    frame(message(3, 1, ("a", 1, None))), frame(b"\x01" + b"\x11" * 100_000), frame(b"\x01" + b"\x08" * 100_000),
    frame(b"\x01" + brine.dump((1, frozenset({1})))), frame(b"\x01" + brine.dump((1, slice(1, 2, 3)))),
    frame(b"\x01" + brine.TAG_TUP2 + brine.TAG_INT_L4 + b"\0\0\xff\xff" + b"1" * 65535),
    frame(b"\x01" + brine.TAG_TUP_L4 + b"\xff\xff\xff\xff"), frame(b"\x01" + brine.dump((1, 2)) + b"more"),
], ids=range(22))
def test_a_peer_that_breaks_the_rules_is_dropped_and_nobody_else_notices(data: bytes) -> None:
    with serving() as (path, _):
        link = connect(path)
        peer = raw(path)
        peer.sendall(data)
        assert read_frame(peer) is None
        peer.close()
        assert link.call("echo", {"still": "here"}) == {"still": "here"}
        link.close()
    with hostile_server([data]) as path:
        link = connect(path)
        with pytest.raises(LinkLost):
            link.call("echo", {})
        link.close()


@pytest.mark.parametrize("values", [("echo",), ("echo", b"{}\n", 1), (b"echo", b"{}\n"), ("echo", "{}\n"),
                                    ("echo", b"{}"), ("echo", b"[]\n"), ("echo", b"{\n"), ("echo", b'{"a":NaN}\n'),
                                    ("echo", b"[" * 100_000 + b"\n"), ("echo", b"\xff\n"), ("", b"{}\n")])
def test_a_call_that_is_none_is_answered_with_an_error(values: tuple) -> None:
    with serving() as (path, _):
        peer = raw(path)
        peer.sendall(request(CALL, values))
        kind, _, args = read_frame(peer)
        assert kind == consts.MSG_EXCEPTION
        assert args[0] in ("bad_input", "not_found", "internal")
        peer.close()


def test_a_peer_that_opens_too_many_calls_is_told_and_keeps_its_first() -> None:
    gate = threading.Event()
    with serving({"slow": lambda *_: {"waited": gate.wait(10)}}) as (path, _):
        peer = raw(path)
        peer.sendall(b"".join(request(CALL, ("slow", b"{}\n"), seq) for seq in range(OUTSTANDING + 3)))
        refused = [read_frame(peer) for _ in range(3)]
        assert [(kind, args[0]) for kind, _, args in refused] == [(consts.MSG_EXCEPTION, "busy")] * 3
        gate.set()
        assert all(read_frame(peer)[0] == consts.MSG_REPLY for _ in range(OUTSTANDING))
        peer.close()


def test_connections_that_say_nothing_give_way_to_one_that_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_server, "SILENT_SECONDS", 0.0)
    with serving() as (path, server):
        link = connect(path)
        assert link.call("echo", {"first": 1}) == {"first": 1}
        silent = [raw(path) for _ in range(link_server.MAX_CONNECTIONS + 8)]
        other = connect(path)
        assert other.call("echo", {"let": "in"}) == {"let": "in"}
        assert link.call("echo", {"still": "here"}) == {"still": "here"}
        assert server.connections <= link_server.MAX_CONNECTIONS
        for item in (*silent, other, link):
            item.close()


def test_young_connections_are_not_dropped_for_a_newer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_server, "MAX_CONNECTIONS", 2)
    monkeypatch.setattr(link_server, "SILENT_SECONDS", 600.0)
    with serving() as (path, _):
        early = [raw(path) for _ in range(2)]
        late = raw(path)
        assert read_frame(late) is None
        early[0].sendall(request(PING, ("hi",)))
        assert read_frame(early[0])[2] == (1, "hi")
        for item in (*early, late):
            item.close()


@pytest.mark.parametrize("exception", [
    (("builtins", "SystemExit"), (), (), "x"), (("builtins", "KeyboardInterrupt"), (1,), (), "x"), 1, "text", (),
])
def test_a_stock_rpyc_exception_is_never_raised_here(exception: object) -> None:
    with hostile_server([frame(message(consts.MSG_EXCEPTION, 0, exception))]) as path:
        link = connect(path)
        with pytest.raises(LinkLost):
            link.call("echo", {})
        link.close()


def test_the_words_of_an_error_are_capped_and_cannot_steer_a_terminal() -> None:
    words = "\x1b[2Jred\x07\u202e" + "x" * 10_000
    with hostile_server([frame(message(consts.MSG_EXCEPTION, 0, ("code" * 100, words, words)))]) as path:
        link = connect(path)
        with pytest.raises(RemoteError) as caught:
            link.call("echo", {})
        assert caught.value.message.startswith("[2Jred" + "x")
        assert max(len(caught.value.message), len(caught.value.hint)) <= 2000
        assert len(caught.value.remote_code) == 64
        link.close()


@pytest.mark.parametrize("reply", [b"", b"{}", b"nothing\n", b"[]\n", "text", 5, None])
def test_an_answer_that_is_none_ends_the_link(reply: object) -> None:
    with hostile_server([frame(message(consts.MSG_REPLY, 0, (consts.LABEL_VALUE, reply)))]) as path:
        link = connect(path)
        with pytest.raises(LinkLost):
            link.call("echo", {})
        assert link.closed
        link.close()


def test_only_values_are_sent() -> None:
    ours, theirs = socket.socketpair()
    connection = LockedConnection(ours)
    for thing in (object(), [], {}, (object(),), connection, copy):
        with pytest.raises(TypeError, match="only values may cross"):
            connection.ask(PING, (thing,), lambda *_: None)
    connection.close()
    theirs.close()


def test_a_frame_over_the_cap_is_not_even_begun() -> None:
    ours, theirs = socket.socketpair()
    stream = SocketStream(ours)
    with pytest.raises(ValueError, match="over the cap"):
        LockedChannel(stream).send(b"x" * (MAX_FRAME + 1))
    stream.release()
    with pytest.raises(LinkBroken):
        stream.write(b"x")
    theirs.close()


@pytest.mark.parametrize("value", [0, -1, 250, 10**18, "", "text", "größe", b"", b"x" * 300, (), (1, "a", (b"b", ()))])
def test_values_are_read_as_rpyc_writes_them(value: object) -> None:
    assert link_values.load(brine.dump(value)) == value


def test_fuzzed_frames_hurt_neither_end() -> None:
    fuzz = Fuzz(11)
    with serving() as (path, _):
        link = connect(path)
        peer = raw(path)
        for sent in range(FRAMES):
            try:
                if sent % 20 == 0:  # a frame that claims to be long swallows those after it; begin anew
                    raise BrokenPipeError
                peer.sendall(fuzz.frame())
            except OSError:
                peer.close()
                peer = raw(path)
        peer.close()
        assert link.call("echo", {"still": "here"}) == {"still": "here"}
        link.close()
    for _ in range(FRAMES // 20):
        ours, theirs = socket.socketpair()
        connection = LockedConnection(ours)
        answers: list[bool] = []
        connection.ask(PING, (1,), lambda failed, _value, answers=answers: answers.append(failed))
        connection.start("fuzzed")
        try:
            theirs.sendall(b"".join(fuzz.frame() for _ in range(20)))
            theirs.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        connection.join(10)
        assert connection.closed
        assert len(answers) == 1
        theirs.close()
