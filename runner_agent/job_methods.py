"""The methods of the protocol that are about one job: taking it, telling of it, stopping it, starting it again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mldesk.core import canonical
from mldesk.core.durable import disk_errors, write_atomic
from mldesk.core.errors import Conflict
from mldesk.wire import protocol as wire
from mldesk.wire.jobs import JobSpec
from mldesk.wire.link_server import Answer
from mldesk.wire.states import JobState
from runner_agent.ballast import require_space
from runner_agent.dispatcher import Dispatcher
from runner_agent.folder import Command, JobFolder
from runner_agent.jobs import Jobs
from runner_agent.objects import ObjectMethods

_LOOK = 0.015              # seconds between looks of a long poll, while the job is lively
_LAZY_LOOK = 0.05


class JobMethods:
    """Answers what is asked of jobs. ``changed`` is called when there may be something to start or to stop."""

    def __init__(self, root: Path, jobs: Jobs, dispatcher: Dispatcher, objects: ObjectMethods,
                 stopping: threading.Event, changed: Callable[[], None]) -> None:
        self._root, self._jobs, self._dispatcher, self._objects = root, jobs, dispatcher, objects
        self._stopping, self._changed = stopping, changed

    def methods(self) -> dict[str, Callable[..., Answer]]:
        return {"submit": self._submit, "events": self._events, "state": self._state, "cancel": self.cancel,
                "finish": self._finish, "resume": self._resume, "log": self._log, "jobs": self._list,
                "tell": self._tell}

    def _submit(self, spec: dict[str, Any], priority: int) -> Answer:
        wanted = JobSpec.from_json(spec)
        with self._jobs.lock:
            job = self._jobs.get(wanted.id)
            if job is not None:
                if job.spec.digest != wanted.digest:
                    raise Conflict(f"Another job with the id {wanted.id} is on this runner already.")
                return {"state": job.state().value, "fresh": False}
            self._objects.require(wanted.inputs)
            require_space(self._root)
            job = self._jobs.add(JobFolder.create(self._jobs.folder, wanted, priority))
            self._dispatcher.enqueue(job)
        self._changed()
        return {"state": JobState.QUEUED.value, "fresh": True}

    def _events(self, job: str, after: int, limit: int, wait: float) -> Answer:
        view = self._jobs.find(job).view
        began = time.monotonic()
        while True:
            lines = view.lines(after, limit, wire.MAX_EVENT_BYTES)
            waited = time.monotonic() - began
            if lines or waited >= wait or view.state.final or self._stopping.is_set():
                return {"count": lines.count(b"\n"), "last_seq": view.last_seq}, lines
            time.sleep(_LOOK if waited < 1.0 else _LAZY_LOOK)

    def _state(self, job: str) -> Answer:
        found = self._jobs.find(job)
        view = found.view.refresh()
        return {"state": view.state.value, "cause": view.cause, "attempt": view.attempt, "last_seq": view.last_seq,
                "position": self._dispatcher.position(found)}

    def cancel(self, job: str, command: str) -> Answer:
        """Answer ``cancel``."""
        found = self._jobs.find(job)
        with self._dispatcher.lock:
            state = found.view.refresh().state
            if self._dispatcher.waits(found) or state is JobState.INTERRUPTED:
                with found.folder.writing() as journal:
                    journal.append("cancelled", {"cause": "cancelled", "message": "Cancelled before it started.",
                                                 "command": command})
                self._dispatcher.withdraw(found)
            elif not state.ended:
                self._dispatcher.ask(found, Command(command, "cancel", found.view.attempt))
            elif state is not JobState.CANCELLED and command not in found.view.commands:
                raise Conflict(f"The job has {state.value} already, so it cannot be cancelled.")
        return {"state": found.view.refresh().state.value}

    def _finish(self, job: str, command: str) -> Answer:
        found = self._jobs.find(job)
        with self._dispatcher.lock:
            view = found.view.refresh()
            if self._dispatcher.waits(found):
                raise Conflict("The job has not started, so there is nothing to keep.", hint="Cancel it instead.")
            if not view.state.ended:
                self._dispatcher.ask(found, Command(command, "finish", view.attempt))
            elif view.state is not JobState.SUCCEEDED and command not in view.commands:
                raise Conflict(f"The job was {view.state.value} already, so it cannot be finished.")
        return {"state": view.state.value}

    def _resume(self, job: str, command: str) -> Answer:
        found = self._jobs.find(job)
        with self._dispatcher.lock:
            view = found.view.refresh()
            if command not in view.commands:
                if not view.state.resumable:
                    raise Conflict(f"Only an interrupted job can be resumed; this one is {view.state.value}.")
                require_space(self._root)
                self._dispatcher.requeue(found, {"command": command})
        self._changed()
        return {"state": view.refresh().state.value}

    def _tell(self, job: str, name: str, message: dict[str, Any], inputs: tuple[str, ...]) -> Answer:
        found = self._jobs.find(job)
        if found.view.refresh().state.final:
            raise Conflict(f"The job has {found.view.state.value} already, so there is nobody to tell.")
        path = found.folder.path / "mail" / f"{name}.json"
        if path.exists():
            return {"fresh": False}
        self._objects.require(inputs)
        with disk_errors("leaving a message for a job"):
            path.parent.mkdir(mode=0o700, exist_ok=True)
            write_atomic(path, canonical.dumps(message))
        return {"fresh": True}

    def _log(self, job: str, offset: int, limit: int) -> Answer:
        try:
            with open(self._jobs.find(job, whole=False).folder.output, "rb") as file:
                file.seek(offset)
                text = file.read(limit)
        except FileNotFoundError:
            text = b""
        return {"next": offset + len(text)}, text

    def _list(self) -> Answer:
        positions = self._dispatcher.positions()
        return {"jobs": [{"id": job.id, "name": job.name, "position": positions.get(job.id, 0),
                          "state": JobState.LOST.value if job.broken else job.state().value}
                         for job in reversed(self._jobs.all())]}
