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
        native, best, best_loss, prediction = None, smoothings[0], float("inf"), np.zeros(0)
        for done, smoothing in enumerate(smoothings, start=1):
            context.control.check()
            candidate = _fit(context.train, smoothing, context.classes)
            guess = self.predict(candidate, context.validation.x, context.classes)
            scores = context.scores(guess)
            context.report.metrics(done, prefixed(scores, "validation"))
            context.report.progress(done, len(smoothings), "smoothings")
            if native is None or scores["loss"] < best_loss:
                native, best, best_loss, prediction = candidate, smoothing, scores["loss"], guess
            if context.control.finish:
                break
        if context.parameters["refit"] and not context.control.finish:
            native = _fit(context.everything(), best, context.classes)
        return Fitted(native, prediction, context.control.finish, {"smoothing": best})

    def predict(self, native: Any, x: Array, classes: int) -> Array:  # noqa: ARG002 - as every estimator
        wide = x.astype(np.float64)
        raw = (wide ** 2) @ native["squares"] + wide @ native["slopes"] + native["offset"]
        chances = np.exp(raw - raw.max(1, keepdims=True))
        probabilities: Array = chances / chances.sum(1, keepdims=True)
        return probabilities


def _fit(part: Part, smoothing: float, classes: int) -> dict[str, Array]:
    model = GaussianNB(var_smoothing=smoothing).fit(part.x.astype(np.float64), part.y)
    width = part.x.shape[1]
    # A class without a training row keeps no chance to speak of, whatever the columns say.
    squares, slopes, offset = np.zeros((width, classes)), np.zeros((width, classes)), np.full(classes, -1e9)
    squares[:, model.classes_] = -0.5 / model.var_.T
    slopes[:, model.classes_] = (model.theta_ / model.var_).T
    offset[model.classes_] = (np.log(model.class_prior_) - 0.5 * np.log(2 * np.pi * model.var_).sum(1)
                              - 0.5 * (model.theta_ ** 2 / model.var_).sum(1))
    return {"squares": squares, "slopes": slopes, "offset": offset}
