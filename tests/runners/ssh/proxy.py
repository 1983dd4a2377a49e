"""A TCP proxy that misbehaves on demand: cuts, goes silent, delays with jitter, passes only so many bytes."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_RESET = b"\x01\0\0\0\0\0\0\0"  # SO_LINGER: on, for no time at all


@dataclass(eq=False)
class _Pair:
    near: socket.socket
    far: socket.socket
    half_open: bool = False     # takes bytes in and passes none on, nor the news that an end has closed
    left: int = 2               # pumps that still run
    ends: threading.Lock = field(default_factory=threading.Lock)


class Proxy:
    """Listens on loopback and passes on to ``target``; what it does to connections can be changed while they run."""

    def __init__(self, target: tuple[str, int], seed: int = 0) -> None:
        self.target = target
        self.silent = False                   # swallows the bytes of every connection, old or new; closes nothing
        self.delay = (0.0, 0.0)               # seconds before each piece, from, to
        self.budget: int | None = None        # bytes towards the target until everything is cut
        self.budget_back: int | None = None   # bytes from the target until everything is cut
        self.mangle = 0                       # bytes to drop from the middle of what comes back next
        self.linger = 0.0                     # seconds the target's end of a half-open connection outlives the other
        self.passed = self.returned = 0       # bytes towards the target so far, and from it
        self.connections = 0
        self._going = threading.Event()       # cleared: what comes in waits, as on a network that is away for a while
        self._going.set()
        self._random = random.Random(seed)
        self._pairs: list[_Pair] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._refusing = False
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._accepting = self._run(self._accept)

    @property
    def live(self) -> int:
        """How many connections there are that still pass something on."""
        with self._lock:
            return sum(not pair.half_open for pair in self._pairs)

    def cut(self) -> None:
        """Reset every connection there is; new ones are welcome."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in (pair.near, pair.far):
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    end.shutdown(socket.SHUT_RDWR)

    def half_open(self) -> None:
        """Let the connections there are go silent for ever, as when a router forgets them; new ones are welcome."""
        with self._lock:
            for pair in self._pairs:
                pair.half_open = True

    def stall(self, stalled: bool = True) -> None:
        """Hold back whatever comes, on connections old and new, or let it go on: a network that loses nothing."""
        if stalled:
            self._going.clear()
        else:
            self._going.set()

    def refuse(self, refusing: bool = True) -> None:
        """Drop new connections at once, or stop doing so."""
        self._refusing = refusing

    def close(self) -> None:
        self._refusing = True
        self._closing.set()
        self._going.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.silent = False
        self.cut()
        for thread in [self._accepting, *self._threads]:
            thread.join(5)

    def _run(self, what: Callable[..., None], *args: object) -> threading.Thread:
        thread = threading.Thread(target=what, args=args, name="proxy", daemon=True)
        thread.start()
        return thread

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing:
                near.close()
                continue
            self.connections += 1
            try:
                far = socket.create_connection(self.target)
            except OSError:  # the target is away for a moment, too
                near.close()
                continue
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = _Pair(near, far)
            with self._lock:
                self._pairs.append(pair)
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            self._threads += [self._run(self._pump, pair, True), self._run(self._pump, pair, False)]

    def _pump(self, pair: _Pair, upward: bool) -> None:
        source, drain = (pair.near, pair.far) if upward else (pair.far, pair.near)
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self.delay[1]:
                    time.sleep(self._random.uniform(*self.delay))
                self._going.wait()
                if self.mangle and not upward:
                    data, self.mangle = data[:len(data) // 2] + data[len(data) // 2 + self.mangle:], 0
                if self.silent or pair.half_open:
                    continue
                drain.sendall(self._count(data, upward))
        if pair.half_open and upward:
            self._closing.wait(self.linger)
        for end in (source, drain):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with pair.ends:
            pair.left -= 1
            last = not pair.left
        if last:
            with self._lock, contextlib.suppress(ValueError):
                self._pairs.remove(pair)
            pair.near.close()
            pair.far.close()

    def _count(self, data: bytes, upward: bool) -> bytes:
        name = "budget" if upward else "budget_back"
        left = getattr(self, name)
        if left is not None:
            data = data[:left]
            setattr(self, name, left - len(data))
            if left <= len(data):
                setattr(self, name, None)
                self.cut()
        if upward:
            self.passed += len(data)
        else:
            self.returned += len(data)
        return data
