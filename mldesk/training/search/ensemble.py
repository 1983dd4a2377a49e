"""Greedy ensemble selection with replacement (Caruana, Niculescu-Mizil, Crew and Ksikes, ICML 2004)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from mldesk.training.search.measures import Aim
from mldesk.training.values import Array

ROUNDS = 40        # picks at most
_LEAST_GAIN = 1e-6  # relative; below, another pick is noise


def select(predictions: Sequence[Array], y: Array, aim: Aim, stop: Callable[[], bool]) -> tuple[list[float], float]:
    """Return a weight per prediction (they add up to one) and the loss of the mean on ``y``.

    ``predictions``: each (N,) or (N, C), of rows their models were not fitted on. ``stop`` ends the picking early.
    """
    counts = np.zeros(len(predictions), int)
    losses = [aim.loss(prediction, y) for prediction in predictions]
    best = int(np.argmin(losses))
    counts[best], total, kept = 1, predictions[best].astype(np.float64), losses[best]
    best_counts = counts.copy()
    for picked in range(2, ROUNDS + 1):
        if stop():
            break
        tried = [aim.loss((total + prediction) / picked, y) for prediction in predictions]
        choice = int(np.argmin(tried))
        counts[choice] += 1
        total = total + predictions[choice]
        if tried[choice] < kept - _LEAST_GAIN * abs(kept):
            kept, best_counts = tried[choice], counts.copy()
        elif picked - best_counts.sum() >= 5:   # five picks that helped nothing
            break
    return (best_counts / best_counts.sum()).tolist(), float(kept)
