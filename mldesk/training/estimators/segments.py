"""Segment, then model: k-means deals the rows into segments (Lloyd 1982), and each has a linear model of its own.

Rows of other segments count a little in each, so that a small segment leans on what holds everywhere and knows every
class. A single model is always fitted beside and both losses are said. The native model is a mapping of arrays:
"centres" (K, F), "weights" (F, K, O) and "offsets" (K, O); O is the number of classes, 1 for a number.
"""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

from mldesk.training.blocks import Style
from mldesk.training.estimators.base import FitContext, Fitted, Part, prefixed
from mldesk.training.values import Array

_TRIED = (1, 2, 3, 5, 8)
_ELSEWHERE = 0.02      # what a row counts outside of its segment
_LEAST_ROWS = 20       # a segment has on average, or so many segments are not tried
_SAMPLE = 20_000       # rows that the centres are learnt from


class Segments:
    """Tries several numbers of segments, one among them, unless it is told one."""

    style: ClassVar[Style] = "dense"

    def fit(self, context: FitContext) -> Fitted:
        with threadpool_limits(context.threads):
            return self._fit(context)

    def _fit(self, context: FitContext) -> Fitted:
        asked = context.parameters["segments"]
        counts = [k for k in (_TRIED if asked is None else dict.fromkeys((1, asked)))
                  if k == 1 or k == asked or k * _LEAST_ROWS <= len(context.train)]
        losses: dict[int, float] = {}
        made: dict[int, tuple[dict[str, Array], Array]] = {}
        for done, count in enumerate(counts, start=1):
            native = _model(context, context.train, _centres(context, count))
            guess = self.predict(native, context.validation.x, context.classes)
            scores = context.scores(guess)
            made[count], losses[count] = (native, guess), scores["loss"]
            context.report.metrics(done, prefixed(scores, "validation"))
            context.report.progress(done, len(counts), "numbers of segments")
            if context.control.finish:
                break
        chosen = asked if asked in made else min(losses, key=lambda count: losses[count])
        others = {count: loss for count, loss in losses.items() if count > 1}
        if others:
            best = chosen if chosen > 1 else min(others, key=lambda count: others[count])
            context.report.log(f"{best} segments with a model each: validation loss {losses[best]:.5g}; a single "
                               f"model: {losses[1]:.5g}.")
        native, prediction = made[chosen]
        if context.parameters["refit"] and not context.control.finish:
            context.report.stage("Fitting again with the validation rows")
            native = _model(context, context.everything(), native["centres"])
        return Fitted(native, prediction, context.control.finish,
                      {"segments": len(native["centres"]), "loss": losses[chosen], "loss_of_one_model": losses[1]})

    def predict(self, native: Any, x: Array, classes: int) -> Array:
        wide = x.astype(np.float64)
        raw = np.empty((len(wide), native["offsets"].shape[1]))
        place = segment_of(wide, native["centres"])
        for segment in np.unique(place):
            rows = place == segment
            raw[rows] = wide[rows] @ native["weights"][:, segment] + native["offsets"][segment]
        if not classes:
            return raw[:, 0]
        chances = np.exp(raw - raw.max(1, keepdims=True))
        probabilities: Array = chances / chances.sum(1, keepdims=True)
        return probabilities


def segment_of(x: Array, centres: Array) -> Array:
    """Return the nearest centre of each row, (N,) int64; the first of equals."""
    nearest: Array = (x @ (2 * centres.T) - (centres ** 2).sum(1)).argmax(1)
    return nearest


def _centres(context: FitContext, count: int) -> Array:
    x = context.train.x.astype(np.float64)
    if len(x) > _SAMPLE:
        x = x[np.random.default_rng(context.seed).choice(len(x), _SAMPLE, replace=False)]
    if count == 1:
        only: Array = x.mean(0, keepdims=True)
        return only
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)   # fewer different rows than segments: some stay empty
        found = KMeans(min(count, len(x)), n_init=2, random_state=context.seed).fit(x)
    centres: Array = found.cluster_centers_
    return centres


def _model(context: FitContext, part: Part, centres: Array) -> dict[str, Array]:
    x, y, classes = part.x.astype(np.float64), part.y, context.classes
    balance = context.row_weights(y)
    place = segment_of(x, centres)
    weights = np.zeros((x.shape[1], len(centres), classes or 1))
    offsets = np.zeros((len(centres), classes or 1))
    for segment in range(len(centres)):
        context.control.check()
        counts = np.where(place == segment, 1.0, _ELSEWHERE) * (1.0 if balance is None else balance)
        strength = context.parameters["regularization"]
        if not classes:
            fitted = Ridge(alpha=strength).fit(x, y, sample_weight=counts)
            weights[:, segment, 0], offsets[segment, 0] = fitted.coef_, fitted.intercept_
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)   # near enough to its end for a linear model
            fitted = LogisticRegression(C=1 / strength, max_iter=context.parameters["iterations"]).fit(
                x, y, sample_weight=counts)
        known = fitted.classes_
        offsets[segment] = -1e9     # a class without a training row
        if len(fitted.coef_) == 1:
            weights[:, segment, known[1]], offsets[segment, known] = fitted.coef_[0], [0.0, fitted.intercept_[0]]
        else:
            weights[:, segment, known], offsets[segment, known] = fitted.coef_.T, fitted.intercept_
    return {"centres": centres, "weights": weights, "offsets": offsets}
