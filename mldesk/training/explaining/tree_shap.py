"""Shapley values of trees by their paths: TreeSHAP, exact and in polynomial time.

Lundberg, Erion and Lee 2018, "Consistent Individualized Feature Attribution for Tree Ensembles"; Lundberg et al. 2020,
"From local explanations to global understanding with explainable AI for trees". A column that is not known is averaged
over by how many training rows went each way. LightGBM works it out, in C++, for trees of any making: they are handed
to it in its own text form, which holds every number in full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mldesk.training.values import Array

_AT_ONCE = 25             # trees in one text
_FURTHEST = 1e300         # LightGBM's own infinity
_RIGHT, _LEFT = 8, 10     # decision types: a missing value goes right, or left
_ROWS = float(1 << 30)    # what a root counts where rows weigh fractions: counts are whole numbers


@dataclass(frozen=True, slots=True, eq=False)
class CountedTree:
    """One tree of n nodes; node 0 is the root. At a split, x <= threshold goes left; so does NaN if ``nan_left``."""

    feature: Array    # (n,) int
    threshold: Array  # (n,) float64
    left: Array       # (n,) int, node numbers, -1 at leaves
    right: Array      # (n,) int
    nan_left: Array   # (n,) bool
    value: Array      # (n,) float64, what a leaf adds
    rows: Array       # (n,) how many training rows came by, by weight


class Explainer:
    """Trees whose leaf values add up onto ``base``."""

    def __init__(self, trees: Sequence[CountedTree], base: float, columns: int, threads: int = 1) -> None:
        import lightgbm  # slow

        grown = [tree for tree in trees if tree.left[0] >= 0]
        self._base = base + float(sum(tree.value[0] for tree in trees if tree.left[0] < 0))
        self._columns, self._threads = columns, threads
        self._parts = [lightgbm.Booster(model_str=_text(some, columns)) for some in _chunks(grown)]

    def values(self, x: Array) -> Array:
        """Return what each column adds, and last the mean, (R, F + 1); a row's sum is its prediction."""
        total = np.zeros((len(x), self._columns + 1))
        total[:, -1] = self._base
        for part in self._parts:
            total += np.asarray(part.predict(x, pred_contrib=True, num_threads=self._threads))
        return total


def leaves(trees: Sequence[CountedTree]) -> int:
    """Return how many leaves there are in all."""
    return sum(int((tree.left < 0).sum()) for tree in trees)


def _chunks(trees: Sequence[CountedTree]) -> Iterator[Sequence[CountedTree]]:
    for start in range(0, len(trees), _AT_ONCE):
        yield trees[start:start + _AT_ONCE]


def _text(trees: Sequence[CountedTree], columns: int) -> str:
    """Return a model of LightGBM's, as its ``model_to_string`` writes them."""
    blocks = [f"Tree={number}\n{_block(tree)}\n\n" for number, tree in enumerate(trees)]
    head = ["tree", "version=v4", "num_class=1", "num_tree_per_iteration=1", "label_index=0",
            f"max_feature_idx={columns - 1}", "objective=regression",
            "feature_names=" + " ".join(f"f{place}" for place in range(columns)),
            "feature_infos=" + " ".join(["none"] * columns),
            "tree_sizes=" + " ".join(str(len(block)) for block in blocks), "", ""]
    tail = "end of trees\n\nfeature_importances:\n\nparameters:\nend of parameters\n"
    return "\n".join(head) + "".join(blocks) + tail


def _block(tree: CountedTree) -> str:
    """Write one tree: splits are numbered from 0 in the order of the nodes, leaves by the complement of theirs."""
    inner, outer = np.flatnonzero(tree.left >= 0), np.flatnonzero(tree.left < 0)
    number = np.empty(len(tree.left), np.int64)
    number[inner], number[outer] = np.arange(len(inner)), ~np.arange(len(outer))
    counts = _counts(tree, inner, outer)
    lines: dict[str, Any] = {
        "num_leaves": [len(outer)], "num_cat": [0], "split_feature": tree.feature[inner],
        "split_gain": np.zeros(len(inner), int),
        "threshold": np.clip(tree.threshold[inner], -_FURTHEST, _FURTHEST).astype(np.float64),
        "decision_type": np.where(tree.nan_left[inner], _LEFT, _RIGHT),
        "left_child": number[tree.left[inner]], "right_child": number[tree.right[inner]],
        "leaf_value": tree.value[outer].astype(np.float64), "leaf_weight": np.zeros(len(outer), int),
        "leaf_count": counts[outer], "internal_value": np.zeros(len(inner), int),
        "internal_weight": np.zeros(len(inner), int), "internal_count": counts[inner], "is_linear": [0],
        "shrinkage": [1]}
    return "\n".join(f"{name}={' '.join(map(repr, np.asarray(values).tolist()))}" for name, values in lines.items())


def _counts(tree: CountedTree, inner: Array, outer: Array) -> Array:
    """Return whole numbers of rows whose sums are right: of leaves as they are, or as shares of a large number."""
    rows = tree.rows[outer].astype(np.float64)
    if (rows != np.round(rows)).any() or rows.sum() > _ROWS or rows.min() < 1:
        rows = np.maximum(1.0, np.round(rows / rows.sum() * _ROWS))
    counts = np.zeros(len(tree.left), np.int64)
    counts[outer] = rows.astype(np.int64)
    for node in inner[::-1].tolist():   # children stand behind their parents, in every library's trees
        counts[node] = counts[tree.left[node]] + counts[tree.right[node]]
    return counts
