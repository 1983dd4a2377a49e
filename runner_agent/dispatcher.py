"""Which job runs when and where: the queue, the slots, and a supervisor for every job that has begun."""

from __future__ import annotations

import logging
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mldesk.core.clock import Clock, SystemClock
from mldesk.core.errors import MldeskError
from mldesk.wire.runner_view import QueueView, Waiting
from mldesk.wire.states import Cause, JobState
from runner_agent import facts, launcher, seat, slots
from runner_agent.cards import CardWatch
from runner_agent.folder import Command as Asked
from runner_agent.folder import JobFolder
from runner_agent.jobs import Job
from runner_agent.journal_view import last_line
from runner_agent.launcher import Command, Process, WarmPair
from runner_agent.processes import kill_all, members, signal_trainer
from runner_agent.queueing import Found, Queue
from runner_agent.quiet import clock_time, minute_of, quiet_until, starts_at
from runner_agent.seat import Seat
from runner_agent.settings import SettingsKeeper
from runner_agent.supervisor import UNUSABLE

_PROBE = 1.0               # seconds between looks at supervisors that another agent started
_AGAIN = 1.0               # seconds before a supervisor that failed (was not killed) is tried again
_TRIES = 5
_HEARD = 2.0               # seconds a supervisor may take to act on a command
_SOON = 60.0               # seconds before a job's moment from which a warm trainer is made for it
_LAST = 10.0               # seconds a supervisor may take to end after its last word
_UNKNOWN_SEAT = Seat("cpu", 1 << 16)   # of a job that an older agent started without one
log = logging.getLogger("runner_agent")


@dataclass(slots=True)
class _Running:
    job: Job
    seat: Seat
    process: Process | None    # None: another agent started its supervisor
    since: float               # monotonic
    failures: int = 0
    not_before: float = 0.0    # monotonic; when a supervisor that failed may be started again
    asked: float = 0.0         # monotonic; when somebody wanted it stopped, until the supervisor says it heard; or 0


class Dispatcher:
    """Runs queued jobs in the slots there are. ``tick`` does all the work.

    ``lock`` keeps its thread and those that answer calls apart; ``make_room`` is called when the disk is full.
    """

    def __init__(self, root: Path, command: Command, warm: WarmPair, keeper: SettingsKeeper, cards: CardWatch, *,
                 clock: Clock | None = None, make_room: Callable[[], object] = lambda: None) -> None:
        self._command, self._warm, self._keeper, self._cards = command, warm, keeper, cards
        self._clock, self._make_room = clock or SystemClock(), make_room
        self.queue = Queue(root)
        self._waiting: dict[str, Job] = {}   # those in the queue
        self._running: dict[str, _Running] = {}
        self._probed = 0.0
        self.lock = threading.RLock()

    # --- jobs come and go

    def adopt(self, jobs: Iterable[Job]) -> None:
        """Take over jobs from an earlier agent: queued again in the order they had, watched, or cleaned up after."""
        with self.lock:
            waiting = []
            for job in jobs:
                try:
                    if self._waits_still(job) and job.spec:
                        waiting.append(Found(job.id, job.view.priority, job.view.attempt, job.view.queued))
                        self._waiting[job.id] = job
                except MldeskError as error:  # one damaged job must not keep the others from running
                    job.broken = str(error)
                    log.exception("job %s is left alone", job.id)
            self.queue.restore(waiting)

    def enqueue(self, job: Job) -> None:
        """Put a job that is queued, as its journal says, into the queue."""
        with self.lock:
            self.settle(job)
            view = job.view.refresh()
            assert job.spec  # noqa: S101 - it was read a moment ago; read now, it need not be readable later
            self._waiting[job.id] = job
            self.queue.add(job.id, view.priority, view.attempt)

    def requeue(self, job: Job, why: Mapping[str, Any]) -> None:
        """Queue an interrupted job as its next attempt; ``why`` goes into its journal. Raises Conflict, DiskFull."""
        with self.lock:
            view = job.view.refresh()
            priority = {"priority": view.priority} if view.priority else {}
            with job.folder.writing() as journal:
                journal.append("queued", {"attempt": view.attempt + 1, **priority, **why})
            job.broken = ""
            self.enqueue(job)

    def settle(self, job: Job) -> None:
        """Let go of a job whose last attempt has ended, if ``tick`` had no time yet to see that."""
        with self.lock:
            item = self._running.pop(job.id, None)
            if item is not None and item.process is not None:
                try:
                    item.process.wait(_LAST)  # the journal has its last word, so it is on its way out
                except subprocess.TimeoutExpired:
                    log.warning("the supervisor of job %s takes long to end", job.id)

    def ask(self, job: Job, command: Asked) -> None:
        """Pass a command on to the supervisor of a job that runs. Raises DiskFull, OSError."""
        with self.lock:
            job.folder.add_command(command)
            if (item := self._running.get(job.id)) is not None and not item.asked:
                item.asked = time.monotonic()

    def withdraw(self, job: Job) -> None:
        """Take a job out of the queue, once its journal says that it has ended."""
        with self.lock:
            self._waiting.pop(job.id, None)
            self.queue.remove(job.id)

    def schedule(self, job: Job, moment: float, command: str) -> None:
        """Let a job in the queue start at another moment; 0: at once. Raises Conflict when it is busy, DiskFull."""
        with self.lock:
            with job.folder.writing() as journal:
                journal.append("scheduled", {"not_before": moment, "command": command})
            job.view.refresh()

    def waits(self, job: Job) -> bool:
        """Say whether it is in the queue."""
        return job.id in self._waiting

    def position(self, job: Job) -> int:
        """Return its place in the queue from 1; 0 when it is not in it."""
        with self.lock:
            return self.queue.position(job.id)

    def positions(self) -> dict[str, int]:
        """Return the place of every job in the queue from 1."""
        with self.lock:
            return {place.job: number for number, place in enumerate(self.queue, start=1)}

    # --- what people see

    @property
    def idle(self) -> bool:
        """Nothing runs and nothing waits."""
        with self.lock:
            return not self._waiting and not self._running

    @property
    def lively(self) -> bool:
        """Something runs that is to be looked after often."""
        return bool(self._running)

    def under_way(self) -> list[Job]:
        """Return the jobs that hold a slot."""
        with self.lock:
            return [item.job for item in self._running.values()]

    def queue_view(self) -> QueueView:
        """Return what waits, why, and who holds which slot."""
        with self.lock:
            why, later = {turn.job: turn.why for turn in self._plan()}, self._later()
            waiting = tuple(Waiting(place.job, self._waiting[place.job].name, place.priority, number, why[place.job],
                                    later.get(place.job, 0.0))
                            for number, place in enumerate(self.queue, start=1))
            taken = slots.slots(self._held(), self._layout())
            return QueueView(waiting, taken, self._keeper.draining, self._quiet_until() is not None)

    def slot_count(self) -> int:
        """Return how many jobs may run at once."""
        layout = self._layout()
        return layout.cpu + layout.per_card * len(layout.cards)

    # --- the work

    def tick(self) -> None:
        """Look after every supervisor, and start what can be started."""
        self._cards.look()
        with self.lock:
            probe = time.monotonic() - self._probed > _PROBE
            for item in list(self._running.values()):
                self._look_at(item, probe=probe)
                if probe and item.asked:
                    self._see_that_it_heard(item)
            if probe:
                self._probed = time.monotonic()
                self.queue.tend()
            self._refuse_impossible()
            for turn in self._plan():
                if turn.seat is not None:
                    self._start(self._waiting[turn.job], turn.seat)
            since = max((item.since for item in self._running.values()), default=None)
            self._warm.tend(since, soon=self._may_start_soon())

    def close(self) -> None:
        """Let go of everything; the jobs go on."""
        with self.lock:
            self._warm.close()

    # --- inside

    def _waits_still(self, job: Job) -> bool:
        """Say whether a job of an earlier agent is to be queued; watch it, or clean up after it, if not."""
        state = job.state()
        if not state.ended or _is_stuck(job):
            attempt = job.view.refresh().attempt
            record, given = job.folder.record(), seat.kept(job.folder.path, attempt)
            if state is JobState.QUEUED and given is None and (record is None or record.attempt != attempt):
                return True
            self._running[job.id] = _Running(job, given or _UNKNOWN_SEAT, None, time.monotonic())
            return False
        _clean(job.folder)
        if state is JobState.INTERRUPTED and last_line(job.folder.journal).get("payload", {}).get("resumes") is True:
            self._go_on(job)
        return False

    def _go_on(self, job: Job) -> None:
        """Queue a job again that a restart of the machine cut, as its last event says; that is so only once."""
        log.info("job %s goes on after the restart of the machine", job.id)
        try:
            self.requeue(job, {"by": "reboot"})
        except MldeskError as error:
            log.warning("job %s does not go on by itself: %s", job.id, error)

    def _refuse_impossible(self) -> None:
        layout = self._layout()
        for job in list(self._waiting.values()):
            why = slots.impossible(slots.need_of(job.spec), layout)
            if not why:
                continue
            try:
                with job.folder.writing() as journal:
                    journal.append("failed", {"cause": Cause.USER_ERROR.value, "message": why,
                                              "hint": "Choose another runner for it, or ask for less."})
            except MldeskError as error:  # no room for the word; it stays where it is
                log.warning("job %s cannot be refused yet: %s", job.id, error)
                self._make_room()
                continue
            self.withdraw(job)

    def _layout(self) -> slots.Layout:
        settings, cards = self._keeper.settings, self._cards
        return slots.Layout(settings.cpu_slots, settings.gpu_slots, cards.cards, facts.memory(), cards.settled,
                            cards.trouble)

    def _held(self) -> dict[str, Seat]:
        return {item.job.id: item.seat for item in self._running.values()}

    def _plan(self) -> list[slots.Turn]:
        wanted = [(place.job, slots.need_of(self._waiting[place.job].spec)) for place in self.queue]
        later = {job: f"It starts at {starts_at(moment)}." for job, moment in self._later().items()}
        return slots.plan(wanted, self._held(), self._layout(), self._closed(), later)

    def _later(self) -> dict[str, float]:
        """Return the waiting jobs whose moment has not come, and that moment.

        Each look compares the wall clock anew: whatever was done to it, and however long the machine slept, is in it.
        """
        now = self._clock.now()
        return {job.id: job.starts for job in self._waiting.values() if job.starts > now}

    def _may_start_soon(self) -> bool:
        """Say whether a job may start at any time: one that is sent now, if nothing waits, or one that waits."""
        if not self._waiting:
            return True
        soon = self._clock.now() + _SOON
        return not self._closed() and any(job.starts <= soon for job in self._waiting.values())

    def _closed(self) -> str:
        """Say why nothing is started now; "" when things are."""
        if self._keeper.draining:
            return "The runner is draining: it finishes what runs and starts nothing new."
        end = self._quiet_until()
        if end is None:
            return ""
        again = "they last all day" if end == minute_of(self._clock.now()) else f"jobs start again at {clock_time(end)}"
        return f"These are the runner's quiet hours; {again}."

    def _quiet_until(self) -> int | None:
        return quiet_until(self._keeper.settings.quiet, minute_of(self._clock.now()))

    def _start(self, job: Job, given: Seat) -> None:
        try:
            seat.keep(job.folder.path, job.view.attempt, given)
        except OSError as error:
            log.warning("job %s cannot start yet: %s", job.id, error)
            self._make_room()
            return
        process = self._warm.give(job.folder.path)
        log.info("job %s starts on %s%s", job.id, given.name or "the processor",
                 "" if process is None else " in the warm trainer")
        self._running[job.id] = _Running(job, given, process or launcher.start(self._command, job.folder.path),
                                         time.monotonic())
        self.withdraw(job)

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
            if _is_stuck(item.job):
                return  # its processes hold what the slot stands for
            del self._running[item.job.id]
            if not item.job.broken:
                _clean(item.job.folder)
                if item.job.view.resumes:
                    self._go_on(item.job)
        elif time.monotonic() >= item.not_before and not _is_watched(item.job.folder):
            log.warning("job %s has lost its supervisor; another one takes over", item.job.id)
            item.process = launcher.start(self._command, item.job.folder.path)

    def _see_that_it_heard(self, item: _Running) -> None:
        """Have another supervisor act on a command that this one, frozen or stuck, does not hear; once for each."""
        if self._has_ended(item) or item.job.view.stopping is not None:
            item.asked = 0.0
        elif time.monotonic() - item.asked > _HEARD:
            item.asked = 0.0
            record = item.job.folder.record()
            if record is not None and record.supervisor.alive:
                log.warning("the supervisor of job %s does not hear and is replaced", item.job.id)
                kill_all([record.supervisor.pid])

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


def _is_watched(folder: JobFolder) -> bool:
    with folder.claim() as free:
        return not free


def _is_stuck(job: Job) -> bool:
    """Say whether a job was given up because its processes do not die, and some of them are still there."""
    record = job.folder.record()
    if record is None or last_line(job.folder.journal).get("payload", {}).get("cause") != Cause.UNKILLABLE.value:
        return False
    return bool(members(record.trainer.pid, record.token, {record.trainer.pid} if record.trainer.alive else ()))


def _clean(folder: JobFolder) -> None:
    """Kill and remove what an ended job left behind because it, or its supervisor at the very end, was killed."""
    record, scratch = folder.record(), folder.path / "scratch"
    if record is None and not scratch.exists():
        return
    with folder.claim() as free:
        if free:
            if record is not None and record.trainer.alive:
                signal_trainer(record.trainer.pid, signal.SIGKILL)
            shutil.rmtree(scratch, ignore_errors=True)  # of an import it may be as large as its source
            folder.forget_record()
