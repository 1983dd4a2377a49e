"""Text as numbers of pieces of words, as encoders of the BERT family read it. numpy and the standard library only.

WordPiece (Wu et al. 2016, section 4.1; Devlin et al. 2019, appendix A.2): text is cleaned, cut at spaces, punctuation
and Chinese characters, and every word into the longest pieces that the vocabulary has.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mldesk.training.values import Array, TextColumn

_LONGEST_WORD = 100      # characters; a longer one is not known
_MOST_PIECES = 2_000_000
_BLOCKS = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
           (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F))   # of Chinese characters


@dataclass(frozen=True, slots=True)
class Pieces:
    """A vocabulary, and how text is cut into it."""

    words: tuple[str, ...]      # "##" before those that go on within a word; the place is the number
    lower: bool                 # letters are made small and lose their accents
    length: int                 # numbers that a cell becomes; a longer text is cut off
    begin: str = "[CLS]"
    end: str = "[SEP]"
    unknown: str = "[UNK]"
    empty: str = "[PAD]"

    def transform(self, text: TextColumn) -> Array:
        """Return (N, length) float32 whole numbers; a missing cell is empty altogether."""
        index = {word: place for place, word in enumerate(self.words)}
        table = np.full((len(text.values) + 1, self.length), index[self.empty], np.float32)
        for row in np.unique(text.codes[text.codes >= 0]):
            numbers = self.numbers(text.values[row], index)
            table[row, :len(numbers)] = numbers
        return table[text.codes]

    def numbers(self, text: str, index: Mapping[str, int]) -> list[int]:
        """Return the numbers of one text, at most ``length``, its begin and end among them."""
        found: list[int] = []
        for word in _words(_plain(text, self.lower)):
            found += self._cut(word, index)
            if len(found) >= self.length - 2:
                break
        return [index[self.begin], *found[:self.length - 2], index[self.end]]

    def _cut(self, word: str, index: Mapping[str, int]) -> list[int]:
        if len(word) > _LONGEST_WORD:
            return [index[self.unknown]]
        found, begin = [], 0
        while begin < len(word):
            before = "##" if begin else ""
            stop = next((stop for stop in range(len(word), begin, -1) if before + word[begin:stop] in index), 0)
            if not stop:
                return [index[self.unknown]]
            found.append(index[before + word[begin:stop]])
            begin = stop
        return found

    def to_json(self) -> dict[str, Any]:
        return {"words": list(self.words), "lower": self.lower, "length": self.length,
                "special": [self.begin, self.end, self.unknown, self.empty]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Pieces:
        """Raises KeyError, TypeError or ValueError for what ``to_json`` did not write."""
        words, special = tuple(map(str, value["words"])), tuple(map(str, value["special"]))
        length = int(value["length"])
        if len(special) != 4 or not set(special) <= set(words) or not 2 < length <= 4096 or len(words) > _MOST_PIECES:
            raise ValueError("not a vocabulary of pieces")
        return cls(words, bool(value["lower"]), length, *special)


def longest_of(pieces: Pieces, columns: Sequence[TextColumn]) -> Pieces:
    """Return ``pieces`` for texts no longer than the longest in the columns' rows."""
    index = {word: place for place, word in enumerate(pieces.words)}
    lengths = [len(pieces.numbers(text.values[row], index)) for text in columns
               for row in np.unique(text.codes[text.codes >= 0])]
    return replace(pieces, length=max([3, *lengths]))


def _plain(text: str, lower: bool) -> str:
    cleaned = []
    for character in text:
        kind = unicodedata.category(character)
        if character in "\t\n\r" or kind == "Zs":
            cleaned.append(" ")
        elif kind[0] == "C" or character == "\ufffd":
            continue
        else:
            cleaned.append(f" {character} " if _chinese(character) else character)
    plain = "".join(cleaned)
    if not lower:
        return plain
    return "".join(mark for mark in unicodedata.normalize("NFD", plain.lower()) if unicodedata.category(mark) != "Mn")


def _words(text: str) -> list[str]:
    return "".join(f" {mark} " if _punctuation(mark) else mark for mark in text).split()


def _punctuation(mark: str) -> bool:
    return (mark.isascii() and mark.isprintable() and not mark.isalnum() and mark != " ") or (
        unicodedata.category(mark)[0] == "P")


def _chinese(character: str) -> bool:
    return character > "⺀" and any(low <= ord(character) <= high for low, high in _BLOCKS)
