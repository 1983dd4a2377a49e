"""Permutation importance: how much worse the model does when one column's values change places between rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mldesk.training.estimators.base import quick_scores
from mldesk.training.joined import Encoder
from mldesk.training.values import Array

METRIC = {True: "log_loss", False: "r2"}   # by classification; a rise of the loss or a fall of R² counts

_REPEATS = 5
_MOST_ROWS = 2000
_MOST_COLUMNS = 100          # in wide tables: those whose numbers go along with the prediction the most
_MOST_PREDICTIONS = 60_000   # rows predicted in all, whatever the number of columns


def importance(encoder: Encoder, predict: Callable[[Array], Array], x: Array, y: Array, classes: int,
               seed: int, on_column: Callable[[int, int], None]) -> list[dict[str, Any]]:
    """Return [{"feature": column of the table, "value": mean drop, "std"}], the most important first.

    Encoding works row by row, so shuffling a column's outputs is shuffling the column. ``x`` is (N, F) of rows the
    model has not seen; ``on_column`` hears (done, total).
    """
    draw = np.random.default_rng(seed)
    columns = _candidates(encoder, predict, x)
    rows = int(np.clip(_MOST_PREDICTIONS // (_REPEATS * len(columns)), 100, _MOST_ROWS))
    if len(x) > rows:
        sample = np.sort(draw.choice(len(x), rows, replace=False))
        x, y = x[sample], y[sample]
    whole = _goodness(predict(x), y, classes)
    result = []
    for done, index in enumerate(columns, start=1):
        outputs = encoder.outputs(index)
        shuffled = np.tile(x, (_REPEATS, 1))
        shuffled[:, outputs] = np.concatenate([x[draw.permutation(len(x))][:, outputs] for _ in range(_REPEATS)])
        drops = [whole - _goodness(part, y, classes) for part in np.split(predict(shuffled), _REPEATS)]
        result.append({"feature": encoder.columns[index].name, "value": float(np.mean(drops)),
                       "std": float(np.std(drops))})
        on_column(done, len(columns))
    return sorted(result, key=lambda item: -item["value"])


def _goodness(prediction: Array, y: Array, classes: int) -> float:
    scores = quick_scores(prediction, y, classes)
    return -scores["loss"] if classes else scores["r2"]


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
    by_column = np.array([strength[encoder.outputs(index)].max() for index in range(len(encoder.columns))])
    return sorted(np.argsort(-by_column, kind="stable")[:_MOST_COLUMNS].tolist())
