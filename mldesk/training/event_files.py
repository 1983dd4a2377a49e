"""TensorBoard's event files, as bytes: the scalars in them, from any place on.

Records of TensorFlow's TFRecord format: length (8 bytes) and its masked CRC-32C (4), the data and its masked CRC-32C;
the data are protobuf messages ``Event`` (tensorflow/core/util/event.proto). A file that somebody still writes may
end in the midst of a record, which is no damage; a wrong checksum is.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

Point = tuple[float, int, str, float]   # seconds since the epoch, step, metric, value
_LONGEST = 1 << 16     # bytes of a record that is looked into; pictures and graphs are longer, scalars never are
_FLOAT, _DOUBLE = 1, 2   # of tensors


class Damaged(ValueError):
    """A file that is no event file, or not as it was written."""


def points_from(file: BinaryIO, place: int = 0) -> Iterator[tuple[list[Point], int]]:
    """Give the scalars of each whole record from ``place`` on, and where the next record begins. Raises Damaged."""
    for record, after in _records(file, place):
        try:
            yield list(_scalars(record)), after
        except (IndexError, struct.error, UnicodeDecodeError, ValueError) as error:
            raise Damaged(str(error)) from error


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
        if _masked(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
            raise Damaged("a record is not what it was")
        yield data[:-4], place


def _scalars(event: bytes) -> Iterator[Point]:
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
                tag, reading = _value(value)
                if tag and reading is not None:
                    yield time, step, tag, reading


def _value(data: bytes) -> tuple[str, float | None]:
    tag, reading = "", None
    for number, value in _fields(data):
        if number == 1 and isinstance(value, bytes):
            tag = value.decode("utf-8")[:200]
        elif number == 2 and isinstance(value, bytes) and len(value) == 4:
            reading = struct.unpack("<f", value)[0]
        elif number == 8 and isinstance(value, bytes):
            reading = _tensor(value)
    return tag, reading


def _tensor(data: bytes) -> float | None:
    """Return the number of a tensor that holds a single one."""
    kind, content = 0, []
    for number, value in _fields(data):
        if number == 1 and isinstance(value, int):
            kind = value
        elif number in (4, 5, 6) and isinstance(value, bytes):
            content.append(value)
    form = {_FLOAT: "<f", _DOUBLE: "<d"}.get(kind)
    if form is None or len(content) != 1 or len(content[0]) != struct.calcsize(form):
        return None
    return float(struct.unpack(form, content[0])[0])


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
