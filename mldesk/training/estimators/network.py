"""The torch networks of the catalogue: one of residual blocks, an ensemble in one (TabM), a transformer.

Each is built from plain JSON, ``build(config)``, and takes encoded features as the ``embed`` style gives them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from mldesk.training.estimators.columns import Inputs

_ROWS_AT_ONCE = 4096
_MOST_PAIRS = 4_000_000   # pairs of tokens that a transformer looks at together, over all rows


class Network(nn.Module):
    """(N, F) encoded features -> (N, C) logits, or (N, 1) numbers in the target's own unit."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.config = dict(config)
        self.inputs = Inputs(config)
        self.register_buffer("offset", torch.zeros(1))   # of the target, for regression
        self.register_buffer("scale", torch.ones(1))

    def forward(self, features: Tensor) -> Tensor:
        return self.joined(self.raw(features)) * cast(Tensor, self.scale) + cast(Tensor, self.offset)

    def set_target(self, mean: float, deviation: float) -> None:
        """Say what the standardised target is in its own unit."""
        cast(Tensor, self.offset).fill_(mean)
        cast(Tensor, self.scale).fill_(deviation)

    @property
    def target(self) -> tuple[float, float]:
        """Mean and deviation of the target as they were set; 0 and 1 for classes."""
        return float(cast(Tensor, self.offset)), float(cast(Tensor, self.scale))

    def raw(self, features: Tensor) -> Tensor:
        """Return logits (N, M, C), or the standardised target (N, M, 1), of M members: what the loss is taken of."""
        raise NotImplementedError

    @property
    def rows_at_once(self) -> int:
        """How many rows may be looked at together, for the memory that takes."""
        return _ROWS_AT_ONCE

    def joined(self, raw: Tensor) -> Tensor:
        """Return what the members say together, (N, C) or (N, 1): the mean of chances, or of numbers."""
        if self.config.get("members", 1) == 1:
            return raw[:, 0]
        if self.config["outputs"] == 1:
            return raw.mean(1)
        return torch.logsumexp(torch.log_softmax(raw, 2), 1)   # less log M, which softmax does without


class ResidualNetwork(Network):
    """Blocks that each add to what there was (Gorishniy et al. 2021, "ResNet", with layer norms)."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        width, dropout = int(config["width"]), float(config["dropout"])
        self.first = nn.Linear(self.inputs.outputs, width)
        self.blocks = nn.ModuleList(_Block(width, dropout) for _ in range(int(config["blocks"])))
        self.last = nn.Sequential(nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, int(config["outputs"])))

    def raw(self, features: Tensor) -> Tensor:
        hidden = self.first(self.inputs(features))   # (N, width)
        for block in self.blocks:
            hidden = hidden + block(hidden)
        return cast(Tensor, self.last(hidden)).unsqueeze(1)


class _Block(nn.Module):
    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.ReLU(), nn.Dropout(dropout),
                                    nn.Linear(2 * width, width), nn.Dropout(dropout))

    def forward(self, hidden: Tensor) -> Tensor:
        return cast(Tensor, self.layers(hidden))


class TabM(Network):
    """Many networks that share nearly all weights and learn side by side; their mean is the prediction.

    Gorishniy, Kotelnikov, Babenko: TabM: Advancing Tabular Deep Learning with Parameter-Efficient Ensembling, ICLR
    2025; the sharing is that of Wen, Tran and Ba: BatchEnsemble, ICLR 2020.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        members, width, dropout = int(config["members"]), int(config["width"]), float(config["dropout"])
        sizes = [self.inputs.outputs, *[width] * int(config["blocks"])]
        self.layers = nn.ModuleList(
            _Shared(members, before, after, first=not place)
            for place, (before, after) in enumerate(itertools.pairwise(sizes)))
        self.dropout = nn.Dropout(dropout)
        bound = 1 / math.sqrt(width)
        self.last_weight = nn.Parameter(torch.empty(members, width, int(config["outputs"])).uniform_(-bound, bound))
        self.last_bias = nn.Parameter(torch.empty(members, 1, int(config["outputs"])).uniform_(-bound, bound))

    def raw(self, features: Tensor) -> Tensor:
        hidden = self.inputs(features).unsqueeze(0)   # (1, N, inputs)
        for layer in self.layers:
            hidden = self.dropout(torch.relu(layer(hidden)))   # (M, N, width)
        return (torch.bmm(hidden, self.last_weight) + self.last_bias).transpose(0, 1)


class _Shared(nn.Module):
    """One linear layer for all members; each has its own weights of the inputs and outputs, and its own offset."""

    def __init__(self, members: int, before: int, after: int, first: bool) -> None:
        super().__init__()
        self.linear = nn.Linear(before, after, bias=False)
        signs = torch.randint(0, 2, (members, 1, before)).float() * 2 - 1   # what makes the members differ
        self.scale_in = nn.Parameter(signs if first else torch.ones(members, 1, before))
        self.scale_out = nn.Parameter(torch.ones(members, 1, after))
        bound = 1 / math.sqrt(before)
        self.bias = nn.Parameter(torch.empty(members, 1, after).uniform_(-bound, bound))

    def forward(self, hidden: Tensor) -> Tensor:
        return cast(Tensor, self.linear(hidden * self.scale_in)) * self.scale_out + self.bias


class FtTransformer(Network):
    """Every column is a token, and columns attend to one another (Gorishniy et al.: Revisiting Deep Learning Models for
    Tabular Data, NeurIPS 2021), with numbers unfolded as in their paper of 2022."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        width, dropout = int(config["width"]), float(config["dropout"])
        self.summary = nn.Parameter(torch.empty(1, 1, width).uniform_(-1, 1) / math.sqrt(width))
        self.weight = nn.Parameter(torch.empty(len(config["numeric"]), width).uniform_(-1, 1) / math.sqrt(width))
        self.blocks = nn.ModuleList(
            _Attention(width, int(config["heads"]), dropout) for _ in range(int(config["blocks"])))
        self.last = nn.Sequential(nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, int(config["outputs"])))

    @property
    def rows_at_once(self) -> int:
        tokens = 1 + len(self.config["numeric"]) + len(self.config["categories"])
        return max(1, min(_ROWS_AT_ONCE, _MOST_PAIRS // tokens ** 2))

    def raw(self, features: Tensor) -> Tensor:
        numbers, categories = self.inputs.parts(features)
        tokens = [self.summary.expand(features.shape[0], -1, -1)]
        if torch.onnx.is_in_onnx_export():   # an expansion would be an operator that bundles may not hold
            tokens = [self.summary + 0 * (features[:, :1, None] > 0).to(self.summary.dtype)]
        if self.config["numeric"]:
            plain = numbers.unsqueeze(2) * self.weight    # (N, K, width)
            tokens.append(plain + self.inputs.numbers(numbers) if self.inputs.numbers.size else plain)
        tokens += [category.unsqueeze(1) for category in categories]
        hidden = torch.cat(tokens, 1)                     # (N, T, width); the first token gathers what is said
        for block in self.blocks:
            hidden = block(hidden)
        return cast(Tensor, self.last(hidden[:, :1]))


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.each = heads, width // heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.asked = nn.Linear(width, 3 * width)
        self.answer = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.gate, self.up, self.down = (nn.Linear(width, 2 * width), nn.Linear(width, 2 * width),
                                         nn.Linear(2 * width, width))

    def forward(self, hidden: Tensor) -> Tensor:
        rows, tokens = hidden.shape[0], hidden.shape[1]
        parts = self.asked(self.before(hidden)).reshape(rows, tokens, 3, self.heads, self.each)
        query, key, value = (parts[:, :, which].transpose(1, 2) for which in range(3))   # (N, heads, T, each)
        heed = torch.softmax(query @ key.transpose(2, 3) / math.sqrt(self.each), 3)
        said = (self.dropout(heed) @ value).transpose(1, 2).reshape(rows, tokens, self.heads * self.each)
        hidden = hidden + self.dropout(self.answer(said))
        normed = self.between(hidden)
        return cast(Tensor, hidden + self.dropout(self.down(torch.relu(self.gate(normed)) * self.up(normed))))


_KINDS: Mapping[str, type[Network]] = {"residual": ResidualNetwork, "tabm": TabM, "ft_transformer": FtTransformer}


def build(config: Mapping[str, Any]) -> Network:
    """Return the empty network of ``config``. Raises KeyError for a kind that is not known."""
    return _KINDS[config["kind"]](config)
