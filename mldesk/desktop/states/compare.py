"""Runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import NotFound
from mldesk.core.observable import Observable, Signal
from mldesk.desktop.states.curves import CurveFeed
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.tasks import in_remote, in_thread

if TYPE_CHECKING:
    from mldesk.library.records import Run
    from mldesk.workbench.five_by_two import FiveByTwo


JUDGED = 12   # runs up to which evaluations are laid over one another, and tests paired


class CompareState:
    """What differs between runs, and their curves. Signals: ``advanced`` when the curves were read again."""

    def __init__(self, desk: Desk, run_ids: Sequence[str]) -> None:
        self._desk, self.ids = desk, tuple(run_ids)
        self.runs: list[Run] = []
        self.curves: list[CurveFeed] = []
        self.against = self.ids[0] if self.ids else ""   # the run that the others are set against
        self.pairs: list[Mapping[str, Any]] = []      # each other run against that one, row by row
        self.evaluations: list[Mapping[str, Any]] = []  # of each run; {} where there is none
        self.comparison: Observable[Mapping[str, Any] | None] = Observable(None)
        self.advanced: Signal[None] = Signal()
        self.five: Observable[FiveByTwo | None] = Observable(None)   # of two runs that can be tested so
        self.why_no_five = ""
        self.changes: str | None = None   # of the second's script to the first's; None: they are not two scripts

    async def refresh(self) -> None:
        """Read the runs and their curves again."""
        service, judging = self._desk.workbench.runs, self._desk.workbench.judging
        self.runs = [await in_thread(service.get, run) for run in self.ids]
        feeds = []
        for run in self.ids:
            feed = CurveFeed()
            feed.take(await in_thread(service.curves, run))
            feeds.append(feed)
        self.curves = feeds
        self.changes = await in_thread(self._desk.workbench.scripts.between, list(self.ids))
        if self.comparison.value is None:   # judging takes seconds; what is known at once is shown at once
            self.comparison.value = await in_thread(lambda: judging.compare(list(self.ids), judged=False))
        self.advanced.emit(None)
        if len(self.ids) <= JUDGED:
            self.evaluations = [await in_thread(self._evaluation, run) for run in self.ids]
            self.pairs = await in_thread(judging.paired, list(self.ids), self.against)
        self.comparison.value = await in_thread(judging.compare, list(self.ids))

    async def set_against(self, run: str) -> None:
        """Set the others against this one; ``pairs`` are worked out anew. Raises NotFound."""
        self.against = run
        if len(self.ids) <= JUDGED:
            pairs = await in_thread(self._desk.workbench.judging.paired, list(self.ids), run)
            if run == self.against:   # nobody has chosen another meanwhile
                self.pairs = pairs

    async def look_at_five(self) -> None:
        """Read how far the 5x2cv test of two runs is."""
        if len(self.ids) == 2:
            service = self._desk.workbench.cross_tests
            self.why_no_five = await in_thread(service.why_not, self.ids)
            self.five.value = None if self.why_no_five else await in_thread(service.look, *self.ids)

    async def start_five(self) -> None:
        """Start what the test lacks. Raises BadInput, RunnerUnreachable."""
        self.five.value = await in_remote(self._desk.workbench.cross_tests.start, *self.ids)
        self._desk.nudge()

    async def stop_five(self) -> None:
        """Cancel those of its runs that go on. Raises RunnerUnreachable."""
        self.five.value = await in_remote(self._desk.workbench.cross_tests.cancel, *self.ids)
        self._desk.nudge()

    def _evaluation(self, run: str) -> Mapping[str, Any]:
        try:
            return self._desk.workbench.judging.evaluation(run)
        except NotFound:
            return {}
