"""One door to ONNX for every kind of model."""

from __future__ import annotations

from typing import Any

from mldesk.core.errors import WorkFailed
from mldesk.training.export.native import TORCH_KINDS


def to_onnx(kind: str, native: Any, n_features: int, n_classes: int | None) -> bytes:
    """Return a self-contained ONNX model: input ``features`` float32 (N, F); output ``probabilities`` float32 (N, C)
    for ``n_classes`` >= 2, or ``prediction`` float32 (N, 1) for None.

    The columns of ``probabilities`` are in the order of the native model's classes. Raises WorkFailed for a model
    that has no exact counterpart.
    """
    if kind == "linear":
        return _linear(native, n_features, n_classes)
    if kind in TORCH_KINDS:
        from mldesk.training.export.network import network  # loads torch

        return network(native, n_features, n_classes)
    from mldesk.training.export import boosters, graph, kernels, trees  # loads onnx

    if kind in kernels.WRITERS:
        return kernels.WRITERS[kind](native, n_features)
    readers = {"random_forest": trees.forest, "extra_trees": trees.forest, "decision_tree": trees.single,
               "hist_gradient_boosting": trees.hist_gradient_boosting, "lightgbm": trees.lightgbm,
               "xgboost": boosters.xgboost, "catboost": boosters.catboost}
    if kind not in readers:
        raise WorkFailed(f"A model of the kind {kind!r:.40} cannot be written as ONNX.")
    read = readers[kind](native)
    outputs = {"sigmoid": 2}.get(read.link, len(read.base))
    if outputs != (n_classes or 1):
        raise WorkFailed(f"This model has {outputs} outputs; {n_classes or 1} were expected.")
    return graph.ensemble(read, n_features)


def _linear(native: Any, n_features: int, n_classes: int | None) -> bytes:
    """Convert a fitted linear model by its coefficients; classifiers are logistic (softmax over three and more)."""
    from mldesk.training.export import graph  # loads onnx

    if n_classes is None:
        return graph.linear(native.coef_, native.intercept_, "identity", n_features)
    rows = len(native.coef_)
    if type(native).__name__ != "LogisticRegression" or rows != (1 if n_classes == 2 else n_classes):
        raise WorkFailed(f"A {type(native).__name__} with {rows} rows of coefficients cannot be written as ONNX.")
    return graph.linear(native.coef_, native.intercept_, "sigmoid" if n_classes == 2 else "softmax", n_features)
