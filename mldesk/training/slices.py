"""Where a model is worse than elsewhere: its error by values of each column, and the rows it is most wrong about."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from mldesk.training.losses import row_losses
from mldesk.training.probabilities import predicted_codes
from mldesk.training.roles import missing
from mldesk.training.target import Label
from mldesk.training.values import Array, ColumnData, TextColumn
from mldesk.wire.schema import Column, ColumnType

_MOST_SLICES = 60        # kept: those that tell the most
_MOST_COLUMNS = 200
_MOST_VALUES = 12        # of one column of text
_QUANTILES = 4           # slices of a column of numbers
_LEAST_ROWS = 20
_WORST = 100             # rows


def slices(columns: Mapping[str, ColumnData], schema: Sequence[Column], prediction: Array, y: Array,
           classes: int, quantile: float | None = None) -> list[dict[str, Any]]:
    """Return [{"column", "value", "rows", "loss", "metric", "score", "whole", "sigmas"}], the most conspicuously bad
    first.

    ``score`` is what ``metric`` names, accuracy, mean absolute error or the pinball loss of a quantile, in the slice,
    ``whole`` that of all rows; ``sigmas`` says how many standard errors the slice's mean loss lies above that of the
    other rows (Welch 1947). Only slices that are worse, by that loss and by ``metric``: they may differ, as rows
    called rightly may be called so with doubt.

    Args:
        columns: the rows that were predicted, as ``training.values`` describes
        schema: the columns to slice by
        quantile: which one ``prediction`` is of, where it is no mean
    """
    losses = row_losses(prediction, y, classes, quantile)
    metric = "accuracy" if classes else "mean_absolute_error" if quantile is None else "mean_pinball_loss"
    scores = (predicted_codes(prediction) == y).astype(float) if classes else (
        np.abs(prediction - y) if quantile is None else losses)
    whole, sign = float(scores.mean()), -1 if classes else 1
    found = []
    for column in schema[:_MOST_COLUMNS]:
        for value, rows in _slices_of(column, columns[column.name]):
            inside, outside = losses[rows], losses[~rows]
            if min(len(inside), len(outside)) < _LEAST_ROWS:
                continue
            error = np.sqrt(inside.var(ddof=1) / len(inside) + outside.var(ddof=1) / len(outside))
            sigmas = float((inside.mean() - outside.mean()) / error) if error > 0 else 0.0
            there = float(scores[rows].mean())
            if sigmas > 0 and sign * (there - whole) > 0:
                found.append((sigmas, {
                    "column": column.name, "value": value, "rows": len(inside), "loss": float(inside.mean()),
                    "metric": metric, "score": there, "whole": whole,
                    "sigmas": sigmas}))
    found.sort(key=lambda item: -item[0])
    return [item for _, item in found[:_MOST_SLICES]]


def worst(prediction: Array, y: Array, rows: Array, classes: Sequence[Label],
          quantile: float | None = None) -> list[dict[str, Any]]:
    """Return the rows with the largest loss: [{"row", "actual", "predicted", "probability" or none, "loss"}].

    ``rows`` holds their numbers in the dataset version, from 0, (N,); ``quantile`` as for ``slices``.
    """
    losses = row_losses(prediction, y, len(classes), quantile)
    order = np.argsort(-losses, kind="stable")[:_WORST]
    if not classes:
        return [{"row": int(rows[i]), "actual": float(y[i]), "predicted": float(prediction[i]),
                 "loss": float(losses[i])} for i in order]
    codes = predicted_codes(prediction)
    return [{"row": int(rows[i]), "actual": classes[y[i]], "predicted": classes[codes[i]],
             "probability": float(prediction[i, y[i]]), "loss": float(losses[i])} for i in order]


def _slices_of(column: Column, data: ColumnData) -> Iterator[tuple[str, Array]]:
    """Yield (what holds there, mask of the rows)."""
    gaps = missing(data)
    if gaps.any():
        yield "(missing)", gaps
    if isinstance(data, TextColumn):
        counts = data.counts()
        for code in np.argsort(-counts, kind="stable")[:_MOST_VALUES]:
            if counts[code]:
                yield data.values[code], data.codes == code
        return
    filled = data[~gaps]
    different = np.unique(filled)
    if len(different) <= _QUANTILES:
        for value in different:
            yield _word(value, column.type), data == value
        return
    ranked = filled.astype(np.float64)
    edges = np.unique(np.quantile(ranked, np.linspace(0, 1, _QUANTILES + 1), method="nearest"))
    numbers = np.where(gaps, np.nan, data.astype(np.float64))
    for low, high in itertools.pairwise(edges):
        last = high == edges[-1]
        within = (numbers >= low) & ((numbers <= high) if last else (numbers < high))
        yield f"{_edge(low, column.type)} to {_edge(high, column.type)}", within


def _word(value: Any, kind: ColumnType) -> str:
    if kind is ColumnType.BOOLEAN:
        return "true" if value else "false"
    return _day(str(value)[:19], kind) if kind.temporal else f"{value:g}"


def _edge(value: float, kind: ColumnType) -> str:
    return _day(str(np.datetime64(int(value), "us"))[:16], kind).replace("T", " ") if kind.temporal else f"{value:.6g}"


def _day(moment: str, kind: ColumnType) -> str:
    return moment[:10] if kind is ColumnType.DATE else moment
