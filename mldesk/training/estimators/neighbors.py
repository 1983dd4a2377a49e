"""k nearest neighbours (Fix and Hodges 1951; Cover and Hart 1967) on standardised columns.

The native model is a mapping of arrays: the rows to compare with, ``x`` (M, F) float32, what is known of each,
``targets`` (M, C) or (M, 1), and axes if rows are compared along these; it is what the ONNX graph holds as well, so
both measure the same way: squared distances are rounded, and of equally near rows the first counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from mldesk.training.blocks import Style
from mldesk.training.estimators.axes import axes_of, placed
from mldesk.training.estimators.base import FitContext, Fitted, Part, prefixed
from mldesk.training.values import Array

GRID = 1e4               # squared distances are rounded to its inverse: two ways of summing agree on that
NEAREST = 1e-3           # added to a distance before rows are weighed by its inverse
_NUMBERS = (1, 3, 5, 9, 15, 25, 40, 65, 100)
_MOST_ROWS = 20_000      # to compare with; the model holds them all
_BLOCK = 8_000_000       # distances held at once
_FARTHEST = float(1 << 47)   # steps of the grid; beyond, they and the number of a row no longer fit in 64 bits


class Neighbors:
    """Asks the most similar training rows. Without a number given, the one that does best on the validation rows."""

    style: ClassVar[Style] = "dense"

    def fit(self, context: FitContext) -> Fitted:
        given = context.parameters
        axes = axes_of(context)
        native = _remember(context, context.train, axes)
        asked = given["neighbors"]
        numbers = [min(k, len(native["x"])) for k in (_NUMBERS if asked is None else (asked,))]
        best, best_loss, prediction = numbers[0], float("inf"), np.zeros(0)
        for done, number in enumerate(sorted(set(numbers)), start=1):
            context.control.check()
            guess = self.predict({**native, "neighbors": number}, context.validation.x, context.classes)
            scores = context.scores(guess)
            context.report.metrics(number, prefixed(scores, "validation"))
            context.report.progress(done, len(set(numbers)), "numbers of neighbours")
            if not len(prediction) or scores["loss"] < best_loss:
                best, best_loss, prediction = number, scores["loss"], guess
            if context.control.finish:
                break
        if given["refit"] and not context.control.finish:
            native = _remember(context, context.everything(), axes)
        facts = {"neighbors": best, "rows": len(native["x"])}
        return Fitted({**native, "neighbors": best}, prediction, context.control.finish, facts)

    def predict(self, native: Any, x: Array, classes: int) -> Array:
        rows = max(1, _BLOCK // len(native["x"]))
        parts = [_predict(native, x[at:at + rows]) for at in range(0, len(x), rows)]
        prediction: Array = np.concatenate(parts)
        return prediction if classes else prediction[:, 0]


def _remember(context: FitContext, part: Part, axes: Mapping[str, Array]) -> dict[str, Any]:
    if len(part) > _MOST_ROWS:
        rows = np.sort(np.random.default_rng(context.seed).choice(len(part), _MOST_ROWS, replace=False))
        context.report.log(f"{_MOST_ROWS} of {len(part)} rows are kept to compare with.")
        part = Part(part.x[rows], part.y[rows])
    targets = np.eye(context.classes)[part.y] if context.classes else part.y.reshape(-1, 1).astype(np.float64)
    return {**axes, "x": placed(axes, part.x).astype(np.float32), "targets": targets,
            "by_distance": context.parameters["weights"] == "distance"}


def _nearest(steps: Array, count: int) -> Array:
    """Return the ``count`` nearest of M rows, (N, count), of equally near ones the first; ``steps``: (N, M), whole."""
    rows = steps.shape[1]
    if count >= rows or float(steps.max(initial=0.0)) >= _FARTHEST:
        order: Array = np.argsort(steps, 1, kind="stable")[:, :count]
        return order
    keys = steps.astype(np.int64) * rows + np.arange(rows)     # all different, in the order that is wanted
    first = np.take_along_axis(keys, np.argpartition(keys, count - 1, 1)[:, :count], 1)
    first.sort(1)
    near: Array = first % rows
    return near


def _predict(native: Mapping[str, Any], x: Array) -> Array:
    known = native["x"].astype(np.float64)
    wide = placed(native, x)
    squares = (wide ** 2).sum(1)[:, None] - 2.0 * (wide @ known.T) + (known ** 2).sum(1)
    steps = np.round(np.maximum(squares, 0.0) * GRID)
    squares, near = steps / GRID, _nearest(steps, native["neighbors"])
    targets = native["targets"][near]                              # (N, k, C)
    if not native["by_distance"]:
        mean: Array = targets.mean(1)
        return mean
    weights = 1.0 / (np.sqrt(np.take_along_axis(squares, near, 1)) + NEAREST)
    weighed: Array = (targets * weights[..., None]).sum(1) / weights.sum(1)[:, None]
    return weighed
