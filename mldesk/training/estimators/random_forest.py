"""Forests (Breiman 2001; Geurts, Ernst and Wehenkel 2006), grown in batches of trees, each scored as it comes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from mldesk.training.blocks import Style
from mldesk.training.estimators.base import FitContext, Fitted, Part, prefixed
from mldesk.training.values import Array

_BATCHES = 12   # readings over the whole forest; at the end of each a core waits for the last tree
_AT_ONCE = 16  # trees whose answers are held together
_LARGEST = 1_000_000_000   # bytes of its leaves


class RandomForest:
    """Trees that each see a resample of the rows; their mean is the prediction."""

    style: ClassVar[Style] = "trees"
    kinds: ClassVar[tuple[Any, Any]] = (RandomForestClassifier, RandomForestRegressor)
    own_rows: ClassVar[bool] = True   # each tree sees a resample of the rows

    def fit(self, context: FitContext) -> Fitted:
        trees = context.parameters["trees"]
        forest, prediction, grown = self._grow(context, context.train, trees, watch=True)
        finished_early = context.control.finish and grown < trees
        if context.parameters["refit"] and not context.control.finish:
            context.report.stage("Fitting again with the validation rows")
            final, _, refitted = self._grow(context, context.everything(), grown, watch=False)
            forest, grown = final, refitted
            finished_early = refitted < trees
        nodes = sum(int(tree.tree_.node_count) for tree in forest.estimators_)
        return Fitted(forest, prediction, finished_early, {"trees": grown, "nodes": nodes})

    def predict(self, native: Any, x: Array, classes: int) -> Array:
        return _mean(native.estimators_, x, bool(classes), native.n_jobs or 1)

    def _grow(self, context: FitContext, part: Part, trees: int, watch: bool) -> tuple[Any, Array, int]:
        """Grow up to ``trees`` trees; return the forest, its validation prediction and how many there are."""
        forest = self._empty(context, part)
        prediction = np.zeros(0)
        step = max(1, -(-trees // _BATCHES))
        grown = 0
        while grown < trees and not (context.control.finish and grown):
            context.control.check()
            ready, grown = grown, min(grown + step, trees)
            forest.set_params(n_estimators=grown)
            forest.fit(part.x, part.y)
            if watch:
                new = _mean(forest.estimators_[ready:], context.validation.x, bool(context.classes), context.threads)
                prediction = new if not ready else prediction + (new - prediction) * ((grown - ready) / grown)
                scores = context.scores(prediction)
                context.report.metrics(grown, prefixed(scores, "validation"))
            context.report.progress(grown, trees, "trees")
        return forest, prediction, grown

    def _empty(self, context: FitContext, part: Part) -> Any:
        given = context.parameters
        share = given["max_features"]
        common = {
            "n_estimators": 0, "max_depth": given["max_depth"],
            "min_samples_leaf": given["min_samples_leaf"] or _leaf(len(part), context.classes, given["trees"]),
            "n_jobs": context.threads, "random_state": context.seed, "warm_start": True, "bootstrap": self.own_rows,
        }
        classifier, regressor = self.kinds
        if context.classes:
            weight = None if given["class_weight"] == "none" else "balanced"
            return classifier(**common, max_features=share or "sqrt", class_weight=weight)
        return regressor(**common, max_features=share or self.share_for_numbers(part.x.shape[1]))

    def share_for_numbers(self, width: int) -> float:
        """Return the share of the columns looked at per split where a number is to be predicted."""
        return min(1.0, max(1 / 3, 1 / width))


class ExtraTrees(RandomForest):
    """The same on all rows with thresholds drawn at random: more even, and quicker to grow."""

    kinds: ClassVar[tuple[Any, Any]] = (ExtraTreesClassifier, ExtraTreesRegressor)
    own_rows: ClassVar[bool] = False

    def share_for_numbers(self, _width: int) -> float:
        return 1.0


def _mean(trees: Sequence[Any], x: Array, classes: bool, threads: int) -> Array:
    """Return the mean of what trees say of rows.

    The forest's own adds up in the order in which threads end, so that its last digits differ from time to time.
    """
    total: Array | None = None
    with ThreadPoolExecutor(threads, "trees") as pool:
        for begin in range(0, len(trees), _AT_ONCE):
            for said in pool.map(lambda tree: tree.predict_proba(x) if classes else tree.predict(x),
                                 trees[begin:begin + _AT_ONCE]):
                total = said if total is None else total + said
    mean: Array = np.asarray(total) / len(trees)
    return mean


def _leaf(rows: int, classes: int, trees: int) -> int:
    """Return the fewest rows of a leaf so that a forest on a large table stays of a size that can be shared.

    A tree of leaves of n rows has about 2 * rows / n nodes, each with 8 bytes per class.
    """
    return max(1 if rows < 1000 else 2, rows // 4000, 16 * rows * max(classes, 1) * trees // _LARGEST)

