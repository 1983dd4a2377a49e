"""The numbers and points that every plot of an evaluation needs, as plain JSON. Metrics are scikit-learn's own."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn import metrics

from mldesk.training.target import Label
from mldesk.training.values import Array

_MOST_POINTS = 500       # of a ROC or PR curve
_MOST_RESIDUALS = 2000   # points of the residual plot
_MOST_CURVES = 20        # classes that get curves: the commonest
_MOST_CONFUSED = 60      # classes beyond which a confusion matrix can no longer be read
_BINS = 10               # of the calibration plot
_BARS = 40               # of the residual histogram


def predicted_codes(probabilities: Array) -> Array:
    """Return the class of each row, (N,) int64: the largest probability as float32, the first of equals.

    Float32, because that is what a bundle's ONNX graph gives.
    """
    codes: Array = probabilities.astype(np.float32).argmax(1)
    return codes


def score(prediction: Array, y: Array, classes: int) -> dict[str, float]:
    """Return scikit-learn's metrics of a prediction, (N,) numbers or (N, C) probabilities. What is undefined is absent.

    Args:
        prediction: for the rows of ``y``
        y: (N,) float64, or int64 class codes; N >= 1
        classes: how many there are, 0 for regression
    """
    return _class_scores(prediction, y, classes) if classes else _number_scores(prediction, y)


def payload(prediction: Array, y: Array, classes: Sequence[Label]) -> dict[str, Any]:
    """Return one part's evaluation: metrics, and the points of its plots."""
    value: dict[str, Any] = {"rows": len(y), "metrics": score(prediction, y, len(classes))}
    if not classes:
        return value | _residuals(prediction, y)
    codes = predicted_codes(prediction)
    if len(classes) <= _MOST_CONFUSED:
        counts = metrics.confusion_matrix(y, codes, labels=range(len(classes)))
        value["confusion"] = {"labels": list(classes), "counts": counts.tolist()}
    value["roc"], value["pr"] = _curves(prediction, y, classes)
    value["calibration"] = _calibration(prediction, y)
    return value


def _number_scores(prediction: Array, y: Array) -> dict[str, float]:
    scores = {
        "root_mean_squared_error": metrics.root_mean_squared_error(y, prediction),
        "mean_absolute_error": metrics.mean_absolute_error(y, prediction),
        "median_absolute_error": metrics.median_absolute_error(y, prediction),
    }
    if len(y) > 1:  # R² of one row is not defined
        scores["r2"] = metrics.r2_score(y, prediction)
    return {name: float(value) for name, value in scores.items()}


def _class_scores(prediction: Array, y: Array, classes: int) -> dict[str, float]:
    codes = predicted_codes(prediction)
    with warnings.catch_warnings():
        # A small test part may lack a class that is predicted; the means are over those there are.
        warnings.filterwarnings("ignore", message="y_pred contains classes not in y_true")
        # ... or hold one class alone, of which scikit-learn warns whatever is asked.
        warnings.filterwarnings("ignore", message="A single label was found")
        scores = {
            "accuracy": metrics.accuracy_score(y, codes),
            "balanced_accuracy": metrics.balanced_accuracy_score(y, codes),
            "f1_macro": metrics.f1_score(y, codes, average="macro", zero_division=0),
            "precision_macro": metrics.precision_score(y, codes, average="macro", zero_division=0),
            "recall_macro": metrics.recall_score(y, codes, average="macro", zero_division=0),
            "mcc": metrics.matthews_corrcoef(y, codes),
            "log_loss": metrics.log_loss(y, _sum_to_one(prediction), labels=range(classes)),
        }
    told_apart = [code for code in ([1] if classes == 2 else range(classes)) if 0 < (y == code).sum() < len(y)]
    if told_apart:
        scores["roc_auc"] = np.mean([metrics.roc_auc_score(y == code, prediction[:, code]) for code in told_apart])
        scores["average_precision"] = np.mean(
            [metrics.average_precision_score(y == code, prediction[:, code]) for code in told_apart])
    return {name: float(value) for name, value in scores.items()}


def _sum_to_one(prediction: Array) -> Array:
    """Return probabilities whose rows add up to one in float64, too."""
    wide = prediction.astype(np.float64)
    result: Array = wide / wide.sum(1, keepdims=True)
    return result


def _curves(prediction: Array, y: Array, classes: Sequence[Label]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return ROC and PR curves, one class against the rest; for two classes those of the second."""
    counts = np.bincount(y, minlength=len(classes))
    shown = [1] if len(classes) == 2 else sorted(np.argsort(-counts, kind="stable")[:_MOST_CURVES].tolist())
    roc, pr = [], []
    for code in shown:
        if not 0 < counts[code] < len(y):
            continue
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


def _thinned(points: int) -> Array:
    """Return the indices of at most _MOST_POINTS points, the first and the last among them."""
    return np.unique(np.linspace(0, points - 1, min(points, _MOST_POINTS)).round().astype(int))
