"""The methods of the protocol that are about the queue, and the agent's own log."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from mldesk.core.errors import Conflict, NotFound
from mldesk.wire.link_server import Answer
from runner_agent.dispatcher import Dispatcher
from runner_agent.jobs import Jobs


class QueueMethods:
    """Answers what is asked of the queue. ``changed`` is called when another job may be the next."""

    def __init__(self, jobs: Jobs, dispatcher: Dispatcher, changed: Callable[[], None]) -> None:
        self._jobs, self._dispatcher, self._changed = jobs, dispatcher, changed

    def methods(self) -> dict[str, Callable[..., Answer]]:
        return {"queue": self._queue, "reorder": self._reorder, "prioritize": self._prioritize,
                "start_at": self._start_at}

    def _queue(self) -> Answer:
        return self._dispatcher.queue_view().to_json()

    def _reorder(self, job: str, before: str) -> Answer:
        for name in filter(None, (job, before)):
            self._jobs.find(name)
        with self._dispatcher.lock:
            self._dispatcher.queue.reorder(job, before)
        self._changed()
        return {}

    def _prioritize(self, job: str, priority: int) -> Answer:
        self._jobs.find(job)
        with self._dispatcher.lock:
            self._dispatcher.queue.prioritize(job, priority)
        self._changed()
        return {}

    def _start_at(self, job: str, command: str, moment: float) -> Answer:
        found = self._jobs.find(job)
        with self._dispatcher.lock:
            view = found.view.refresh()
            if command not in view.commands:
                if not self._dispatcher.waits(found):
                    raise Conflict("That job does not wait in the queue (any more).", hint="Look at the queue again.")
                self._dispatcher.schedule(found, moment, command)
        self._changed()
        return {"state": found.view.refresh().state.value}


class LogMethods:
    """Answers ``agent_log``, from the file that this process prints into; None: it was not told which that is."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def methods(self) -> dict[str, Callable[..., Answer]]:
        return {"agent_log": self._agent_log}

    def _agent_log(self, offset: int, limit: int) -> Answer:
        if self._path is None:
            raise NotFound("This agent keeps no log of its own.")
        try:
            with open(self._path, "rb") as file:
                size = file.seek(0, os.SEEK_END)
                begin = file.seek(min(size, offset) if offset >= 0 else max(0, size + offset))
                text = file.read(limit)
        except FileNotFoundError:
            return {"next": 0, "size": 0}, b""
        return {"next": begin + len(text), "size": size}, text
