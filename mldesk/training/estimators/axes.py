"""Principal components (Pearson 1901) before a model that compares rows: distances along the widest axes alone.

A native model that is a mapping of arrays holds them as ``mean`` (F,) and ``axes`` (F, K); its graph does the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.decomposition import PCA

from mldesk.training.estimators.base import FitContext
from mldesk.training.values import Array


def principal(context: FitContext) -> tuple[Array, Array]:
    """Return the mean (F,) and the axes (F, K) of the training rows, as many as ``components`` asks for; says so."""
    x = context.train.x.astype(np.float64)
    most = min(context.parameters["components"], *x.shape)
    found = PCA(most, svd_solver="auto", random_state=context.seed).fit(x)
    context.report.log(f"{most} principal components hold {found.explained_variance_ratio_.sum():.1%} of the "
                       f"variance of {x.shape[1]} columns.")
    return found.mean_, found.components_.T


def axes_of(context: FitContext) -> dict[str, Array]:
    """Return what a native model needs to place rows; empty where no components are asked for."""
    if context.parameters["components"] is None:
        return {}
    mean, axes = principal(context)
    return {"mean": mean, "axes": np.ascontiguousarray(axes)}


def placed(native: Mapping[str, Any], x: Array) -> Array:
    """Return rows as the model compares them, float64: (N, F) as they are, or (N, K) along the axes."""
    wide = x.astype(np.float64)
    return (wide - native["mean"]) @ native["axes"] if "axes" in native else wide
