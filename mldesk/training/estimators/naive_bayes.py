"""Gaussian naive Bayes: each column on its own, normal within a class (scikit-learn's ``GaussianNB``).

The native model is a mapping of arrays: log chances are ``x² @ squares + x @ slopes + offset``, (F, C), (F, C), (C,).
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.naive_bayes import GaussianNB

from mldesk.training.blocks import Style
from mldesk.training.estimators.base import FitContext, Fitted, Part, prefixed
from mldesk.training.values import Array

_SMOOTHINGS = (1e-9, 1e-6, 1e-3, 1e-2, 1e-1, 1.0)


class NaiveBayes:
    """Quick and blunt. Without a smoothing given, the one that does best on the validation rows."""

    style: ClassVar[Style] = "dense"

    def fit(self, context: FitContext) -> Fitted:
        asked = context.parameters["smoothing"]
        smoothings = _SMOOTHINGS if asked is None else (asked,)
        seen = _seen(context.train)
        native, best, best_loss, prediction = None, smoothings[0], float("inf"), np.zeros(0)
        for done, smoothing in enumerate(smoothings, start=1):
            context.control.check()
            candidate = _smoothed(seen, smoothing, context.classes)
            guess = self.predict(candidate, context.validation.x, context.classes)
            scores = context.scores(guess)
            context.report.metrics(done, prefixed(scores, "validation"))
            context.report.progress(done, len(smoothings), "smoothings")
            if native is None or scores["loss"] < best_loss:
                native, best, best_loss, prediction = candidate, smoothing, scores["loss"], guess
            if context.control.finish:
                break
        if context.parameters["refit"] and not context.control.finish:
            native = _smoothed(_seen(context.everything()), best, context.classes)
        return Fitted(native, prediction, context.control.finish, {"smoothing": best})

    def predict(self, native: Any, x: Array, classes: int) -> Array:  # noqa: ARG002 - as every estimator
        wide = x.astype(np.float64)
        raw = (wide ** 2) @ native["squares"] + wide @ native["slopes"] + native["offset"]
        chances = np.exp(raw - raw.max(1, keepdims=True))
        probabilities: Array = chances / chances.sum(1, keepdims=True)
        return probabilities


def _seen(part: Part) -> GaussianNB:
    """Return the means and variances of each class, as they are."""
    return GaussianNB(var_smoothing=0.0).fit(part.x.astype(np.float64), part.y)


def _smoothed(seen: GaussianNB, smoothing: float, classes: int) -> dict[str, Array]:
    """Return the native model whose variances are wider by a share of the widest column's."""
    within, between = seen.class_prior_ @ seen.var_, seen.theta_ - seen.class_prior_ @ seen.theta_
    widest = float((within + seen.class_prior_ @ between ** 2).max())   # the variance over all classes
    variances = seen.var_ + smoothing * widest
    width = variances.shape[1]
    # A class without a training row keeps no chance to speak of, whatever the columns say.
    squares, slopes, offset = np.zeros((width, classes)), np.zeros((width, classes)), np.full(classes, -1e9)
    squares[:, seen.classes_] = -0.5 / variances.T
    slopes[:, seen.classes_] = (seen.theta_ / variances).T
    offset[seen.classes_] = (np.log(seen.class_prior_) - 0.5 * np.log(2 * np.pi * variances).sum(1)
                             - 0.5 * (seen.theta_ ** 2 / variances).sum(1))
    return {"squares": squares, "slopes": slopes, "offset": offset}
