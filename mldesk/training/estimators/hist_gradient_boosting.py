"""scikit-learn's histogram gradient boosting, one event per round.

scikit-learn scores the validation rows after every round to decide on early stopping; that very call is where the
rounds are reported and a stop that was asked for takes effect, so that streaming costs nothing.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from mldesk.training.blocks import Style
from mldesk.training.estimators.base import FitContext, Fitted, Part, most_leaves, quick_scores
from mldesk.training.estimators.drawn import is_drawn
from mldesk.training.values import Array

_HOOK = "_check_early_stopping_loss"   # of scikit-learn's class; a test holds it to its signature


class HistGradientBoosting:
    """Boosts on the training rows until the validation loss stops falling, then once more on both parts."""

    style: ClassVar[Style] = "trees"

    def fit(self, context: FitContext) -> Fitted:
        with threadpool_limits(context.threads):
            rounds = _Rounds(context)
            tuned = _boost(context, context.train, context.parameters["rounds"], rounds)
            del tuned._predictors[rounds.best:]  # noqa: SLF001 - the rounds after the best one; nothing public can
            validation = self.predict(tuned, context.validation.x, context.classes)
            finished_early = context.control.finish
            if context.parameters["refit"] and not finished_early:
                context.report.stage("Fitting again with the validation rows")
                both = context.everything()
                tuned = _boost(context, both, rounds.best, _Refit(context, rounds.best))
                finished_early = context.control.finish
        return Fitted(tuned, validation, finished_early, {"rounds": tuned.n_iter_})

    def predict(self, native: Any, x: Array, classes: int) -> Array:
        prediction: Array = native.predict_proba(x) if classes else native.predict(x)
        return prediction


class _Rounds:
    """Called by scikit-learn after every round (and once before the first); true ends the fit."""

    def __init__(self, context: FitContext) -> None:
        self._context = context
        self._round = -1
        self._best_loss = float("inf")
        self.best = 1

    def __call__(self, *, raw_predictions: Array, y_train: Array, raw_predictions_val: Array, **_others: Any) -> bool:
        """Judge the round from raw scores: (N, 1), or (N, C) for three classes and more."""
        context = self._context
        context.control.check()
        self._round += 1
        if not self._round:
            return False
        scores = context.scores(_link(raw_predictions_val, context.classes))
        values = {f"validation_{name}": value for name, value in scores.items()}
        if scores["loss"] < self._best_loss:
            self._best_loss, self.best = scores["loss"], self._round
        flat = context.patience_over(self._round, self.best)
        if flat or is_drawn(self._round) or self._round == context.parameters["rounds"]:
            if context.report.training_loss:
                y = y_train if not context.classes else y_train.astype(np.int64)
                prediction = _link(raw_predictions, context.classes)
                values["train_loss"] = quick_scores(prediction, y, context.classes, context.quantile)["loss"]
            context.report.metrics(self._round, values)
        context.report.progress(self._round, context.parameters["rounds"], "rounds")
        return context.control.finish or flat


class _Refit:
    """The same for the second fit, which has nothing to judge."""

    def __init__(self, context: FitContext, rounds: int) -> None:
        self._context, self._rounds, self._round = context, rounds, -1

    def __call__(self, **_readings: Any) -> bool:
        self._context.control.check()
        self._round += 1
        self._context.report.progress(self._round, self._rounds, "rounds")
        return self._context.control.finish and self._round > 0


def _boost(context: FitContext, part: Part, rounds: int, hook: Any) -> Any:
    given = context.parameters
    kind: Any
    options: dict[str, Any]
    if context.classes:
        kind, options = HistGradientBoostingClassifier, {
            "class_weight": context.named_weights}
    else:
        kind, options = HistGradientBoostingRegressor, {} if context.quantile is None else {
            "loss": "quantile", "quantile": context.quantile}
    model = kind(
        **options,
        max_iter=rounds, learning_rate=given["learning_rate"], max_depth=given["max_depth"],
        max_leaf_nodes=most_leaves(given["leaves"], context.classes),
        min_samples_leaf=min(given["min_samples_leaf"], max(1, len(part) // 10)),
        l2_regularization=given["l2"], max_features=given["feature_fraction"], random_state=context.seed,
        early_stopping=True, scoring="loss", n_iter_no_change=rounds + 1)
    setattr(model, _HOOK, hook)
    model.fit(part.x, part.y, X_val=context.validation.x, y_val=context.validation.y)
    delattr(model, _HOOK)
    return model


def _link(raw: Array, classes: int) -> Array:
    """Return (N,) numbers or (N, C) probabilities from raw scores."""
    if not classes:
        return raw[:, 0] if raw.ndim > 1 else raw
    if classes == 2:
        second = 1 / (1 + np.exp(-np.clip(raw.reshape(-1), -700, 700)))
        return np.column_stack([1 - second, second])
    shifted = np.exp(raw - raw.max(1, keepdims=True))
    probabilities: Array = shifted / shifted.sum(1, keepdims=True)
    return probabilities
