"""Runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mldesk.core.observable import Observable, Signal
from mldesk.desktop.states.curves import CurveFeed
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.tasks import in_thread

if TYPE_CHECKING:
    from mldesk.library.records import Run


class CompareState:
    """What differs between runs, and their curves. Signals: ``advanced`` when the curves were read again."""

    def __init__(self, desk: Desk, run_ids: Sequence[str]) -> None:
        self._desk, self.ids = desk, tuple(run_ids)
        self.runs: list[Run] = []
        self.curves: list[CurveFeed] = []
        self.comparison: Observable[Mapping[str, Any] | None] = Observable(None)
        self.advanced: Signal[None] = Signal()

    async def refresh(self) -> None:
        """Read the runs and their curves again."""
        service = self._desk.workbench.runs
        self.runs = [await in_thread(service.get, run) for run in self.ids]
        feeds = []
        for run in self.ids:
            feed = CurveFeed()
            feed.replace(await in_thread(service.metrics, run))
            feeds.append(feed)
        self.curves = feeds
        self.comparison.value = await in_thread(service.compare, list(self.ids))
        self.advanced.emit(None)
