"""The numbers and points that every plot of an evaluation needs, as plain JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn import metrics

from mldesk.training.intervals import intervals
from mldesk.training.metrics import per_class, score
from mldesk.training.probabilities import predicted_codes
from mldesk.training.target import Label
from mldesk.training.values import Array

_MOST_POINTS = 500       # of a ROC or PR curve
_MOST_RESIDUALS = 2000   # points of the residual plot
_MOST_CURVES = 20        # classes that get curves: the commonest
_MOST_CONFUSED = 60      # classes beyond which a confusion matrix can no longer be read
_MOST_PAIRS = 50         # of classes taken for one another, that are kept instead
_BINS = 10               # of the calibration plot
_BARS = 40               # of the residual histogram
_THRESHOLDS = 200        # of the threshold table, beside every hundredth
_STEPS_EACH = 100        # ... and of that of one class of many, and points of its gain


def payload(prediction: Array, y: Array, classes: Sequence[Label], *, spread: bool = True,
            quantile: float | None = None, ordered: bool = False) -> dict[str, Any]:
    """Return one part's evaluation: metrics, with ``spread`` their intervals, and the points of its plots.

    ``quantile``, ``ordered``: as for ``metrics.score``.
    """
    value: dict[str, Any] = {
        "rows": len(y), "metrics": score(prediction, y, len(classes), quantile, ordered=ordered),
        "intervals": intervals(prediction, y, len(classes), quantile=quantile, ordered=ordered) if spread else {}}
    if not classes:
        return value | _residuals(prediction, y)
    value["per_class"] = per_class(prediction, y, classes)
    codes = predicted_codes(prediction)
    if len(classes) <= _MOST_CONFUSED:
        counts = metrics.confusion_matrix(y, codes, labels=range(len(classes)))
        value["confusion"] = {"labels": list(classes), "counts": counts.tolist()}
    else:
        value["confused"] = _confused(codes, y, classes)
    value["roc"], value["pr"] = _curves(prediction, y, classes)
    value["calibration"] = _calibration(prediction, y)
    if len(classes) == 2:
        value["thresholds"], value["gain"] = _thresholds(prediction[:, 1], y == 1), _gain(prediction[:, 1], y == 1)
    else:   # of one class against all others
        value["by_class"] = [
            {"class": classes[code], "thresholds": _thresholds(prediction[:, code], y == code, _STEPS_EACH),
             "gain": _gain(prediction[:, code], y == code, _STEPS_EACH)} for code in _shown(y, len(classes))]
    return value


def _confused(codes: Array, y: Array, classes: Sequence[Label]) -> list[dict[str, Any]]:
    """Return the pairs of classes of which one was most often called the other, with the rows they are out of."""
    wrong = codes != y
    pairs, counts = np.unique(np.stack([y[wrong], codes[wrong]], axis=1), axis=0, return_counts=True)
    of = np.bincount(y, minlength=len(classes))
    return [{"actual": classes[pairs[place][0]], "predicted": classes[pairs[place][1]], "rows": int(counts[place]),
             "of": int(of[pairs[place][0]])} for place in np.argsort(-counts, kind="stable")[:_MOST_PAIRS].tolist()]


def _curves(prediction: Array, y: Array, classes: Sequence[Label]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return ROC and PR curves, one class against the rest; for two classes those of the second."""
    roc, pr = [], []
    for code in _shown(y, len(classes)):
        truth, chance = y == code, prediction[:, code]
        wrong, right, _ = metrics.roc_curve(truth, chance)
        kept = _thinned(len(wrong))
        roc.append({"class": classes[code], "fpr": wrong[kept].tolist(), "tpr": right[kept].tolist(),
                    "auc": float(metrics.roc_auc_score(truth, chance))})
        precision, recall, _ = metrics.precision_recall_curve(truth, chance)
        kept = _thinned(len(recall))
        pr.append({"class": classes[code], "recall": recall[kept].tolist(), "precision": precision[kept].tolist(),
                   "ap": float(metrics.average_precision_score(truth, chance))})
    return roc, pr


def _shown(y: Array, classes: int) -> list[int]:
    """Return the classes that get curves: the second of two, else the commonest; none that all rows or no row has."""
    counts = np.bincount(y, minlength=classes)
    shown = [1] if classes == 2 else sorted(np.argsort(-counts, kind="stable")[:_MOST_CURVES].tolist())
    return [code for code in shown if 0 < counts[code] < len(y)]


def _calibration(prediction: Array, y: Array) -> dict[str, Any]:
    """Compare what was promised with what came true: the second of two classes, else whatever class was predicted."""
    if prediction.shape[1] == 2:
        promised, came_true = prediction[:, 1], y == 1
    else:
        codes = predicted_codes(prediction)
        promised, came_true = prediction[np.arange(len(y)), codes], codes == y
    bins = np.clip((promised * _BINS).astype(int), 0, _BINS - 1)
    filled = np.flatnonzero(np.bincount(bins, minlength=_BINS))
    return {
        "predicted": [float(promised[bins == index].mean()) for index in filled],
        "actual": [float(came_true[bins == index].mean()) for index in filled],
        "counts": [int((bins == index).sum()) for index in filled],
    }


def _thresholds(chance: Array, truth: Array, most: int = _THRESHOLDS) -> dict[str, list[float]]:
    """Return how many rows are called right and wrong as the class from each threshold on (chance >= it).

    What people ask for, 0.3 say, is among them, so that it is answered to the row; between are chances of the rows.
    """
    steps = np.quantile(chance, np.linspace(0, 1, most), method="nearest")
    steps = np.unique(np.concatenate([np.arange(101) / 100, steps]))
    positive, negative = np.sort(chance[truth]), np.sort(chance[~truth])
    tp = len(positive) - np.searchsorted(positive, steps, "left")
    fp = len(negative) - np.searchsorted(negative, steps, "left")
    return {"threshold": steps.tolist(), "tp": tp.tolist(), "fp": fp.tolist(),
            "fn": (len(positive) - tp).tolist(), "tn": (len(negative) - fp).tolist()}


def _gain(chance: Array, truth: Array, most: int = _MOST_POINTS) -> dict[str, list[float]]:
    """Return which share of the class is found in the rows ranked highest; lift is ``found`` by ``share``."""
    found = np.concatenate([[0], np.cumsum(truth[np.argsort(-chance, kind="stable")])])
    kept = _thinned(len(found), most)
    return {"share": (kept / len(truth)).tolist(), "found": (found[kept] / max(1, truth.sum())).tolist()}


def _residuals(prediction: Array, y: Array) -> dict[str, Any]:
    rows = np.arange(len(y))
    if len(rows) > _MOST_RESIDUALS:
        rows = np.sort(np.random.default_rng(0).choice(rows, _MOST_RESIDUALS, replace=False))
    errors = y - prediction
    low, high = float(errors.min()), float(errors.max())
    least = 1e-6 * max(abs(low), abs(high), 1e-30)   # errors that are all but equal still get bars of some width
    counts, edges = np.histogram(errors, bins=_BARS, range=(low, max(high, low + least)))
    return {
        "residuals": {"predicted": prediction[rows].tolist(), "actual": y[rows].tolist()},
        "residual_histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
    }


def _thinned(points: int, most: int = _MOST_POINTS) -> Array:
    """Return the indices of at most so many points, the first and the last among them."""
    return np.unique(np.linspace(0, points - 1, min(points, most)).round().astype(int))
