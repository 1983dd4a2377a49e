"""Bringing what a runner says about a job into the library, exactly once, whoever asks.

The library's cursor is the one truth: events after it are fetched, applied in one transaction, and every follower
reads its own rows back. Two followers of one run fetch the same events now and then; the second apply skips them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from mldesk.core.errors import NotFound, RunnerUnreachable
from mldesk.library import Library
from mldesk.library.records import Run
from mldesk.wire.events import Event
from mldesk.wire.imports import KIND
from mldesk.wire.jobs import JobSpec
from mldesk.wire.journal import encode
from mldesk.wire.manifest import is_digest
from mldesk.wire.states import Cause, JobState
from mldesk.workbench.far_data import keep_imported
from mldesk.workbench.runner_asking import AskedRunners
from mldesk.workbench.sending import submit
from mldesk.workbench.spreading import Spreader

if TYPE_CHECKING:  # rpyc loads with it
    from mldesk.runners import RunnerClient

BATCH = 1000             # events per fetch and per read
FIRST_PAUSE = 0.5        # seconds before an unreachable runner is asked again
LONGEST_PAUSE = 2.0      # a runner's client spaces its own attempts; here it is only seen to that somebody asks
MOVE_PATIENCE = 20.0     # seconds a released run is waited for to go on elsewhere
NAP = 0.2                # seconds; how long a pause goes on after ``stop`` became true

Trouble = Callable[[str | None], None]  # why the runner cannot be reached; None once it can again
Stop = Callable[[], bool]


class RunnerForgotten(NotFound):
    """A run is at a runner that this library does not know any more. What it said before is still here."""

    code = "runner_forgotten"

    def __init__(self, run: Run) -> None:
        super().__init__(f"Run {run.name} was at the runner {run.runner!r:.60}, which this library does not know any "
                         "more.", hint=f"What it said before is still here. To follow it, add that machine again under "
                         f"this name: mldesk runners add {run.runner} USER@HOST")


class ArtifactAbsent(RunnerUnreachable):
    """A runner does not have what it says a run made. It is asked again: nothing of the run is given up."""

    code = "artifact_absent"

    def __init__(self, run: Run, event: Event) -> None:
        name = str(event.payload.get("name", "a file"))
        super().__init__(f"The runner {run.runner} does not have {name!r:.60}, which run {run.name} made.",
                         hint="Its disk may have lost it; its log may say why.")


def bring(library: Library, client: RunnerClient, run: Run, wait: float = 0.0) -> int:
    """Fetch what a run has said since, waiting up to ``wait`` seconds; keep it; return how many events came.

    Files are brought here before the library names them; what is no digest is kept as it came and fetches nothing.
    Raises RunnerUnreachable, ArtifactAbsent, NotFound for an unknown job.
    """
    events = client.events(run.id, run.last_seq, limit=BATCH, wait=wait)
    for event in events:
        digest = event.payload.get("digest")
        if event.kind == "artifact" and event.seq > run.last_seq and isinstance(digest, str) and is_digest(digest):
            try:
                client.fetch(digest, library.objects)
            except NotFound as error:  # of the file, not of the job: the run is anything but lost
                raise ArtifactAbsent(run, event) from error
    if run.kind == KIND:
        keep_imported(library, run, events)
    if events:
        library.runs.apply(run.id, events)
    return len(events)


class Follower:
    """Pulls events of runs into the library. Thread-safe; holds nothing between calls."""

    def __init__(self, library: Library, runners: AskedRunners) -> None:
        self._library, self._runners = library, runners
        self._spreader = Spreader(library)

    def pump(self, run_id: str, wait: float = 0.0) -> bool:
        """Fetch once, waiting up to ``wait`` seconds for something new, and apply it.

        Returns whether there may be more to come: False once the run has ended and its last event is in the
        library. Raises RunnerUnreachable, which says nothing about the run, and RunnerForgotten.
        """
        run = self._library.runs.get(run_id)
        if run.state.final:
            return False
        with self.at(run) as client:
            if run.state is JobState.CREATED:  # whoever made it died, or is, between writing the row and the submit
                submit(client, run)
            if run.handover is not None:       # likewise, in the middle of a move
                take_over(self._library, client, run)
                run = self._library.runs.get(run_id)
            try:
                came = bring(self._library, client, run, 0.0 if run.state is JobState.INTERRUPTED else wait)
            except NotFound as error:
                self._library.runs.mark_lost(run.id, error.message, run.runner)
                return self._library.runs.get(run_id).runner != run.runner
            now = self._library.runs.get(run_id)
            self._spreader.step(client, now)
        return came > 0 or not now.state.ended or now.runner != run.runner

    def at(self, run: Run) -> AbstractContextManager[RunnerClient]:
        """Lend the client of the runner that has a run. Raises RunnerForgotten."""
        if not any(record.name == run.runner for record in self._runners.list()):
            raise RunnerForgotten(run)
        return self._runners.asking(run.runner)

    def follow(self, run_id: str, after: int = 0, *, wait: float = 1.0, trouble: Trouble | None = None,
               stop: Stop | None = None) -> Iterator[Event]:
        """Yield every event after ``after``, dense, until the run has ended or ``stop`` says so.

        An unreachable runner is asked again and again, with growing pauses; ``trouble`` hears of it.
        """
        pause, more = FIRST_PAUSE, True
        while True:
            for event in self._stored(run_id, after):
                yield event
                after = event.seq
            if stop is not None and stop():
                return
            if not more and not (more := self._moves_on(run_id, after, stop)):
                return
            try:
                more = self.pump(run_id, wait)
            except RunnerUnreachable as error:
                if trouble is not None:
                    trouble(error.message)
                _sleep(pause, stop)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            if pause != FIRST_PAUSE:
                pause = FIRST_PAUSE
                if trouble is not None:
                    trouble(None)

    def _moves_on(self, run_id: str, after: int, stop: Stop | None) -> bool:
        """Say whether a run that was released goes on elsewhere, waiting for whoever moves it."""
        until = time.monotonic() + MOVE_PATIENCE
        while True:
            run = self._library.runs.get(run_id)
            if not run.state.ended or run.handover is not None or run.last_seq > after:
                return True
            waits = run.state is JobState.INTERRUPTED and run.cause is Cause.MOVED
            if not waits or time.monotonic() > until or (stop is not None and stop()):
                return False
            time.sleep(NAP)

    def drain(self, run_id: str) -> None:
        """Fetch what there is now, without waiting for more. Raises RunnerUnreachable."""
        before = -1
        while (now := self._library.runs.get(run_id)).last_seq != before and not now.state.final:
            before = now.last_seq
            self.pump(run_id)

    def _stored(self, run_id: str, after: int) -> Iterator[Event]:
        while batch := self._library.runs.events(run_id, after, limit=BATCH):
            yield from batch
            after = batch[-1].seq


def take_over(library: Library, client: RunnerClient, run: Run) -> None:
    """Have a run's new runner go on with it: what was begun by a move. A second time changes nothing.

    The journal goes there as the library has it, so the new runner's numbers go on where the library's end.
    """
    handover = run.handover or {}
    history = b"".join(encode(event) for event in library.runs.events(run.id))
    client.take_over(JobSpec.from_json(run.spec), history, handover.get("checkpoint"))
    library.runs.taken_over(run.id)


def _sleep(seconds: float, stop: Stop | None) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0 and not (stop is not None and stop()):
        time.sleep(min(NAP, left))
