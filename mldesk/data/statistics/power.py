"""How well one column alone predicts a target, told on rows that were not looked at: what gives a target away.

The column is cut into bins (fiftieths, or its values; the missing ones are a bin), the target is learned per bin on one
half of the rows and predicted on the other, both ways. The score of classes is 2 AUC - 1, one class against the rest
and the mean over classes (Hanley & McNeil, "The meaning and use of the area under a ROC curve", Radiology 143, 1982);
of numbers R². An identifier scores nothing, as its values are unknown in the other half.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mldesk.data.statistics.scan import Codes, Numbers

BINS = 50
SURE = {True: 0.98, False: 0.99}     # of classes, of numbers: from here a column says what the target is
LIKELY = {True: 0.90, False: 0.95}   # from here it is worth a look
FEWEST = 20                          # rows below which nothing can be said


@dataclass(frozen=True, slots=True, eq=False)
class Binned:
    """Each row's bin, (rows,) from 0, and how many bins there are."""

    codes: Codes
    count: int


def binned(x: Numbers) -> Binned:
    """Return numbers cut at their quantiles; the missing ones are the last bin."""
    known = ~np.isnan(x)
    if not known.any():
        return Binned(np.zeros(len(x), np.int64), 1)
    edges = np.unique(np.quantile(x[known], np.linspace(0, 1, BINS + 1)[1:-1]))
    codes = np.searchsorted(edges, x, side="right").astype(np.int64)
    codes[~known] = len(edges) + 1
    return Binned(codes, len(edges) + 2)


def by_values(codes: Codes, values: int) -> Binned:
    """Return codes as bins; -1, a missing one, is the last."""
    return Binned(np.where(codes < 0, values, codes), values + 1)


def power(bins: Binned, y: npt.NDArray[np.int64] | Numbers, classes: int) -> float | None:
    """Return 0 (nothing) to 1 (everything); None where there are too few rows or classes to say.

    ``y`` (rows,) are codes below ``classes``, or numbers where ``classes`` is 0.
    """
    if len(y) < FEWEST or (classes and len(np.unique(y)) < 2):
        return None
    half = np.random.default_rng(0).permutation(len(y)) % 2 == 0
    scores = [_one_way(bins, y, classes, learn, ~learn) for learn in (half, ~half)]
    known = [score for score in scores if score is not None]
    return round(max(0.0, float(np.mean(known))), 6) if known else None


def _one_way(bins: Binned, y: npt.NDArray[np.int64] | Numbers, classes: int, learn: npt.NDArray[np.bool_],
             judge: npt.NDArray[np.bool_]) -> float | None:
    if not classes:
        return _r2(bins, np.asarray(y, np.float64), learn, judge)
    counts = _table(bins.codes[learn], np.asarray(y, np.int64)[learn], bins.count, classes)
    prior = counts.sum(0) / max(1.0, counts.sum())
    score = (counts + prior) / (counts.sum(1, keepdims=True) + 1)   # a bin never seen says what all rows say
    seen = _table(bins.codes[judge], np.asarray(y, np.int64)[judge], bins.count, classes)
    areas = [auc(score[:, code], seen[:, code], seen.sum(1) - seen[:, code]) for code in range(classes)
             if 0 < seen[:, code].sum() < seen.sum() and prior[code]]
    return 2 * float(np.mean(areas)) - 1 if areas else None


def _table(codes: Codes, y: npt.NDArray[np.int64], bins: int, classes: int) -> Numbers:
    return np.bincount(codes * classes + y, minlength=bins * classes).reshape(bins, classes).astype(np.float64)


def auc(score: Numbers, positive: Numbers, negative: Numbers) -> float:
    """Return the area under the ROC curve of bins: their scores, and how many positive and negative rows each has."""
    values, place = np.unique(score, return_inverse=True)
    yes = np.bincount(place, positive, minlength=len(values))
    no = np.bincount(place, negative, minlength=len(values))
    below = np.cumsum(no) - no
    return float((yes * (below + no / 2)).sum() / (yes.sum() * no.sum()))


def _r2(bins: Binned, y: Numbers, learn: npt.NDArray[np.bool_], judge: npt.NDArray[np.bool_]) -> float | None:
    middle = float(y[learn].mean())
    y = y - middle
    total = np.bincount(bins.codes[learn], y[learn], minlength=bins.count)
    count = np.bincount(bins.codes[learn], minlength=bins.count)
    guess = (total / (count + 1))[bins.codes[judge]]
    whole = float(((y[judge] - y[judge].mean()) ** 2).sum())
    return 1 - float(((y[judge] - guess) ** 2).sum()) / whole if whole > 0 else None


def suspicion(strength: float | None, classes: int) -> str | None:
    """Return "leak" where a column alone as good as says the target, "strong" where it is worth a look, else None."""
    kind = classes > 0
    if strength is None or strength < LIKELY[kind]:
        return None
    return "leak" if strength >= SURE[kind] else "strong"
