"""Ordered classes by proportional odds: one weighted sum of the columns, cut at thresholds (McCullagh 1980, section 2).

P(class <= k) = sigmoid(threshold_k - x @ weights). The native model is a mapping of arrays: "weights" (F,) and
"thresholds" (C - 1,), ascending. The penalty on squared weights is chosen on the validation rows.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

from mldesk.training.blocks import Style
from mldesk.training.estimators.base import FitContext, Fitted, Part, prefixed
from mldesk.training.values import Array

_STRENGTHS = (100.0, 10.0, 1.0, 0.1)   # from strong to weak
_LEAST = 1e-300


class Ordinal:
    """A row's place on a scale, and where on it one class ends and the next begins."""

    style: ClassVar[Style] = "dense"

    def fit(self, context: FitContext) -> Fitted:
        asked = context.parameters["regularization"]
        strengths = _STRENGTHS if asked is None else (asked,)
        native, best, best_loss, prediction = None, strengths[0], float("inf"), np.zeros(0)
        for done, strength in enumerate(strengths, start=1):
            candidate = _fit(context, context.train, strength, native)
            guess = self.predict(candidate, context.validation.x, context.classes)
            scores = context.scores(guess)
            context.report.metrics(done, prefixed(scores, "validation"))
            context.report.progress(done, len(strengths), "penalties")
            if native is None or scores["loss"] < best_loss:
                native, best, best_loss, prediction = candidate, strength, scores["loss"], guess
            if context.control.finish:
                break
        if context.parameters["refit"] and not context.control.finish:
            context.report.stage("Fitting again with the validation rows")
            native = _fit(context, context.everything(), best, native)
        return Fitted(native, prediction, context.control.finish, {"regularization": best})

    def predict(self, native: Any, x: Array, classes: int) -> Array:  # noqa: ARG002 - as every estimator
        below = expit(native["thresholds"] - (x.astype(np.float64) @ native["weights"])[:, None])
        chances: Array = np.diff(below, axis=1, prepend=0.0, append=1.0)
        return chances


def _fit(context: FitContext, part: Part, strength: float, start: dict[str, Array] | None) -> dict[str, Array]:
    """Minimise the penalised log loss by L-BFGS. What is sought: the weights, the first threshold, log steps."""
    x, y, classes = part.x.astype(np.float64), part.y, context.classes
    weight = context.row_weights(y)
    weight = np.ones(len(y)) if weight is None else weight
    width = x.shape[1]

    def loss(sought: Array) -> tuple[float, Array]:
        context.control.check()
        cut = _thresholds(sought[width:])
        place = x @ sought[:width]
        upper = np.where(y == classes - 1, np.inf, cut[np.minimum(y, classes - 2)] - place)
        lower = np.where(y == 0, -np.inf, cut[np.maximum(y - 1, 0)] - place)
        chance = np.maximum(expit(upper) - expit(lower), _LEAST)
        slope_upper, slope_lower = _slope(upper) / chance, _slope(lower) / chance
        by_place = -weight * (slope_upper - slope_lower)          # of log chance, by the place on the scale
        by_cut = np.zeros(classes - 1)
        np.add.at(by_cut, np.minimum(y, classes - 2), np.where(y == classes - 1, 0, weight * slope_upper))
        np.add.at(by_cut, np.maximum(y - 1, 0), np.where(y == 0, 0, -weight * slope_lower))
        after = np.cumsum(by_cut[::-1])[::-1]                     # a step moves every threshold behind it
        by_steps = np.concatenate([after[:1], after[1:] * np.exp(sought[width + 1:])])
        value = -float(weight @ np.log(chance)) + strength / 2 * float(sought[:width] @ sought[:width])
        return value, np.concatenate([strength * sought[:width] - x.T @ by_place, -by_steps])

    if start is None:
        shares = np.cumsum(np.bincount(y, weight, classes) + 0.5)[:-1]
        shares = shares / (weight.sum() + 0.5 * classes)
        first = np.concatenate([np.zeros(width), _as_steps(np.log(shares / (1 - shares)))])
    else:
        first = np.concatenate([start["weights"], _as_steps(start["thresholds"])])
    found = minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": context.parameters["iterations"]})
    return {"weights": found.x[:width].copy(), "thresholds": _thresholds(found.x[width:])}


def _thresholds(steps: Array) -> Array:
    cut: Array = np.cumsum(np.concatenate([steps[:1], np.exp(steps[1:])]))
    return cut


def _as_steps(cut: Array) -> Array:
    steps: Array = np.concatenate([cut[:1], np.log(np.maximum(np.diff(cut), 1e-6))])
    return steps


def _slope(at: Array) -> Array:
    """Return the derivative of the sigmoid, 0 at either infinity; without a product that would be 0 times infinity."""
    finite = np.where(np.isfinite(at), at, 0.0)
    slope: Array = np.where(np.isfinite(at), np.exp(-logsumexp([np.zeros_like(finite), -finite], axis=0)
                                                    - logsumexp([np.zeros_like(finite), finite], axis=0)), 0.0)
    return slope
