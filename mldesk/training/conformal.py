"""How far off a prediction may be: split conformal margins, measured on rows that the model was not fitted on.

For numbers, the margin of a level is a quantile of the absolute errors of the validation rows (Lei, G'Sell, Rinaldo,
Tibshirani, Wasserman 2018, "Distribution-Free Predictive Inference for Regression"). For classes, a class belongs to
the set of a row when its probability reaches one minus a quantile of what the truth was denied (Sadinle, Lei,
Wasserman 2019, "Least Ambiguous Set-Valued Classifiers with Bounded Error Levels"). Both hold the truth in at least
the level's share of rows, as long as new rows come from where the validation rows came from. Early stopping has looked
at those; what that costs shows in the coverage of the test rows, which stands in the evaluation and the card. numpy
only: prediction from a bundle uses the same code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mldesk.training.values import Array

LEVELS = tuple(percent / 100 for percent in range(50, 100))   # shares of rows that shall hold the truth
SHOWN = (0.8, 0.9, 0.95)                                       # whose coverage of the test rows is measured


@dataclass(frozen=True, slots=True)
class Margins:
    """One margin per level of ``LEVELS``; infinite where there were too few rows to say."""

    margins: tuple[float, ...]
    classes: int    # 0 for numbers

    @classmethod
    def measure(cls, prediction: Array, y: Array, classes: int) -> Margins:
        """``prediction``: (N,) numbers or (N, C) probabilities for rows the model was not fitted on; ``y``: (N,)."""
        scores = np.sort(_scores(prediction, y, classes))
        ranks = [math.ceil((len(scores) + 1) * level - 1e-9) for level in LEVELS]
        return cls(tuple(float(scores[rank - 1]) if rank <= len(scores) else math.inf for rank in ranks), classes)

    def at(self, level: float) -> float:
        """Return the margin of the lowest level that is not below ``level``; infinite beyond the last."""
        return next((margin for step, margin in zip(LEVELS, self.margins, strict=True) if step >= level - 1e-9),
                    math.inf)

    def around(self, prediction: Array, level: float) -> tuple[Array, Array]:
        """Return lower and upper ends, (N,) each, for predicted numbers (N,)."""
        margin = self.at(level)
        return prediction - margin, prediction + margin

    def sets(self, prediction: Array, level: float) -> Array:
        """Return which classes may be, (N, C) bool, for probabilities (N, C); the likeliest always is."""
        kept = prediction >= 1 - self.at(level) - 1e-12
        kept[np.arange(len(prediction)), prediction.argmax(axis=1)] = True
        return np.asarray(kept)

    def coverage(self, prediction: Array, y: Array, level: float) -> float:
        """Return the share of rows whose truth the level's margin holds, of those with a target ``y``."""
        if not len(y):
            return math.nan
        if not self.classes:
            low, high = self.around(prediction, level)
            return float(((low <= y) & (y <= high)).mean())
        return float(self.sets(prediction, level)[np.arange(len(y)), y].mean())

    def to_json(self) -> dict[str, Any]:
        return {"margins": [margin if math.isfinite(margin) else None for margin in self.margins],
                "classes": self.classes}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Margins:
        """Read what ``to_json`` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        margins = tuple(math.inf if margin is None else float(margin) for margin in value["margins"])
        if len(margins) != len(LEVELS) or any(math.isnan(margin) or margin < 0 for margin in margins):
            raise ValueError("these are no margins")
        return cls(margins, int(value["classes"]))


def _scores(prediction: Array, y: Array, classes: int) -> Array:
    """Return how badly each row was predicted, (N,): its error, or what its class was denied."""
    return np.abs(y - prediction) if not classes else 1 - prediction[np.arange(len(y)), y]
