"""The agent: answers the methods of mldesk.wire.protocol over its socket and keeps the dispatcher going.

Its death touches no job; the next one finds them by their folders.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mldesk.core.errors import Conflict, LibraryDamaged, MldeskError, NotFound
from mldesk.core.ids import new_id
from mldesk.core.paths import socket_directory
from mldesk.wire import protocol as wire
from mldesk.wire.jobs import JobSpec
from mldesk.wire.link_server import Answer, Handler, LinkServer
from mldesk.wire.states import JobState
from runner_agent import facts, launcher
from runner_agent.ballast import Ballast, require_space
from runner_agent.dispatcher import Dispatcher, Job, jobs_in, kill_job
from runner_agent.folder import DRAFT, Command, JobFolder
from runner_agent.objects import ObjectMethods

SOCKET = "agent.sock"
_TICK = 0.2                # seconds between looks at supervisors while jobs run
_IDLE_TICK = 1.0
_CHORE = 5.0               # seconds between looks at ballast and socket
_LOOK = 0.015              # seconds between looks of a long poll, while the job is lively
_LAZY_LOOK = 0.05
_GRACE = 2.0               # seconds of patience past the kill ladder when jobs are to end with the agent
log = logging.getLogger("runner_agent")


@dataclass(frozen=True, slots=True)
class Settings:
    """How an agent is run."""

    root: Path
    objects: Path
    trainer: tuple[str, ...]
    slots: int = 1
    idle_seconds: float = 900.0   # without jobs and clients, after which the agent ends; 0: never
    warm: bool = True
    ballast: int = 0              # bytes
    patience: tuple[float, float, float] = (3.0, 3.0, 3.0)


class Agent:
    """One runner. The caller holds the lock of its root."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._jobs_folder = settings.root / "jobs"
        self._jobs_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._ballast = Ballast(settings.root, settings.ballast)
        self._objects = ObjectMethods(settings.objects)
        command = launcher.Command(settings.objects, settings.trainer, settings.patience)
        warm = launcher.WarmPair(command, settings.root / "warm", enabled=settings.warm)
        self._dispatcher = Dispatcher(command, warm, settings.slots)
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()     # over _jobs, and submits
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._adopt()
        self._server = LinkServer(socket_directory(settings.root) / SOCKET, self._methods())

    def run(self) -> None:
        """Work until told to stop, or until nobody has needed it for a while."""
        chore = 0.0
        used = time.monotonic()
        try:
            while not self._stop.is_set():
                self._dispatcher.tick()
                now = time.monotonic()
                if now >= chore:
                    chore = now + _CHORE
                    if not self._jobs_folder.is_dir():
                        log.warning("the runner's folder is gone")
                        break
                    self._ballast.restore()
                    self._server.keep_reachable()
                if not self._dispatcher.idle or self._server.connections:
                    used = now
                used = max(used, self._server.last_used)
                if self._settings.idle_seconds and now - used > self._settings.idle_seconds:
                    log.info("nobody has needed this agent for a while")
                    break
                self._wake.wait(_IDLE_TICK if self._dispatcher.idle else _TICK)
                self._wake.clear()
        finally:
            self._stop.set()
            self._server.close()
            self._dispatcher.close()

    def stop(self) -> None:
        """Make ``run`` return soon. May be called from a signal handler."""
        self._stop.set()
        self._wake.set()

    def _adopt(self) -> None:
        for draft in self._jobs_folder.glob(f"{DRAFT}*"):
            shutil.rmtree(draft, ignore_errors=True)
        for folder in jobs_in(self._jobs_folder):
            job = self._jobs[folder.id] = Job(folder)
            try:
                self._dispatcher.adopt(job)
            except MldeskError as error:  # one damaged job must not keep the others from running
                job.broken = str(error)
                log.exception("job %s is left alone", folder.id)

    def _methods(self) -> Mapping[str, Handler]:
        own: dict[str, Callable[..., Answer]] = {
            "hello": self._hello, "submit": self._submit, "events": self._events, "state": self._state,
            "cancel": self._cancel, "finish": self._finish, "resume": self._resume, "log": self._log,
            "jobs": self._list, "shutdown": self._shutdown, **self._objects.methods(),
        }
        assert own.keys() == wire.METHODS.keys()  # noqa: S101 - ours to keep, checked at every start
        return {name: _checked(name, method) for name, method in own.items()}

    # --- the methods

    def _hello(self, protocol: tuple[int, int], build: str) -> Answer:
        log.info("hello from build %s, protocol %d", build, wire.shared_version(protocol))
        return facts.hello(self._settings.slots)

    def _submit(self, spec: dict[str, Any]) -> Answer:
        wanted = JobSpec.from_json(spec)
        with self._lock:
            job = self._jobs.get(wanted.id)
            if job is not None:
                if job.folder.spec().digest != wanted.digest:
                    raise Conflict(f"Another job with the id {wanted.id} is on this runner already.")
                return {"state": job.state().value, "fresh": False}
            self._objects.require(wanted.inputs)
            require_space(self._settings.root)
            job = self._jobs[wanted.id] = Job(JobFolder.create(self._jobs_folder, wanted))
            self._dispatcher.enqueue(job)
        self._wake.set()
        return {"state": JobState.QUEUED.value, "fresh": True}

    def _events(self, job: str, after: int, limit: int, wait: float) -> Answer:
        view = self._job(job).view
        began = time.monotonic()
        while True:
            lines = view.lines(after, limit, wire.MAX_EVENT_BYTES)
            waited = time.monotonic() - began
            if lines or waited >= wait or view.state.final or self._stop.is_set():
                return {"count": lines.count(b"\n"), "last_seq": view.last_seq}, lines
            time.sleep(_LOOK if waited < 1.0 else _LAZY_LOOK)

    def _state(self, job: str) -> Answer:
        found = self._job(job)
        view = found.view.refresh()
        return {"state": view.state.value, "cause": view.cause, "attempt": view.attempt, "last_seq": view.last_seq,
                "position": self._dispatcher.position(found)}

    def _cancel(self, job: str, command: str) -> Answer:
        found = self._job(job)
        with self._dispatcher.lock:
            state = found.view.refresh().state
            if self._dispatcher.withdraw(found) or state is JobState.INTERRUPTED:
                with found.folder.writing() as journal:
                    journal.append("cancelled", {"cause": "cancelled", "message": "Cancelled before it started.",
                                                 "command": command})
            elif not state.ended:
                found.folder.add_command(Command(command, "cancel", found.view.attempt))
            elif state is not JobState.CANCELLED and command not in found.view.commands:
                raise Conflict(f"The job has {state.value} already, so it cannot be cancelled.")
        return {"state": found.view.refresh().state.value}

    def _finish(self, job: str, command: str) -> Answer:
        found = self._job(job)
        with self._dispatcher.lock:
            view = found.view.refresh()
            if self._dispatcher.position(found):
                raise Conflict("The job has not started, so there is nothing to keep.", hint="Cancel it instead.")
            if not view.state.ended:
                found.folder.add_command(Command(command, "finish", view.attempt))
            elif view.state is not JobState.SUCCEEDED and command not in view.commands:
                raise Conflict(f"The job was {view.state.value} already, so it cannot be finished.")
        return {"state": view.state.value}

    def _resume(self, job: str, command: str) -> Answer:
        found = self._job(job)
        with self._dispatcher.lock:
            view = found.view.refresh()
            if command not in view.commands:
                if not view.state.resumable:
                    raise Conflict(f"Only an interrupted job can be resumed; this one is {view.state.value}.")
                require_space(self._settings.root)
                with found.folder.writing() as journal:
                    journal.append("queued", {"attempt": view.attempt + 1, "command": command})
                found.broken = ""
                self._dispatcher.enqueue(found)
        self._wake.set()
        return {"state": view.refresh().state.value}

    def _log(self, job: str, offset: int, limit: int) -> Answer:
        try:
            with open(self._job(job, needed=False).folder.output, "rb") as file:
                file.seek(offset)
                text = file.read(limit)
        except FileNotFoundError:
            text = b""
        return {"next": offset + len(text)}, text

    def _list(self) -> Answer:
        with self._lock:
            jobs = sorted(self._jobs.values(), key=lambda job: job.id, reverse=True)
        return {"jobs": [{"id": job.id, "name": job.name, "position": self._dispatcher.position(job),
                          "state": JobState.LOST.value if job.broken else job.state().value} for job in jobs]}

    def _shutdown(self, kill_jobs: bool) -> Answer:
        if kill_jobs:
            self._end_jobs()
        threading.Timer(0.05, self.stop).start()  # after the answer is on its way
        return {}

    # --- helpers

    def _job(self, job: str, *, needed: bool = True) -> Job:
        with self._lock:
            found = self._jobs.get(job)
        if found is None:
            raise NotFound(f"This runner does not know the job {job}.")
        if needed and found.broken:
            raise LibraryDamaged(found.broken)
        return found

    def _end_jobs(self) -> None:
        """Cancel every job, wait out the ladder, and kill what is left."""
        for job in list(self._jobs.values()):
            if not job.broken and not job.state().ended:
                self._cancel(job.id, new_id())
        deadline = time.monotonic() + sum(self._settings.patience) + _GRACE
        while self._dispatcher.under_way() and time.monotonic() < deadline:
            self._wake.set()
            time.sleep(0.05)
        for job in self._dispatcher.under_way():
            kill_job(job.folder)


def _checked(name: str, method: Callable[..., Answer]) -> Handler:
    takes_body = wire.METHODS[name].body > 0

    def handle(payload: dict[str, Any], body: bytes) -> Answer:
        values = wire.check(name, payload, body)
        return method(**values, body=body) if takes_body else method(**values)
    return handle
