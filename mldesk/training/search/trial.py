"""One trial: a configuration fitted on folds (or once, on a large table), judged on rows it was not fitted on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mldesk.training.blocks import Style
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.checkpoints import Checkpoint, Checkpoints
from mldesk.training.estimators.base import FitContext, Part, load_estimator
from mldesk.training.fitting import fit
from mldesk.training.parameters import resolve
from mldesk.training.search.measures import Aim
from mldesk.training.search.portfolio import Configuration
from mldesk.training.values import Array
from mldesk.wire.control import Control
from mldesk.wire.report import Report

_CURVE_POINTS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What trials are fitted on: every row but the test rows, encoded in each style that is needed."""

    parts: Mapping[Style, Part]               # all those rows
    categorical: Mapping[Style, tuple[tuple[int, int], ...]]
    classes: int
    folds: Sequence[tuple[Array, Array]]      # (rows to fit on, rows to judge by), as indices into ``parts``

    @property
    def judged(self) -> Array:
        """Return the rows that some fold judges by, in the order of ``Outcome.prediction``."""
        return np.concatenate([judge for _, judge in self.folds])

    @property
    def y(self) -> Array:
        """Return the truth of those rows."""
        part = next(iter(self.parts.values()))
        truth: Array = part.y[self.judged]
        return truth


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a trial came to."""

    number: int
    configuration: Configuration
    loss: float                       # of the aim; smaller is better
    seconds: float
    prediction: Array                 # for ``Rows.judged``
    natives: Sequence[Any]            # a model per fold; () once they were let go
    curve: Sequence[tuple[int, float]]  # (step, validation loss) of the first fold
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self, aim: Aim) -> dict[str, Any]:
        """Return the payload of its "trial" event."""
        return {"number": self.number, "estimator": self.configuration.estimator, "state": "complete",
                "parameters": dict(self.configuration.parameters), "origin": self.configuration.origin,
                "metric": aim.name, "score": aim.score(self.loss), "seconds": round(self.seconds, 3),
                "curve": [list(point) for point in self.curve]}


class TimeUp(Exception):
    """The time ended in the middle of a trial; what it has so far would be judged unfairly."""


class LimitedControl(Control):
    """The job's control, which also asks to finish once the time is up."""

    def __init__(self, control: Control, deadline: float) -> None:
        self._control, self._deadline = control, deadline

    @property
    def finish(self) -> bool:
        return self._control.finish or time.monotonic() >= self._deadline

    @property
    def terminate(self) -> bool:
        return self._control.terminate

    def check(self) -> None:
        self._control.check()


class Quiet(Report):
    """Hears what a fit says of itself and keeps its curve; the search speaks for all its trials."""

    def __init__(self, report: Report) -> None:
        self._report = report
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

    def progress(self, done: float, total: float, unit: str) -> None:
        """The search has a progress of its own."""


class NoCheckpoints(Checkpoints):
    """A fit within a search is done again rather than gone on with."""

    def __init__(self) -> None:
        super().__init__(Path(), lambda _step, _name: None)

    def newest(self) -> Checkpoint | None:
        return None

    @property
    def due(self) -> bool:
        return False

    def save(self, step: int, facts: dict[str, Any], write: Callable[[Path], None]) -> None:
        """Nothing is kept."""


def run_trial(number: int, configuration: Configuration, rows: Rows, aim: Aim, report: Report, control: Control, *,
              seed: int, threads: int, device: str, needed: bool = True) -> Outcome:
    """Fit the configuration on every fold. Raises what its estimator raises; Terminated.

    Once ``control`` asks to finish, what is left is fitted as quickly as can be; a trial that is not ``needed`` raises
    TimeUp instead.
    """
    began = time.monotonic()
    entry = ESTIMATORS[configuration.estimator]
    estimator = load_estimator(entry)
    part = rows.parts[estimator.style]
    given = dict(configuration.parameters)
    if any(item.name == "refit" for item in entry.parameters):
        given["refit"] = len(rows.folds) == 1
    predictions, natives, curve, facts = [], [], [], {}
    for fold, (fit_on, judge_by) in enumerate(rows.folds):
        control.check()
        if fold and control.finish and not needed:
            raise TimeUp
        quiet = Quiet(report)
        fitted = fit(estimator, FitContext(
            classes=rows.classes, parameters=resolve(entry.parameters, given),
            train=Part(part.x[fit_on], part.y[fit_on]), validation=Part(part.x[judge_by], part.y[judge_by]),
            report=quiet, control=control, checkpoints=NoCheckpoints(),
            categorical=rows.categorical[estimator.style], seed=seed + fold, threads=threads, device=device))
        predictions.append(np.asarray(fitted.validation, np.float32 if rows.classes else np.float64))
        natives.append(fitted.native)
        if not fold:
            curve, facts = _thinned(quiet.points), dict(fitted.facts)
    prediction = np.concatenate(predictions)
    if not np.isfinite(prediction).all():
        raise ArithmeticError("the model predicts numbers that are not finite")
    return Outcome(number, configuration, aim.loss(prediction, rows.y), time.monotonic() - began, prediction, natives,
                   curve, facts)


def _thinned(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    if len(points) <= _CURVE_POINTS:
        return points
    return [points[index] for index in np.linspace(0, len(points) - 1, _CURVE_POINTS).round().astype(int)]
