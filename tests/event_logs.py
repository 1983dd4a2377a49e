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
    return bytes([number << 3 | 2, len(data)]) + data


def event(time: float, step: int, *values: bytes) -> bytes:
    return b"\x09" + struct.pack("<d", time) + bytes([0x10, step]) + field(5, b"".join(
        field(1, value) for value in values))


def log() -> bytes:
    plain = field(1, b"loss") + b"\x15" + struct.pack("<f", 0.5)
    tensor = field(1, b"accuracy") + field(8, b"\x08\x01" + field(4, struct.pack("<f", 0.75)))
    return record(b"\x09" + struct.pack("<d", 99.0) + field(3, b"brain.Event:2")) + record(
        event(100.0, 1, plain, tensor)) + record(event(101.0, 2, plain)) + record(bytes(1 << 17))
