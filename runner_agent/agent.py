"""The agent: answers the methods of mldesk.wire.protocol over its socket and keeps the dispatcher going.

What it answers is split by what it is about: each object of ``_parts`` names its methods. Its death touches no job; the
next agent finds them by their folders.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mldesk.core.ids import new_id
from mldesk.core.paths import socket_directory
from mldesk.wire import protocol as wire
from mldesk.wire.link_server import Answer, Handler, LinkServer
from mldesk.wire.runner_view import RunnerSettings
from runner_agent import facts, launcher
from runner_agent.ballast import Ballast
from runner_agent.cache import CacheMethods
from runner_agent.cards import CardWatch
from runner_agent.dispatcher import Dispatcher, kill_job
from runner_agent.job_methods import JobMethods
from runner_agent.jobs import Jobs
from runner_agent.moving import MovingMethods
from runner_agent.objects import ObjectMethods
from runner_agent.queue_methods import LogMethods, QueueMethods
from runner_agent.settings import SettingsKeeper
from runner_agent.telemetry import TelemetryMethods

SOCKET = "agent.sock"
_TICK = 0.2                # seconds between looks at supervisors while jobs run
_IDLE_TICK = 1.0
_CHORE = 5.0               # seconds between looks at ballast and socket
_GRACE = 2.0               # seconds of patience past the kill ladder when jobs are to end with the agent
log = logging.getLogger("runner_agent")


@dataclass(frozen=True, slots=True)
class Settings:
    """How an agent is run."""

    root: Path
    objects: Path
    trainer: tuple[str, ...]
    slots: int = 1                # jobs at once on the processor, until somebody configures the runner
    idle_seconds: float = 900.0   # without jobs and clients, after which the agent ends; 0: never
    warm: bool = True
    ballast: int = 0              # bytes
    patience: tuple[float, float, float] = (3.0, 3.0, 3.0)
    log: Path | None = None       # the file it prints into
    protocol: tuple[int, int] = wire.PROTOCOL   # what it speaks; less only to try how others take it


class Part(Protocol):
    """Some of the methods of the protocol."""

    def methods(self) -> Mapping[str, Callable[..., Answer]]:
        """Return what answers each of them."""
        ...


class Agent:
    """One runner. The caller holds the lock of its root."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._wake, self._stop = threading.Event(), threading.Event()
        self._jobs = Jobs(settings.root)
        self._ballast = Ballast(settings.root, settings.ballast)
        self._cards = CardWatch()
        command = launcher.Command(settings.objects, settings.trainer, settings.patience)
        warm = launcher.WarmPair(command, settings.root / "warm", enabled=settings.warm)
        keeper = SettingsKeeper(settings.root, RunnerSettings(cpu_slots=settings.slots), self._wake.set)
        self._dispatcher = Dispatcher(settings.root, command, warm, keeper, self._cards,
                                      make_room=self._ballast.release)
        self._dispatcher.adopt(self._jobs.all())
        objects = ObjectMethods(settings.objects)
        self._job_methods = JobMethods(settings.root, self._jobs, self._dispatcher, objects, self._stop,
                                       self._wake.set)
        self._telemetry = TelemetryMethods(settings.root, self._groups)
        self._cache = CacheMethods(settings.objects, self._jobs, lambda: keeper.settings.quota)
        parts: list[Part] = [
            self._job_methods, objects, keeper, QueueMethods(self._jobs, self._dispatcher, self._wake.set),
            MovingMethods(settings.objects, self._jobs, self._dispatcher, objects, self._wake.set),
            LogMethods(settings.log), self._telemetry, self._cache,
        ]
        self._server = LinkServer(socket_directory(settings.root) / SOCKET, self._methods(parts))

    def run(self) -> None:
        """Work until told to stop, or until nobody has needed it for a while."""
        chore = 0.0
        used = time.monotonic()
        self._cache.start()
        try:
            while not self._stop.is_set():
                self._dispatcher.tick()
                if self._dispatcher.lively:
                    self._telemetry.need()
                now = time.monotonic()
                if now >= chore:
                    chore = now + _CHORE
                    if not self._jobs.folder.is_dir():
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
                self._wake.wait(_TICK if self._dispatcher.lively else _IDLE_TICK)
                self._wake.clear()
        finally:
            self._stop.set()
            self._telemetry.close()
            self._cache.close()
            self._server.close()
            self._dispatcher.close()

    def stop(self) -> None:
        """Make ``run`` return soon. May be called from a signal handler."""
        self._stop.set()
        self._wake.set()

    def _groups(self) -> dict[str, int]:
        """Return the process group of every job whose trainer is known."""
        records = {job.id: job.folder.record() for job in self._dispatcher.under_way()}
        return {job: record.trainer.pid for job, record in records.items() if record is not None}

    # --- answering

    def _methods(self, parts: Iterable[Part]) -> Mapping[str, Handler]:
        own: dict[str, Callable[..., Answer]] = {"hello": self._hello, "shutdown": self._shutdown}
        for part in parts:
            own.update(part.methods())
        assert own.keys() == wire.METHODS.keys()  # noqa: S101 - ours to keep, checked at every start
        return {name: _checked(name, method) for name, method in own.items()
                if wire.METHODS[name].since <= self._settings.protocol[1]}

    def _hello(self, protocol: tuple[int, int], build: str) -> Answer:
        version = wire.shared_version(protocol, self._settings.protocol, peer="MLDesk")
        log.info("hello from build %s, protocol %d", build, version)
        self._cards.wait()
        return facts.hello(self._settings.protocol, self._dispatcher.slot_count(), self._cards.cards,
                           self._settings.trainer)

    def _shutdown(self, kill_jobs: bool) -> Answer:
        if kill_jobs:
            self._end_jobs()
        threading.Timer(0.05, self.stop).start()  # after the answer is on its way
        return {}

    def _end_jobs(self) -> None:
        """Cancel every job, wait out the ladder, and kill what is left."""
        for job in self._jobs.all():
            if not job.broken and not job.state().ended:
                self._job_methods.cancel(job.id, new_id())
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
