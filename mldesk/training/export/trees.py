"""Tree ensembles as flat arrays, read from the native models.

The library converters (skl2onnx, onnxmltools) write float32 thresholds, so a row that lies on a split falls to the
other side now and then, and float32 sums, which are too coarse for targets of some 100,000. Reading the native arrays
and comparing and summing in float64 (as the native models do) is exact, and quicker than their node-by-node loops.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mldesk.core.errors import WorkFailed

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_CATEGORICAL, _DEFAULT_LEFT = 1, 2  # bits of LightGBM's decision_type
_MISSING_ZERO, _MISSING_NAN = 1, 2  # its bits 2 and 3


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree of n nodes; node 0 is the root. At a split, x <= threshold goes left; so does NaN if ``nan_left``."""

    feature: Ints     # (n,)
    threshold: Floats  # (n,)
    left: Ints        # (n,) node numbers, -1 at leaves
    right: Ints       # (n,)
    nan_left: Bools   # (n,)
    weight_node: Ints   # (w,) the leaf each weight belongs to
    weight_target: Ints  # (w,) the output it adds to
    weight: Floats    # (w,)


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Trees whose weights add up, per output, onto ``base``; then ``link`` is applied."""

    trees: tuple[Tree, ...]
    base: Floats      # (outputs,)
    link: str         # "identity", "sigmoid" (one output: the second class), "softmax" or "exp"


def forest(model: Any) -> Ensemble:
    """Read a scikit-learn random forest (or extra trees): the mean of its trees' leaf values."""
    count = len(model.estimators_)
    trees = tuple(_sklearn_tree(estimator.tree_, count) for estimator in model.estimators_)
    return Ensemble(trees, np.zeros(_outputs(model)), "identity")


def single(model: Any) -> Ensemble:
    """Read a scikit-learn decision tree."""
    return Ensemble((_sklearn_tree(model.tree_, 1),), np.zeros(_outputs(model)), "identity")


def hist_gradient_boosting(model: Any) -> Ensemble:
    """Read a scikit-learn histogram gradient boosting model. Raises WorkFailed for native categorical splits."""
    base = np.asarray(model._baseline_prediction, np.float64).reshape(-1)  # noqa: SLF001 - nothing public holds it
    trees = tuple(_boosted_tree(predictor.nodes, output)
                  for stage in model._predictors for output, predictor in enumerate(stage))  # noqa: SLF001
    links = {"IdentityLink": "identity", "LogitLink": "sigmoid", "MultinomialLogit": "softmax", "LogLink": "exp"}
    link = type(model._loss.link).__name__  # noqa: SLF001
    if link not in links:
        raise WorkFailed(f"This model cannot be written as ONNX: its link {link} has no counterpart.")
    return Ensemble(trees, base, links[link])


def lightgbm(booster: Any) -> Ensemble:
    """Read a LightGBM booster from its text form, as ``predict`` uses it (up to the best iteration)."""
    header, *blocks = booster.model_to_string().split("\nTree=")
    facts = _fields(header)
    if "average_output" in header.split():
        raise WorkFailed("This model cannot be written as ONNX: LightGBM's random forest mode averages its trees.")
    outputs = int(facts["num_tree_per_iteration"])
    trees = tuple(_lightgbm_tree(_fields(block.split("\nend of trees")[0]), number % outputs)
                  for number, block in enumerate(blocks))
    return Ensemble(trees, np.zeros(outputs), _lightgbm_link(facts.get("objective", "")))


def _outputs(model: Any) -> int:
    return len(model.classes_) if hasattr(model, "classes_") else 1


def _sklearn_tree(tree: Any, count: int) -> Tree:
    left, right = tree.children_left.astype(np.int64), tree.children_right.astype(np.int64)
    leaves = np.flatnonzero(left < 0)
    values = np.asarray(tree.value, np.float64)[leaves, 0, :]  # (leaves, outputs)
    where, target = np.nonzero(values)  # leaves of a grown tree are pure: most shares are zero
    return Tree(tree.feature.astype(np.int64), np.asarray(tree.threshold, np.float64), left, right,
                np.asarray(tree.missing_go_to_left).astype(bool), leaves[where], target.astype(np.int64),
                values[where, target] / count)


def _boosted_tree(nodes: Any, output: int) -> Tree:
    """Read one predictor: a structured array with a record per node."""
    leaf = nodes["is_leaf"].astype(bool)
    if nodes["is_categorical"][~leaf].any():
        raise WorkFailed("This model cannot be written as ONNX: it splits on categories as sets.")
    leaves = np.flatnonzero(leaf)
    return Tree(nodes["feature_idx"].astype(np.int64), nodes["num_threshold"].astype(np.float64),
                np.where(leaf, -1, nodes["left"].astype(np.int64)), np.where(leaf, -1, nodes["right"].astype(np.int64)),
                nodes["missing_go_to_left"].astype(bool), leaves, np.full(len(leaves), output, np.int64),
                nodes["value"][leaves].astype(np.float64))


def _lightgbm_tree(fields: dict[str, str], output: int) -> Tree:
    """Read one ``Tree=`` block. Its splits are numbered from 0, its leaves by the complement: ~0, ~1, ..."""
    if fields.get("is_linear", "0") != "0":
        raise WorkFailed("This model cannot be written as ONNX: its leaves hold linear models.")
    values = _numbers(fields["leaf_value"])
    splits = int(fields["num_leaves"]) - 1
    if splits == 0:
        return _stump(values[0], output)
    threshold, decision = _numbers(fields["threshold"]), _numbers(fields["decision_type"]).astype(np.int64)
    left, right = (_numbers(fields[side]).astype(np.int64) for side in ("left_child", "right_child"))
    leaves = np.arange(splits, splits + len(values))
    nothing = np.full(len(values), -1, np.int64)
    return Tree(
        np.concatenate([_numbers(fields["split_feature"]).astype(np.int64), np.zeros(len(values), np.int64)]),
        np.concatenate([threshold, np.zeros(len(values))]),
        np.concatenate([np.where(left < 0, splits + ~left, left), nothing]),
        np.concatenate([np.where(right < 0, splits + ~right, right), nothing]),
        np.concatenate([_lightgbm_nan_left(decision, threshold), np.zeros(len(values), bool)]),
        leaves, np.full(len(values), output, np.int64), values)


def _lightgbm_nan_left(decision: Ints, threshold: Floats) -> Bools:
    """Where NaN goes: to the default side if the split knows missing values, else it counts as zero."""
    if (decision & _CATEGORICAL).any():
        raise WorkFailed("This model cannot be written as ONNX: it splits on categories as sets.")
    missing = decision >> 2 & 3
    if (missing == _MISSING_ZERO).any():
        raise WorkFailed("This model cannot be written as ONNX: it takes zero for a missing value.")
    left: Bools = np.where(missing == _MISSING_NAN, (decision & _DEFAULT_LEFT) > 0, threshold >= 0.0)
    return left


def _lightgbm_link(objective: str) -> str:
    name, *options = objective.split() or [""]
    if name == "binary" and "sigmoid:1" in options:
        return "sigmoid"
    if name == "multiclass":
        return "softmax"
    if name in ("poisson", "gamma", "tweedie"):
        return "exp"
    if name in ("regression", "regression_l1", "huber", "fair", "quantile", "mape") and "sqrt" not in options:
        return "identity"
    raise WorkFailed(f"This model cannot be written as ONNX: LightGBM's {objective!r:.60} has no counterpart.")


def _stump(value: float, output: int) -> Tree:
    zero = np.zeros(1, np.int64)
    return Tree(zero, np.zeros(1), zero - 1, zero - 1, np.zeros(1, bool), zero, np.full(1, output, np.int64),
                np.array([value], np.float64))


def _fields(block: str) -> dict[str, str]:
    return dict(_pairs(block.splitlines()))


def _pairs(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    for line in lines:
        name, equals, value = line.partition("=")
        if equals:
            yield name, value


def _numbers(text: str) -> Floats:
    return np.array(text.split(), np.float64)
