"""The torch network behind "mlp": embeddings for categories and for numbers, then residual blocks.

Numbers are unfolded piecewise linearly between quantiles of the training rows before a learned layer of their own
(Gorishniy, Rubachev, Babenko: On Embeddings for Numerical Features in Tabular Deep Learning, arXiv 2203.05556).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from mldesk.training.values import Array

_BINS = 32                # pieces a number's range is cut into
_MOST_EMBEDDED = 400      # numeric columns beyond which they are taken as they are


class Network(nn.Module):
    """(N, F) encoded features -> (N, C) logits, or (N, 1) numbers in the target's own unit.

    ``config`` is plain JSON from which an empty network is built again: ``Network(config)``.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.config = dict(config)
        width, dropout = int(config["width"]), float(config["dropout"])
        categories = [(int(size), int(dim)) for _, size, dim in config["categories"]]
        numbers = len(config["numeric"])
        self.register_buffer("numeric", torch.tensor(config["numeric"], dtype=torch.long))
        self.register_buffer("codes", torch.tensor([index for index, _, _ in config["categories"]], dtype=torch.long))
        self.embeddings = nn.ModuleList(nn.Embedding(size, dim) for size, dim in categories)
        self.numbers = _NumberEmbedding(numbers, int(config["bins"]), int(config["number_embedding"]))
        inputs = self.numbers.outputs + sum(dim for _, dim in categories)
        self.first = nn.Linear(inputs, width)
        self.blocks = nn.ModuleList(_Block(width, dropout) for _ in range(int(config["blocks"])))
        self.last = nn.Sequential(nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, int(config["outputs"])))
        self.register_buffer("offset", torch.zeros(1))   # of the target, for regression
        self.register_buffer("scale", torch.ones(1))

    def forward(self, features: Tensor) -> Tensor:
        return self.raw(features) * cast(Tensor, self.scale) + cast(Tensor, self.offset)

    def set_target(self, mean: float, deviation: float) -> None:
        """Say what the standardised target is in its own unit."""
        cast(Tensor, self.offset).fill_(mean)
        cast(Tensor, self.scale).fill_(deviation)

    def raw(self, features: Tensor) -> Tensor:
        """Return logits (N, C), or the standardised target (N, 1): what the loss is taken of."""
        parts = [self.numbers(features[:, cast(Tensor, self.numeric)])]
        codes = features[:, cast(Tensor, self.codes)].long()
        parts += [embedding(codes[:, place]) for place, embedding in enumerate(self.embeddings)]
        hidden = self.first(torch.cat(parts, dim=1))   # (N, width)
        for block in self.blocks:
            hidden = hidden + block(hidden)
        return cast(Tensor, self.last(hidden))


class _NumberEmbedding(nn.Module):
    """(N, K) standardised numbers -> (N, outputs): themselves and, unless ``size`` is 0, their unfolded form."""

    def __init__(self, numbers: int, bins: int, size: int) -> None:
        super().__init__()
        self.size = size if numbers else 0
        self.outputs = numbers * (1 + self.size)
        if self.size:
            self.register_buffer("lower", torch.zeros(numbers, bins))     # where each piece begins
            self.register_buffer("steepness", torch.zeros(numbers, bins))  # 1 / its length; 0 for one of no length
            self.weight = nn.Parameter(torch.empty(numbers, bins, self.size).uniform_(-1, 1) / math.sqrt(bins))
            self.bias = nn.Parameter(torch.zeros(numbers, self.size))

    def forward(self, x: Tensor) -> Tensor:
        if not self.size:
            return x
        pieces = ((x.unsqueeze(2) - cast(Tensor, self.lower)) * cast(Tensor, self.steepness)).clamp(0, 1)
        # pieces: (N, K, bins). One matrix product per number: (K, N, bins) @ (K, bins, size)
        unfolded = torch.bmm(pieces.transpose(0, 1), self.weight).transpose(0, 1) + self.bias
        return torch.cat([x, torch.relu(unfolded).flatten(1)], dim=1)


class _Block(nn.Module):
    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.ReLU(), nn.Dropout(dropout),
                                    nn.Linear(2 * width, width), nn.Dropout(dropout))

    def forward(self, hidden: Tensor) -> Tensor:
        return cast(Tensor, self.layers(hidden))


def design(x: Array, categorical: Sequence[tuple[int, int]], outputs: int,
           parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config of a network for features like ``x`` (N, F)."""
    codes = {index for index, _ in categorical}
    numeric = [index for index in range(x.shape[1]) if index not in codes]
    return {
        "format": 1, "outputs": outputs, "numeric": numeric, "bins": _BINS, "width": parameters["width"],
        "blocks": parameters["blocks"], "dropout": parameters["dropout"],
        "number_embedding": parameters["number_embedding"] if len(numeric) <= _MOST_EMBEDDED else 0,
        "categories": [[index, size, min(32, math.ceil(1.6 * size ** 0.56))] for index, size in categorical],
    }


def prepare(network: Network, x: Array) -> None:
    """Set from the training rows ``x`` what is not learned: the pieces of numbers. Codes not in them start at zero."""
    numbers = network.numbers
    if numbers.size:
        edges = np.quantile(x[:, network.config["numeric"]], np.linspace(0, 1, _BINS + 1), axis=0).T   # (K, bins + 1)
        lengths = np.diff(edges, axis=1)
        steepness = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 1e-6)
        cast(Tensor, numbers.lower).copy_(torch.from_numpy(edges[:, :-1].copy()))
        cast(Tensor, numbers.steepness).copy_(torch.from_numpy(steepness))
    with torch.no_grad():
        for (index, size, _), embedding in zip(network.config["categories"], network.embeddings, strict=True):
            weight = cast(nn.Embedding, embedding).weight
            weight.mul_(0.1)
            weight[np.setdiff1d(np.arange(size), x[:, index].astype(np.int64))] = 0.0
