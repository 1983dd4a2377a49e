"""The answering end of links: an accept loop, a thread per connection that reads, and a thread per call that works.

A slow call (a long poll) holds up nothing else on its connection. No connection has more than OUTSTANDING calls open.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from mldesk.core.errors import BadInput, NotFound
from mldesk.wire.link_channel import LinkBroken
from mldesk.wire.link_protocol import BUSY, CALL, MAX_DATA, OUTSTANDING, PING, LockedConnection, pack, unpack
from mldesk.wire.link_sockets import UNIX, listen, remove_directory, welcome

Answer: TypeAlias = "dict[str, Any] | tuple[dict[str, Any], bytes]"
Handler: TypeAlias = Callable[[dict[str, Any], bytes], Answer]

MAX_CONNECTIONS = 64
SILENT_SECONDS = 5.0  # after which a connection that never asked anything gives way to a new one, if there is no room
log = logging.getLogger("mldesk.link")
_names = itertools.count(1)


class ServingConnection(LockedConnection):
    """One client. Calls run in threads of their own; pings are answered by the reader, so they tell that it lives."""

    def __init__(self, peer: socket.socket, methods: Mapping[str, Handler],
                 ended: Callable[[ServingConnection], None]) -> None:
        self._methods = methods
        self._open = 0
        self._count = threading.Lock()
        self.since = time.monotonic()
        self.spoken = False  # whether it has called anything yet
        super().__init__(peer, lambda _reason: ended(self))

    @classmethod
    def _request_handlers(cls) -> dict[int, Callable[..., Any]]:
        return {PING: cls._on_ping, CALL: cls._on_call}

    def _on_call(self, *values: Any) -> bytes:
        method, data = values if len(values) == 2 else (None, None)
        if not isinstance(method, str) or not isinstance(data, bytes):
            raise BadInput("A call is a method's name and its data.")
        handler = self._methods.get(method)
        if handler is None:
            raise NotFound(f"This runner has no method {method!r:.60}.", hint="Upgrade the older of the two.")
        try:
            payload, body = unpack(data)
        except ValueError as error:
            raise BadInput(f"The data of {method} cannot be read: {error!s:.200}.") from error
        answer = handler(payload, body)
        packed = pack(*answer) if isinstance(answer, tuple) else pack(answer)
        if len(packed) > MAX_DATA:
            raise BadInput(f"The answer of {method} is too large to send ({len(packed)} bytes). Ask for less at once.")
        return packed

    def answer(self, seq: int, method: Callable[..., Any], values: tuple[Any, ...]) -> None:
        """Answer a ping here; run a call in a thread of its own, or refuse it if too many are open."""
        if method is not self._HANDLERS[CALL]:
            super().answer(seq, method, values)
            return
        self.spoken = True
        with self._count:
            room = self._open < OUTSTANDING
            self._open += room
        if not room:
            self.refuse(seq, BUSY, f"This link has {OUTSTANDING} calls open already.")
            return
        threading.Thread(target=self._work, args=(seq, method, values), name=f"mldesk-call-{next(_names)}",
                         daemon=True).start()

    def _work(self, seq: int, method: Callable[..., Any], values: tuple[Any, ...]) -> None:
        try:
            super().answer(seq, method, values)
        except LinkBroken:
            self.close()
        finally:
            with self._count:
                self._open -= 1


class LinkServer:
    """Listens at ``path`` from the start until ``close``. ``methods`` maps a name to what answers it.

    A handler gets the JSON payload and the raw body, and returns a payload, or a payload and a body. An MldeskError it
    raises reaches the caller as that error; any other exception as "something went wrong", with the traceback in the
    log here.
    """

    def __init__(self, path: Path, methods: Mapping[str, Handler], *, loopback: bool = not UNIX) -> None:
        self._path, self._loopback = path, loopback
        self._methods = dict(methods)
        self._connections: set[ServingConnection] = set()
        self._lock = threading.Lock()
        self._closing = False
        self._replacement: tuple[socket.socket, str] | None = None  # to listen on from now on; the accept loop takes it
        self._wake, self._woken = socket.socketpair()
        self._socket, self._token = listen(path, loopback=loopback)
        self.last_used = time.monotonic()  # when a connection last came or went
        self._thread = threading.Thread(target=self._accept_forever, name="mldesk-accept", daemon=True)
        self._thread.start()

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        with self._lock:
            return len(self._connections)

    def keep_reachable(self) -> None:
        """Listen anew if the socket's file is gone: cleaners of temporary folders remove what looks old."""
        if self._path.exists():
            return
        log.warning("the socket %s was removed; making it again", self._path)
        self._replacement = listen(self._path, loopback=self._loopback)
        self._wake.send(b"x")

    def close(self) -> None:
        """Stop listening, drop every connection and wait (bounded) for their readers. A second call does nothing."""
        if self._closing:
            return
        self._closing = True
        self._wake.send(b"x")
        self._thread.join(5.0)
        self._path.unlink(missing_ok=True)
        remove_directory(self._path.parent)
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.close()
        for connection in connections:
            connection.join(5.0)
        for item in (self._socket, self._wake, self._woken, *(self._replacement or ())[:1]):
            item.close()

    def _accept_forever(self) -> None:
        while not self._closing:
            with selectors.DefaultSelector() as selector:
                selector.register(self._socket, selectors.EVENT_READ)
                selector.register(self._woken, selectors.EVENT_READ)
                ready = {key.fileobj for key, _ in selector.select()}
            if self._socket in ready:  # before a replacement, so that nobody who had knocked is turned away
                self._accept(self._socket)
            elif self._woken in ready:
                self._woken.recv(64)
                if self._replacement is not None:
                    self._socket.close()
                    self._socket, self._token = self._replacement
                    self._replacement = None

    def _accept(self, listening: socket.socket) -> None:
        try:
            peer, _ = listening.accept()
        except OSError as error:
            log.warning("a connection could not be taken: %s", error)
            time.sleep(0.1)  # out of file numbers, most likely; they come back
            return
        if self.connections >= MAX_CONNECTIONS and not self._make_room():
            log.warning("more than %d connections; one was turned away", MAX_CONNECTIONS)
            peer.close()
        elif self._token:  # it may be slow to show it
            threading.Thread(target=self._begin, args=(peer,), name="mldesk-welcome", daemon=True).start()
        else:
            self._begin(peer)

    def _make_room(self) -> bool:
        """Drop the oldest connection that came a while ago and has said nothing since; say whether there was one."""
        before = time.monotonic() - SILENT_SECONDS
        with self._lock:
            silent = [item for item in self._connections if not item.spoken and item.since <= before]
            if not silent:
                return False
            oldest = min(silent, key=lambda item: item.since)
            self._connections.discard(oldest)
        log.warning("a connection that never asked anything gave way to a new one")
        oldest.close()
        return True

    def _begin(self, peer: socket.socket) -> None:
        known = False
        with contextlib.suppress(OSError):
            known = welcome(peer, self._token)
        if not known or self._closing:
            if not known:
                log.warning("a connection of somebody else was turned away")
            peer.close()
            return
        connection = ServingConnection(peer, self._methods, self._gone)
        with self._lock:
            self._connections.add(connection)
        self.last_used = time.monotonic()
        connection.start(f"mldesk-link-{next(_names)}")

    def _gone(self, connection: ServingConnection) -> None:
        with self._lock:
            self._connections.discard(connection)
        self.last_used = time.monotonic()
