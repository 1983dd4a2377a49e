"""Bring a result to the UI thread, however it comes: a value, a future of a thread pool, or something to await."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Awaitable, Callable
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal

_awaited: set[asyncio.Future[Any]] = set()  # asyncio keeps only weak references to its tasks


class Later(QObject):
    """Hands results to the thread it lives in. After ``forget()`` or its own end nothing is handed over any more."""

    _arrived = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._generation = 0
        self._arrived.connect(self._on_arrived, Qt.ConnectionType.QueuedConnection)

    def forget(self) -> None:
        """Drop what is still under way."""
        self._generation += 1

    def when(self, result: Any, done: Callable[[Any], object], failed: Callable[[BaseException], object]) -> None:
        """Call ``done(value)`` or ``failed(error)`` in this object's thread once ``result`` is known.

        A plain value is handed over at once. Cancelled work calls neither.
        """
        generation = self._generation
        if isinstance(result, concurrent.futures.Future):
            result.add_done_callback(lambda future: self._tell(generation, future, done, failed))
        elif isinstance(result, Awaitable):
            task = asyncio.ensure_future(result)
            _awaited.add(task)
            task.add_done_callback(_awaited.discard)
            task.add_done_callback(lambda future: self._settle(generation, future, done, failed))
        else:
            done(result)

    def _tell(self, generation: int, future: concurrent.futures.Future[Any], done: Callable[[Any], object],
              failed: Callable[[BaseException], object]) -> None:
        """Runs in whichever thread finished the work: only a queued signal may leave it."""
        try:
            self._arrived.emit(generation, (future, done, failed))
        except RuntimeError:
            return  # the widget that asked is gone, and with it this object's Qt half

    def _on_arrived(self, generation: int, work: Any) -> None:
        self._settle(generation, *work)

    def _settle(self, generation: int, future: Any, done: Callable[[Any], object],
                failed: Callable[[BaseException], object]) -> None:
        if future.cancelled():
            return
        error = future.exception()
        if generation != self._generation:
            return
        if error is None:
            done(future.result())
        else:
            failed(error)
