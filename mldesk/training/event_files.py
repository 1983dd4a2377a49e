"""TensorBoard's event files, as bytes: scalars, pictures and histograms in them, from any place on.

Records of TensorFlow's TFRecord format: length (8 bytes) and its masked CRC-32C (4), the data and its masked CRC-32C;
the data are protobuf messages ``Event`` (tensorflow/core/util/event.proto, framework/summary.proto). A file that
somebody still writes may end in the midst of a record, which is no damage; a wrong checksum is.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import BinaryIO

Point = tuple[float, int, str, float]   # seconds since the epoch, step, metric, value
_CHECKED = 1 << 16     # bytes of a record up to which its checksum is looked at: in Python that takes 0.1 s a MiB
_LONGEST = 1 << 25     # bytes of a record that is looked into; graphs may be longer
_FLOAT, _DOUBLE, _STRING = 1, 2, 7   # of tensors
_MOST_BINS = 10_000
_KINDS = {b"\x89PNG\r\n": "png", b"\xff\xd8\xff": "jpg", b"GIF8": "gif"}   # how such a picture begins


class Damaged(ValueError):
    """A file that is no event file, or not as it was written."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it was encoded."""

    step: int
    tag: str
    place: int      # among those of one step
    kind: str       # "png", "jpg" or "gif"
    data: bytes


@dataclass(frozen=True, slots=True)
class Histogram:
    """How values were spread at a step: ``counts[i]`` of them from ``edges[i]`` to ``edges[i + 1]``."""

    step: int
    tag: str
    edges: tuple[float, ...]    # growing, finite; one more than counts
    counts: tuple[float, ...]


@dataclass(slots=True)
class Seen:
    """What a record holds."""

    points: list[Point] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    histograms: list[Histogram] = field(default_factory=list)


def seen_in(file: BinaryIO, place: int = 0) -> Iterator[tuple[Seen, int]]:
    """Give what each whole record from ``place`` on holds, and where the next one begins. Raises Damaged."""
    for record, after in _records(file, place):
        seen = Seen()
        try:
            _look(record, seen)
        except (IndexError, struct.error, UnicodeDecodeError, ValueError, OverflowError) as error:
            if len(record) <= _CHECKED:
                raise Damaged(str(error)) from error
            seen = Seen()   # nobody vouched for so long a one
        yield seen, after


def _records(file: BinaryIO, place: int) -> Iterator[tuple[bytes, int]]:
    file.seek(0, 2)
    size = file.tell()
    file.seek(place)
    while len(head := file.read(12)) == 12:
        length, check = struct.unpack("<QI", head)
        if _masked(head[:8]) != check:
            raise Damaged("a record's length is not what it was")
        place += 16 + length
        if place > size:
            return
        if length > _LONGEST:
            file.seek(place)
            yield b"", place
            continue
        data = file.read(length + 4)
        if len(data) < length + 4:
            return
        if length <= _CHECKED and _masked(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
            raise Damaged("a record is not what it was")
        yield data[:-4], place


def _look(event: bytes, seen: Seen) -> None:
    time, step, summaries = 0.0, 0, []
    for number, value in _fields(event):
        if number == 1 and isinstance(value, bytes) and len(value) == 8:
            time = struct.unpack("<d", value)[0]
        elif number == 2 and isinstance(value, int):
            step = value - (1 << 64) if value >> 63 else value
        elif number == 5 and isinstance(value, bytes):
            summaries.append(value)
    for summary in summaries:
        for number, value in _fields(summary):
            if number == 1 and isinstance(value, bytes):
                _value(value, time, step, seen)


def _value(data: bytes, time: float, step: int, seen: Seen) -> None:
    """Look at one summary: a number, a picture, a histogram, or a tensor of one of them (as TensorFlow 2 writes)."""
    parts = {number: value for number, value in _fields(data) if isinstance(value, bytes)}
    tag = parts.get(1, b"").decode("utf-8")[:200]
    if not tag:
        return
    if len(parts.get(2, b"")) == 4:
        seen.points.append((time, step, tag, struct.unpack("<f", parts[2])[0]))
    elif 4 in parts:
        _add_pictures(seen, step, tag, [value for number, value in _fields(parts[4])
                                        if number == 4 and isinstance(value, bytes)])
    elif 5 in parts:
        _add_bins(seen, step, tag, *_bins(parts[5]))
    elif 8 in parts:
        kind, numbers, texts = _tensor(parts[8])
        if kind == _STRING:
            _add_pictures(seen, step, tag, texts[2:])                       # before them width and height
        elif len(numbers) == 1:
            seen.points.append((time, step, tag, numbers[0]))
        elif len(numbers) % 3 == 0 and numbers and _plugin(parts.get(9, b"")) == b"histograms":
            _add_bins(seen, step, tag, [*numbers[::3], numbers[-2]], numbers[2::3])


def _add_pictures(seen: Seen, step: int, tag: str, found: list[bytes]) -> None:
    """Take in those that begin as a picture does."""
    for place, data in enumerate(found):
        kind = next((kind for begins, kind in _KINDS.items() if data.startswith(begins)), None)
        if kind is not None:
            seen.pictures.append(Picture(step, tag, place, kind, data))


def _add_bins(seen: Seen, step: int, tag: str, edges: list[float], counts: list[float]) -> None:
    """Take in a histogram that can be drawn."""
    if (0 < len(counts) <= _MOST_BINS and len(edges) == len(counts) + 1
            and all(map(math.isfinite, (*edges, *counts)))
            and min(counts) >= 0 and all(a <= b for a, b in pairwise(edges))):
        seen.histograms.append(Histogram(step, tag, tuple(edges), tuple(counts)))


def _bins(data: bytes) -> tuple[list[float], list[float]]:
    """Return edges and counts of a HistogramProto, whose buckets are named by their upper limits."""
    ends, limits, counts = {1: 0.0, 2: 0.0}, list[float](), list[float]()
    for number, value in _fields(data):
        if number in ends and isinstance(value, bytes):
            ends[number] = struct.unpack("<d", value)[0]
        elif number in (6, 7) and isinstance(value, bytes):
            (limits if number == 6 else counts).extend(_numbers(value, "d"))
    low, high = ends[1], ends[2]
    edges = [low, *(min(max(limit, low), high) for limit in limits)]   # the outermost limits are infinitely far
    filled = [place for place, count in enumerate(counts) if count]
    if not filled:
        return edges, counts
    return edges[filled[0]:filled[-1] + 2], counts[filled[0]:filled[-1] + 1]


def _tensor(data: bytes) -> tuple[int, list[float], list[bytes]]:
    """Return a tensor's type, its numbers and its texts."""
    kind, content, texts = 0, list[bytes](), list[bytes]()
    for number, value in _fields(data):
        if number == 1 and isinstance(value, int):
            kind = value
        elif number in (4, 5, 6) and isinstance(value, bytes):
            content.append(value)
        elif number == 8 and isinstance(value, bytes):
            texts.append(value)
    form = {_FLOAT: "f", _DOUBLE: "d"}.get(kind)
    return kind, _numbers(b"".join(content), form) if form else [], texts


def _numbers(data: bytes, form: str) -> list[float]:
    """Return packed little-endian numbers. Raises struct.error."""
    return list(struct.unpack(f"<{len(data) // struct.calcsize(form)}{form}", data))


def _plugin(metadata: bytes) -> bytes:
    """Return the name of the plugin that a summary is for."""
    for number, value in _fields(metadata):
        if number == 1 and isinstance(value, bytes):
            return next((name for field, name in _fields(value) if field == 1 and isinstance(name, bytes)), b"")
    return b""


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Give a protobuf message's fields: numbers of varints, bytes of all else. Raises IndexError, ValueError."""
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            found, place = _varint(data, place)
            yield number, found
            continue
        if wire == 2:
            size, place = _varint(data, place)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(wire)
        if place + size > len(data):
            raise IndexError(place)
        yield number, data[place:place + size]
        place += size


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = 0
    for index in range(10):
        byte = data[place + index]
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value & (1 << 64) - 1, place + index + 1
    raise ValueError(place)


def _table() -> list[int]:
    found = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)   # Castagnoli's polynomial, reflected
        found.append(value)
    return found


_CRC = _table()


def crc32c(data: bytes) -> int:
    """Return the CRC-32C (RFC 3720, B.4) of some bytes."""
    value = 0xFFFFFFFF
    for byte in data:
        value = _CRC[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF


def _masked(data: bytes) -> int:
    value = crc32c(data)
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF
