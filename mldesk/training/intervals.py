"""Confidence intervals of scores: the percentile bootstrap over test rows (Efron and Tibshirani 1993, chapter 13).

Rows are drawn with replacement many times over, as counts per row, so that every metric of all draws is a few matrix
products. A large part is first dealt at random into groups of rows, and groups are drawn: the spread is the same.
"""

from __future__ import annotations

import numpy as np

from mldesk.training.probabilities import predicted_codes, sum_to_one
from mldesk.training.values import Array

LEVEL = 0.95
DRAWS = 400
_MOST_UNITS = 5_000      # rows, or groups of rows, that are drawn from
_MOST_RANKED = 50_000    # rows times classes of the metrics that need a ranking
_RANKED, _LEAST_DRAWS = 2_000_000, 100   # of those: rows times classes times draws, but so many draws at least
_LEAST_ROWS = 10         # below, an interval says nothing
TOPS, BINS = (3, 5), 15  # of the top-k accuracies and of the expected calibration error
_FEW_CLASSES = 30        # classes beyond which metrics over all classes get no interval


def intervals(prediction: Array, y: Array, classes: int, seed: int = 0, *, quantile: float | None = None,
              ordered: bool = False) -> dict[str, list[float]]:
    """Return [low, high] by metric, for the metrics of ``mldesk.training.metrics.score`` that have one.

    Args:
        prediction: (N,) numbers or (N, C) probabilities
        y: (N,) float64, or int64 class codes
        classes: 0 for regression
        quantile, ordered: as for ``score``
    """
    if len(y) < _LEAST_ROWS:
        return {}
    found = {name: edges for name, values in draws(
        prediction, y, classes, seed, quantile=quantile, ordered=ordered).items()
             if (edges := spread(values)) is not None}
    if not classes:
        found["median_absolute_error"] = _of_the_median(np.abs(prediction - y))
    return found


def draws(prediction: Array, y: Array, classes: int, seed: int = 0, *, quantile: float | None = None,
          ordered: bool = False) -> dict[str, Array]:
    """Return each metric of every draw, (DRAWS,); NaN where a draw lacks what the metric divides by.

    The same seed and number of rows draw the same rows: two models' draws may be taken from one another, pair by pair.
    """
    draw = np.random.default_rng(seed)
    units = _Units(len(y), draw)
    with np.errstate(divide="ignore", invalid="ignore"):
        if not classes:
            return _of_numbers(prediction, y, units, quantile) | {
                "median_absolute_error": _medians(np.abs(prediction - y), units)}
        found = _of_classes(prediction, y, classes, units, ordered, every=classes <= _FEW_CLASSES)
        return found | _of_ranking(prediction, y, classes, draw)


def measured(prediction: Array, y: Array, classes: int, *, quantile: float | None = None,
             ordered: bool = False) -> dict[str, float]:
    """Return the metrics of ``draws`` of the rows as they are; what is undefined is absent.

    These are scikit-learn's values without scikit-learn, for processes that do not load it.
    """
    units = _Units(len(y))
    with np.errstate(divide="ignore", invalid="ignore"):
        if not classes:
            found = _of_numbers(prediction, y, units, quantile)
        else:
            found = _of_classes(prediction, y, classes, units, ordered, every=True) | _ranking(
                prediction, y, classes, np.ones((1, len(y)), np.float32))
    return {name: float(values[0]) for name, values in found.items() if np.isfinite(values[0])}


def spread(values: Array) -> list[float] | None:
    """Return the edges that hold 95 % of the draws; None where most are not defined."""
    defined = values[np.isfinite(values)]
    if len(defined) <= len(values) // 2:
        return None
    low, high = np.percentile(defined, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return [float(low), float(high)]


def _of_the_median(errors: Array) -> list[float]:
    """Return two of the errors that hold their median: the binomial interval (Conover 1999, section 3.2)."""
    ranked, rows = np.sort(errors), len(errors)
    room = 1.96 * np.sqrt(rows) / 2
    low, high = int(np.floor(rows / 2 - room)), int(np.ceil(rows / 2 + room))
    return [float(ranked[max(0, low)]), float(ranked[min(rows - 1, high)])]


def _medians(errors: Array, units: _Units) -> Array:
    """Return the median error of every draw, (DRAWS,).

    It is looked for among the errors within five standard deviations of where the rank of a draw's median may lie.
    """
    order, rows = np.argsort(errors, kind="stable"), len(errors)
    room = int(np.ceil(2.5 * np.sqrt(rows))) + 1
    first, last = max(0, rows // 2 - room), min(rows, rows // 2 + room)
    is_below = np.zeros(rows)
    is_below[order[:first]] = 1
    total = units.sums(np.ones(rows))[:, None]
    reached = units.sums(is_below)[:, None] + np.cumsum(units.weights_of(order[first:last]), 1)
    sides = [np.minimum((reached <= place).sum(1), last - first - 1) for place in ((total - 1) // 2, total // 2)]
    middle: Array = (errors[order[first + sides[0]]] + errors[order[first + sides[1]]]) / 2
    return middle


class _Units:
    """What is drawn: rows, or groups of them; without ``draw`` each row once."""

    def __init__(self, rows: int, draw: np.random.Generator | None = None) -> None:
        if draw is None:
            self._group, self.weights = None, np.ones((1, rows))
            return
        self.count = min(rows, _MOST_UNITS)
        self._group = None if rows == self.count else draw.permutation(np.arange(rows) % self.count)
        self.weights = _drawn(self.count, DRAWS, draw).astype(np.float64)

    def sums(self, values: Array) -> Array:
        """Return the sum of a value per row, for every draw: (DRAWS,), or (1,)."""
        units = values if self._group is None else np.bincount(self._group, values, self.count)
        summed: Array = self.weights @ units.astype(np.float64)
        return summed

    def weights_of(self, rows: Array) -> Array:
        """Return how often each of some rows is in every draw: (DRAWS, rows)."""
        weights: Array = self.weights[:, rows if self._group is None else self._group[rows]]
        return weights


def _drawn(count: int, draws: int, draw: np.random.Generator) -> Array:
    """Return how often each of ``count`` things is drawn, (draws, count); quicker than a multinomial of as many."""
    return np.stack([np.bincount(draw.integers(0, count, count), minlength=count) for _ in range(draws)])


def _of_numbers(prediction: Array, y: Array, units: _Units, quantile: float | None) -> dict[str, Array]:
    rows = units.sums(np.ones(len(y)))
    error = prediction - y
    squared = units.sums(error ** 2)
    centred = y - y.mean()   # for the sum of squares below not to cancel
    spread = units.sums(centred ** 2) - units.sums(centred) ** 2 / rows
    found = {"root_mean_squared_error": np.sqrt(squared / rows),
             "mean_absolute_error": units.sums(np.abs(error)) / rows, "r2": 1 - squared / spread}
    if (y != 0).all():
        found["mean_absolute_percentage_error"] = units.sums(np.abs(error / y)) / rows
    if quantile is not None:
        found["mean_pinball_loss"] = units.sums(np.maximum(-quantile * error, (1 - quantile) * error)) / rows
    return found


def _of_classes(prediction: Array, y: Array, classes: int, units: _Units, ordered: bool, *,
                every: bool) -> dict[str, Array]:
    """``every``: with what takes time for each class as well."""
    rows = units.sums(np.ones(len(y)))
    codes = predicted_codes(prediction)
    chosen = sum_to_one(prediction)[np.arange(len(y)), y]
    loss = -np.log(np.clip(chosen, np.finfo(np.float64).eps, None))
    found = {"accuracy": units.sums(codes == y) / rows, "log_loss": units.sums(loss) / rows,
             "brier_score": units.sums(_squares(prediction, y)) / rows,
             "calibration_error": _of_calibration(units, prediction[np.arange(len(y)), codes], codes == y) / rows}
    if tops := [top for top in TOPS if classes > top]:
        above = (prediction > prediction[np.arange(len(y)), y][:, None]).sum(1)
        found |= {f"top_{top}_accuracy": units.sums(above < top) / rows for top in tops}
    if ordered:
        found["rank_error"] = units.sums(np.abs(y - codes)) / rows
    if ordered and every:
        found["quadratic_kappa"] = _of_kappa(units, codes, y, classes)
    if every:
        found |= _of_confusion(units, codes, y, classes)
    return found


def _of_kappa(units: _Units, codes: Array, y: Array, classes: int) -> Array:
    """Return the quadratic kappa (Cohen 1968) of every draw, (DRAWS,): 1 less squared misses by those by chance."""
    rows, places = units.sums(np.ones(len(y))), np.arange(classes)
    actual, called = (np.stack([units.sums(side == k) for k in range(classes)], 1) for side in (y, codes))
    squares = (actual @ places ** 2) * called.sum(1) + (called @ places ** 2) * actual.sum(1)
    by_chance = (squares - 2 * (actual @ places) * (called @ places)) / rows
    kappa: Array = 1 - units.sums((y - codes).astype(np.float64) ** 2) / by_chance
    return kappa


def _of_calibration(units: _Units, promised: Array, came_true: Array) -> Array:
    """Return the sum over the bins of ``metrics.calibration_error`` of promised less came true, (DRAWS,)."""
    bins = np.clip(np.ceil(promised * BINS).astype(int) - 1, 0, BINS - 1)
    gaps = [np.abs(units.sums(np.where(bins == place, promised - came_true, 0.0))) for place in np.unique(bins)]
    total: Array = np.sum(gaps, 0)
    return total


def _squares(prediction: Array, y: Array) -> Array:
    if prediction.shape[1] == 2:
        squares: Array = (prediction[:, 1] - y) ** 2
        return squares
    total: Array = (prediction ** 2).sum(1) - 2 * prediction[np.arange(len(y)), y] + 1
    return total


def _of_confusion(units: _Units, codes: Array, y: Array, classes: int) -> dict[str, Array]:
    """Return the metrics that follow from how many rows of each class were called what. Shapes: (DRAWS,)."""
    right = np.stack([units.sums((y == k) & (codes == k)) for k in range(classes)], 1)   # (DRAWS, C)
    actual = np.stack([units.sums(y == k) for k in range(classes)], 1)
    called = np.stack([units.sums(codes == k) for k in range(classes)], 1)
    seen = (actual > 0) | (called > 0)
    f1 = np.where(seen, 2 * right / np.maximum(actual + called, 1), np.nan)
    recall = np.where(actual > 0, right / np.maximum(actual, 1), np.nan)
    precision = right / np.maximum(called, 1)   # 0 for a class that is never called, as ``score`` has it
    rows, correct = actual.sum(1), right.sum(1)
    crossed = (actual * called).sum(1)
    return {
        "balanced_accuracy": np.nanmean(recall, 1), "f1_macro": np.nanmean(f1, 1),
        "precision_macro": np.nanmean(np.where(seen, precision, np.nan), 1),
        "recall_macro": np.nanmean(np.where(seen, np.nan_to_num(recall), np.nan), 1),
        "precision_weighted": (precision * actual).sum(1) / rows,
        "recall_weighted": (np.nan_to_num(recall) * actual).sum(1) / rows,
        "f1_weighted": (np.nan_to_num(f1) * actual).sum(1) / rows,
        "cohen_kappa": (correct * rows - crossed) / (rows ** 2 - crossed),
        # The correlation of Gorodkin 2004, which is Matthews' for two classes.
        "mcc": (correct * rows - crossed) / np.sqrt(
            (rows ** 2 - (called ** 2).sum(1)) * (rows ** 2 - (actual ** 2).sum(1))),
    }


def _of_ranking(prediction: Array, y: Array, classes: int, draw: np.random.Generator) -> dict[str, Array]:
    """Return ROC AUC and average precision, one class against the rest, the mean over classes as in ``score``."""
    shown = len(_told_apart(y, classes))
    if not shown or len(y) * shown > _MOST_RANKED:
        return {}
    draws = max(_LEAST_DRAWS, min(DRAWS, _RANKED // (len(y) * shown)))
    return _ranking(prediction, y, classes, _drawn(len(y), draws, draw).astype(np.float32))


def _told_apart(y: Array, classes: int) -> list[int]:
    """Return the classes that rows are ranked by: those of which some rows are and some are not."""
    return [k for k in ([1] if classes == 2 else range(classes)) if 0 < (y == k).sum() < len(y)]


def _ranking(prediction: Array, y: Array, classes: int, weights: Array) -> dict[str, Array]:
    """``weights``: how often each row was drawn, (draws, N) float32."""
    shown = _told_apart(y, classes)
    if not shown:
        return {}
    pairs = [_ranked(prediction[:, k], y == k, weights) for k in shown]
    area, precision = (np.mean([pair[side] for pair in pairs], 0) for side in (0, 1))
    return {"roc_auc": area, "average_precision": precision}


def _ranked(chance: Array, truth: Array, weights: Array) -> tuple[Array, Array]:
    """Return the AUC (half a point for ties) and the average precision of every draw, from one sort."""
    order = np.argsort(-chance, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(chance[order])), len(order) - 1)   # the last row of each tie
    drawn, hit = weights[:, order], truth[order]
    found = np.cumsum(drawn * hit, 1, dtype=np.float64)[:, ends]
    wrong = np.cumsum(drawn * ~hit, 1, dtype=np.float64)[:, ends]
    found_before, wrong_before = np.pad(found[:, :-1], ((0, 0), (1, 0))), np.pad(wrong[:, :-1], ((0, 0), (1, 0)))
    area = ((wrong - wrong_before) * (found + found_before) / 2).sum(1) / (found[:, -1] * wrong[:, -1])
    share = np.where(found + wrong > 0, found / np.maximum(found + wrong, 1), 0.0)
    return area, ((found - found_before) * share).sum(1) / found[:, -1]
