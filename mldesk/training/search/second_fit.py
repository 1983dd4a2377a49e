"""One fit of a second level to what the models below it said: some of the rows choose its penalty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mldesk.training.estimators.base import Estimator, FitContext, Part
from mldesk.training.fitting import fit
from mldesk.training.values import Array

_TUNED = 5              # one in so many rows says how strong the penalty is


def fit_second(estimator: Estimator, parameters: Mapping[str, Any], x: Array, y: Array, rows: Array, classes: int, *,
               seed: int, threads: int, report: Any, control: Any, checkpoints: Any) -> Any:
    """Return the native model of ``rows``, (K,) places in ``x`` (N, F) and ``y`` (N,)."""
    dealt = np.random.default_rng(seed).permutation(len(rows))
    known, tuned = rows[np.sort(dealt[len(rows) // _TUNED:])], rows[np.sort(dealt[:len(rows) // _TUNED])]
    missing = np.setdiff1d(y[rows], y[known]) if classes else ()
    if len(missing):   # a class of which every row would choose the penalty
        known = np.sort(np.append(known, rows[np.isin(y[rows], missing)]))
    return fit(estimator, FitContext(
        classes=classes, parameters=parameters, train=Part(x[known], y[known]), validation=Part(x[tuned], y[tuned]),
        report=report, control=control, checkpoints=checkpoints, seed=seed, threads=threads)).native
