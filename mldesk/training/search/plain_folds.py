"""Folds of rows that have neither groups nor an order."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

from mldesk.training.values import Array


def plain_folds(y: Array, classes: int, count: int, seed: int) -> list[tuple[Array, Array]]:
    """Deal rows into ``count`` folds, each (rows to fit on, rows to judge by); by class where all have enough rows.

    ``y``: (N,) class codes, or numbers where ``classes`` is 0.
    """
    if classes and int(np.bincount(y, minlength=classes).min()) >= count:
        return list(StratifiedKFold(count, shuffle=True, random_state=seed).split(y, y))
    return list(KFold(count, shuffle=True, random_state=seed).split(y))
