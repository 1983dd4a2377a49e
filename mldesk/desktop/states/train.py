"""A training order in the making, and what can be said about it before Train is pressed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import MldeskError
from mldesk.core.observable import Observable
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.states.search import SearchWish, Trial, asked, is_search
from mldesk.desktop.tasks import in_remote, in_thread
from mldesk.workbench.orders import OF_RUN

if TYPE_CHECKING:
    from mldesk.library.records import DatasetVersion, Run, RunnerRecord
    from mldesk.training.catalogue import EstimatorEntry
    from mldesk.training.search.budget import Estimate
    from mldesk.workbench.orders import TrainCheck, TrainOrder
    from mldesk.workbench.presets import Preset
    from mldesk.workbench.runners import RunnerEstimate
    from mldesk.workbench.scheduling import Begun, When
    from mldesk.workbench.searching import SearchOrder

_ENDS = ("target", "label", "class", "y", "outcome")  # names that targets like to have


class TrainState:
    """Edits one order over one dataset version. ``order`` and ``check`` always belong together once ``checked``."""

    def __init__(self, desk: Desk, version: DatasetVersion, order: TrainOrder) -> None:
        self._desk, self.version = desk, version
        self.order: Observable[TrainOrder] = Observable(order)
        self.check: Observable[TrainCheck | None] = Observable(None)  # None while it is being made
        self.search: SearchWish | None = None  # None: train one model
        self.when: When | None = None          # None: once, at once
        self.runners: Observable[tuple[RunnerRecord, ...]] = Observable(())
        self.estimates: Observable[tuple[RunnerEstimate, ...]] = Observable(())
        self.estimating = Observable(False)
        self.outlook: Observable[Estimate | None] = Observable(None)  # what the search will come to, as far as known
        self._asked = self._estimated = 0
        self._priced: TrainOrder | None = None  # the order that ``estimates`` are of

    def change(self, **fields: Any) -> None:
        """Change fields of the order; ``refresh`` must follow."""
        self.order.value = replace(self.order.value, **fields)

    async def refresh(self) -> None:
        """Check the order as it is now; an answer to an older one is dropped."""
        self._asked += 1
        asked = self._asked
        check = await in_thread(self._desk.workbench.runs.check, self._asked_for())
        outlook = await self._look_ahead() if self.search is not None and check.why_not is None else None
        if asked == self._asked:
            self.check.value, self.outlook.value = check, outlook

    async def _look_ahead(self) -> Estimate | None:
        order = self.search.order(self._asked_for()) if self.search is not None else None
        try:
            return None if order is None else await in_thread(self._desk.workbench.searches.estimate, order)
        except MldeskError:  # a runner that is gone by now; ordering the search says so
            return None

    async def load_runners(self) -> None:
        """Read which runners there are."""
        self.runners.value = tuple(await in_thread(self._desk.workbench.runners.list))

    async def estimate(self) -> None:
        """Say what the order would take on each runner, asking them; an answer to an older order is dropped.

        A search takes what it is given: nothing is asked for it.
        """
        if self.search is not None:
            self.estimates.value, self._priced = (), None
            return
        order = replace(self.order.value, runner="local", name="", model="", seed=0)  # what costs nothing
        if order == self._priced or self.check.value is None or self.check.value.why_not:
            return
        self._estimated += 1
        asked, self._priced = self._estimated, order
        self.estimating.value = True
        try:
            estimates = tuple(await in_remote(self._desk.workbench.runners.estimates, order))
        except MldeskError:  # a train dialog without figures still trains
            estimates = ()
        finally:
            if asked == self._estimated:
                self.estimating.value = False
        if asked == self._estimated:
            self.estimates.value = estimates

    def estimators(self, task: str | None) -> list[EstimatorEntry]:
        """Return what can be trained for ``task``, in the catalogue's order. No I/O."""
        return self._desk.workbench.runs.estimators(task)

    def start(self) -> Begun:
        """Begin the run or the search, once or several times. Raises BadInput, RunnerUnreachable; may block."""
        from mldesk.workbench.scheduling import When

        return self._desk.workbench.schedule.begin(self.set_up(), self.when or When())

    def set_up(self) -> TrainOrder | SearchOrder:
        """Return what would be started now, to keep it as a preset."""
        return self._asked_for() if self.search is None else self.search.order(self._asked_for())

    def _asked_for(self) -> TrainOrder:
        """Return the order; of a search without the model, which is what it looks for, and with its own folds."""
        order = self.order.value
        return order if self.search is None else replace(order, estimator="auto", parameters={}, folds=0)


def like(run: Run, trial: Trial | None = None) -> dict[str, Any]:
    """Return the fields of an order that repeats a run, or trains one trial of a search as a model of its own.

    "search" is the wish of a search, None for a training; "jobs" are those of its helpers, whose runners it lacks.
    """
    payload = asked(run)
    features, split = payload.get("features"), payload.get("split", {})
    wish = SearchWish.of(run) if is_search(run) and trial is None else None
    estimator, parameters = (run.estimator, run.parameters) if trial is None else (trial.estimator, trial.parameters)
    method = str(split.get("method") or "random")
    jobs = run.spec.get("payload", {}).get("helpers") or () if wish else ()
    fields = {"search": wish, "jobs": tuple(jobs), "target": run.target, "task": run.task,
              "estimator": "auto" if wish else estimator,
              "parameters": {} if wish else dict(parameters),
              "order": tuple(payload.get("order") or ()),
              "features": None if features is None else tuple(features), "seed": int(payload.get("seed") or 0),
              "prepare": tuple(payload.get("prepare") or ()),
              "test_size": float(split.get("test_size", 0.2)), "folds": int(split.get("folds") or 0)}
    if "validation_size" in split:
        fields["validation_size"] = float(split["validation_size"])
    if method == "given":   # by hand, or as in another run: they are known once it has ended
        kept = (run.result or {}).get("split")
        return {**fields, "split": f"{OF_RUN}{run.id}"} if kept else fields
    return {**fields, "split": method, "split_column": split.get("column")}


def fields_of(preset: Preset, version: DatasetVersion) -> dict[str, Any]:
    """Return the fields of an order that a preset gives over a table, as ``like`` does for a run.

    What it says of columns that are not in the table is left out.
    """
    names = {column.name for column in version.columns}
    found: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value
                             for key, value in preset.train.items()}
    if found.get("target") not in names:
        for key in ("target", "task", "order"):
            found.pop(key, None)
    if not set(found.get("features") or ()) <= names:
        found.pop("features")
    found["without"] = tuple(name for name in found.get("without", ()) if name in names)
    if found.get("split_column") not in (None, *names):
        found.pop("split_column")
        found.pop("split", None)
    if preset.search is not None:
        order = preset.train_order(version.label)
        found["search"] = SearchWish.asked_as(preset.search_order(order))
    return found


def likely_target(version: DatasetVersion) -> str:
    """Return the column most likely meant to be predicted: one with a telling name, else the last usable one."""
    from mldesk.training.task_guess import target_problem

    usable = [column for column in version.columns if target_problem(column, version.rows) is None]
    telling = [column for column in usable if column.name.casefold() in _ENDS]
    chosen = telling or usable[-1:]
    return chosen[0].name if chosen else ""
