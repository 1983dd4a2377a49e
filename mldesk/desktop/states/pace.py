"""How far runs have come since they last said so: remaining times go on falling between two reports."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mldesk.wire.states import JobState

if TYPE_CHECKING:
    from mldesk.library.records import Run


class Pace:
    """Remembers when each run that goes on said how far it is. No I/O; by a clock of this machine alone."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._said: dict[str, tuple[Mapping[str, Any] | None, float]] = {}   # by the run's id: what, and when

    def look(self, runs: Iterable[Run]) -> None:
        """Take in the runs that go on; the others are forgotten."""
        there = {run.id: run for run in runs}
        self._said = {run: said for run, said in self._said.items() if run in there}
        for run in there.values():
            self.since(run)

    def since(self, run: Run) -> float:
        """Return the seconds since a run said how far it is; 0 for one that does not work on."""
        if run.state is not JobState.RUNNING:
            return 0.0
        said = self._said.get(run.id)
        if said is None or said[0] != run.progress:
            self._said[run.id] = said = (run.progress, self._now())
        return max(0.0, self._now() - said[1])

    def left(self, run: Run) -> float | None:
        """Return the seconds that are left by a run's own estimate, None where it has none."""
        eta = (run.progress or {}).get("eta")
        return None if eta is None or run.state.ended else max(0.0, float(eta) - self.since(run))

    def done(self, run: Run) -> float:
        """Return how much is done, in the unit of the run's progress; a time that is used up goes on by itself."""
        progress = run.progress or {}
        done, total = float(progress.get("done") or 0.0), float(progress.get("total") or 0.0)
        return min(total, done + self.since(run)) if progress.get("unit") == "seconds" else done
