"""Columns whose texts are spelled in one plain way, read by their bytes instead of value by value.

Most columns of most files are: nothing around the values, whole numbers, numbers with a point, ISO dates. What is said
here of such texts is what ``forms`` says of them; every function gives None where it cannot be sure, and ``forms`` is
asked then.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_SPELLED = frozenset(b".-0123456789")   # of a plain number
_SURE = 18           # digits that 64 bits hold, whatever they are
_DAY, _MOMENT = len("2026-11-21"), len("2026-11-21 06:52:00")
_MARKS = {4: b"-", 7: b"-", 10: b" T", 13: b":", 16: b":"}
_FIRST = -62_135_596_800_000_000   # microseconds from 1970 to the first day of the year 1
_ZERO, _DOT, _MINUS = ord("0"), ord("."), ord("-")


@dataclass
class Cells:
    """The values of a text column without nulls, by their bytes; those that are empty are counted and left out."""

    values: pa.Array                    # with null for empty
    empty: int
    data: npt.NDArray[np.uint8]         # all values, one after the other
    starts: npt.NDArray[np.int32]       # of the values that are not empty
    lengths: npt.NDArray[np.int32]
    clear_of: frozenset[str] = frozenset()   # markers that none of the values can be

    def __len__(self) -> int:
        return len(self.starts)

    @cached_property
    def first(self) -> npt.NDArray[np.uint8]:
        return np.asarray(self.data[self.starts])

    @cached_property
    def last(self) -> npt.NDArray[np.uint8]:
        return np.asarray(self.data[self.starts + self.lengths - 1])

    @cached_property
    def integers(self) -> pa.Array | None:
        """The values as Arrow reads whole numbers; None if some is none, or beyond 64 bits."""
        return _cast(self.values, pa.int64())

    @cached_property
    def floats(self) -> pa.Array | None:
        """The values as Arrow reads numbers; None if some is none."""
        return _cast(self.values, pa.float64())

    @cached_property
    def truths(self) -> pa.Array | None:
        """The values as truth values; None unless each is "true" or "false", in small letters."""
        if not len(self) or int(self.first[0]) not in b"tf" or int(self.lengths.max()) > len("false"):
            return None
        yes, no = pc.equal(self.values, "true"), pc.equal(self.values, "false")
        return yes if yes.true_count + no.true_count == len(self) else None

    @cached_property
    def moments(self) -> tuple[pa.Array, bool] | None:
        """What ``moments`` says of them."""
        return moments(self)


def _cast(values: pa.Array, kind: pa.DataType) -> pa.Array | None:
    try:
        return pc.cast(values, kind)
    except pa.ArrowInvalid:
        return None


def cells_of(values: pa.Array) -> Cells | None:
    """Return the bytes of a text column; None if it has nulls."""
    if not pa.types.is_string(values.type) or values.null_count or not len(values):
        return None
    _, where, data = values.buffers()
    offsets = np.frombuffer(where, np.int32, len(values) + 1, values.offset * 4)
    low, high = int(offsets[0]), int(offsets[-1])
    body = np.frombuffer(data, np.uint8, high - low, low) if high > low else np.zeros(0, np.uint8)
    lengths, starts = np.diff(offsets), offsets[:-1] - low
    there = lengths > 0
    empty = len(values) - int(np.count_nonzero(there))
    if not empty:
        return Cells(values, 0, body, starts, lengths)
    bits = pa.py_buffer(np.packbits(there, bitorder="little").tobytes())
    nulled = pa.Array.from_buffers(pa.string(), len(values), [bits, pa.py_buffer(offsets.tobytes()),
                                                                data or pa.py_buffer(b"")], empty)
    return Cells(nulled, empty, body, starts[there], lengths[there])


def whole_numbers(cells: Cells) -> bool | None:
    """Say whether the values are plain numbers: True for whole ones, False for such as -12.5 among them.

    None for anything else, also for more digits than 64 bits surely hold, leading zeros, and a point at an end.
    """
    if not len(cells) or int(cells.first[0]) not in _SPELLED:
        return None
    data, starts, sizes, heads = cells.data, cells.starts, cells.lengths, cells.first
    digits, dots = int(np.count_nonzero((data - _ZERO) < 10)), int(np.count_nonzero(data == _DOT))
    minus = heads == _MINUS
    negative = int(np.count_nonzero(minus))
    if digits + dots + negative != len(data) or int(cells.last.min()) < _ZERO:
        return None  # each ends with a digit now, and begins with one, a point or a minus
    if negative:
        starts, sizes = starts + minus, sizes - minus
        heads = data[starts]
    if bool((heads == _DOT).any()):
        return None
    zeros = np.flatnonzero((heads == _ZERO) & (sizes > 1))
    if bool((data[starts[zeros] + 1] != _DOT).any()):
        return None
    if dots == 0:
        return True if int(sizes.max()) <= _SURE else None
    return None if cells.floats is None else False  # some value has two points


def moments(cells: Cells) -> tuple[pa.Array, bool] | None:
    """Return values like 2026-11-21 or 2026-11-21 06:52:00 as moments (µs), and whether they say the time.

    None if some value is written otherwise or is not in the calendar.
    """
    if not len(cells) or int(cells.first[0]) - _ZERO > 9:
        return None
    size = int(cells.lengths[0])
    if size not in (_DAY, _MOMENT) or not bool((cells.lengths == size).all()):
        return None
    table = cells.data.reshape(-1, size)
    for place, marks in _MARKS.items():
        if place < size and not bool(_either(table[:, place], marks).all()):
            return None
    # Arrow reads what is of that length and has these marks in one way only, and knows the calendar.
    found = _cast(cells.values, pa.timestamp("us"))
    if found is None or pc.min(found.view(pa.int64())).as_py() < _FIRST:
        return None
    return found, size == _MOMENT


def _either(places: npt.NDArray[np.uint8], marks: bytes) -> npt.NDArray[np.bool_]:
    """Return which of the bytes are one of one or two marks."""
    return np.asarray((places == marks[0]) | (places == marks[-1]))


def surely_texts(cells: Cells, markers: frozenset[str]) -> bool:
    """Say whether no value has a blank around it or can be one of the markers; False if that is not sure."""
    if not len(cells) or markers <= cells.clear_of:
        return True
    first, last = cells.first, cells.last
    if int(min(first.min(), last.min())) <= 32 or int(max(first.max(), last.max())) >= 127:
        return False
    begins, table = _possible(markers)
    if int(cells.lengths.min()) < table.shape[1] - 1:
        doubtful = np.flatnonzero(begins[first])
        short = np.minimum(cells.lengths[doubtful], table.shape[1] - 1)
        if bool(table[first[doubtful], short].any()):
            return False
    cells.clear_of = markers
    return True


@cache
def has_values(markers: frozenset[str]) -> bool:
    """Say whether a marker could be a number, a date or a truth value."""
    return any(marker[:1].isdigit() or marker[1:2].isdigit() or marker in ("true", "false")
               for marker in markers if marker)


@cache
def _possible(markers: frozenset[str]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return [first byte]: whether a marker begins so, and [first byte, length in bytes]: whether one is like that.
    The last length is of no marker."""
    spelled = [marker.encode() for marker in markers if marker]
    table = np.zeros((256, max(map(len, spelled), default=0) + 2), np.bool_)
    for marker in spelled:
        table[marker[0], len(marker)] = True
    return np.asarray(table.any(axis=1)), table
