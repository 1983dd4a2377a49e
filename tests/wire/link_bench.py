"""Both ends of a link for the tests, and raw frames as a hostile peer would send them."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import struct
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rpyc.core import brine, consts

from mldesk.core.errors import Conflict
from mldesk.wire.link_channel import MAX_FRAME
from mldesk.wire.link_protocol import CALL, PING
from mldesk.wire.link_server import Handler, LinkServer


@contextlib.contextmanager
def serving(methods: Mapping[str, Handler] | None = None, *,
            loopback: bool = False) -> Iterator[tuple[Path, LinkServer]]:
    """A server with a few methods, at a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="ml") as folder:
        path = Path(folder) / "s" / "link.sock"
        server = LinkServer(path, {**_METHODS, **(methods or {})}, loopback=loopback)
        try:
            yield path, server
        finally:
            server.close()


def _refuse(_payload: dict[str, Any], _body: bytes) -> dict[str, Any]:
    raise Conflict("It cannot be done.", hint="Do something else.")


def _break(_payload: dict[str, Any], _body: bytes) -> dict[str, Any]:
    raise RuntimeError("a secret of ours")


_METHODS: dict[str, Handler] = {"echo": lambda payload, body: (payload, body), "refuse": _refuse, "break": _break}


def frame(data: bytes, *, length: int | None = None, compressed: int = 0, end: bytes = b"\n") -> bytes:
    return struct.pack("!LB", len(data) if length is None else length, compressed) + data + end


def message(kind: int, seq: Any, args: Any) -> bytes:
    return bytes([kind]) + brine.dump((seq, args))


def request(handler: int, values: Any, seq: int = 1, label: int = consts.LABEL_VALUE) -> bytes:
    return frame(message(consts.MSG_REQUEST, seq, (handler, (label, values))))


def raw(path: Path) -> socket.socket:
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(str(path))
    peer.settimeout(10)
    return peer


def read_frame(peer: socket.socket) -> tuple[int, Any, Any] | None:
    """Return (kind, seq, args) of the next frame; None when the peer hung up."""
    try:
        header = _exactly(peer, 5)
        data = _exactly(peer, struct.unpack("!LB", header)[0] + 1)[:-1]
    except (EOFError, OSError):
        return None
    seq, args = brine.load(data[1:])
    return data[0], seq, args


def _exactly(peer: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = peer.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


@contextlib.contextmanager
def hostile_server(answers: list[bytes]) -> Iterator[Path]:
    """A server that answers every connection's first bytes with ``answers`` and hangs up."""
    with tempfile.TemporaryDirectory(prefix="ml") as folder:
        path = Path(folder) / "s" / "link.sock"
        path.parent.mkdir(mode=0o700)
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(path))
        server.listen(8)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    peer, _ = server.accept()
                    with peer, contextlib.suppress(OSError):
                        peer.recv(65536)
                        for answer in answers:
                            peer.sendall(answer)
                        peer.shutdown(socket.SHUT_WR)
                        peer.recv(65536)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield path
        finally:
            server.shutdown(socket.SHUT_RDWR)
            server.close()
            thread.join()


class Fuzz:
    """Endless frames: valid ones, mutated ones, and noise."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def frame(self) -> bytes:
        chance = self.random.random()
        if chance < 0.15:
            return os.urandom(self.random.randint(0, 64))
        if chance < 0.2:
            return frame(b"x", length=self.random.choice([0, 2, MAX_FRAME, MAX_FRAME + 1, 2**32 - 1]),
                         compressed=self.random.choice([0, 1, 255]))
        data = frame(message(self.random.choice([0, 1, 1, 1, 2, 3, 4, 255]), self._value(0), self._args()))
        if chance < 0.6:
            data = self._mutate(data)
        return data

    def _args(self) -> Any:
        if self.random.random() < 0.5:
            handler = self.random.choice([PING, CALL, *range(25)])
            label = self.random.choice([1, 1, 1, 2, 3, 4])
            values = ("echo", b"{}\n") if self.random.random() < 0.5 else self._value(0)
            return handler, (label, values)
        return self._value(0)

    def _value(self, depth: int) -> Any:
        kind = self.random.randrange(12 if depth < 5 else 8)
        if kind < 8:
            return [self.random.randint(-50, 300), "text", b"bytes", None, 1.5, 10**30, True, "echo"][kind]
        if kind == 8:
            return frozenset({self.random.randint(0, 9)})
        if kind == 9:
            return slice(1, 2, 3)
        return tuple(self._value(depth + 1) for _ in range(self.random.randint(0, 4)))

    def _mutate(self, data: bytes) -> bytes:
        changed = bytearray(data)
        for _ in range(self.random.randint(1, 4)):
            where = self.random.randrange(len(changed))
            how = self.random.randrange(3)
            if how == 0:
                changed[where] = self.random.randrange(256)
            elif how == 1:
                del changed[where]
            else:
                changed.insert(where, self.random.randrange(256))
            if not changed:
                return b""
        return bytes(changed)
