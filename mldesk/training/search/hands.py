"""The processes that try models beside the search's own: started anew, or split off a trainer that has loaded all.

Both read orders, a line of JSON each, and answer likewise (``worker.serve``).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, NoReturn, Protocol

_CLOSING = 5.0     # seconds a process may take to be gone once it is killed
_LOOK = 0.01

Serve = Callable[[IO[bytes], IO[bytes]], None]   # reads orders, writes answers, until there are no more orders


class Hand(Protocol):
    """A process that makes trials."""

    @property
    def orders(self) -> IO[bytes]: ...

    @property
    def answers(self) -> IO[bytes]: ...

    def end(self) -> None:
        """Kill it, and wait until it is gone (bounded)."""
        ...


class Spawned:
    """A process that starts from nothing and loads what it needs."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mldesk.training.search.worker", *modules], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)
        assert self._process.stdin is not None  # noqa: S101 - for mypy: it was made with pipes
        assert self._process.stdout is not None  # noqa: S101 - likewise
        self.orders, self.answers = self._process.stdin, self._process.stdout

    def end(self) -> None:
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):   # it is killed; on a busy machine it may take its time to be gone
            self._process.wait(_CLOSING)
        _close(self)


class Forked:
    """A copy of this process, with all that it has loaded. POSIX, and only while this process has a single thread and
    no library has started any: OpenMP's threads would be missing in the copy, which would wait for them for ever.
    """

    def __init__(self, serve: Serve, others: Sequence[Hand]) -> None:
        """``others``: made before; what leads to them is closed in the copy, or they would not see this process end."""
        theirs, to_them = os.pipe()
        to_us, ours = os.pipe()
        pid = os.fork()
        if not pid:
            inherited = [to_them, to_us, *(pipe.fileno() for hand in others for pipe in (hand.orders, hand.answers))]
            _become(serve, theirs, ours, inherited)
        os.close(theirs)
        os.close(ours)
        self._pid = pid
        self.orders: IO[bytes] = os.fdopen(to_them, "wb")
        self.answers: IO[bytes] = os.fdopen(to_us, "rb")

    def end(self) -> None:
        if self._pid:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            until = time.monotonic() + _CLOSING
            with suppress(ChildProcessError):
                while os.waitpid(self._pid, os.WNOHANG) == (0, 0) and time.monotonic() < until:
                    time.sleep(_LOOK)
            self._pid = 0
        _close(self)


def split_off(count: int, serve: Serve) -> list[Hand]:
    """Return copies of this process that serve; none where the system has no such thing."""
    made: list[Hand] = []
    if hasattr(os, "fork"):
        with _sigterm_held_back():
            for _ in range(count):
                made.append(Forked(serve, made))
    return made


@contextmanager
def start_hands(count: int, modules: Sequence[str], ready: Sequence[Hand] = ()) -> Iterator[Sequence[Hand]]:
    """Start the processes of ``Workers``, which load ``modules`` and wait; none where one process is enough.

    They take as long to load as a small table takes to prepare, so they are started before it. ``ready``: those that
    were split off already, which are as many or none.
    """
    hands: Sequence[Hand] = ready
    if not hands and count > 1:
        with _sigterm_held_back():
            hands = [Spawned(modules) for _ in range(count)]
    try:
        yield hands
    finally:
        for hand in hands:
            hand.end()


def _become(serve: Serve, orders: int, answers: int, inherited: Sequence[int]) -> NoReturn:
    """Serve in the forked copy. Never returns, whatever happens."""
    code = 1
    try:
        for number in inherited:
            os.close(number)
        with os.fdopen(orders, "rb") as reading, os.fdopen(answers, "wb") as writing:
            serve(reading, writing)
        code = 0
    except BaseException:  # noqa: BLE001 - into the log, as of any other process; nobody is above to catch it
        traceback.print_exc()
    finally:
        os._exit(code)


def _close(hand: Hand) -> None:
    for pipe in (hand.orders, hand.answers):
        with suppress(OSError):   # what it was told last did not reach it
            pipe.close()


@contextmanager
def _sigterm_held_back() -> Iterator[None]:
    """Start processes that SIGTERM does not reach: it comes to the whole group when the search is to pause.

    They could ignore it themselves, but only once they have been loaded, and it may come before.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
