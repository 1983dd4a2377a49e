"""Free text as a few dense numbers: where a cell lies along the main axes of its column's TF-IDF.

Latent semantic analysis (Deerwester, Dumais, Furnas, Landauer and Harshman 1990): the truncated singular value
decomposition of the table of words, here by way of the words' own products, which is exact and needs no chance. numpy
and the standard library only, as ``features``. Every row is by itself: what it becomes depends on no other.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mldesk.training.pieces import Pieces
from mldesk.training.values import Array, TextColumn
from mldesk.training.words import Vocabulary

MOST_WORDS = 1000      # that topics are made of: the commonest
USUAL_WORDS, USUAL_TOPICS = 200, 32   # that a column of text becomes
_WORDS_A_TOPIC = 6     # at least; otherwise topics repeat what the words say already
_ROWS_A_TOPIC = 20     # at least; otherwise most topics are noise
_LOOKED_AT = 20_000    # different texts that the axes are laid by
_FLAT = 1e-9           # share of the first axis' spread below which an axis is rounding
_NAMED = 3             # words that a topic is named after


@dataclass(frozen=True, slots=True)
class TextWish:
    """What columns of text are to become; None: as usual."""

    words: int | None = None       # the weights of so many of the commonest words
    topics: int | None = None      # ... and so many topics
    pieces: Pieces | None = None   # numbers of pieces instead of both: an encoder reads them later

    @classmethod
    def of(cls, parameters: Mapping[str, Any], pieces: Pieces | None = None) -> TextWish:
        """Return what an estimator's parameters say."""
        return cls(parameters.get("text_words"), parameters.get("text_components"), pieces)


AS_USUAL = TextWish()


@dataclass(frozen=True, slots=True, eq=False)
class Topics:
    """Axes in the space of words, the widest first."""

    vocabulary: Vocabulary
    axes: Array            # (words, topics) float32, each of length one

    @classmethod
    def fit(cls, text: TextColumn, wished: int | None, vocabulary: Vocabulary) -> Topics | None:
        """Lay so many axes through the training rows, or as many as there are; None: as usual, or there are none."""
        most = wished if wished is not None else min(
            USUAL_TOPICS, len(vocabulary.words) // _WORDS_A_TOPIC, int(text.counts().sum()) // _ROWS_A_TOPIC)
        if most < 1 or not vocabulary.words:
            return None
        counts = text.counts()
        # In an order of its own, so that the sums do not depend on where a text happened to be kept.
        order = sorted(np.flatnonzero(counts), key=lambda place: text.values[place])
        if len(order) > _LOOKED_AT:
            order = [order[place] for place in np.linspace(0, len(order) - 1, _LOOKED_AT).astype(int)]
        index, size = vocabulary.index(), len(vocabulary.words)
        products = np.zeros((size, size))
        for place in order:
            places, weights = vocabulary.weigh(text.values[place], index)
            if len(places):
                products[np.ix_(places, places)] += np.outer(weights, weights) * counts[place]
        spread, axes = np.linalg.eigh(products)      # from narrow to wide
        axes = axes[:, spread > _FLAT * spread.max()][:, ::-1][:, :most]
        # An axis has no sign of its own: the heaviest word's is plus.
        axes = axes * np.sign(axes[np.abs(axes).argmax(0), np.arange(axes.shape[1])])
        return cls(vocabulary, np.ascontiguousarray(axes, np.float32))

    def names(self) -> list[str]:
        """Name the outputs after the words that weigh most in each."""
        named = []
        for number, axis in enumerate(self.axes.T, start=1):
            heaviest = np.argsort(-np.abs(axis), kind="stable")[:_NAMED]
            named.append(f"topic {number} ({', '.join(self.vocabulary.words[place] for place in heaviest)})")
        return named

    def transform(self, text: TextColumn) -> Array:
        """Return (N, topics) float32; zeros where no word is known."""
        index, axes = self.vocabulary.index(), self.axes.astype(np.float64)
        table = np.zeros((len(text.values) + 1, self.axes.shape[1]), np.float32)  # the last row is for missing cells
        for row in np.unique(text.codes[text.codes >= 0]):
            places, weights = self.vocabulary.weigh(text.values[row], index)
            if len(places):
                table[row] = weights @ axes[places]
        return table[text.codes]

    def to_json(self) -> dict[str, Any]:
        return {**self.vocabulary.to_json(), "topics": self.axes.shape[1],
                "axes": base64.b64encode(self.axes.astype("<f4").tobytes()).decode("ascii")}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Topics:
        """Raises KeyError, TypeError or ValueError for what ``to_json`` did not write."""
        vocabulary, count = Vocabulary.from_json(value), int(value["topics"])
        axes = np.frombuffer(base64.b64decode(str(value["axes"]), validate=True), "<f4")
        if count < 0 or not np.isfinite(axes).all():
            raise ValueError("not axes of topics")
        return cls(vocabulary, axes.reshape(len(vocabulary.words), count).astype(np.float32))
