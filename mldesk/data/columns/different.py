"""How many different values an Arrow column has, at once or as its values come.

Numbers, dates and times are told apart by what they are, texts by 64-bit hashes of their bytes: two that are taken for
one are to be expected once in a hundred thousand columns of twenty million texts each.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_LOOSE = 65_536      # values that wait for being put in order with the others, at least
JUDGED = 4096        # values by which it is judged whether there are many different ones
REPEATED = 3         # times that each value is there, on average, where there are few
_LONG = 96           # bytes of a text, on average, from which Arrow is quicker
_PIECE = 65_536      # texts that are hashed at once: what that needs stays in the processor's cache
_FACTOR = np.uint64(0x9E3779B97F4A7C15)   # odd, without a pattern: 2 to the 64th by the golden ratio
_SHIFT = np.uint64(29)
Keys = npt.NDArray[Any]


def different(values: pa.Array | pa.ChunkedArray) -> int:
    """Return the number of different values, missing ones not counted; 0 and -0 are one, and so are all NaN."""
    if len(values) == values.null_count:
        return 0
    pieces = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
    keys: list[Keys] = []
    for piece in pieces:
        for some in _keys(piece.drop_null()) if len(piece) > piece.null_count else ():
            if some is None:
                return int(pc.count_distinct(values, mode="only_valid").as_py())
            keys.append(some)
    return _number(np.sort(keys[0]) if len(keys) == 1 else _in_order(keys))


def _in_order(pieces: list[Keys]) -> Keys:
    together = np.concatenate(pieces)
    together.sort()   # where it is: another copy of a large column takes longer than this
    return together


def _number(ordered: Keys) -> int:
    """Return how many different ones there are of values in order, of which NaN come last."""
    there = _end(ordered)
    ordered, nan = ordered[:there], there < len(ordered)
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + (len(ordered) > 0) + nan


def _end(ordered: Keys) -> int:
    """Return the place after the last one that is not NaN."""
    if ordered.dtype.kind != "f" or not len(ordered) or not np.isnan(ordered[-1]):
        return len(ordered)
    return int(np.searchsorted(ordered, np.nan))


class Different:
    """The different values of a column that comes in pieces. Holds 8 bytes of each, or, where hardly any value comes
    twice, of every value: ``held`` says of how many."""

    def __init__(self) -> None:
        self._pieces: list[Keys] = []     # the first in order and each once, unless there are many
        self._many: bool | None = None    # most values are different; None: nothing is known yet
        self.few = False                  # values come again and again
        self._nan = self._lost = False
        self.held = 0

    def add(self, values: pa.Array | pa.ChunkedArray) -> None:
        """Look at the next values. Of those encoded by a dictionary, it must hold no value that is not there."""
        for piece in values.chunks if isinstance(values, pa.ChunkedArray) else [values]:
            if pa.types.is_dictionary(piece.type):
                self.few = REPEATED * len(piece.dictionary) <= len(piece)
                piece = piece.dictionary
            for keys in () if self._lost or len(piece) == piece.null_count else _keys(piece.drop_null()):
                if keys is None:
                    self.forget()
                else:
                    self._take(keys)

    def forget(self) -> None:
        """Hold nothing any more: there is no count."""
        self._pieces, self.held, self._lost, self.few = [], 0, True, False

    def count(self) -> int | None:
        """Return how many there are; None if they were forgotten, as texts are that are long."""
        if self._lost:
            return None
        return (_number(_in_order(self._pieces)) if self._pieces else 0) + self._nan

    def _take(self, keys: Keys) -> None:
        if not self._many:
            size, keys = len(keys), _once(keys)
            if self._many is None and size >= JUDGED:
                self._many = 2 * len(keys) > size  # to put them in order once, in the end, is less work
                self.few = REPEATED * len(keys) <= size
        if keys.dtype.kind == "f":
            nan = np.isnan(keys)
            if nan.any():
                self._nan, keys = True, keys[~nan]
        # A copy of its own: a view would keep all that came with these values in memory.
        self._pieces.append(keys if keys.base is None else keys.copy())
        self.held += len(keys)
        if not self._many and self.held > max(_LOOSE, 2 * len(self._pieces[0])):
            self._pieces = [_once(np.concatenate(self._pieces))]
            self.held = len(self._pieces[0])


def _once(keys: Keys) -> Keys:
    """Return the values in order, each once."""
    ordered = np.sort(keys)
    fresh = ordered[1:] != ordered[:-1]
    return np.concatenate([ordered[:1], ordered[1:][fresh]])


def _keys(values: pa.Array) -> Iterator[Keys | None]:
    """Give numbers that tell the values apart, piece by piece; None where there are none."""
    kind = values.type
    if pa.types.is_boolean(kind):
        yield np.flatnonzero([values.false_count, values.true_count]).astype("i1")
    elif pa.types.is_temporal(kind) or pa.types.is_integer(kind):
        sign = "u" if pa.types.is_unsigned_integer(kind) else "i"
        yield _bytes(values, f"{sign}{kind.bit_width // 8}")
    elif pa.types.is_floating(kind):
        yield _bytes(values, f"f{kind.bit_width // 8}")
    elif pa.types.is_string(kind):
        for first in range(0, len(values), _PIECE):
            yield _hashes(values.slice(first, _PIECE))
    else:
        yield None


def _bytes(values: pa.Array, kind: str) -> Keys:
    """Return values of one width, none of them null, as numpy sees them. (Arrow's own way there may load pandas.)"""
    size = np.dtype(kind).itemsize
    return np.frombuffer(values.buffers()[1], kind, len(values), values.offset * size)


def _hashes(values: pa.Array) -> Keys | None:
    """Return the hashes of texts, none of them null; None for long ones. Texts of up to 8 bytes never share one with
    others of their length."""
    _, where, data = values.buffers()
    offsets = np.frombuffer(where, np.int32, len(values) + 1, values.offset * 4)
    low, high = int(offsets[0]), int(offsets[-1])
    if high - low > _LONG * len(values):
        return None
    body = np.zeros(high - low + 8, np.uint8)
    body[:high - low] = np.frombuffer(data, np.uint8, high - low, low) if high > low else 0
    words = np.ndarray((high - low + 1,), "<u8", body, strides=(1,))   # the eight bytes from every place on
    places, left = offsets[:-1] - low, np.diff(offsets)
    hashes = left.astype(np.uint64) * _FACTOR
    rest: Any = slice(None)   # of the texts, those that go on
    while len(places):
        word = words[places]
        short = left < 8
        if short.any():
            word[short] &= (np.uint64(1) << (left[short].astype(np.uint64) << np.uint64(3))) - np.uint64(1)
        mixed = (hashes[rest] ^ word) * _FACTOR
        mixed ^= mixed >> _SHIFT
        hashes[rest] = mixed * _FACTOR
        longer = left > 8
        if longer.all():
            places, left = places + 8, left - 8
        else:
            rest = np.flatnonzero(longer) if isinstance(rest, slice) else rest[longer]
            places, left = places[longer] + 8, left[longer] - 8
    return hashes
