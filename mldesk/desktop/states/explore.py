"""What a version's table holds, looked into: its statistics, the view of a target, and charts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from mldesk.core.errors import MldeskError
from mldesk.core.observable import Observable
from mldesk.desktop.errors import sentence
from mldesk.desktop.states.dataset import DatasetState
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.tasks import current, in_thread

if TYPE_CHECKING:
    from mldesk.data.statistics.charting import Kind
    from mldesk.workbench.datasets import Cancelled

T = TypeVar("T")


class ExploreState:
    """Statistics of the version that a dataset's page shows. ``busy`` while something is being counted."""

    def __init__(self, desk: Desk, dataset: DatasetState) -> None:
        self._desk, self._dataset = desk, dataset
        self._stops: set[threading.Event] = set()   # one for each piece of work that is wanted
        self._of = ""   # manifest that the statistics are of, or are being made of
        self.statistics: Observable[Mapping[str, Any] | None] = Observable(None)
        self.target: Observable[Mapping[str, Any] | None] = Observable(None)
        self.busy: Observable[bool] = Observable(False)
        self.problem: Observable[str] = Observable("")   # why there are none

    async def load(self, *, again: bool = False) -> None:
        """Make or read the statistics of what is shown, unless they are here or were stopped (then ``again``)."""
        version = self._dataset.version.value
        if version is None or (version.manifest == self._of and not again):
            return
        self._of = version.manifest
        self.cancel()
        self._stops.clear()   # what is of another version is not heard of any more
        self.statistics.value = self.target.value = None
        service = self._desk.workbench.explore
        found = await self._count(lambda cancelled: service.statistics(version.label, cancelled=cancelled))
        if self._of == version.manifest:
            self.statistics.value = found

    async def load_target(self, name: str) -> None:
        """Make or read the view of a target; no name takes it away."""
        reference, service = self._dataset.reference, self._desk.workbench.explore
        self.target.value = None
        if name:
            found = await self._count(lambda cancelled: service.target(reference, name, cancelled=cancelled))
            self.target.value = found if reference == self._dataset.reference else None

    async def chart(self, kind: Kind, x: str | None, y: str | None, by: str | None, *,
                    where: str | None = None) -> Mapping[str, Any]:
        """Return what a chart shows of the rows that meet ``where``, see ``mldesk.data.statistics.charting``.

        Raises BadInput, NotFound.
        """
        reference, closing = self._dataset.reference, current().closing
        return await in_thread(lambda: self._desk.workbench.explore.chart(
            reference, kind, x, y, by, where=where, cancelled=closing.is_set))

    def cancel(self) -> None:
        """Stop what is being counted."""
        for stop in self._stops:
            stop.set()

    async def _count(self, work: Callable[[Cancelled], T]) -> T | None:
        stop, closing = threading.Event(), current().closing
        self._stops.add(stop)
        self.busy.value, self.problem.value = True, ""
        try:
            return await in_thread(work, lambda: stop.is_set() or closing.is_set())
        except MldeskError as error:
            if stop in self._stops:
                self.problem.value = sentence(error)
            return None
        finally:
            self._stops.discard(stop)
            self.busy.value = bool(self._stops)
