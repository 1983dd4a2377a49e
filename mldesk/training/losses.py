"""How wrong each row is, by what a model is fitted for. numpy alone."""

from __future__ import annotations

import numpy as np

from mldesk.training.values import Array


def pinball(prediction: Array, y: Array, quantile: float) -> Array:
    """Return each row's pinball loss (Koenker and Bassett 1978), (N,), in the target's unit."""
    over = y - prediction
    losses: Array = np.maximum(quantile * over, (quantile - 1) * over)
    return losses


def row_losses(prediction: Array, y: Array, classes: int, quantile: float | None = None) -> Array:
    """Return each row's loss, (N,): surprise at the truth in nats, squared error, or the pinball loss of a quantile.

    Args:
        prediction: (N, C) probabilities, or (N,) numbers
        y: (N,) class codes, or numbers
        classes: 0 for numbers
        quantile: which one ``prediction`` is of, where it is no mean
    """
    if classes:
        surprise: Array = -np.log(np.clip(prediction[np.arange(len(y)), y], 1e-15, None))
        return surprise
    if quantile is not None:
        return pinball(prediction, y, quantile)
    squared: Array = (prediction - y) ** 2
    return squared
