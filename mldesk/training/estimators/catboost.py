"""Gradient boosting by CatBoost (Prokhorenkova et al., NeurIPS 2018): balanced trees, one event per round.

An optional pack. A fit that was interrupted starts anew, to the same result.
"""

from __future__ import annotations

from typing import Any, ClassVar

import catboost
import numpy as np

from mldesk.training.blocks import Style
from mldesk.training.estimators.base import FitContext, Fitted, Part
from mldesk.training.values import Array


class CatBoost:
    """Boosts on the training rows until the validation loss stops falling, then once more on both parts."""

    style: ClassVar[Style] = "trees"

    def fit(self, context: FitContext) -> Fitted:
        rounds = _Rounds(context)
        model = _boost(context, context.train, context.parameters["rounds"], rounds)
        context.control.check()
        model.shrink(ntree_end=rounds.best)
        validation = self.predict(model, context.validation.x, context.classes)
        if context.parameters["refit"] and not context.control.finish:
            context.report.stage("Fitting again with the validation rows")
            again = _boost(context, context.everything(), rounds.best, _Refit(context, rounds.best))
            context.control.check()
            model = model if context.control.finish else again
        return Fitted(model, validation, context.control.finish, {"rounds": rounds.best})

    def predict(self, native: Any, x: Array, classes: int) -> Array:
        kind = "Probability" if classes else "RawFormulaVal"
        prediction: Array = np.asarray(native.predict(x, prediction_type=kind), np.float64)
        return prediction


class _Rounds:
    """Called by CatBoost after every round; false ends the fit."""

    def __init__(self, context: FitContext) -> None:
        self._context = context
        self._best_loss = float("inf")
        self.best = 1

    def after_iteration(self, info: Any) -> bool:
        context, done = self._context, info.iteration
        name = _loss_name(context)
        held, train = info.metrics["validation"], info.metrics["learn"][name][-1]
        squared = name == "RMSE"
        loss = held[name][-1] ** 2 if squared else held[name][-1]
        second = _accuracy(held) if context.classes else 1 - held["RMSE"][-1] ** 2 / context.baseline_loss
        context.report.metrics(done, {
            "train_loss": train ** 2 if squared else train, "validation_loss": loss,
            "validation_accuracy" if context.classes else "validation_r2": second})
        context.report.progress(done, context.parameters["rounds"], "rounds")
        if loss < self._best_loss:
            self._best_loss, self.best = loss, done
        over = context.patience_over(done, self.best)
        return not (over or context.control.finish or context.control.terminate)


def _accuracy(held: Any) -> float:
    """Return the last accuracy; where rows have weights, CatBoost says one with and one without them."""
    names = sorted(name for name in held if name.startswith("Accuracy"))   # "…use_weights=false" comes first
    return float(held[names[0]][-1])


class _Refit:
    def __init__(self, context: FitContext, rounds: int) -> None:
        self._context, self._rounds = context, rounds

    def after_iteration(self, info: Any) -> bool:
        self._context.report.progress(info.iteration, self._rounds, "rounds")
        return not (self._context.control.finish or self._context.control.terminate)


def _loss_name(context: FitContext) -> str:
    if context.classes:
        return "Logloss" if context.classes == 2 else "MultiClass"
    return "RMSE" if context.quantile is None else f"Quantile:alpha={context.quantile}"


def _boost(context: FitContext, part: Part, rounds: int, watch: Any) -> Any:
    given = context.parameters
    name = _loss_name(context)
    loss: dict[str, Any] = {"loss_function": name}
    if context.classes:
        loss |= {"custom_metric": ["Accuracy"], **({"classes_count": context.classes} if context.classes > 2 else {})}
    elif context.quantile is not None:
        loss |= {"custom_metric": ["RMSE"]}
    model = catboost.CatBoost({
        **loss, "iterations": rounds, "learning_rate": given["learning_rate"], "depth": given["max_depth"],
        "l2_leaf_reg": given["l2"], "random_seed": context.seed, "thread_count": context.threads,
        "allow_writing_files": False, "logging_level": "Silent", "use_best_model": False, "boost_from_average":
        not context.classes, "metric_period": 1})
    weight = context.row_weights(part.y)
    held = catboost.Pool(context.validation.x, context.validation.y)
    model.fit(catboost.Pool(part.x, part.y, weight=weight), eval_set=held, callbacks=[watch])
    return model
