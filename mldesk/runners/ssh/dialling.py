"""A TCP connection as soon as there is a way: knocking again and again, since the system's own repeats come ever later.

A machine that is off the network swallows what asks for a connection. The system asks again after one second, then two,
then four: a network that returns meanwhile is noticed late. A new socket every KNOCK seconds notices at once, and tries
the other addresses of a name (IPv6, IPv4) on the way.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import selectors
import socket
import time

KNOCK = 1.0                # seconds between attempts
_UNDER_WAY = {0, errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", errno.EINPROGRESS)}


def dial(host: str, port: int, seconds: float) -> socket.socket:
    """Return a connected, blocking socket. Raises socket.gaierror for a name nobody knows, OSError, TimeoutError."""
    places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    deadline = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        try:
            return _first(selector, places, deadline)
        finally:
            for key in list(selector.get_map().values()):
                key.fileobj.close()  # type: ignore[union-attr]  # all are sockets


def _first(selector: selectors.BaseSelector, places: list[tuple], deadline: float) -> socket.socket:  # type: ignore[type-arg]
    error, failed, due, turn = OSError(errno.ETIMEDOUT, "no answer"), 0, 0.0, itertools.cycle(places)
    while True:
        now = time.monotonic()
        if now >= deadline:
            raise error
        if now >= due:
            due = now + KNOCK
            try:
                _knock(selector, next(turn))
            except OSError as caught:
                error, failed = caught, failed + 1
        if not selector.get_map():
            if failed >= len(places):
                raise error
            due = now
            continue
        for key, _ in selector.select(max(0.0, min(due, deadline) - time.monotonic())):
            peer = key.fileobj
            assert isinstance(peer, socket.socket)  # noqa: S101 - for mypy
            selector.unregister(peer)
            if not (code := peer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
                peer.setblocking(True)
                return peer
            peer.close()
            error, failed, due = OSError(code, os.strerror(code)), failed + 1, 0.0


def _knock(selector: selectors.BaseSelector, place: tuple) -> None:  # type: ignore[type-arg]
    """Begin to connect. Raises OSError."""
    family, kind, protocol, _, address = place
    with contextlib.ExitStack() as undo:
        peer = undo.enter_context(socket.socket(family, kind, protocol))
        peer.setblocking(False)
        code = peer.connect_ex(address)
        if code not in _UNDER_WAY:
            raise OSError(code, os.strerror(code))
        selector.register(peer, selectors.EVENT_WRITE)
        undo.pop_all()
