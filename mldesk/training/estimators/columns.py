"""What every torch network of the catalogue begins with: columns on their way to numbers that can be learned from.

Numbers are unfolded piecewise linearly before a learned layer of their own (Gorishniy, Rubachev, Babenko: On
Embeddings for Numerical Features in Tabular Deep Learning, NeurIPS 2022). Half of the pieces end at quantiles of the
column's different values, half where a small decision tree would split it, both of the training rows. A number beyond
what the training rows hold counts as the nearest that they do: a network's straight lines lead nowhere out there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from torch import Tensor, nn

from mldesk.training.values import Array

BINS = 32                 # pieces a number's range is cut into
_MOST_EMBEDDED = 400      # numeric columns beyond which they are taken as they are
_LOOKED_AT = 20_000       # rows from which the pieces are made
_TREE_CLASSES = 50        # beyond so many classes a tree per column takes too long: quantiles only
_NARROWEST = 1e-6         # standard deviations
_UNSEEN_SHARE = 0.1       # how small embeddings of categories begin


class NumberEmbedding(nn.Module):
    """(N, K) standardised numbers -> (N, K, size), unfolded; ``size`` 0 makes none.

    Set by ``fit``, not learned: where pieces lie.
    """

    def __init__(self, numbers: int, bins: int, size: int) -> None:
        super().__init__()
        self.size = size if numbers else 0
        self.register_buffer("least", torch.full((numbers,), -math.inf))
        self.register_buffer("most", torch.full((numbers,), math.inf))
        if self.size:
            self.register_buffer("lower", torch.zeros(numbers, bins))     # where each piece begins
            self.register_buffer("steepness", torch.zeros(numbers, bins))  # 1 / its length; 0 for one of no length
            self.weight = nn.Parameter(torch.empty(numbers, bins, self.size).uniform_(-1, 1) / math.sqrt(bins))
            self.bias = nn.Parameter(torch.zeros(numbers, self.size))

    def within(self, x: Tensor) -> Tensor:
        """Return the numbers, none beyond what the training rows hold, (N, K)."""
        return torch.minimum(torch.maximum(x, cast(Tensor, self.least)), cast(Tensor, self.most))

    def forward(self, x: Tensor) -> Tensor:
        pieces = ((x.unsqueeze(2) - cast(Tensor, self.lower)) * cast(Tensor, self.steepness)).clamp(0, 1)
        # pieces: (N, K, bins). One matrix product per number: (K, N, bins) @ (K, bins, size)
        return torch.bmm(pieces.transpose(0, 1), self.weight).transpose(0, 1) + self.bias

    def fit(self, x: Array, y: Array, classes: int, seed: int) -> None:
        """Lay the pieces by the training rows ``x`` (N, K) and ``y`` (N,)."""
        if not x.shape[1]:
            return
        cast(Tensor, self.least).copy_(torch.from_numpy(x.min(0)))
        cast(Tensor, self.most).copy_(torch.from_numpy(x.max(0)))
        if not self.size:
            return
        bins = cast(Tensor, self.lower).shape[1]
        if len(x) > _LOOKED_AT:
            rows = np.sort(np.random.default_rng(seed).choice(len(x), _LOOKED_AT, replace=False))
            x, y = x[rows], y[rows]
        for column in range(x.shape[1]):
            edges = _edges(x[:, column], y, classes, bins)
            lengths = np.diff(edges)
            keep = min(len(lengths), bins)
            cast(Tensor, self.lower)[column, :keep] = torch.from_numpy(edges[:keep])
            cast(Tensor, self.steepness)[column, :keep] = torch.from_numpy(1 / lengths[:keep])


class Inputs(nn.Module):
    """(N, F) encoded features -> (N, K) numbers and (N, dim) embeddings of categories."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        categories = [(int(size), int(dim)) for _, size, dim in config["categories"]]
        self.register_buffer("numeric", torch.tensor(config["numeric"], dtype=torch.long))
        self.register_buffer("codes", torch.tensor([index for index, _, _ in config["categories"]], dtype=torch.long))
        self.embeddings = nn.ModuleList(nn.Embedding(size, dim) for size, dim in categories)
        self.numbers = NumberEmbedding(len(config["numeric"]), int(config["bins"]), int(config["number_embedding"]))
        self.outputs = len(config["numeric"]) * (1 + self.numbers.size) + sum(dim for _, dim in categories)

    def parts(self, features: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the numbers, (N, K), and each category's embedding, (N, its dim)."""
        codes = features[:, cast(Tensor, self.codes)].long()
        return (self.numbers.within(features[:, cast(Tensor, self.numeric)]),
                [embedding(codes[:, place]) for place, embedding in enumerate(self.embeddings)])

    def forward(self, features: Tensor) -> Tensor:
        """Return everything in a row, (N, outputs): the numbers, their unfolded forms, the categories."""
        numbers, categories = self.parts(features)
        unfolded = [torch.relu(self.numbers(numbers)).flatten(1)] if self.numbers.size else []
        return torch.cat([numbers, *unfolded, *categories], dim=1)

    def fit(self, x: Array, y: Array, classes: int, seed: int) -> None:
        """Set from the training rows what is not learned. Codes that are not in them start, and stay, at zero."""
        self.numbers.fit(x[:, cast(Tensor, self.numeric).tolist()], y, classes, seed)
        with torch.no_grad():
            for index, embedding in zip(cast(Tensor, self.codes).tolist(), self.embeddings, strict=True):
                weight = cast(nn.Embedding, embedding).weight
                weight.mul_(_UNSEEN_SHARE)
                weight[np.setdiff1d(np.arange(len(weight)), x[:, index].astype(np.int64))] = 0.0


def describe(x: Array, categorical: Sequence[tuple[int, int]], outputs: int, number_embedding: int,
             dim: int | None = None) -> dict[str, Any]:
    """Return the part of a network's config that every kind has, for features like ``x`` (N, F).

    ``dim``: of a category's embedding; without it, by how many values there are.
    """
    codes = {index for index, _ in categorical}
    numeric = [index for index in range(x.shape[1]) if index not in codes]
    return {
        "format": 2, "outputs": outputs, "numeric": numeric, "bins": BINS,
        "number_embedding": number_embedding if len(numeric) <= _MOST_EMBEDDED else 0,
        "categories": [[index, size, dim or min(32, math.ceil(1.6 * size ** 0.56))] for index, size in categorical],
    }


def _edges(values: Array, y: Array, classes: int, bins: int) -> Array:
    """Return where pieces of a column begin and end, (at most bins + 1,), all different."""
    different = np.unique(values).astype(np.float64)
    if len(different) <= bins + 1:
        return _apart(different)
    quantiles = np.quantile(different, np.linspace(0, 1, bins // 2 + 1))
    kind = DecisionTreeClassifier if classes else DecisionTreeRegressor
    if classes > _TREE_CLASSES:
        return _apart(np.unique(np.quantile(values, np.linspace(0, 1, bins + 1))))
    tree = kind(max_leaf_nodes=bins // 2, min_samples_leaf=max(1, len(values) // 1000), random_state=0)
    tree.fit(values[:, None], y)
    splits = tree.tree_.threshold[tree.tree_.feature >= 0]
    return _apart(np.unique(np.concatenate([quantiles, splits])))


def _apart(edges: Array) -> Array:
    """Leave out edges that lie all but on the next one: such a piece would be too steep to calculate with."""
    kept: Array = edges[np.append(np.diff(edges) > _NARROWEST, True)]
    return kept
