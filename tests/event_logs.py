"""Event files as TensorBoard's writers make them."""

from __future__ import annotations

import struct

from mldesk.training.event_files import crc32c


def record(data: bytes) -> bytes:
    def masked(part: bytes) -> bytes:
        value = crc32c(part)
        return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)

    head = struct.pack("<Q", len(data))
    return head + masked(head) + data + masked(data)


def field(number: int, data: bytes) -> bytes:
    size, length = bytearray(), len(data)
    while length > 127:
        size.append(length & 127 | 128)
        length >>= 7
    return bytes([number << 3 | 2, *size, length]) + data


def event(time: float, step: int, *values: bytes) -> bytes:
    return b"\x09" + struct.pack("<d", time) + bytes([0x10, step]) + field(5, b"".join(
        field(1, value) for value in values))


def log() -> bytes:
    plain = field(1, b"loss") + b"\x15" + struct.pack("<f", 0.5)
    tensor = field(1, b"accuracy") + field(8, b"\x08\x01" + field(4, struct.pack("<f", 0.75)))
    return record(b"\x09" + struct.pack("<d", 99.0) + field(3, b"brain.Event:2")) + record(
        event(100.0, 1, plain, tensor)) + record(event(101.0, 2, plain)) + record(bytes(1 << 17))


PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(200)


def seen_log() -> bytes:
    """Write a picture and a histogram as version 1 does (and torch), and both as TensorFlow 2 does."""
    def doubles(*values: float) -> bytes:
        return struct.pack(f"<{len(values)}d", *values)

    old = [field(1, b"a/../cat") + field(4, b"\x08\x02\x10\x02" + field(4, PICTURE)),
           field(1, b"weights") + field(5, b"\x09" + doubles(-1.0) + b"\x11" + doubles(2.0) + field(
               6, doubles(-5.0, 0.0, 1.0, 1.7e308)) + field(7, doubles(0.0, 3.0, 0.0, 1.0)))]
    new = [field(1, b"cat") + field(9, field(1, field(1, b"images"))) + field(
               8, b"\x08\x07" + field(8, b"2") + field(8, b"2") + field(8, PICTURE) + field(8, PICTURE)),
           field(1, b"weights") + field(9, field(1, field(1, b"histograms"))) + field(
               8, b"\x08\x02" + field(4, doubles(0.0, 1.0, 4.0, 1.0, 3.0, 2.0)))]
    return record(event(100.0, 1, *old)) + record(event(101.0, 2, *new))
