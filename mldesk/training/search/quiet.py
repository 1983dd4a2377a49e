"""What a fit within a search speaks to, and keeps: nothing of it is an event, and no checkpoint is left."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mldesk.training.checkpoints import Checkpoint, Checkpoints
from mldesk.training.search.pace import Pace
from mldesk.wire.report import Report


class Quiet(Report):
    """Hears what a fit says of itself and keeps its curve; the search speaks for all its trials.

    ``pace``: says when the fit is not worth its end, which is then ``hopeless``.
    """

    training_loss = False

    def __init__(self, report: Report, pace: Pace | None = None) -> None:
        self._report, self._pace = report, pace
        self.hopeless = False
        self.points: list[tuple[int, float]] = []

    @property
    def seconds(self) -> float:
        return self._report.seconds

    def event(self, kind: str, **payload: Any) -> None:
        """Nothing of one fit is an event."""

    def stage(self, name: str) -> None:
        """A fit's stages are too short to be told."""

    def metrics(self, step: int, values: Mapping[str, float], epoch: float | None = None) -> None:  # noqa: ARG002
        if (loss := values.get("validation_loss")) is not None and math.isfinite(loss):
            self.points.append((step, float(loss)))
            self.hopeless = self.hopeless or (self._pace is not None and self._pace.hopeless(step, float(loss)))

    def progress(self, done: float, total: float, unit: str, rows: int = 0) -> None:
        """The search has a progress of its own."""


class NoCheckpoints(Checkpoints):
    """A fit within a search is done again rather than gone on with."""

    kept = False

    def __init__(self) -> None:
        super().__init__(Path(), lambda _step, _name: None)

    def newest(self) -> Checkpoint | None:
        return None

    @property
    def due(self) -> bool:
        return False

    def save(self, step: int, facts: dict[str, Any], write: Callable[[Path], None],
             beside: float = 0.0) -> None:
        """Nothing is kept."""
