"""A TCP proxy that misbehaves on demand: cuts, goes silent, delays with jitter, passes only so many bytes."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time


class Proxy:
    """Listens on loopback and passes on to ``target``; what it does to connections can be changed while they run."""

    def __init__(self, target: tuple[str, int], seed: int = 0) -> None:
        self.target = target
        self.silent = False              # half-open: takes bytes in, passes none on, closes nothing
        self.delay = (0.0, 0.0)          # seconds before each piece, from, to
        self.budget: int | None = None   # bytes towards the target until everything is cut
        self.passed = 0                  # bytes towards the target so far
        self.connections = 0
        self._random = random.Random(seed)
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._refusing = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._accepting = self._run(self._accept)

    def cut(self) -> None:
        """Reset every connection there is; new ones are welcome."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                    end.shutdown(socket.SHUT_RDWR)

    def refuse(self, refusing: bool = True) -> None:
        """Drop new connections at once, or stop doing so."""
        self._refusing = refusing

    def close(self) -> None:
        self._refusing = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.silent = False
        self.cut()
        for thread in [self._accepting, *self._threads]:
            thread.join(5)

    def _run(self, what, *args) -> threading.Thread:
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
            far = socket.create_connection(self.target)
            with self._lock:
                self._pairs.append((near, far))
            gone = threading.Barrier(2)
            self._threads += [self._run(self._pump, near, far, True, gone),
                              self._run(self._pump, far, near, False, gone)]

    def _pump(self, source: socket.socket, drain: socket.socket, upward: bool, gone: threading.Barrier) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self.delay[1]:
                    time.sleep(self._random.uniform(*self.delay))
                if self.silent:
                    continue
                if upward:
                    data = self._count(data)
                drain.sendall(data)
        for end in (source, drain):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(threading.BrokenBarrierError):
            gone.wait(10)
        source.close()

    def _count(self, data: bytes) -> bytes:
        if self.budget is not None:
            data = data[:self.budget]
            self.budget -= len(data)
            if self.budget <= 0:
                self.budget = None
                self.cut()
        self.passed += len(data)
        return data
