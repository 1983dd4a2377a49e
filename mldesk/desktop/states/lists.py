"""The lists of the pages: datasets, runs, models, as the library has them now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mldesk.core.errors import NotFound
from mldesk.core.observable import Observable
from mldesk.core.run_filter import RunFilter
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.states.run import places
from mldesk.desktop.tasks import in_thread

if TYPE_CHECKING:
    from mldesk.library.records import Dataset, Model, Run
    from mldesk.wire.runner_view import Waiting

RUNS_SHOWN = 500  # newest runs read at first, and more each time one asks
BEST = "best_"    # before the metric, in the name of the curve of a search's best score


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a search has come."""

    metric: str
    best: float     # of the trials so far, on rows that they were not fitted on
    trials: int     # so far


Labels = tuple[Mapping[str, int], Mapping[str, int], tuple[str, ...]]  # tags and groups with their runs; datasets


class DatasetList:
    """Every dataset, those in the bin apart."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.datasets: Observable[tuple[Dataset, ...] | None] = Observable(None)  # None: not read yet
        self.removed: Observable[tuple[Dataset, ...]] = Observable(())
        self.tags: Mapping[str, tuple[str, ...]] = {}    # by the dataset's name
        self.tasks: Mapping[str, tuple[str, ...]] = {}   # that were trained on it

    async def refresh(self) -> None:
        """Read both lists again."""
        service, history = self._desk.workbench.datasets, self._desk.workbench.history
        self.tags, self.tasks = await in_thread(lambda: (history.tags(), history.tasks()))
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
    """The newest runs that are wanted, newest first."""

    def __init__(self, desk: Desk, limit: int = RUNS_SHOWN) -> None:
        self._desk, self._limit = desk, limit
        self.wanted = RunFilter()
        self.views: dict[str, RunFilter] = {}  # by name
        self.labels: Labels = ({}, {}, ())
        self.runs: Observable[tuple[Run, ...] | None] = Observable(None)
        self.has_older = Observable(False)
        self.places: Observable[dict[str, Waiting]] = Observable({})  # of those that wait, by id

    async def refresh(self) -> None:
        """Read the list again; an answer to what is not wanted any more is dropped."""
        limit, wanted, bench = self._limit, self.wanted, self._desk.workbench
        runs = await in_thread(lambda: bench.book.find(wanted, limit=limit + 1))
        tags, groups = await in_thread(bench.book.labels)
        self.views = await in_thread(bench.book.views)
        if wanted != self.wanted:
            return
        known = {run.dataset.rpartition("@")[0]: None for run in runs if run.dataset}
        self.labels = (tags, groups, tuple(dict.fromkeys((*self.labels[2], *known))))
        self.has_older.value = len(runs) > limit
        self.runs.value = tuple(runs[:limit])

    async def look_in_queues(self) -> None:
        """Ask the runners where the runs that wait stand."""
        self.places.value = await places(self._desk, self.runs.value or ())

    async def read_older(self) -> None:
        """Read more of the list, further back."""
        self._limit += RUNS_SHOWN
        await self.refresh()


class SearchList(RunList):
    """The newest searches, newest first; of those without a result yet, how they stand."""

    def __init__(self, desk: Desk, limit: int = RUNS_SHOWN) -> None:
        super().__init__(desk, limit)
        self.wanted = RunFilter(kind="search")
        self.standing: Observable[Mapping[str, Standing]] = Observable({})   # by the run's id
        self._read: dict[str, int] = {}   # of each run, how many of its events were there when it was read last

    async def refresh(self) -> None:
        """Read the list again, then out of its curves how a search stands that has come further."""
        await super().refresh()
        runs = [run for run in self.runs.value or () if run.result is None and run.started is not None]
        further = [run for run in runs if self._read.get(run.id) != run.last_seq]
        if further or len(self.standing.value) > len(runs):
            found = await in_thread(lambda: {run.id: self._stands(run) for run in further})
            self._read = {run.id: run.last_seq for run in runs}
            known = {**self.standing.value, **{run: one for run, one in found.items() if one is not None}}
            self.standing.value = {run.id: known[run.id] for run in runs if run.id in known}

    def _stands(self, run: Run) -> Standing | None:
        try:
            curves = self._desk.workbench.runs.curves(run.id)
        except NotFound:   # deleted meanwhile
            return None
        name = next((name for name, found in curves.items() if name.startswith(BEST) and len(found)), None)
        return None if name is None else Standing(
            name.removeprefix(BEST), curves[name].values[-1], curves[name].steps[-1])


class ModelList:
    """Every model."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.models: Observable[tuple[Model, ...] | None] = Observable(None)
        self.tags: Mapping[str, tuple[str, ...]] = {}   # of each model's versions, as of the last reading

    async def refresh(self) -> None:
        """Read the list again."""
        self.tags = await in_thread(self._desk.workbench.models.tags)
        self.models.value = tuple(await in_thread(self._desk.workbench.models.list))
