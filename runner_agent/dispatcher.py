"""Which job runs when: a queue, slots, and a supervisor for every job that has begun, started again if it dies."""

from __future__ import annotations

import functools
import logging
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from mldesk.core.errors import MldeskError
from mldesk.core.ids import is_id
from mldesk.wire.states import JobState
from runner_agent import launcher
from runner_agent.folder import JobFolder
from runner_agent.journal_view import JournalView, ended_state
from runner_agent.launcher import Command, Process, WarmPair
from runner_agent.processes import kill_all, members, signal_trainer
from runner_agent.supervisor import UNUSABLE

_PROBE = 1.0               # seconds between looks at supervisors that another agent started
_AGAIN = 1.0               # seconds before a supervisor that failed (was not killed) is tried again
_TRIES = 5
log = logging.getLogger("runner_agent")


class Job:
    """One job as the agent knows it. Its journal is read when somebody asks."""

    def __init__(self, folder: JobFolder) -> None:
        self.folder = folder
        self.id = folder.id
        self.view = JournalView(folder.journal)
        self.broken = ""      # why no supervisor can work on it, if that is so

    @functools.cached_property
    def name(self) -> str:
        """What its submitter called it; "" when its spec cannot be read."""
        try:
            return self.folder.spec().name
        except MldeskError:
            return ""

    def state(self) -> JobState:
        """Return where it is. Raises JournalDamaged."""
        if not self.view.last_seq:
            ended = ended_state(self.folder.journal)
            if ended is not None:
                return ended[0]
        return self.view.refresh().state


@dataclass(slots=True)
class _Running:
    job: Job
    process: Process | None    # None: another agent started its supervisor
    since: float               # monotonic
    failures: int = 0
    not_before: float = 0.0    # monotonic; when a supervisor that failed may be started again


class Dispatcher:
    """Runs queued jobs, ``slots`` at a time, first come first served. ``tick`` does all the work."""

    def __init__(self, command: Command, warm: WarmPair, slots: int) -> None:
        self._command, self._warm, self._slots = command, warm, slots
        self._queue: list[Job] = []
        self._running: dict[str, _Running] = {}
        self._probed = 0.0
        self.lock = threading.RLock()

    def adopt(self, job: Job) -> None:
        """Take over a job from an earlier agent: queued again, watched, or cleaned up after."""
        with self.lock:
            record = job.folder.record()
            if job.state() is JobState.QUEUED and (record is None or record.attempt != job.view.attempt):
                self._queue.append(job)
                self._queue.sort(key=lambda item: (item.view.queued, item.id))
            elif not job.state().ended:
                self._running[job.id] = _Running(job, None, time.monotonic())
            else:
                _clean(job.folder)

    def enqueue(self, job: Job) -> None:
        with self.lock:
            self._queue.append(job)

    def withdraw(self, job: Job) -> bool:
        """Take a job out of the queue; False when it is not in it."""
        with self.lock:
            waiting = job in self._queue
            if waiting:
                self._queue.remove(job)
        return waiting

    def position(self, job: Job) -> int:
        """Return its place in the queue from 1; 0 when it is not in it."""
        with self.lock:
            return self._queue.index(job) + 1 if job in self._queue else 0

    @property
    def idle(self) -> bool:
        """Nothing runs and nothing waits."""
        with self.lock:
            return not self._queue and not self._running

    def under_way(self) -> list[Job]:
        """Return the jobs that hold a slot."""
        with self.lock:
            return [item.job for item in self._running.values()]

    def tick(self) -> None:
        """Look after every supervisor, and start what can be started."""
        with self.lock:
            probe = time.monotonic() - self._probed > _PROBE
            for item in list(self._running.values()):
                self._look_at(item, probe=probe)
            if probe:
                self._probed = time.monotonic()
            while self._queue and len(self._running) < self._slots:
                self._start(self._queue.pop(0))
            since = max((item.since for item in self._running.values()), default=None)
            self._warm.tend(since)

    def close(self) -> None:
        """Let go of everything; the jobs go on."""
        with self.lock:
            self._warm.close()

    def _start(self, job: Job) -> None:
        process = self._warm.give(job.folder.path)
        log.info("job %s starts%s", job.id, "" if process is None else " in the warm trainer")
        self._running[job.id] = _Running(job, process or launcher.start(self._command, job.folder.path),
                                         time.monotonic())

    def _look_at(self, item: _Running, *, probe: bool) -> None:
        if item.process is not None:
            code = item.process.poll()
            if code is None:
                return
            self._count(item, code)
            item.process = None
        elif not probe or _is_watched(item.job.folder):
            return
        if self._has_ended(item):
            del self._running[item.job.id]
            if not item.job.broken:
                _clean(item.job.folder)
        elif time.monotonic() >= item.not_before and not _is_watched(item.job.folder):
            log.warning("job %s has lost its supervisor; another one takes over", item.job.id)
            item.process = launcher.start(self._command, item.job.folder.path)

    def _count(self, item: _Running, code: int) -> None:
        item.failures = item.failures + 1 if code > 0 else 0
        item.not_before = time.monotonic() + (_AGAIN if code > 0 else 0.0)
        if code == UNUSABLE or item.failures >= _TRIES:
            item.job.broken = "The runner cannot go on with this job; its log, agent.log, says why."

    def _has_ended(self, item: _Running) -> bool:
        try:
            return item.job.view.refresh().state.ended or bool(item.job.broken)
        except MldeskError as error:
            item.job.broken = str(error)
            return True


def kill_job(folder: JobFolder) -> None:
    """Kill supervisor and trainer of a job at once, as a last resort."""
    record = folder.record()
    if record is None:
        return
    others = members(record.trainer.pid, record.token) if record.trainer.alive else []
    for identity in (record.supervisor, record.trainer):
        if identity.alive:
            signal_trainer(identity.pid, signal.SIGKILL)
    kill_all(others)


def jobs_in(jobs: Path) -> list[JobFolder]:
    """Return the job folders there, oldest first."""
    return [JobFolder(path) for path in sorted(jobs.iterdir()) if is_id(path.name) and path.is_dir()]


def _is_watched(folder: JobFolder) -> bool:
    with folder.claim() as free:
        return not free


def _clean(folder: JobFolder) -> None:
    """Kill what an ended job left behind because its supervisor was killed at the very end."""
    record = folder.record()
    if record is None:
        return
    with folder.claim() as free:
        if free:
            if record.trainer.alive:
                signal_trainer(record.trainer.pid, signal.SIGKILL)
            folder.forget_record()
