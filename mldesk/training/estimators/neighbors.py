"""k nearest neighbours (Fix and Hodges 1951; Cover and Hart 1967) on standardised columns.

The native model is a mapping of arrays: the rows to compare with, ``x`` (M, F) float32, what is known of each,
``targets`` (M, C) or (M, 1), and axes if rows are compared along these; it is what the ONNX graph holds as well, so
both measure the same way, see ``nearest``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from mldesk.core.cores import usable_cores
from mldesk.training.blocks import Style
from mldesk.training.estimators.axes import axes_of, placed
from mldesk.training.estimators.base import FitContext, Fitted, Part, prefixed
from mldesk.training.estimators.nearest import Nearest
from mldesk.training.values import Array

NEAREST = 1e-3           # added to a distance before rows are weighed by its inverse
_NUMBERS = (1, 3, 5, 9, 15, 25, 40, 65, 100)
_MOST_ROWS = 20_000      # to compare with; the model holds them all
_BLOCK = 8_000_000       # answers of near rows held at once


class Neighbors:
    """Asks the most similar training rows. Without a number given, the one that does best on the validation rows."""

    style: ClassVar[Style] = "dense"

    def fit(self, context: FitContext) -> Fitted:
        given = context.parameters
        axes = axes_of(context)
        native = _remember(context, context.train, axes)
        asked = given["neighbors"]
        numbers = sorted({min(k, len(native["x"])) for k in (_NUMBERS if asked is None else (asked,))})

        def after(rows: int) -> None:
            context.control.check()
            context.report.progress(min(rows, len(context.validation)), len(context.validation), "rows")

        held = placed(native, context.validation.x)
        near = Nearest(native["x"]).find(held, numbers[-1], context.threads, after)   # once, for all the numbers
        best, best_loss, prediction = numbers[0], float("inf"), np.zeros(0)
        for number in numbers:
            guess = _shaped(_answers(native, *near, number), context.classes)
            scores = context.scores(guess)
            context.report.metrics(number, prefixed(scores, "validation"))
            if not len(prediction) or scores["loss"] < best_loss:
                best, best_loss, prediction = number, scores["loss"], guess
            if context.control.finish:
                break
        if given["refit"] and not context.control.finish:
            native = _remember(context, context.everything(), axes)
        facts = {"neighbors": best, "rows": len(native["x"])}
        return Fitted({**native, "neighbors": best}, prediction, context.control.finish, facts)

    def predict(self, native: Any, x: Array, classes: int) -> Array:
        number = native["neighbors"]
        near = Nearest(native["x"]).find(placed(native, x), number, usable_cores())
        return _shaped(_answers(native, *near, number), classes)


def _remember(context: FitContext, part: Part, axes: Mapping[str, Array]) -> dict[str, Any]:
    if len(part) > _MOST_ROWS:
        rows = np.sort(np.random.default_rng(context.seed).choice(len(part), _MOST_ROWS, replace=False))
        context.report.log(f"{_MOST_ROWS} of {len(part)} rows are kept to compare with.")
        part = Part(part.x[rows], part.y[rows])
    targets = np.eye(context.classes)[part.y] if context.classes else part.y.reshape(-1, 1).astype(np.float64)
    return {**axes, "x": placed(axes, part.x).astype(np.float32), "targets": targets,
            "by_distance": context.parameters["weights"] == "distance"}


def _answers(native: Mapping[str, Any], places: Array, squares: Array, number: int) -> Array:
    """Return what the ``number`` nearest rows say together, (N, C); ``places``, ``squares``: (N, at least number)."""
    targets = native["targets"]
    each = max(1, _BLOCK // (number * targets.shape[1]))
    said = [_answer(native, targets[places[at:at + each, :number]], squares[at:at + each, :number])
            for at in range(0, max(1, len(places)), each)]
    answers: Array = np.concatenate(said)
    return answers


def _answer(native: Mapping[str, Any], targets: Array, squares: Array) -> Array:
    if not native["by_distance"]:
        mean: Array = targets.mean(1)                              # of (N, k, C)
        return mean
    weights = 1.0 / (np.sqrt(squares) + NEAREST)
    weighed: Array = (targets * weights[..., None]).sum(1) / weights.sum(1)[:, None]
    return weighed


def _shaped(answers: Array, classes: int) -> Array:
    return answers if classes else answers[:, 0]
