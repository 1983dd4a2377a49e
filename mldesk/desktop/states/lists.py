"""The lists of the pages: datasets, runs, models, as the library has them now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mldesk.core.observable import Observable
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.tasks import in_thread

if TYPE_CHECKING:
    from mldesk.library.records import Dataset, Model, Run

RUNS_SHOWN = 10_000


class DatasetList:
    """Every dataset, those in the bin apart."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.datasets: Observable[tuple[Dataset, ...] | None] = Observable(None)  # None: not read yet
        self.removed: Observable[tuple[Dataset, ...]] = Observable(())

    async def refresh(self) -> None:
        """Read both lists again."""
        service = self._desk.workbench.datasets
        self.datasets.value = tuple(await in_thread(service.list))
        self.removed.value = tuple(await in_thread(lambda: service.list(removed=True)))

    async def remove(self, name: str) -> None:
        """Put a dataset in the bin. Raises NotFound."""
        await in_thread(self._desk.workbench.datasets.remove, name)
        await self.refresh()

    async def restore(self, name: str) -> None:
        """Take a dataset out of the bin. Raises NotFound, Conflict."""
        await in_thread(self._desk.workbench.datasets.restore, name)
        await self.refresh()


class RunList:
    """Every run, newest first."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.runs: Observable[tuple[Run, ...] | None] = Observable(None)

    async def refresh(self) -> None:
        """Read the list again."""
        self.runs.value = tuple(await in_thread(lambda: self._desk.workbench.runs.list(limit=RUNS_SHOWN)))


class ModelList:
    """Every model."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.models: Observable[tuple[Model, ...] | None] = Observable(None)

    async def refresh(self) -> None:
        """Read the list again."""
        self.models.value = tuple(await in_thread(self._desk.workbench.models.list))
