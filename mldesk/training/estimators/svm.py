"""Support vector machines with a Gaussian kernel (Cortes and Vapnik 1995), by scikit-learn's libsvm.

Classes are told apart one against the rest; chances come from a logistic regression on the margins (Platt 1999),
fitted on the validation rows. The native model is a mapping of arrays:
``links(exp(-gamma |x - vectors|²) @ weights + offset)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC, SVR

from mldesk.core.errors import BadInput
from mldesk.training.blocks import Style
from mldesk.training.estimators.axes import axes_of, placed
from mldesk.training.estimators.base import FitContext, Fitted, Part, prefixed
from mldesk.training.values import Array

_MOST_CLASSES = 300
_MOST_ROWS = 10_000      # libsvm's time grows with their square
_BLOCK = 8_000_000       # kernel values held at once
_PLATT_STRENGTH = 1.0


class Svm:
    """The widest margin between classes, or the flattest curve through numbers."""

    style: ClassVar[Style] = "dense"

    def fit(self, context: FitContext) -> Fitted:
        if context.classes > _MOST_CLASSES:
            raise BadInput(f"A support vector machine fits one machine per class, and these are {context.classes:,}; "
                           f"{_MOST_CLASSES} are as many as it takes.",
                           hint="A neural network or a linear model learns so many classes together.")
        part, axes = _at_most(context), axes_of(context)
        strengths = (1.0, 10.0, 0.1) if context.parameters["strength"] is None else (context.parameters["strength"],)
        native, best_loss, prediction, chosen = None, float("inf"), np.zeros(0), strengths[0]
        for done, strength in enumerate(strengths, start=1):
            context.control.check()
            machine = _machine(context, part, strength, axes)
            margins = _margins(machine, context.validation.x)
            candidate = _with_chances(machine, margins, context) if context.classes else machine
            guess = _linked(candidate, margins, context.classes)
            scores = context.scores(guess)
            context.report.metrics(done, prefixed(scores, "validation"))
            context.report.progress(done, len(strengths), "strengths")
            if native is None or scores["loss"] < best_loss:
                native, best_loss, prediction, chosen = candidate, scores["loss"], guess, strength
            if context.control.finish:
                break
        assert native is not None  # noqa: S101 - for mypy: there is at least one strength
        facts = {"strength": chosen, "vectors": len(native["vectors"])}
        return Fitted(native, prediction, context.control.finish, facts)

    def predict(self, native: Any, x: Array, classes: int) -> Array:
        return _linked(native, _margins(native, x), classes)


def _at_most(context: FitContext) -> Part:
    part = context.train
    if len(part) <= _MOST_ROWS:
        return part
    rows = np.sort(np.random.default_rng(context.seed).choice(len(part), _MOST_ROWS, replace=False))
    context.report.log(f"{_MOST_ROWS} of {len(part)} training rows are learnt from: more would take hours.")
    return Part(part.x[rows], part.y[rows])


def _machine(context: FitContext, part: Part, strength: float, axes: Mapping[str, Array]) -> dict[str, Any]:
    """Fit one machine per class (one for two classes or a number), all over the same vectors."""
    vectors = placed(axes, part.x).astype(np.float32)
    x = vectors.astype(np.float64)
    gamma = context.parameters["gamma"] or 1.0 / (x.shape[1] * (float(x.var()) or 1.0))
    weight = "balanced" if context.named_weights == "balanced" else None
    rows = None if context.by_hand is None else context.row_weights(part.y)
    weights, offset = [], []
    if context.classes:
        for code in ([1] if context.classes == 2 else range(context.classes)):
            context.control.check()
            truth = part.y == code
            if truth.all() or not truth.any():
                weights.append(np.zeros(len(x)))
                offset.append(1.0 if truth.all() else -1.0)
                continue
            machine = SVC(C=strength, gamma=gamma, class_weight=weight, cache_size=500)
            machine.fit(x, truth, sample_weight=rows)
            weights.append(_spread(machine, len(x)))
            offset.append(float(machine.intercept_[0]))
    else:
        centre, deviation = float(part.y.mean()), float(part.y.std()) or 1.0
        machine = SVR(C=strength, gamma=gamma, cache_size=500).fit(x, (part.y - centre) / deviation)
        weights.append(_spread(machine, len(x)) * deviation)
        offset.append(float(machine.intercept_[0]) * deviation + centre)
    joined = np.stack(weights, 1)
    kept = np.flatnonzero(np.abs(joined).max(1) > 0)
    kept = kept if len(kept) else np.array([0])
    return {**axes, "vectors": vectors[kept], "weights": joined[kept], "offset": np.array(offset),
            "gamma": float(gamma)}


def _spread(machine: Any, rows: int) -> Array:
    weights = np.zeros(rows)
    weights[machine.support_] = machine.dual_coef_[0]
    return weights


def _with_chances(machine: dict[str, Any], margins: Array, context: FitContext) -> dict[str, Any]:
    """Add the regression from the validation rows' margins to chances. Classes that these lack go by their margin."""
    y, count = context.validation.y, margins.shape[1]
    weights, offset = np.zeros((count, context.classes)), np.zeros(context.classes)
    if count == 1:
        weights[0, 1] = 2.0
    else:
        np.fill_diagonal(weights, 2.0)
    seen = np.unique(y)
    if len(seen) > 1:
        fitted = LogisticRegression(C=_PLATT_STRENGTH, max_iter=500).fit(margins, y)
        if len(seen) == context.classes == 2:
            weights, offset = np.zeros((count, 2)), np.zeros(2)
            weights[:, 1], offset[1] = fitted.coef_[0], fitted.intercept_[0]
        elif len(seen) == context.classes:
            weights, offset = fitted.coef_.T.copy(), fitted.intercept_.copy()
    return {**machine, "link_weights": weights, "link_offset": offset}


def _linked(native: dict[str, Any], margins: Array, classes: int) -> Array:
    """Return (N,) numbers or (N, C) probabilities from margins."""
    if not classes:
        return margins[:, 0]
    raw = margins @ native["link_weights"] + native["link_offset"]
    chances = np.exp(raw - raw.max(1, keepdims=True))
    probabilities: Array = chances / chances.sum(1, keepdims=True)
    return probabilities


def _margins(native: dict[str, Any], x: Array) -> Array:
    vectors = native["vectors"].astype(np.float64)
    rows = max(1, _BLOCK // len(vectors))
    parts = []
    for at in range(0, len(x), rows):
        wide = placed(native, x[at:at + rows])
        squares = (wide ** 2).sum(1)[:, None] - 2.0 * (wide @ vectors.T) + (vectors ** 2).sum(1)
        parts.append(np.exp(-native["gamma"] * np.maximum(squares, 0.0)) @ native["weights"] + native["offset"])
    margins: Array = np.concatenate(parts)
    return margins
