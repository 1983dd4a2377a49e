"""Metrics of predictions: scikit-learn's own, and the few it lacks, each with its source."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn import metrics

from mldesk.training.intervals import BINS, TOPS
from mldesk.training.probabilities import predicted_codes, sum_to_one
from mldesk.training.target import Label
from mldesk.training.values import Array

_MOST_CLASSES = 2000     # classes that have scores of their own


def score(prediction: Array, y: Array, classes: int, quantile: float | None = None, *,
          ordered: bool = False) -> dict[str, float]:
    """Return the metrics of a prediction, (N,) numbers or (N, C) probabilities. What is undefined is absent.

    Args:
        prediction: for the rows of ``y``
        y: (N,) float64, or int64 class codes; N >= 1
        classes: how many there are, 0 for regression
        quantile: which one ``prediction`` is of, where it is no mean
        ordered: the classes have an order, so that a miss by two is worse than one by one
    """
    if not classes:
        return _number_scores(prediction, y, quantile)
    return _class_scores(prediction, y, classes) | (_ordered_scores(prediction, y) if ordered else {})


def per_class(prediction: Array, y: Array, classes: Sequence[Label]) -> list[dict[str, Any]]:
    """Return precision, recall, F1 and the number of rows of every class; of very many those of least F1, with rows."""
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        y, predicted_codes(prediction), labels=range(len(classes)), zero_division=0)
    shown = np.arange(len(classes))
    if len(classes) > _MOST_CLASSES:
        present = np.flatnonzero(support)
        shown = np.sort(present[np.argsort(f1[present], kind="stable")[:_MOST_CLASSES]])
    return [{"class": classes[code], "precision": float(precision[code]), "recall": float(recall[code]),
             "f1": float(f1[code]), "rows": int(support[code])} for code in shown.tolist()]


def calibration_error(promised: Array, came_true: Array) -> float:
    """Return the expected calibration error over 15 bins of equal width (Naeini, Cooper and Hauskrecht, AAAI 2015).

    Args:
        promised: (N,) probabilities given to what was predicted
        came_true: (N,) bool
    """
    bins = np.clip(np.ceil(promised * BINS).astype(int) - 1, 0, BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    gaps = np.abs(np.bincount(bins, promised, BINS) - np.bincount(bins, came_true, BINS))
    return float(gaps.sum() / max(1, counts.sum()))


def areas(truth: Array, told: Array) -> tuple[float, float]:
    """Return the area under the ROC curve and the average precision of one class, as scikit-learn has them: its checks
    take many times what the sums do, which shows where there are a thousand classes.

    Args:
        truth: (N,) bool, not all the same
        told: (N,) what was said of each row, larger for true; equal ones are one step of the curves
    """
    order = np.argsort(-told, kind="stable")
    last = np.append(np.flatnonzero(np.diff(told[order])), len(told) - 1)   # of every run of equal ones
    hits = np.cumsum(truth[order], dtype=np.float64)[last]
    misses = 1.0 + last - hits
    gained = np.diff(hits, prepend=0.0)
    below = float((np.diff(misses, prepend=0.0) * (hits - gained / 2)).sum())
    return below / float(hits[-1] * misses[-1]), float((gained * hits / (1.0 + last)).sum() / hits[-1])


def brier(prediction: Array, y: Array) -> float:
    """Return the Brier score: of the second of two classes as usual today, else over all classes (Brier 1950)."""
    if prediction.shape[1] == 2:
        return float(np.mean((prediction[:, 1] - y) ** 2))
    truth = np.zeros(prediction.shape)
    truth[np.arange(len(y)), y] = 1.0
    return float(np.mean(((prediction - truth) ** 2).sum(1)))


def quadratic_kappa(prediction: Array, y: Array) -> float:
    """Return the agreement beyond chance, a miss weighing the square of its distance (Cohen 1968); NaN where all rows
    are of one class and called so.
    """
    codes = predicted_codes(prediction)
    if len(np.union1d(y, codes)) < 2:
        return float("nan")
    return float(metrics.cohen_kappa_score(y, codes, weights="quadratic", labels=range(prediction.shape[1])))


def rank_error(prediction: Array, y: Array) -> float:
    """Return by how many classes the predicted one is off, on average."""
    return float(metrics.mean_absolute_error(y, predicted_codes(prediction)))


def _ordered_scores(prediction: Array, y: Array) -> dict[str, float]:
    kappa = quadratic_kappa(prediction, y)
    return {"rank_error": rank_error(prediction, y), **({"quadratic_kappa": kappa} if np.isfinite(kappa) else {})}


def _number_scores(prediction: Array, y: Array, quantile: float | None) -> dict[str, float]:
    scores = {
        "root_mean_squared_error": metrics.root_mean_squared_error(y, prediction),
        "mean_absolute_error": metrics.mean_absolute_error(y, prediction),
        "median_absolute_error": metrics.median_absolute_error(y, prediction),
    }
    if (y != 0).all():  # a share of zero is no share
        scores["mean_absolute_percentage_error"] = metrics.mean_absolute_percentage_error(y, prediction)
    if len(y) > 1:  # R² of one row is not defined
        scores["r2"] = metrics.r2_score(y, prediction)
    if quantile is not None:
        scores["mean_pinball_loss"] = metrics.mean_pinball_loss(y, prediction, alpha=quantile)
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
            **_averaged(y, codes, "macro"),
            **_averaged(y, codes, "weighted"),
            "mcc": metrics.matthews_corrcoef(y, codes),
            "log_loss": metrics.log_loss(y, sum_to_one(prediction), labels=range(classes)),
        }
    if len(np.union1d(y, codes)) > 1:  # agreement beyond chance needs something to disagree about
        scores["cohen_kappa"] = metrics.cohen_kappa_score(y, codes)
    scores["brier_score"] = brier(prediction, y)
    scores["calibration_error"] = calibration_error(prediction[np.arange(len(y)), codes], codes == y)
    for top in TOPS:
        if classes > top:
            scores[f"top_{top}_accuracy"] = metrics.top_k_accuracy_score(y, prediction, k=top, labels=range(classes))
    told_apart = [code for code in ([1] if classes == 2 else range(classes)) if 0 < (y == code).sum() < len(y)]
    if told_apart:
        found = np.array([areas(y == code, prediction[:, code]) for code in told_apart])
        scores["roc_auc"], scores["average_precision"] = found.mean(0)
    return {name: float(value) for name, value in scores.items()}


def _averaged(y: Array, codes: Array, average: str) -> dict[str, float]:
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(y, codes, average=average, zero_division=0)
    return {f"f1_{average}": f1, f"precision_{average}": precision, f"recall_{average}": recall}
