"""Logistic and linear regression; the strength of the penalty is chosen on the validation rows.

The penalty is on squared weights (ridge), on absolute ones (lasso) or on both (Zou and Hastie 2005).
"""

from __future__ import annotations

import copy
import warnings
from typing import Any, ClassVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

from mldesk.training.blocks import Style
from mldesk.training.estimators.axes import principal
from mldesk.training.estimators.base import FitContext, Fitted, Part, prefixed, quick_scores
from mldesk.training.values import Array

_STRENGTHS = (1000.0, 100.0, 10.0, 1.0, 0.1, 0.01)   # from strong to weak
_PASSES_AT_ONCE = {"lbfgs": 25, "newton-cholesky": 6, "saga": 10}   # between two readings
_QUICK = (20_000_000, 8_000_000_000)   # products of a pass that are nothing: of a first- and a second-order solver
_MOST_TIMES = 20
_MOST_WEIGHTS = 600    # beyond, the second-order solver needs too much memory
_NEAR = 1e-3           # of the target's deviation: residuals below it weigh no more
_MOST_BENDS = 60       # weighted fits on the way to a quantile
_ENOUGH = 1e-5         # share by which the pinball loss must still fall
_WORSE = 2             # strengths in a row without a better validation loss that end the search


class Linear:
    """A weighted sum of the columns."""

    style: ClassVar[Style] = "dense"

    def fit(self, context: FitContext) -> Fitted:
        asked = context.parameters["regularization"]
        strengths = _STRENGTHS if asked is None else (asked,)
        with threadpool_limits(context.threads):
            search = _Search(context)
            for index, strength in enumerate(strengths):
                search.fit(strength, index, len(strengths))
                if context.control.finish or search.over:
                    break
            finished_early = context.control.finish
            native = search.best
            if context.parameters["refit"] and not finished_early:
                context.report.stage("Fitting again with the validation rows")
                native = search.refit()
        return Fitted(native, search.prediction, finished_early, {"regularization": search.strength})

    def predict(self, native: Any, x: Array, classes: int) -> Array:
        prediction: Array = native.predict_proba(x) if classes else native.predict(x)
        return prediction.astype(np.float64)


class _Search:
    """Fits one strength after the other, reporting every few passes; keeps the best."""

    def __init__(self, context: FitContext) -> None:
        self._context = context
        self._step = 0
        self._best_loss = float("inf")
        self._since_best = 0
        self._axes = None if context.parameters["components"] is None else _Axes(context)
        self._x = self._placed(context.train.x)      # (N, F), or (N, K) of components, once for all strengths
        self._centred = not context.classes and context.quantile is None and not context.parameters["l1_share"]
        self._middle, self._level = np.zeros(0), 0.0   # of the columns, (F,), and of the target, where both are centred
        if self._centred:
            self._middle, self._level = self._x.mean(0), float(context.train.y.mean())
            self._x -= self._middle
        self.best: Any = None
        self.strength = 0.0
        self.prediction = np.zeros(0)

    @property
    def over(self) -> bool:
        """Weaker penalties only make it worse."""
        return self._since_best >= _WORSE

    def fit(self, strength: float, index: int, count: int) -> None:
        """Fit with one strength of the penalty."""
        context = self._context
        model = _model(context, strength, context.train)
        if context.classes:
            self._logistic(model, index, count)
        elif self._centred:
            self._ridge(model)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # the number of passes is the user's choice
                model.fit(self._x, context.train.y)
                _bend(model, self._x, context.train.y, context)
        self._judge(model, index + 1, count, strength)

    def refit(self) -> Any:
        """Fit once more on training and validation rows, with the best strength."""
        context = self._context
        del self._x   # nothing looks at it any more
        both = context.everything()
        model = _model(context, self.strength, both)
        if context.classes:
            model.max_iter = context.parameters["iterations"]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the number of passes is the user's choice
            x = self._placed(both.x)
            model.fit(x, both.y)
            _bend(model, x, both.y, context)
        return model if self._axes is None else self._axes.unfold(model)

    def _placed(self, x: Array) -> Array:
        return x.astype(np.float64) if self._axes is None else self._axes.of(x)

    def _ridge(self, model: Any) -> None:
        """Fit to the rows as they are centred already; scikit-learn would copy them to do it, for each strength."""
        model.set_params(fit_intercept=False, copy_X=False)
        model.fit(self._x, self._context.train.y - self._level)
        model.intercept_ = self._level - float(model.coef_ @ self._middle)

    def _logistic(self, model: Any, index: int, count: int) -> None:
        context, most, x = self._context, self._context.parameters["iterations"], self._x
        passes, at_once = 0, _at_once(model.solver, x)
        while passes < most and not (context.control.finish and passes):
            context.control.check()
            model.max_iter = min(at_once, most - passes)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # it is called again and goes on
                model.fit(x, context.train.y)
            taken = int(model.n_iter_.max())
            passes += max(taken, 1)
            if taken < model.max_iter:
                return
            self._step += taken
            if not index:   # each penalty begins anew: drawn as well, the passes of all would be a saw
                self._draw(model)
            context.report.progress(index + passes / most, count, "penalties")

    def _draw(self, model: Any) -> None:
        """Report the losses between two passes."""
        context = self._context
        seen = context.validation.x if self._axes is None else self._axes.of(context.validation.x)
        values = prefixed(context.scores(model.predict_proba(seen)), "validation")
        context.report.metrics(self._step, {**values, **self._train_loss(model)})

    def _train_loss(self, model: Any) -> dict[str, float]:
        """Return the loss of the training rows, unless nobody looks at it. ``model``: of ``_x``."""
        context = self._context
        if not context.report.training_loss:
            return {}
        said = self._x @ model.coef_ + self._level if self._centred else self._said(model, self._x)
        return {"train_loss": quick_scores(said, context.train.y, context.classes, context.quantile)["loss"]}

    def _judge(self, fitted: Any, done: int, count: int, strength: float) -> None:
        """Report both losses, keep what is the best yet."""
        context = self._context
        model = fitted if self._axes is None else self._axes.unfold(fitted)
        prediction = self._said(model, context.validation.x)
        scores = context.scores(prediction)
        values = {**prefixed(scores, "validation"), **self._train_loss(fitted)}
        self._step += 1
        context.report.metrics(self._step, values)
        context.report.progress(done, count, "penalties")
        self._since_best += 1
        if scores["loss"] < self._best_loss or self.best is None:
            self._best_loss, self._since_best = scores["loss"], 0
            self.best, self.strength, self.prediction = model, strength, prediction

    def _said(self, model: Any, x: Array) -> Array:
        said: Array = model.predict_proba(x) if self._context.classes else model.predict(x)
        return said.astype(np.float64, copy=False)


class _Axes:
    """The principal components of the training rows. A weighted sum of components is one of columns,
    too: a fitted model is unfolded into the columns' own weights, so nothing else knows of this.
    """

    def __init__(self, context: FitContext) -> None:
        self._mean, axes = principal(context)
        self._axes = axes.T                        # (K, F)

    def of(self, x: Array) -> Array:
        """Return the rows in components, (N, K)."""
        places: Array = (x.astype(np.float64) - self._mean) @ self._axes.T
        return places

    def unfold(self, model: Any) -> Any:
        """Return a copy of a model of components as one of columns."""
        own = copy.copy(model)
        own.coef_ = model.coef_ @ self._axes
        own.intercept_ = model.intercept_ - own.coef_ @ self._mean
        own.n_features_in_ = self._axes.shape[1]
        return own


def _at_once(solver: str, x: Array) -> int:
    """Return how many passes are taken between two readings: more over few rows, where each reading costs a pass."""
    work = x.shape[0] * x.shape[1] * (x.shape[1] if solver == "newton-cholesky" else 1)
    return _PASSES_AT_ONCE[solver] * int(np.clip(_QUICK[solver == "newton-cholesky"] / max(work, 1), 1, _MOST_TIMES))


def _bend(model: Any, x: Array, y: Array, context: FitContext) -> None:
    """Turn a fit to the mean into one to a quantile, if one is asked for: weigh rows by side and nearness, fit again.

    The minorize-maximize algorithm of Hunter and Lange (2000), with the squared penalty kept as it is.
    """
    if (quantile := context.quantile) is None:
        return
    near = _NEAR * (float(y.std()) or 1.0)
    strength = model.alpha
    before = np.inf
    for _ in range(min(context.parameters["iterations"], _MOST_BENDS)):
        context.control.check()
        over = y - model.predict(x)
        loss = float(np.maximum(quantile * over, (quantile - 1) * over).mean())
        if before - loss < _ENOUGH * abs(loss):
            break
        before = loss
        weight = 1 / (near + np.abs(over))
        weight *= len(y) / weight.sum()
        # Half the rows pull up with weight q and down with 1 - q: a shifted target says the same to least squares.
        shifted = y + (2 * quantile - 1) * (near + np.abs(over))
        model.set_params(alpha=strength)
        model.fit(x, shifted, sample_weight=weight)


def _model(context: FitContext, strength: float, part: Part) -> Any:
    share = context.parameters["l1_share"]
    if not context.classes and (not share or context.quantile is not None):
        return Ridge(alpha=strength)
    if not context.classes:
        absolute = strength * share * (float(part.y.std()) or 1.0)   # weights come in the target's unit
        squared = strength * (1 - share)                             # as in ridge regression
        return ElasticNet(alpha=(absolute + squared) / len(part), l1_ratio=absolute / (absolute + squared),
                          max_iter=context.parameters["iterations"], random_state=context.seed)
    weights = part.x.shape[1] * (context.classes if context.classes > 2 else 1)
    solver = "saga" if share else "newton-cholesky" if weights <= _MOST_WEIGHTS else "lbfgs"
    return LogisticRegression(
        C=1 / strength, solver=solver, l1_ratio=share, warm_start=True,
        class_weight=context.named_weights, random_state=context.seed)
