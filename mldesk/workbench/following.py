"""Bringing what a runner says about a job into the library, exactly once, whoever asks.

The library's cursor is the one truth: events after it are fetched, applied in one transaction, and every follower
reads its own rows back. Two followers of one run fetch the same events now and then; the second apply skips them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from mldesk.core.errors import NotFound, RunnerUnreachable
from mldesk.library import Library
from mldesk.library.records import Run
from mldesk.wire.events import Event
from mldesk.wire.jobs import JobSpec
from mldesk.wire.states import JobState
from mldesk.workbench.runners import RunnerService

BATCH = 1000             # events per fetch and per read
FIRST_PAUSE = 0.5        # seconds before an unreachable runner is asked again
LONGEST_PAUSE = 10.0
NAP = 0.2                # seconds; how long a pause goes on after ``stop`` became true

Trouble = Callable[[str | None], None]  # why the runner cannot be reached; None once it can again
Stop = Callable[[], bool]


class Follower:
    """Pulls events of runs into the library. Thread-safe; holds nothing between calls."""

    def __init__(self, library: Library, runners: RunnerService) -> None:
        self._library, self._runners = library, runners

    def pump(self, run_id: str, wait: float = 0.0) -> bool:
        """Fetch once, waiting up to ``wait`` seconds for something new, and apply it.

        Returns whether there may be more to come: False once the run has ended and its last event is in the
        library. Raises RunnerUnreachable, which says nothing about the run.
        """
        run = self._library.runs.get(run_id)
        if run.state.final:
            return False
        client = self._runners.client(run.runner)
        if run.state is JobState.CREATED:  # whoever made it died, or is, between writing the row and the submit
            client.submit(JobSpec.from_json(run.spec))
        try:
            events = client.events(run.id, run.last_seq, limit=BATCH,
                                   wait=0.0 if run.state is JobState.INTERRUPTED else wait)
        except NotFound as error:
            self._library.runs.mark_lost(run.id, error.message)
            return False
        self._fetch_artifacts(run, events)
        if events:
            self._library.runs.apply(run.id, events)
        return len(events) > 0 or not run.state.ended

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
            if not more or (stop is not None and stop()):
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

    def _fetch_artifacts(self, run: Run, events: Sequence[Event]) -> None:
        """Bring files here before the library names them. Local runners share the store: nothing is copied."""
        for event in events:
            if event.kind == "artifact" and event.seq > run.last_seq:
                self._runners.client(run.runner).fetch(str(event.payload["digest"]), self._library.objects)


def _sleep(seconds: float, stop: Stop | None) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0 and not (stop is not None and stop()):
        time.sleep(min(NAP, left))
