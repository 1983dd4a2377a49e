"""The few values that may cross a link, read strictly.

rpyc's brine also reads sets, slices and numbers of any length, which a peer can choose so that reading them takes
hours (numbers with equal hashes in one set). A link needs whole numbers, text, bytes and short tuples; this reads
those, and what rpyc writes of them, and nothing else.
"""

from __future__ import annotations

from typing import TypeAlias

from rpyc.core import brine

Value: TypeAlias = "int | str | bytes | tuple[Value, ...]"

_DEPTH = 6
_SHORT_TUPLES = {brine.TAG_EMPTY_TUPLE: 0, brine.TAG_TUP1: 1, brine.TAG_TUP2: 2, brine.TAG_TUP3: 3, brine.TAG_TUP4: 4}
_SHORT_BYTES = {brine.TAG_EMPTY_STR: 0, brine.TAG_STR1: 1, brine.TAG_STR2: 2, brine.TAG_STR3: 3, brine.TAG_STR4: 4}
_INT_DIGITS = 19


def load(data: bytes) -> Value:
    """Read one value. Raises ValueError for anything but that value, whole."""
    value, end = _read(data, 0, 0)
    if end != len(data):
        raise ValueError("bytes after the value")
    return value


def _read(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    if depth > _DEPTH:
        raise ValueError("values nested too deep")
    tag = data[at:at + 1]
    at += 1
    if tag in brine.IMM_INTS_LOADER:
        return int(brine.IMM_INTS_LOADER[tag]), at
    if tag == brine.TAG_INT_L1:
        digits, at = _take(data, at + 1, _byte(data, at, _INT_DIGITS))
        return int(digits), at
    if tag == brine.TAG_UNICODE:
        text, at = _read(data, at, depth + 1)
        if not isinstance(text, bytes):
            raise ValueError("text that is no text")
        return text.decode("utf-8"), at
    if tag in _SHORT_TUPLES:
        return _read_tuple(data, at, _SHORT_TUPLES[tag], depth)
    if tag in _SHORT_BYTES:
        return _take(data, at, _SHORT_BYTES[tag])
    if tag == brine.TAG_STR_L1:
        return _take(data, at + 1, _byte(data, at, 255))
    if tag == brine.TAG_STR_L4:
        size, at = _take(data, at, 4)
        return _take(data, at, int.from_bytes(size, "big"))
    raise ValueError(f"a value that may not cross: tag {tag!r}")


def _read_tuple(data: bytes, at: int, size: int, depth: int) -> tuple[Value, int]:
    items = []
    for _ in range(size):
        item, at = _read(data, at, depth + 1)
        items.append(item)
    return tuple(items), at


def _take(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    if at + size > len(data):
        raise ValueError("a value that ends early")
    return data[at:at + size], at + size


def _byte(data: bytes, at: int, most: int) -> int:
    if at >= len(data) or data[at] > most:
        raise ValueError("a length out of range")
    return data[at]
