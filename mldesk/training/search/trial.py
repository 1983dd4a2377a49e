"""One trial: a configuration fitted on folds (or once, on a large table), judged on rows it was not fitted on.

Trees are fitted on several folds at once, a thread each: small tables keep one core busy per fit and no more. Networks
are not, since torch draws from one generator. A trial that is weak on its first folds is not fitted on the others
(as successive halving over folds: Jamieson and Talwalkar, AISTATS 2016); one whose first fit falls far behind those
before it is not fitted to its end (see ``pace``).
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.estimators.base import load_estimator
from mldesk.training.search.measures import Aim
from mldesk.training.search.one_fold import OneFold
from mldesk.training.search.pace import RIVALS, Curve, Pace, kind_of, rate_of
from mldesk.training.search.portfolio import Configuration
from mldesk.training.search.quiet import Quiet
from mldesk.training.search.rows import Rows
from mldesk.training.search.sharing import Came, Sharing
from mldesk.training.values import Array
from mldesk.wire.control import Control
from mldesk.wire.report import Report

_CURVE_POINTS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a trial came to."""

    number: int
    configuration: Configuration
    loss: float                       # of the aim; smaller is better
    seconds: float
    prediction: Array                 # for ``Rows.judged``
    natives: Sequence[Any]            # a model per fold, or a Piped with one; () once they were let go; None of a fold
                                      # that another process fitted
    curve: Sequence[tuple[int, float]]  # (step, validation loss) of the fold that is fitted first
    facts: Mapping[str, Any] = field(default_factory=dict)
    fold_losses: Sequence[float] = ()   # of the aim, a fold each, as they were fitted
    source: str = ""                  # the runner that made it, where it was another one
    cuts: Sequence[int] = ()          # where each fold's fit was told to finish, as ``one_fold.Asking`` has it; 0: not

    def to_json(self, aim: Aim) -> dict[str, Any]:
        """Return the payload of its "trial" event."""
        return {"number": self.number, "estimator": self.configuration.estimator, "state": "complete",
                "parameters": dict(self.configuration.parameters), "origin": self.configuration.origin,
                **({"pipeline": dict(self.configuration.pipeline)} if self.configuration.pipeline else {}),
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

    def __init__(self, loss: float, folds: int, curve: Sequence[tuple[int, float]] = ()) -> None:
        super().__init__(loss, folds)
        self.loss, self.folds, self.curve = loss, folds, curve


class Pruned(Exception):
    """The first fit fell so far behind others that its end was not worth its time. ``curve``: of it."""

    def __init__(self, curve: Sequence[tuple[int, float]]) -> None:
        super().__init__(len(curve))
        self.curve = curve


class LimitedControl(Control):
    """The job's control, which also asks to finish once the time (of time.monotonic) is up, or a fit is hopeless."""

    def __init__(self, control: Control, deadline: float, watched: Quiet | None = None) -> None:
        self._control, self._deadline, self._watched = control, deadline, watched

    @property
    def finish(self) -> bool:
        return self._control.finish or time.monotonic() >= self._deadline or (
            self._watched is not None and self._watched.hopeless)

    @property
    def terminate(self) -> bool:
        return self._control.terminate

    def check(self) -> None:
        self._control.check()


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a trial may take."""

    seconds: float = math.inf         # after which its fits end with what they have
    needed: bool = True               # False: it is given up where the search's time ends before its last fold
    weak: Sequence[float] = ()        # mean loss of the first 1, 2, ... folds from which on it is given up
    rivals: Sequence[Curve] = ()      # of fits before, as ``pace.along`` has them, that the first fit is compared with


def run_trial(number: int, configuration: Configuration, rows: Rows, aim: Aim, report: Report, control: Control, *,
              seed: int, threads: int, device: str, bounds: Bounds = Bounds(), nodes: float = math.inf,
              sharing: Sharing | None = None) -> Outcome:
    """Fit the configuration on every fold. Raises what its estimator raises; Weak, Pruned, TimeUp, Terminated.

    ``nodes``: of trees, that each of its models may have. ``sharing``: who fits some of the folds elsewhere; their
    models are None in the outcome.

    Once ``control`` asks to finish, or the trial's own seconds are over, what is left is fitted as quickly as can be.
    """
    began = time.monotonic()
    fits = Fits(configuration, rows, aim, seed=seed, threads=threads, device=device, nodes=nodes)
    sharing = Sharing(Path()) if sharing is None else sharing
    sharing.begin(number, len(fits.waves), began + bounds.seconds)
    predictions: dict[int, Array] = {}   # by fold
    natives: dict[int, Any] = {}
    losses: list[float] = []
    curve: list[tuple[int, float]] = []
    cuts: dict[int, int] = {}
    facts: Mapping[str, Any] = {}
    elsewhere = 0.0
    for count, wave in enumerate(fits.waves):
        control.check()
        if count and not bounds.needed and control.finish:
            raise TimeUp
        if losses and len(losses) <= len(bounds.weak) and np.mean(losses) > bounds.weak[len(losses) - 1]:
            raise Weak(float(np.mean(losses)), len(losses), curve)
        share = sharing.take(count)
        if isinstance(share, Came):
            elsewhere += share.seconds
            predictions |= zip(wave, share.predictions, strict=True)
            natives |= dict.fromkeys(wave)
            cuts |= zip(wave, share.cuts, strict=True)
        else:
            quiet = Quiet(report, None if count else _pace(configuration, bounds))
            made = fits.make(count, quiet, control, time.monotonic() + share)
            if quiet.hopeless:
                raise Pruned(_thinned(quiet.points))
            if not count:
                curve, facts = _thinned(quiet.points), made[0][2]
            for fold, (said, native, told) in zip(wave, made, strict=True):
                predictions[fold], natives[fold], cuts[fold] = said, native, told["cut"]
        losses += [aim.loss(predictions[fold], rows.truth(fold)) for fold in wave]
    folds = range(len(rows.folds))
    prediction = np.concatenate([predictions[fold] for fold in folds])
    loss = rows.judging(aim).loss(prediction, rows.y)
    return Outcome(number, configuration, loss, time.monotonic() - began + elsewhere,
                   prediction, [natives[fold] for fold in folds[-rows.models:]], curve, facts, losses,
                   cuts=[cuts[fold] for fold in folds])


class Fits:
    """The fits of a trial. ``waves``: the folds that are fitted at once, wave by wave; in order of time the last one,
    which counts most and whose model is kept, comes first.
    """

    def __init__(self, configuration: Configuration, rows: Rows, aim: Aim, *, seed: int, threads: int,
                 device: str, nodes: float) -> None:
        style = load_estimator(ESTIMATORS[configuration.estimator]).style
        at_once = min(threads, len(rows.folds)) if style == "trees" else 1
        folds = range(len(rows.folds))
        self.waves = list(_waves(folds[::-1] if rows.forward else folds, at_once))
        self._threads = threads
        self._one = OneFold(configuration, rows, aim, rows.part(style, configuration.pipeline), seed, device,
                           nodes)

    def make(self, wave: int, first: Quiet, control: Control,
             until: float) -> list[tuple[Array, Any, Mapping[str, Any]]]:
        """Fit a wave; return what ``OneFold.fit`` does of each. ``first``: hears of its first fold. ``until``: of
        time.monotonic, from when on it is fitted as quickly as can be.
        """
        folds = self.waves[wave]
        heard = [first, *(Quiet(first) for _ in folds[1:])]
        limited = LimitedControl(control, until, first)
        each = max(1, self._threads // len(folds))

        def one(fold: int, quiet: Quiet) -> tuple[Array, Any, Mapping[str, Any]]:
            return self._one.fit(fold, quiet, limited, each)

        if len(folds) == 1:
            return [one(folds[0], first)]
        with ThreadPoolExecutor(len(folds), "fold") as pool:
            return list(pool.map(one, folds, heard))


def _pace(configuration: Configuration, bounds: Bounds) -> Pace | None:
    """Return what compares the first fit with those before; None where there is nothing to compare."""
    if len(bounds.rivals) < RIVALS or not kind_of(configuration):
        return None
    known = {item.name for item in ESTIMATORS[configuration.estimator].parameters}
    return Pace(bounds.rivals, rate_of(configuration), boosting="rounds" in known)


def _waves(folds: Sequence[int], at_once: int) -> Iterator[list[int]]:
    for first in range(0, len(folds), at_once):
        yield list(folds[first:first + at_once])


def _thinned(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    if len(points) <= _CURVE_POINTS:
        return points
    return [points[index] for index in np.linspace(0, len(points) - 1, _CURVE_POINTS).round().astype(int)]
