"""Jobs that go from one runner to another: released here, taken over there, forgotten here. Any of it may be repeated.

A job's journal goes along whole, so that whoever follows it sees one history. The runner it came from keeps its folder
until it is told to forget it; whatever is killed in between, one of the two has everything.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mldesk.core.durable import disk_errors, write_atomic
from mldesk.core.errors import Conflict
from mldesk.wire.events import Event
from mldesk.wire.jobs import JobSpec
from mldesk.wire.journal import encode
from mldesk.wire.link_server import Answer
from mldesk.wire.objects import ObjectStore
from mldesk.wire.states import JobState
from runner_agent import checkpoints, verdict
from runner_agent.ballast import require_space
from runner_agent.dispatcher import Dispatcher
from runner_agent.folder import Command, JobFolder
from runner_agent.history import History
from runner_agent.jobs import Job, Jobs
from runner_agent.objects import ObjectMethods
from runner_agent.pins import hold


class MovingMethods:
    """Answers ``release``, ``pause``, ``checkpoint``, ``take_over`` and ``forget_job``."""

    def __init__(self, store: Path, jobs: Jobs, dispatcher: Dispatcher, objects: ObjectMethods,
                 changed: Callable[[], None]) -> None:
        self._store, self._objects = ObjectStore(store), objects
        self._jobs, self._dispatcher, self._changed = jobs, dispatcher, changed
        self._taking = threading.Lock()   # one job is taken over at a time

    def methods(self) -> dict[str, Callable[..., Answer]]:
        return {"release": self._release, "pause": self._pause, "checkpoint": self._checkpoint,
                "take_over": self._take_over, "forget_job": self._forget}

    # --- letting go

    def _release(self, job: str, command: str) -> Answer:
        found = self._jobs.find(job)
        with self._dispatcher.lock:
            view = found.view.refresh()
            if command not in view.commands:
                self._let_go(found, command, "release", verdict.MOVED)
        return {"state": found.view.refresh().state.value}

    def _pause(self, job: str, command: str) -> Answer:
        found = self._jobs.find(job)
        with self._dispatcher.lock:
            view = found.view.refresh()
            if command not in view.commands and view.state is not JobState.INTERRUPTED:
                self._let_go(found, command, "pause", verdict.PAUSED)
        return {"state": found.view.refresh().state.value}

    def _let_go(self, job: Job, command: str, asked: str, end: verdict.Verdict) -> None:
        state, same = job.view.state, job.view.cause == end.cause.value
        if self._dispatcher.waits(job) or (state is JobState.INTERRUPTED and not same):
            with job.folder.writing() as journal:
                journal.append("interrupted", {**end.payload(), "command": command})
            self._dispatcher.withdraw(job)
        elif not state.ended:
            self._dispatcher.ask(job, Command(command, asked, job.view.attempt))
        elif state is not JobState.INTERRUPTED:
            raise Conflict(f"The job has {state.value} already, so it cannot go on "
                           f"{'elsewhere' if asked == 'release' else 'later'}.")

    def _checkpoint(self, job: str) -> Answer:
        found = self._jobs.find(job)
        with disk_errors("packing a checkpoint"):
            packed = checkpoints.pack(found.folder.checkpoints, self._store)
            if packed is not None:
                hold(found.folder.path, packed.digest)  # until it is fetched and the job forgotten
        attempt = found.view.refresh().attempt
        if packed is None:
            return {"digest": None, "name": "", "step": 0, "attempt": attempt}
        return {"digest": packed.digest, "name": packed.name, "step": packed.step, "attempt": attempt}

    def _forget(self, job: str) -> Answer:
        with self._jobs.lock, self._dispatcher.lock:
            found = self._jobs.get(job)
            if found is None:
                return {}
            if not found.broken and not found.state().ended:
                raise Conflict("The job goes on, so it cannot be forgotten.", hint="Cancel it first.")
            self._dispatcher.settle(found)
            with disk_errors("removing a job"):
                gone = found.folder.put_aside()
            self._jobs.drop(found)
        shutil.rmtree(gone, ignore_errors=True)
        return {}

    # --- taking over

    def _take_over(self, spec: dict[str, Any], history: str, checkpoint: str | None) -> Answer:
        wanted = JobSpec.from_json(spec)
        self._objects.require_object(history)
        past = History.handed_on(self._store.path(history))
        with self._taking:
            job = self._jobs.get(wanted.id)
            if job is None:
                job, fresh = self._take(wanted, past, checkpoint), True
            else:
                fresh = self._take_again(job, wanted, past, checkpoint)
        self._changed()
        return {"state": job.state().value, "fresh": fresh}

    def _take(self, wanted: JobSpec, past: History, checkpoint: str | None) -> Job:
        """Take over a job that was never here."""
        self._require(wanted, checkpoint)
        with JobFolder.drafting(self._jobs.folder, wanted) as draft:
            if checkpoint is not None:
                checkpoints.unpack(checkpoint, self._store, draft / "checkpoints")
            write_atomic(draft / "journal", past.lines() + _queued(past))
        job = self._jobs.add(JobFolder(self._jobs.folder / wanted.id))
        self._dispatcher.enqueue(job)
        return job

    def _take_again(self, job: Job, wanted: JobSpec, past: History, checkpoint: str | None) -> bool:
        """Take over a job that was here before; say whether that is news. Raises Conflict when it went on here."""
        if job.spec.digest != wanted.digest:
            raise Conflict(f"Another job with the id {wanted.id} is on this runner already.")
        own = History.own(job.folder.journal)
        if not own.agrees(past):
            raise Conflict("The job went on differently on this runner.", hint="Look at its events there.")
        if own.count > past.count:
            if own.attempts == past.attempts:
                raise Conflict("The job's history on this runner is longer.", hint="Fetch its events, then try again.")
            return False
        self._require(wanted, checkpoint)
        with self._dispatcher.lock, job.folder.claim(5.0) as mine:
            if not mine:
                raise Conflict(f"The job {job.id} is busy.", hint="Try again in a moment.")
            with disk_errors("taking a job over"):
                if checkpoint is not None and own.count < past.count:
                    checkpoints.unpack(checkpoint, self._store, job.folder.checkpoints)
                # Its own bytes stay as they are: who reads the journal is somewhere in the middle of it.
                write_atomic(job.folder.journal, own.lines() + past.lines(own.count) + _queued(past))
            job.broken = ""
            self._dispatcher.enqueue(job)
        return True

    def _require(self, wanted: JobSpec, checkpoint: str | None) -> None:
        """Raise DataMissing, DiskFull or BadInput before anything is written."""
        self._objects.require(wanted.inputs)
        if checkpoint is not None:
            self._objects.require([checkpoint])
            checkpoints.check(self._store.manifest(checkpoint))
        require_space(self._jobs.folder)


def _queued(past: History) -> bytes:
    """Return the line that goes on from a history."""
    priority = {"priority": past.priority} if past.priority else {}
    payload = {"attempt": past.attempts + 1, "by": "move", **priority}
    return encode(Event(past.count + 1, time.time(), "queued", payload))
