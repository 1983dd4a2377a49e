"""Training a model again on new data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from mldesk.core.errors import BadInput
from mldesk.library import Library
from mldesk.library.records import ModelVersion, Run
from mldesk.workbench.datasets import DatasetService
from mldesk.workbench.models import ModelService
from mldesk.workbench.orders import TrainOrder, order_of
from mldesk.workbench.runs import RunService
from mldesk.workbench.searches import SearchService
from mldesk.workbench.searching import SearchOrder

if TYPE_CHECKING:  # it is needed by a few commands only
    import numpy as np
    import numpy.typing as npt

    from mldesk.workbench.challenging import Challenge


class RetrainService:
    """Trains versions again as they were trained, on other rows."""

    def __init__(self, library: Library, models: ModelService, runs: RunService, searches: SearchService,
                 datasets: DatasetService, deal: Callable[[TrainOrder], npt.NDArray[np.uint8]]) -> None:
        """``deal`` says which part of the data each of the rows of an order would be in."""
        self._library, self._models, self._runs, self._searches = library, models, runs, searches
        self._datasets, self._deal = datasets, deal

    def start(self, model: str, dataset: str, runner: str = "local", *, warm: bool = False,
              search: bool = False) -> Run:
        """Start the run that trains ``M[@V]`` anew on ``dataset``; it becomes the next version of the same model.

        The version in use stays in use: where none was promoted, so that the newest is meant, it is promoted now.

        Args:
            model: of a search: what it blended is fitted and blended anew
            warm: go on from the model's weights instead; its encoder stays, and rows it has learned from judge nothing
            search: search again as then, for a model of a search

        Raises NotFound; BadInput for a model of a bundle, or one that cannot be trained so; as ``RunService.start``.
        """
        version = self._models.show(model)
        used = self._models.show(version.model)
        started = self._started(version, dataset, runner, warm=warm, search=search)
        if self._models.get(version.model).promoted is None:
            self._models.promote(version.model, used.number, "It was in use when its model was retrained.")
        return started

    def _started(self, version: ModelVersion, dataset: str, runner: str, *, warm: bool, search: bool) -> Run:
        run = self._run(version)
        order = _again(version, run, dataset, runner)
        if run.kind == "search":
            if warm:
                raise BadInput(f"{version.label} came out of a search: a blend has no weights to go on from.",
                               hint="Retrain what it blended (without --warm), or search again (--search).")
            return self._searches.start(_search_again(self._searched(version) if search else run, order, search))
        if search:
            raise BadInput(f"{version.label} was trained, not searched for.", hint="Leave --search out.")
        if not warm:
            return self._runs.start(order)
        from mldesk.workbench.warm_start import WarmStart  # numpy loads with it

        begin = WarmStart(self._library, self._deal).begin(version, run, self._datasets.show(dataset), order)
        return self._runs.start(replace(order, folds=0), begin)

    def _searched(self, version: ModelVersion) -> Run:
        """Return the search that a version goes back to: its own run may only have fitted what that one blended."""
        for item in sorted(self._models.versions(version.model), key=lambda item: -item.number):
            if item.number > version.number or item.run is None:
                continue
            run = self._library.runs.get(item.run)
            if run.kind == "search" and not run.spec["payload"].get("configurations"):
                return run
        raise BadInput(f"The search that {version.label} goes back to is not here.", hint="Search anew: mldesk search.")

    def challenge(self, new: str, old: str) -> Challenge:
        """Set two versions side by side, as ``challenging.challenge`` does. Raises NotFound, BadInput."""
        from mldesk.workbench.challenging import challenge  # numpy loads with it

        ours, theirs = self._models.show(new), self._models.show(old)
        return challenge(self._library, ours, theirs, self._run(ours))

    def used(self, model: str) -> str:
        """Return the version in use of the model that ``model`` is a version of. Raises NotFound."""
        return self._models.show(self._models.show(model).model).label

    def _run(self, version: ModelVersion) -> Run:
        if version.run is None:
            raise BadInput(f"{version.label} came as a bundle: how it was trained is not known here.",
                           hint="Train a model here, and compare with that.")
        return self._library.runs.get(version.run)


def _again(version: ModelVersion, run: Run, dataset: str, runner: str) -> TrainOrder:
    """Return the order that the version came of, for another dataset."""
    asked = order_of(run)
    features, split = asked.get("features"), asked["split"]
    return TrainOrder(
        dataset, version.target, task=version.task, estimator="auto" if run.kind == "search" else version.estimator,
        parameters=asked["parameters"], order=tuple(asked.get("order", ())),
        features=None if features is None else tuple(features), test_size=split["test_size"],
        validation_size=split["validation_size"], split="random" if split["method"] == "given" else split["method"],
        split_column=split.get("column"), folds=split.get("folds", 0), prepare=tuple(asked.get("prepare", ())),
        seed=asked["seed"], runner=runner, model=version.model)


def _search_again(run: Run, order: TrainOrder, whole: bool) -> SearchOrder:
    """Return the search: all of it again, or only of the configurations that it blended."""
    asked, members = run.spec["payload"], (run.result or {}).get("members") or ()
    wanted = SearchOrder(order, asked.get("metric"), ensemble=bool(asked.get("ensemble", True)),
                         parallel=int(asked.get("parallel", 1)), stack=bool(asked.get("stack")),
                         stack_columns=bool(asked.get("stack_columns")), refit=bool(asked.get("refit")),
                         quantile=asked.get("quantile"))
    if not whole:
        return replace(wanted, configurations=tuple(
            {"estimator": item["estimator"], "parameters": dict(item["parameters"])} for item in members))
    return replace(wanted, seconds=float(asked.get("seconds") or 0), trials=int(asked.get("trials") or 0),
                   target_score=asked.get("target_score"), estimators=tuple(asked.get("estimators") or ()))
