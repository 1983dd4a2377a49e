"""Means of a target in the groups of a column, drawn towards the mean of all rows, and told to rows by the others.

numpy only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mldesk.training.values import Array


class TargetMeans(NamedTuple):
    """Of G groups, K answers (a number, or whether a row is of a class) and F folds."""

    all: Array       # (K,) over all rows
    group: Array     # (G, K)
    beside: Array    # (N, K): what each row is told by the rows of other folds


def target_means(places: Array, groups: int, answers: Array, fold: Array, folds: int, smoothing: float) -> TargetMeans:
    """Return the means of a target, (N, K) ``answers``, in groups (``places``, (N,); below 0: of none).

    A group of n rows has the weight n / (n + smoothing) beside the mean of all (D. Micci-Barreca: A preprocessing
    scheme for high-cardinality categorical attributes, SIGKDD Explorations 3, 2001). Training rows get means of the
    rows in other folds, or a model would learn to trust what it was told (cross fitting, as scikit-learn's
    TargetEncoder does; F. Pargent et al., 2022).
    """
    cells = np.where(places < 0, groups, places) * folds + fold
    count = np.bincount(cells, minlength=(groups + 1) * folds).reshape(groups + 1, folds)
    sums = np.stack([np.bincount(cells, answer, (groups + 1) * folds).reshape(groups + 1, folds)
                     for answer in answers.T], 2)
    mean = sums.sum((0, 1)) / max(1, len(fold))
    others_n, others = count.sum(1)[:, None] - count, sums.sum(1)[:, None] - sums
    total = others_n.sum(0)[:, None]
    other_means = np.where(total > 0, others.sum(0) / np.maximum(total, 1), mean)
    beside = _drawn(others, others_n, other_means, smoothing)
    beside[groups] = other_means   # rows of no group
    return TargetMeans(mean, _drawn(sums.sum(1), count.sum(1), mean, smoothing)[:groups],
                       beside[np.where(places < 0, groups, places), fold])


def _drawn(sums: Array, counts: Array, means: Array, smoothing: float) -> Array:
    """Return means of groups, (..., K), drawn towards ``means``; these themselves where there is nothing."""
    weights = counts[..., None] + smoothing
    drawn: Array = np.where(weights > 0, (sums + smoothing * means) / np.where(weights > 0, weights, 1.0), means)
    return drawn
