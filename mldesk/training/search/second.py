"""A second level: a model over what the models of a search said of rows that they had not seen.

Stacked generalization (Wolpert 1992; Ting and Witten 1999: chances rather than classes). It is judged as the weights
are that it would replace, on rows that neither was fitted on, and is kept only where it is clearly better: what a small
table's noise teaches it is not.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

from mldesk.training.blend import Second, second_inputs
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.estimators.base import load_estimator
from mldesk.training.search.ensemble import stack
from mldesk.training.search.fit_parameters import SECOND, second_parameters
from mldesk.training.search.measures import Aim
from mldesk.training.search.quiet import NoCheckpoints, Quiet
from mldesk.training.search.rows import Rows
from mldesk.training.search.second_fit import fit_second
from mldesk.training.search.trial import Outcome
from mldesk.training.values import Array
from mldesk.wire.control import Control
from mldesk.wire.report import Report

_FOLDS = 5
_FEWEST_ROWS = 100
_MOST_INPUTS = 400      # answers times classes
_GAIN = 1e-3            # of the loss: less is luck


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """What a second level came to."""

    second: Second               # its columns start at 0; the caller knows where they are
    columns: bool                # it looks at the row's columns, too
    prediction: Array            # for the judged rows, by models that had not seen them
    loss: float                  # ... of the aim
    instead_of: float            # the loss of the weights, learned and judged on the same rows


def second_level(outcomes: Sequence[Outcome], rows: Rows, aim: Aim, *, columns: bool, seed: int, threads: int,
                 late: float, beat: float, report: Report, control: Control) -> Level | None:
    """Return the best second level over the outcomes' answers; None where weights do as well.

    ``columns``: models that look at the row's columns as well are tried, too. ``late``: of time.monotonic, from when on
    nothing more is fitted. ``beat``: the loss of what is kept otherwise.
    """
    classes, y = rows.classes, rows.y
    if len(y) < _FEWEST_ROWS or len(outcomes) < 2 or len(outcomes) * max(classes, 1) > _MOST_INPUTS:
        return None
    answers = [outcome.prediction for outcome in outcomes]
    shift, scale = (0.0, 1.0) if classes else (float(y.mean()), float(y.std()) or 1.0)
    told = second_inputs(answers, classes, shift, scale)
    folds = _folds(rows, seed)
    if classes and any(len(np.unique(y[known])) < classes for known, _ in folds):
        return None
    weighed = np.zeros_like(answers[0], np.float64)
    for known, judged in folds:
        weights, _ = stack([answer[known] for answer in answers], y[known], classes, aim)
        weighed[judged] = sum(weight * answer[judged] for weight, answer in zip(weights, answers, strict=True))
    whole = rows.judging(aim)
    instead = whole.loss(weighed, y)
    best = min(instead, beat)
    found: Level | None = None
    for wide in (False, True) if columns else (False,):
        if time.monotonic() > late or control.finish:
            break
        x = np.hstack([told, rows.parts["dense"].x[rows.judged]]) if wide else told
        fitting = _Fitting(x, y, classes, seed, threads, report, control)
        prediction = fitting.out_of_fold(folds)
        loss = whole.loss(prediction, y)
        if np.isfinite(prediction).all() and loss < best - _GAIN * abs(instead):
            best = loss
            second = Second(SECOND, fitting.of(np.arange(len(y))), shift, scale)
            found = Level(second, wide, prediction, loss, instead)
    return found


def _folds(rows: Rows, seed: int) -> list[tuple[Array, Array]]:
    """Deal the judged rows anew: as the trials' folds are, or at random where there was one part alone."""
    count, y = len(rows.y), rows.y
    if len(rows.folds) > 1:
        fold = np.repeat(np.arange(len(rows.folds)), [len(judge) for _, judge in rows.folds])
        return [(np.flatnonzero(fold != number), np.flatnonzero(fold == number)) for number in range(len(rows.folds))]
    least = int(np.bincount(y, minlength=rows.classes).min()) if rows.classes else 0
    dealer = StratifiedKFold if least >= _FOLDS else KFold
    return list(dealer(_FOLDS, shuffle=True, random_state=seed).split(np.zeros(count), y))


class _Fitting:
    """Fits the second level to some of the judged rows."""

    def __init__(self, x: Array, y: Array, classes: int, seed: int, threads: int, report: Report,
                 control: Control) -> None:
        self._x, self._y, self._classes = x, y, classes
        self._seed, self._threads, self._report, self._control = seed, threads, report, control
        self._estimator = load_estimator(ESTIMATORS[SECOND])

    def out_of_fold(self, folds: Sequence[tuple[Array, Array]]) -> Array:
        """Return what models say of the rows that each was not fitted on."""
        found = np.zeros((len(self._y), self._classes) if self._classes else len(self._y))
        for known, judged in folds:
            found[judged] = self._estimator.predict(self.of(known), self._x[judged], self._classes)
        return found

    def of(self, rows: Array) -> object:
        """Return a model of these rows."""
        return fit_second(self._estimator, second_parameters(self._classes), self._x, self._y, rows, self._classes,
                          seed=self._seed, threads=self._threads, report=Quiet(self._report), control=self._control,
                          checkpoints=NoCheckpoints())
