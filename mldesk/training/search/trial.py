"""One trial: a configuration fitted on folds (or once, on a large table), judged on rows it was not fitted on.

Trees are fitted on several folds at once, a thread each: small tables keep one core busy per fit and no more. Networks
are not, since torch draws from one generator. A trial that is weak on its first folds is not fitted on the others
(as successive halving over folds: Jamieson and Talwalkar, AISTATS 2016).
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mldesk.training.blocks import Style
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.checkpoints import Checkpoint, Checkpoints
from mldesk.training.estimators.base import FitContext, Fitted, Part, load_estimator
from mldesk.training.fitting import fit
from mldesk.training.many_classes import MANY, resolve_for
from mldesk.training.search.measures import Aim
from mldesk.training.search.portfolio import Configuration
from mldesk.training.values import Array
from mldesk.wire.control import Control
from mldesk.wire.report import Report

_CURVE_POINTS = 100
_TREES = 100          # of a forest on each of several folds


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What trials are fitted on: every row but the test rows, encoded in each style that is needed."""

    parts: Mapping[Style, Part]               # all those rows
    categorical: Mapping[Style, tuple[tuple[int, int], ...]]
    classes: int
    folds: Sequence[tuple[Array, Array]]      # (rows to fit on, rows to judge by), as indices into ``parts``
    forward: bool = False                     # each fold is later than the one before; the last one's model counts

    @property
    def models(self) -> int:
        """How many models a trial leaves."""
        return 1 if self.forward else len(self.folds)

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

    def truth(self, fold: int) -> Array:
        """Return the truth of the rows that one fold judges by."""
        truth: Array = next(iter(self.parts.values())).y[self.folds[fold][1]]
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
    fold_losses: Sequence[float] = ()   # of the aim, a fold each
    source: str = ""                  # the runner that made it, where it was another one

    def to_json(self, aim: Aim) -> dict[str, Any]:
        """Return the payload of its "trial" event."""
        return {"number": self.number, "estimator": self.configuration.estimator, "state": "complete",
                "parameters": dict(self.configuration.parameters), "origin": self.configuration.origin,
                "metric": aim.name, "score": aim.score(self.loss), "seconds": round(self.seconds, 3),
                "curve": [list(point) for point in self.curve], **({"runner": self.source} if self.source else {})}


def best_of_kinds(ranked: Sequence[Outcome], each: int) -> list[Outcome]:
    """Return the first ``each`` outcomes of every estimator among these, in their order."""
    seen: Counter[str] = Counter()
    found = []
    for outcome in ranked:
        seen[outcome.configuration.estimator] += 1
        if seen[outcome.configuration.estimator] <= each:
            found.append(outcome)
    return found


class TimeUp(Exception):
    """The time ended in the middle of a trial; what it has so far would be judged unfairly."""


class Weak(Exception):
    """The first folds of a trial say that the others are not worth their time. ``loss``: their mean, of the aim."""

    def __init__(self, loss: float, folds: int) -> None:
        super().__init__(loss, folds)
        self.loss, self.folds = loss, folds


class LimitedControl(Control):
    """The job's control, which also asks to finish once the time (of time.monotonic) is up."""

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

    training_loss = False

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


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a trial may take."""

    seconds: float = math.inf         # after which its fits end with what they have
    needed: bool = True               # False: it is given up where the search's time ends before its last fold
    weak: Sequence[float] = ()        # mean loss of the first 1, 2, ... folds from which on it is given up


def run_trial(number: int, configuration: Configuration, rows: Rows, aim: Aim, report: Report, control: Control, *,
              seed: int, threads: int, device: str, bounds: Bounds = Bounds()) -> Outcome:
    """Fit the configuration on every fold. Raises what its estimator raises; Weak, TimeUp, Terminated.

    Once ``control`` asks to finish, or the trial's own seconds are over, what is left is fitted as quickly as can be.
    """
    began = time.monotonic()
    estimator = load_estimator(ESTIMATORS[configuration.estimator])
    at_once = min(threads, len(rows.folds)) if estimator.style == "trees" else 1
    waves = list(_waves(len(rows.folds), at_once))
    fitted: list[tuple[Array, Any]] = []
    losses: list[float] = []
    curve: list[tuple[int, float]] = []
    facts: Mapping[str, Any] = {}
    with ThreadPoolExecutor(at_once, "fold") as pool:
        for count, wave in enumerate(waves):
            control.check()
            if count and not bounds.needed and control.finish:
                raise TimeUp
            if losses and len(losses) <= len(bounds.weak) and np.mean(losses) > bounds.weak[len(losses) - 1]:
                raise Weak(float(np.mean(losses)), len(losses))
            now = time.monotonic()
            limited = LimitedControl(control, now + (bounds.seconds - (now - began)) / (len(waves) - count))
            quiet = [Quiet(report) for _ in wave]
            threads_each = max(1, threads // len(wave))

            def one(fold: int, heard: Quiet, control: Control = limited, each: int = threads_each) -> Fitted:
                return fit(estimator, _context(configuration, rows, fold, heard, control, seed, each, device))

            made = list(pool.map(one, wave, quiet)) if at_once > 1 else [one(wave[0], quiet[0])]
            if not count:
                curve, facts = _thinned(quiet[0].points), dict(made[0].facts)
            for fold, item in zip(wave, made, strict=True):
                prediction = np.asarray(item.validation, np.float32 if rows.classes else np.float64)
                if not np.isfinite(prediction).all():
                    raise ArithmeticError("the model predicts numbers that are not finite")
                fitted.append((prediction, item.native))
                losses.append(aim.loss(prediction, rows.truth(fold)))
    prediction = np.concatenate([item for item, _ in fitted])
    return Outcome(number, configuration, aim.loss(prediction, rows.y), time.monotonic() - began, prediction,
                   [native for _, native in fitted][-rows.models:], curve, facts, losses)


def _waves(folds: int, at_once: int) -> Iterator[list[int]]:
    for first in range(0, folds, at_once):
        yield list(range(first, min(first + at_once, folds)))


def _context(configuration: Configuration, rows: Rows, fold: int, report: Report, control: Control, seed: int,
             threads: int, device: str) -> FitContext:
    """Return what the fit of one fold may look at. A model that is a trial's only one is fitted again on the judged
    rows too.
    """
    entry = ESTIMATORS[configuration.estimator]
    style = load_estimator(entry).style
    part, (fit_on, judge_by) = rows.parts[style], rows.folds[fold]
    given, known = dict(configuration.parameters), {item.name for item in entry.parameters}
    if "refit" in known:
        given["refit"] = rows.models == 1 and fold == len(rows.folds) - 1
    if "trees" in known and rows.models > 1 and rows.classes < MANY:   # the folds' forests are one in the end
        given.setdefault("trees", _TREES)
    return FitContext(
        classes=rows.classes, parameters=resolve_for(entry, given, rows.classes)[0],
        train=Part(part.x[fit_on], part.y[fit_on]), validation=Part(part.x[judge_by], part.y[judge_by]),
        report=report, control=control, checkpoints=NoCheckpoints(), categorical=rows.categorical[style],
        seed=seed + fold, threads=threads, device=device)


def _thinned(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    if len(points) <= _CURVE_POINTS:
        return points
    return [points[index] for index in np.linspace(0, len(points) - 1, _CURVE_POINTS).round().astype(int)]
