"""One decision tree (Breiman, Friedman, Olshen and Stone 1984), pruned by what the validation rows say."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from mldesk.training.blocks import Style
from mldesk.training.estimators.base import FitContext, Fitted, Part, prefixed
from mldesk.training.values import Array

_DEPTHS = (2, 3, 4, 5, 6, 8, 10, 12, 16)


class DecisionTree:
    """A tree small enough to read. Without a depth given, the one that does best on the validation rows."""

    style: ClassVar[Style] = "trees"

    def fit(self, context: FitContext) -> Fitted:
        asked = context.parameters["max_depth"]
        depths = _DEPTHS if asked is None else (asked,)
        best, best_loss, prediction = depths[0], float("inf"), np.zeros(0)
        tree: Any = None
        for done, depth in enumerate(depths, start=1):
            context.control.check()
            candidate = _tree(context, context.train, depth)
            guess = self.predict(candidate, context.validation.x, context.classes)
            scores = context.scores(guess)
            context.report.metrics(depth, prefixed(scores, "validation"))
            context.report.progress(done, len(depths), "depths")
            if tree is None or scores["loss"] < best_loss:
                tree, best, best_loss, prediction = candidate, depth, scores["loss"], guess
            if context.control.finish or candidate.get_depth() < depth:
                break
        finished_early = context.control.finish
        if context.parameters["refit"] and not finished_early:
            tree = _tree(context, context.everything(), best)
        return Fitted(tree, prediction, finished_early, {"max_depth": best, "leaves": int(tree.get_n_leaves())})

    def predict(self, native: Any, x: Array, classes: int) -> Array:
        prediction: Array = native.predict_proba(x) if classes else native.predict(x)
        return prediction


def _tree(context: FitContext, part: Part, depth: int) -> Any:
    given = context.parameters
    common = {"max_depth": depth, "min_samples_leaf": min(given["min_samples_leaf"], max(1, len(part) // 10)),
              "random_state": context.seed}
    if not context.classes:
        return DecisionTreeRegressor(**common).fit(part.x, part.y)
    return DecisionTreeClassifier(**common, class_weight=context.named_weights).fit(part.x, part.y)
