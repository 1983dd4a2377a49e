"""How far off a prediction may be: split conformal margins, measured on rows that the model was not fitted on.

For numbers, the margin of a level is a quantile of the absolute errors of the validation rows (Lei, G'Sell, Rinaldo,
Tibshirani, Wasserman 2018, "Distribution-Free Predictive Inference for Regression"). Where there are rows enough it is
one of its own for each band of predictions, so that small ones may be narrow and large ones wide, and each band holds
what it promises (Mondrian: Vovk, Lindsay, Nouretdinov, Gammerman 2003, "Mondrian Confidence Machine"; of predicted
numbers: Boström, Johansson 2020, "Mondrian Conformal Regressors"). Intervals end at the floor that no row the model
learned from was below, which takes no truth away that is not below it either. For classes, a class belongs to
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

from mldesk.training.values import Array, stated

LEVELS = tuple(percent / 100 for percent in range(50, 100))   # shares of rows that shall hold the truth
SHOWN = (0.8, 0.9, 0.95)                                       # whose coverage of the test rows is measured
_MOST_BANDS = 10
_BAND_ROWS = 100    # at least, of a band: 99 are the fewest that can say a level of 0.99


@dataclass(frozen=True, slots=True)
class Margins:
    """One margin per level of ``LEVELS``; infinite where there were too few rows to say."""

    margins: tuple[float, ...]                    # over all rows
    classes: int                                  # 0 for numbers
    cuts: tuple[float, ...] = ()                  # of numbers: predictions at which the next band begins, rising
    bands: tuple[tuple[float, ...], ...] = ()     # margins of each band, len(cuts) + 1; () where all rows share theirs
    floor: float | None = None                    # of numbers: no interval reaches below it

    @classmethod
    def measure(cls, prediction: Array, y: Array, classes: int, floor: float | None = None) -> Margins:
        """``prediction``: (N,) numbers or (N, C) probabilities for rows the model was not fitted on; ``y``: (N,)."""
        scores = _scores(prediction, y, classes)
        whole = _quantiles(scores)
        if classes:
            return cls(whole, classes)
        cuts = _cuts(prediction)
        band = np.searchsorted(cuts, prediction, side="right")
        bands = tuple(_quantiles(scores[band == number]) for number in range(len(cuts) + 1)) if len(cuts) else ()
        return cls(whole, 0, tuple(map(float, cuts)), bands, floor)

    def at(self, level: float) -> float:
        """Return the margin over all rows of the lowest level that is not below ``level``; infinite beyond the last."""
        return _at(self.margins, level)

    def widths(self, prediction: Array, level: float) -> Array:
        """Return the margin of each predicted number, (N,)."""
        if not self.bands:
            return np.full(len(prediction), self.at(level))
        each = np.array([_at(margins, level) for margins in self.bands])
        return np.asarray(each[np.searchsorted(np.array(self.cuts), prediction, side="right")])

    def around(self, prediction: Array, level: float) -> tuple[Array, Array]:
        """Return lower and upper ends, (N,) each, for predicted numbers (N,)."""
        margin = self.widths(prediction, level)
        low, high = prediction - margin, prediction + margin
        return (low, high) if self.floor is None else (np.maximum(low, self.floor), np.maximum(high, self.floor))

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
        return {"margins": _plain(self.margins), "classes": self.classes,
                **({"cuts": list(self.cuts), "bands": [_plain(margins) for margins in self.bands]} if self.bands
                   else {}), **({} if self.floor is None else {"floor": self.floor})}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Margins:
        """Read what ``to_json`` wrote. Raises KeyError, TypeError, ValueError or OverflowError for anything else."""
        margins, classes = _read(value["margins"]), value["classes"]
        if isinstance(classes, bool) or not isinstance(classes, int):
            raise ValueError("its classes are not counted")
        cuts = tuple(map(stated, value.get("cuts", ())))
        bands = tuple(map(_read, value.get("bands", ())))
        floor = None if value.get("floor") is None else stated(value["floor"])
        if list(cuts) != sorted(set(cuts)) or floor not in (None, 0.0):
            raise ValueError("these are no bands")
        if any(math.isinf(own) and math.isfinite(all_rows) for band in bands
               for own, all_rows in zip(band, margins, strict=True)):
            raise ValueError("a band cannot say a level that all rows can")
        if len(bands) != (len(cuts) + 1 if cuts else 0) or (classes and (bands or floor is not None)):
            raise ValueError("its bands do not fit")
        return cls(margins, classes, cuts, bands, floor)


def floor_of(learned: Array) -> float | None:
    """Return below which no interval of a target reaches: zero if no row that was learned from, (N,), is below it."""
    known = learned[~np.isnan(learned)]
    return 0.0 if len(known) and float(known.min()) >= 0 else None


def _quantiles(scores: Array) -> tuple[float, ...]:
    """Return the conformal quantile of each level, of scores (N,)."""
    ordered = np.sort(scores)
    ranks = [math.ceil((len(ordered) + 1) * level - 1e-9) for level in LEVELS]
    return tuple(float(ordered[rank - 1]) if rank <= len(ordered) else math.inf for rank in ranks)


def _cuts(prediction: Array) -> Array:
    """Return where predictions (N,) are cut into bands of equally many rows, none below ``_BAND_ROWS`` of them."""
    for many in range(min(_MOST_BANDS, len(prediction) // _BAND_ROWS), 1, -1):
        cuts = np.unique(np.quantile(prediction, np.arange(1, many) / many))
        counts = np.bincount(np.searchsorted(cuts, prediction, side="right"), minlength=len(cuts) + 1)
        if counts.min() >= _BAND_ROWS - 1:   # predictions that are alike cannot be cut
            return np.asarray(cuts, np.float64)
    return np.empty(0)


def _at(margins: tuple[float, ...], level: float) -> float:
    return next((margin for step, margin in zip(LEVELS, margins, strict=True) if step >= level - 1e-9), math.inf)


def _plain(margins: tuple[float, ...]) -> list[float | None]:
    return [margin if math.isfinite(margin) else None for margin in margins]


def _read(value: Any) -> tuple[float, ...]:
    margins = tuple(math.inf if margin is None else stated(margin) for margin in value)
    if len(margins) != len(LEVELS) or list(margins) != sorted(margins) or margins[0] < 0:   # more takes no less
        raise ValueError("these are no margins")
    return margins


def _scores(prediction: Array, y: Array, classes: int) -> Array:
    """Return how badly each row was predicted, (N,): its error, or what its class was denied."""
    return np.abs(y - prediction) if not classes else 1 - prediction[np.arange(len(y)), y]
