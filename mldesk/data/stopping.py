"""Work that stops when the user wants out, also in the middle of one long query.

DuckDB lets no signal through and asks nobody while it works. So the work goes to a thread of its own, whoever wants out
is asked in the thread that waits, and every connection that the work has announced is interrupted.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, Protocol, TypeVar

from mldesk.data.records import Cancelled, ImportCancelled

Answer = TypeVar("Answer")
_POLL = 0.05  # seconds between two looks at whether the user wants out


class Interruptible(Protocol):
    """A connection whose work another thread may stop."""

    def interrupt(self) -> Any:
        """Stop what is being done; harmless if nothing is."""
        ...


class _Stop:
    """What one piece of work has announced, and whether it is to stop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: list[Interruptible] = []
        self.asked = False

    def watch(self, connection: Interruptible) -> None:
        with self._lock:
            self._watched.append(connection)

    def interrupt(self) -> None:
        self.asked = True
        with self._lock:
            watched = list(self._watched)
        for connection in watched:
            with contextlib.suppress(Exception):  # it is closed: there is nothing to stop any more
                connection.interrupt()


_current: contextvars.ContextVar[_Stop | None] = contextvars.ContextVar("stop", default=None)


def watch(connection: Interruptible) -> None:
    """Let the connection be interrupted when the work it belongs to is stopped."""
    stop = _current.get()
    if stop is not None:
        stop.watch(connection)


def check_stopped(what: str = "The work") -> None:
    """Raise ImportCancelled if the work this belongs to is to stop."""
    stop = _current.get()
    if stop is not None and stop.asked:
        raise ImportCancelled(what)


def stoppable(work: Callable[[], Answer], cancelled: Cancelled | None, what: str) -> Answer:
    """Return what ``work`` does; raise ImportCancelled soon after ``cancelled`` says so, which is asked in this thread.

    ``what`` names the work in that sentence: "The profile". Without ``cancelled`` the work is done right here.
    """
    if cancelled is None:
        return work()
    if cancelled():
        raise ImportCancelled(what)
    stop = _Stop()
    context = contextvars.copy_context()
    context.run(_current.set, stop)
    with ThreadPoolExecutor(1, "stoppable") as pool:
        answer = pool.submit(context.run, work)
        while not wait([answer], _POLL).done:
            if stop.asked or cancelled():
                stop.interrupt()  # again and again: it may not have begun
        error = answer.exception()
        if stop.asked and error is not None:
            raise ImportCancelled(what) from error
        return answer.result()
