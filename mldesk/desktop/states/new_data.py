"""A model and data newer than its own: does it still fit, training it again, and the old version against the new."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mldesk.core.errors import NotFound
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.tasks import in_remote, in_thread

if TYPE_CHECKING:
    from mldesk.library.records import DatasetVersion, ModelVersion, Run
    from mldesk.workbench.challenging import Challenge
    from mldesk.workbench.cleaning_rows import Chain
    from mldesk.workbench.drifting import DriftReport


@dataclass(frozen=True, slots=True)
class ScorePair:
    """One score of two versions on the same rows."""

    metric: str
    new: float
    old: float
    low: float | None    # of the difference, new minus old, 95 %; None: not known
    high: float | None
    sure: bool           # the difference is more than luck


ANEW, WARM, SEARCH = "anew", "warm", "search"   # ways to retrain: as it was trained, on from its weights, all of it
BLEND = "blend"                                 # the estimator of what came out of a search


class NewDataState:
    """What is asked of one version of a model."""

    def __init__(self, desk: Desk, version: ModelVersion) -> None:
        self._desk, self.version = desk, version

    async def tables(self) -> list[DatasetVersion]:
        """Return what may be chosen: every version of the model's dataset, the newest first, then the other datasets'
        newest.
        """
        return await in_thread(self._tables)

    async def runners(self) -> list[str]:
        """Return the names of the runners, this machine's first."""
        found = await in_thread(self._desk.workbench.runners.list)
        return sorted((record.name for record in found), key=lambda name: (name != "local", name.casefold()))

    async def drift(self, new: str, *, clean: bool = False) -> DriftReport:
        """Compare a file or a version of a dataset with the training rows, ``clean``: cleaned as these were first.

        Raises NotFound, BadInput.
        """
        return await in_thread(lambda: self._desk.workbench.drift.check(self.version.label, new, clean=clean))

    async def cleaning(self) -> Chain:
        """Return what was done to the rows that the model learned from. Raises NotFound, BadBundle."""
        return await in_thread(self._desk.workbench.drift.cleaning, self.version.label)

    async def retrain(self, dataset: str, runner: str, how: str = ANEW) -> Run:
        """Start the run that makes the next version. Raises as ``RetrainService.start``."""
        run = await in_remote(self._desk.workbench.retraining.start, self.version.label, dataset, runner,
                              warm=how == WARM, search=how == SEARCH)
        self._desk.nudge()
        return run

    async def challenge(self, old: int) -> Challenge:
        """Set this version beside version ``old`` on this one's test rows. Raises NotFound, BadInput."""
        return await in_thread(self._desk.workbench.retraining.challenge, self.version.label,
                               f"{self.version.model}@{old}")

    def _tables(self) -> list[DatasetVersion]:
        service = self._desk.workbench.datasets
        own = self.version.dataset.rpartition("@")[0]
        try:
            found = list(reversed(service.versions(own))) if own else []
        except NotFound:   # it is gone for good
            found = []
        others = sorted((item.head for item in service.list() if item.name != own), key=lambda head: -head.created)
        return [*found, *others]


def score_pairs(found: Challenge) -> list[ScorePair]:
    """Return the scores, that which decides first, the loss under its own name."""
    pairs = []
    for name, (new, old) in sorted(found.scores.items(), key=lambda item: item[0] != found.decides):
        metric = found.loss if name == "loss" else name
        if metric == "root_mean_squared_error":
            new, old = math.sqrt(new), math.sqrt(old)
        gap = found.paired["differences"].get(metric)
        pairs.append(ScorePair(metric, new, old, *((None, None, False) if gap is None else
                                                   (gap["low"], gap["high"], bool(gap["sure"])))))
    return pairs
