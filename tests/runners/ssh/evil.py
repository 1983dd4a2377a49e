"""A runner that is out for harm: the far end of an SSH connection, made up within the test, that says anything."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mldesk.core.errors import NotFound
from mldesk.runners.ssh.client import SshRunner
from mldesk.runners.ssh.known_hosts import KnownHosts
from mldesk.runners.ssh.programs import Installed
from mldesk.runners.ssh.stream import StreamEnded
from mldesk.wire.banner import banner
from mldesk.wire.link_server import Answer, Handler, ServingConnection
from mldesk.wire.objects import ObjectStore
from runner_agent.place import facts


class Pipe:
    """A ByteStream over one end of a socket pair."""

    complaint = ""

    def __init__(self, peer: socket.socket) -> None:
        self._peer = peer

    def read(self, most: int) -> bytes:
        try:
            return self._peer.recv(most)
        except OSError:
            return b""

    def write(self, data: bytes | memoryview) -> None:
        try:
            self._peer.sendall(data)
        except OSError as error:
            raise StreamEnded(str(error)) from error

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            self._peer.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._peer.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        self.close()
        self._peer.close()

    def wait(self, _seconds: float) -> int | None:
        return None


class Evil:
    """A Connection whose programs say what ``answers`` holds: a payload and a body for each method."""

    channels_are_cheap = False

    def __init__(self) -> None:
        self.answers: dict[str, tuple[dict[str, Any], bytes]] = {}
        self.facts: Mapping[str, Any] = facts()
        self.bulk = b""            # what "send" and "receive" say after their banner
        self.asked: list[str] = []
        self.alive = True
        self._ends: list[socket.socket] = []
        self._links: list[ServingConnection] = []

    def open_exec(self, command: str, timeout: float = 20.0) -> Pipe:
        found = re.search(r"(bridge|send|receive) --word ([0-9a-f]{32})", command)
        assert found
        ours, theirs = socket.socketpair()
        self._ends.append(theirs)
        theirs.sendall(banner(found[2], self.facts))
        if found[1] == "bridge":
            link = ServingConnection(theirs, _Any(self), lambda _: None)
            self._links.append(link)
            link.start("evil")
        else:
            threading.Thread(target=self._say, args=(theirs,), name="evil-bulk", daemon=True).start()
        return Pipe(ours)

    def explain(self, _stream: object) -> None:
        return None

    def close(self) -> None:
        self.alive = False
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for link in self._links:
            link.close()
            link.join(5.0)

    def _say(self, peer: socket.socket) -> None:
        with contextlib.suppress(OSError):
            peer.sendall(self.bulk)
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(65536):
                pass
        peer.close()


class _Any(dict[str, Handler]):
    """Every method, by what the evil one says of it; NotFound for what it says nothing of."""

    def __init__(self, evil: Evil) -> None:
        super().__init__()
        self._evil = evil

    def get(self, name: str, _default: Any = None) -> Handler:  # type: ignore[override]
        def handle(_payload: dict[str, Any], _body: bytes) -> Answer:
            self._evil.asked.append(name)
            if name not in self._evil.answers:
                raise NotFound("There is nothing.")
            return self._evil.answers[name]
        return handle


def runner_of(evil: Evil, folder: Path, monkeypatch: pytest.MonkeyPatch) -> SshRunner:
    """Return the real client, talking to that."""
    def connect(*_: object) -> Evil:
        evil.alive = True
        return evil

    monkeypatch.setattr("mldesk.runners.ssh.client.open_connection", connect)
    monkeypatch.setattr("mldesk.runners.ssh.client._PAUSE", 0.01)
    monkeypatch.setattr("mldesk.runners.ssh.client.PERSISTENCE", 0.1)
    monkeypatch.setattr("mldesk.runners.ssh.client.TRANSFER_PATIENCE", 0.05)
    return SshRunner("evil", "user@nowhere", ObjectStore(folder / "store"), KnownHosts(folder / "known"),
                     installed=Installed("agent"))
