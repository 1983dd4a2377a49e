"""Free text as TF-IDF: how often each of the commonest words stands in a cell, rare words weighing more."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mldesk.training.values import Array, TextColumn

# Chinese and Japanese are written without spaces: there every character counts as a word.
_WORD = re.compile(r"[぀-ヿ㐀-䶿一-鿿]|[^\W_぀-ヿ㐀-䶿一-鿿]+")


def words_of(text: str) -> list[str]:
    """Return the words of ``text``, in lower case."""
    return _WORD.findall(text.lower())


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words and their weights, from the training rows."""

    words: tuple[str, ...]
    weights: tuple[float, ...]   # inverse document frequency, one per word

    def first(self, most: int) -> Vocabulary:
        """Return the ``most`` commonest of the words."""
        return Vocabulary(self.words[:most], self.weights[:most])

    def index(self) -> dict[str, int]:
        """Return each word's place."""
        return {word: place for place, word in enumerate(self.words)}

    def weigh(self, value: str, index: Mapping[str, int]) -> tuple[list[int], Array]:
        """Return the places of a text's known words and their weights, float64, together of length 1."""
        found = {index[word]: count for word, count in Counter(words_of(value)).items() if word in index}
        weights = np.array([count * self.weights[place] for place, count in found.items()])
        return list(found), weights / np.sqrt((weights ** 2).sum()) if found else weights

    def transform(self, text: TextColumn) -> Array:
        """Return (N, len(words)) float32; each row that has a known word is of length 1, the others are zero."""
        index = self.index()
        table = np.zeros((len(text.values) + 1, len(self.words)), np.float32)  # the last row is for missing cells
        for row in np.unique(text.codes[text.codes >= 0]):
            for word, count in Counter(words_of(text.values[row])).items():
                if word in index:
                    table[row, index[word]] = count * self.weights[index[word]]
        lengths = np.sqrt((table.astype(np.float64) ** 2).sum(1, keepdims=True))
        table /= np.where(lengths > 0, lengths, 1).astype(np.float32)
        return table[text.codes]

    @classmethod
    def fit(cls, text: TextColumn, most: int) -> Vocabulary:
        """Keep the ``most`` commonest words that stand in at least two rows but not in every row."""
        counts = text.counts()
        rows: Counter[str] = Counter()
        for value, count in zip(text.values, counts, strict=True):
            if count:
                rows.update(dict.fromkeys(words_of(value), int(count)))
        filled = int(counts.sum())
        telling = [word for word, n in rows.items() if 2 <= n < filled]
        kept = sorted(telling, key=lambda word: (-rows[word], word))[:most]
        return cls(tuple(kept), tuple(math.log((1 + filled) / (1 + rows[word])) + 1 for word in kept))

    def to_json(self) -> dict[str, Any]:
        return {"words": list(self.words), "weights": list(self.weights)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Vocabulary:
        """Raises KeyError, TypeError or ValueError for what ``to_json`` did not write."""
        return cls(tuple(map(str, value["words"])), tuple(map(float, value["weights"])))
