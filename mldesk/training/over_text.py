"""A model behind a text encoder: rows whose text is numbers of pieces, and the same rows with what the text means.

The encoder's weights never change. Its answers are standardised by the training rows and stand behind the other
columns.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from mldesk.training.blocks import Tokens
from mldesk.training.estimators.base import Part
from mldesk.training.features import FeatureEncoder
from mldesk.training.prepared import OneEncoder
from mldesk.training.text_encoder import TextEncoder
from mldesk.training.topics import TextWish
from mldesk.training.values import Array

ROWS_AT_ONCE = 64      # that a graph with an encoder in it is asked for: what it holds meanwhile grows with them
Told = Callable[[int, int], None] | None
KEPT = "native/text_encoder.safetensors"


@dataclass(frozen=True, slots=True, eq=False)
class OverText:
    """How rows of ``width`` numbers become rows for the model."""

    encoder: TextEncoder
    slots: tuple[tuple[int, int], ...]     # numbers of pieces, [start, stop), a text each
    rest: tuple[int, ...]                  # the other numbers
    mean: Array                            # (size,) float32
    scale: Array                           # (size,) float32, never zero
    width: int

    @classmethod
    def fit(cls, encoder: TextEncoder | None, columns: OneEncoder, x: Array, told: Told = None) -> OverText | None:
        """Learn from the training rows ``x`` (N, F) of ``columns``; None without an encoder, or a column of text.

        ``told`` hears how many of how many texts of a column it has read.
        """
        slots = tuple((place.start, place.stop) for place in _places(columns))
        if encoder is None or not slots:
            return None
        encoder = encoder.cut_to(slots[0][1] - slots[0][0])
        taken = {number for start, stop in slots for number in range(start, stop)}
        said = np.concatenate([encoder.embed(x[:, start:stop], told) for start, stop in slots]).astype(np.float64)
        deviation = said.std(0)
        return cls(encoder, slots, tuple(number for number in range(columns.width) if number not in taken),
                   said.mean(0).astype(np.float32), np.where(deviation > 0, deviation, 1.0).astype(np.float32),
                   columns.width)

    @property
    def made(self) -> int:
        """How many numbers the model takes."""
        return len(self.rest) + len(self.slots) * self.encoder.size

    def transform(self, x: Array, told: Told = None) -> Array:
        """Return (N, others + texts * size) float32."""
        said = [(self.encoder.embed(x[:, start:stop], told) - self.mean) / self.scale for start, stop in self.slots]
        return np.hstack([x[:, list(self.rest)], *said])

    def part(self, part: Part, told: Told = None) -> Part:
        return Part(self.transform(part.x, told), part.y)


@dataclass(frozen=True, slots=True, eq=False)
class WithText:
    """A native model and what stands before it."""

    over: OverText
    model: Any

    def write(self, folder: Path) -> None:
        """Write the encoder beside the model's own weights. Raises OSError."""
        encoder = self.over.encoder
        keys = ("hidden_size", "num_hidden_layers", "num_attention_heads", "layer_norm_eps", "model_type")
        facts = {"config": json.dumps({key: encoder.config[key] for key in keys}),
                 "slots": json.dumps(self.over.slots)}
        save_file({**encoder.weights, "over.mean": self.over.mean, "over.scale": self.over.scale},
                  folder / Path(KEPT).name, facts)


def wish(parameters: Mapping[str, Any], encoder: TextEncoder | None) -> TextWish:
    """Return what columns of text become: numbers of an encoder's pieces where there is one."""
    return TextWish.of(parameters, None if encoder is None else encoder.pieces)


def categories(over: OverText | None, given: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return where the categories are among the model's columns."""
    if over is None:
        return tuple(given)
    places = {number: place for place, number in enumerate(over.rest)}
    return tuple((places[index], size) for index, size in given)


def _places(columns: OneEncoder) -> list[slice]:
    inner = columns if isinstance(columns, FeatureEncoder) else columns.inner
    return [inner.outputs(index) for index, column in enumerate(inner.columns) if isinstance(column.block, Tokens)]
