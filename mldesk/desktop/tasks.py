"""Tasks of the window: started in one place, named, kept alive, heard when they fail. asyncio only, no Qt.

Widgets and states use the module functions ``start`` and ``in_thread``; they go to the ``Tasks`` of the open window,
which ``main`` (or a test) makes current. Blocking calls (SQLite, files, the runner) always go through ``in_thread``.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S")

WORKERS = 6    # threads for what pages ask for
FOLLOWERS = 12  # threads that may sit in a long poll at once
REMOTE = 8     # threads that may wait for runners which may be slow or gone


class Tasks:
    """Every task of one window. ``heard`` is told the name and error of each task that fails."""

    def __init__(self, heard: Callable[[str, BaseException], None]) -> None:
        self._heard = heard
        self._running: set[asyncio.Task[Any]] = set()
        self._quiet: set[asyncio.Task[Any]] = set()
        self._pools = {"work": ThreadPoolExecutor(WORKERS, "mldesk-work"),
                       "follow": ThreadPoolExecutor(FOLLOWERS, "mldesk-follow"),
                       "remote": ThreadPoolExecutor(REMOTE, "mldesk-remote")}
        self._at_work = 0
        self._idle = threading.Condition()
        self.closing = threading.Event()  # long work in threads looks at this and ends early

    def start(self, work: Coroutine[Any, Any, T], name: str, *, quiet: bool = False) -> asyncio.Task[T]:
        """Start ``work`` under ``name``; the task is kept until it ends. Cancelling it is not an error.

        ``quiet``: whoever holds the task hears of its errors, nobody else.
        """
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        if quiet:
            self._quiet.add(task)
        task.add_done_callback(self._on_done)
        return task

    async def in_thread(self, work: Callable[[], T], pool: str = "work") -> T:
        """Run ``work`` in a worker thread and return what it returns. Cancelled, it runs on with nobody listening.

        ``work`` may be a method of a widget that is gone by then. It is let go of in the loop's thread: in a worker's,
        Qt would destroy the widget there.
        """
        context, loop, held = contextvars.copy_context(), asyncio.get_running_loop(), [work]
        return await loop.run_in_executor(self._pools[pool], self._counted, loop, context, held)

    def _counted(self, loop: asyncio.AbstractEventLoop, context: contextvars.Context,
                 held: list[Callable[[], T]]) -> T:
        with self._idle:
            self._at_work += 1
        try:
            return context.run(_call, held)
        finally:
            with suppress(RuntimeError):   # the loop is closed
                loop.call_soon_threadsafe(held.clear)
            with self._idle:
                self._at_work -= 1
                self._idle.notify_all()

    @property
    def names(self) -> list[str]:
        """The names of the tasks that are running, for tests and for the log."""
        return sorted(task.get_name() for task in self._running)

    async def cancel(self) -> None:
        """Cancel every task and wait for it to clean up; long work in threads is asked to end."""
        self.closing.set()
        own = asyncio.current_task()
        while waiting := [task for task in self._running if task is not own]:
            for task in waiting:
                task.cancel()
            await asyncio.wait(waiting, timeout=1.0)  # then once more: a library may swallow a cancel

    async def close(self) -> None:
        """Cancel every task, then end the threads."""
        await self.cancel()
        self.join()

    def join(self, patience: float = 3600.0) -> bool:
        """End the threads; what they are in the middle of comes to its end, what waits in line never starts.

        False when something was still at work after ``patience`` seconds; its thread is left to itself.
        """
        self.closing.set()
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        with self._idle:
            ended = self._idle.wait_for(lambda: self._at_work == 0, patience)
        if ended:
            for pool in self._pools.values():
                pool.shutdown(wait=True)
        return ended

    def _on_done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        quiet = task in self._quiet
        self._quiet.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not quiet:
            self._heard(task.get_name(), error)


def _call(held: list[Callable[[], T]]) -> T:
    return held[0]()


_current: Tasks | None = None


def current() -> Tasks:
    """Return the open window's tasks. Raises RuntimeError where no window is open."""
    if _current is None:
        raise RuntimeError("no window is open: tasks need one")
    return _current


@contextmanager
def made_current(tasks: Tasks) -> Iterator[Tasks]:
    """Make ``tasks`` the ones that ``start`` and ``in_thread`` use within the block."""
    global _current
    before, _current = _current, tasks
    try:
        yield tasks
    finally:
        _current = before


def start(work: Coroutine[Any, Any, T], name: str, *, quiet: bool = False) -> asyncio.Task[T]:
    """Start a named task in the open window. See ``Tasks.start``."""
    return current().start(work, name, quiet=quiet)


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call something that blocks, off the UI thread, and await its result. See ``Tasks.in_thread``."""
    return await current().in_thread(functools.partial(work, *args, **kwargs))


async def in_follower(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """As ``in_thread``, for calls that wait for a runner: they have threads of their own and hold up no page."""
    return await current().in_thread(functools.partial(work, *args, **kwargs), "follow")


async def in_remote(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """As ``in_thread``, for what is asked of runners: one that does not answer holds up none of the library's pages."""
    return await current().in_thread(functools.partial(work, *args, **kwargs), "remote")


class TaskOwner:
    """Something whose tasks end with it: a page or dialog that may be gone before an answer comes."""

    _own_tasks: set[asyncio.Task[Any]] | None = None

    def own(self, task: asyncio.Task[T]) -> asyncio.Task[T]:
        """Remember a task so that ``cancel_tasks`` ends it."""
        if self._own_tasks is None:
            self._own_tasks = set()
        self._own_tasks.add(task)
        task.add_done_callback(self._own_tasks.discard)
        return task

    def cancel_tasks(self) -> None:
        """End every task that is still going; called when the owner goes."""
        for task in tuple(self._own_tasks or ()):
            task.cancel()


def async_slot(method: Callable[Concatenate[S, P], Coroutine[Any, Any, Any]]) -> Callable[..., None]:
    """Make a coroutine method a slot: each call starts a task named after it.

    The ``checked`` of a button's ``clicked`` is dropped where the method takes no argument. Nothing else is.
    """
    parameters = list(inspect.signature(method).parameters.values())[1:]
    takes_nothing = not parameters

    @functools.wraps(method)
    def slot(self: S, *args: Any) -> None:
        if takes_nothing and len(args) == 1 and isinstance(args[0], bool):
            args = ()
        task = start(method(self, *args), f"{type(self).__name__}.{method.__name__}")  # type: ignore[call-arg]
        if isinstance(self, TaskOwner):
            self.own(task)

    return slot
