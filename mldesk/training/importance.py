"""Permutation importance: how much worse the model does when one column's values change places between rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mldesk.training.estimators.base import quick_scores
from mldesk.training.joined import Encoder
from mldesk.training.losses import row_losses
from mldesk.training.metric_words import fitted_metric
from mldesk.training.values import Array

_REPEATS = 5
_MOST_ROWS = 2000
_MOST_COLUMNS = 100          # in wide tables: those whose numbers go along with the prediction the most
_AT_ONCE = 5_000             # rows predicted in one call, about
_MOST_PREDICTIONS = 60_000   # rows predicted in all, whatever the number of columns


def importance(encoder: Encoder, predict: Callable[[Array], Array], x: Array, y: Array, classes: int,
               seed: int, on_column: Callable[[int, int], None],
               predictions: float = _MOST_PREDICTIONS, quantile: float | None = None) -> list[dict[str, Any]]:
    """Return [{"feature": column of the table, "value": mean drop, "std", "low", "high"}], the most important first.

    ``std`` is the spread between shuffles. ``low`` and ``high`` are the edges of a 95 % interval from the spread of
    the drop between rows, each the mean of its shuffles, and between shuffles.

    Encoding works row by row, so shuffling a column's outputs is shuffling the column. ``x`` is (N, F) of rows the
    model has not seen; ``on_column`` hears (done, total); about ``predictions`` rows are
    predicted in all. What drops is what ``metric`` names.
    """
    draw = np.random.default_rng(seed)
    columns = _candidates(encoder, predict, x)
    rows = _rows(len(columns), predictions)
    if len(x) > rows:
        sample = np.sort(draw.choice(len(x), rows, replace=False))
        x, y = x[sample], y[sample]
    untouched = predict(x)
    whole, losses = _goodness(untouched, y, classes, quantile), _losses(untouched, y, classes, quantile)
    result = []
    together = max(1, _AT_ONCE // (_REPEATS * len(x)))     # columns: a call of a blend of many models costs in itself
    for first in range(0, len(columns), together):
        some = columns[first:first + together]
        shuffled = np.tile(x, (len(some) * _REPEATS, 1))
        moved = np.zeros(len(shuffled), bool)   # many a row of a category gets its own value again
        for part, mark, index in zip(np.split(shuffled, len(some)), np.split(moved, len(some)), some, strict=True):
            outputs = encoder.outputs(index)
            part[:, outputs] = np.concatenate([x[draw.permutation(len(x))][:, outputs] for _ in range(_REPEATS)])
            mark[:] = (part[:, outputs] != np.tile(x[:, outputs], (_REPEATS, 1))).any(1)
        answers = np.concatenate([untouched] * (len(some) * _REPEATS))
        if moved.any():
            answers[moved] = predict(shuffled[moved])
        for index, said in zip(some, np.split(answers, len(some)), strict=True):
            parts = np.split(said, _REPEATS)
            drops = [whole - _goodness(part, y, classes, quantile) for part in parts]
            value, room = float(np.mean(drops)), _room(
                np.stack([_losses(part, y, classes, quantile) for part in parts]) - losses)
            result.append({"feature": encoder.columns[index].name, "value": value, "std": float(np.std(drops)),
                           "low": value - room, "high": value + room})
        on_column(len(result), len(columns))
    return sorted(result, key=lambda item: -item["value"])


def weighed_on(encoder: Encoder, x: Array, seed: int, predictions: float = _MOST_PREDICTIONS) -> dict[str, int]:
    """Return what ``importance`` of the same arguments is computed on: {"rows", "of", "repeats", "seed"}.

    Rows of the same number, repeats and seed are the same ones, changed in the same way.
    """
    columns = min(len(encoder.columns), _MOST_COLUMNS)
    return {"rows": min(len(x), _rows(columns, predictions)), "of": len(x), "repeats": _REPEATS, "seed": seed}


def _rows(columns: int, predictions: float) -> int:
    fewest = 100 if predictions >= _MOST_PREDICTIONS else 20
    return int(np.clip(min(_MOST_PREDICTIONS, predictions) // (_REPEATS * columns), fewest, _MOST_ROWS))


def metric(classes: int, quantile: float | None = None) -> str:
    """Return by which score columns are weighed: a fall of R² for means, else a rise of the loss fitted for."""
    return "r2" if not classes and quantile is None else fitted_metric(classes, quantile)


def _goodness(prediction: Array, y: Array, classes: int, quantile: float | None) -> float:
    scores = quick_scores(prediction, y, classes, quantile)
    return scores["r2"] if metric(classes, quantile) == "r2" else -scores["loss"]


def _losses(prediction: Array, y: Array, classes: int, quantile: float | None) -> Array:
    """Return each row's part of what ``_goodness`` lacks, (N,)."""
    losses = row_losses(prediction, y, classes, quantile)
    return losses / (float(np.var(y)) or 1.0) if metric(classes, quantile) == "r2" else losses


def _room(rises: Array) -> float:
    """Return how far the mean of (repeats, N) rises may be off at 95 %: normal, rows and shuffles both drawn."""
    repeats, rows = rises.shape
    if rows < 2:
        return 0.0
    return 1.96 * float(np.sqrt(rises.mean(0).var(ddof=1) / rows + rises.mean(1).var(ddof=1) / repeats))


def _candidates(encoder: Encoder, predict: Callable[[Array], Array], x: Array) -> list[int]:
    """Return the feature columns to look at: all, or in a wide table the most telling at first sight."""
    if len(encoder.columns) <= _MOST_COLUMNS:
        return list(range(len(encoder.columns)))
    sample = np.nan_to_num(x[:_MOST_ROWS].astype(np.float64))
    output = predict(x[:_MOST_ROWS]).reshape(len(sample), -1)
    sample -= sample.mean(0)
    output = output - output.mean(0)
    spread = np.sqrt((sample ** 2).sum(0))[:, None] * np.sqrt((output ** 2).sum(0))
    strength = np.abs(sample.T @ output / np.where(spread > 0, spread, 1.0)).max(1)
    by_column = np.array([strength[encoder.outputs(index)].max(initial=0.0) for index in range(len(encoder.columns))])
    return sorted(np.argsort(-by_column, kind="stable")[:_MOST_COLUMNS].tolist())
