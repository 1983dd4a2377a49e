"""Many events as one compressed blob: what a run has said takes a tenth of the room, and a curve is read at once.

Events whose payloads differ in their numbers alone share a *template*; each number of it becomes a column of 8-byte
values, whose bytes are laid out plane by plane (as Blosc's shuffle filter does) before zlib sees them. What fits no
template stays JSON. Types are kept exactly: 1 stays 1 and 1.0 stays 1.0, so an event reads back as it came.

A blob: 4 bytes length, the head (JSON), then the columns. Little-endian.
"""

from __future__ import annotations

import json
import struct
import sys
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FORMAT = 1
BLOCK = 1024       # events of a block
_FEW = 4           # events below which a template does not pay
_LEVEL = 6
_WHOLE = range(-(1 << 63), 1 << 63)

StoredEvent = tuple[int, float, str, Any]   # seq, time, kind, payload


class _Odd(Exception):
    """A payload that has no template."""


@dataclass(frozen=True, slots=True)
class Group:
    """Events of one kind and template: what they share, and a column for every number in which they differ."""

    kind: str
    template: Any
    seqs: array[int]
    times: array[float]
    columns: tuple[array[Any], ...]

    def payload(self, row: int) -> Any:
        """Return the payload of event number ``row`` of the group."""
        return _fill(self.template, iter([column[row] for column in self.columns]))


def pack(events: Sequence[StoredEvent]) -> bytes:
    """Return ``events`` as one blob; ``unpack`` gives them back as they are."""
    groups: dict[str, tuple[str, Any, list[int], list[tuple[Any, ...]]]] = {}
    odd: list[int] = []
    for place, (_, _, kind, payload) in enumerate(events):
        numbers: list[Any] = []
        try:
            template = _template(payload, numbers)
        except _Odd:
            odd.append(place)
            continue
        key = json.dumps([kind, template])
        _, _, places, rows = groups.setdefault(key, (kind, template, [], []))
        places.append(place)
        rows.append(tuple(numbers))
    kept = []
    for kind, template, places, rows in groups.values():
        if len(places) < _FEW:
            odd += places
        else:
            kept.append((kind, template, places, rows))
    body = bytearray()
    head = []
    for kind, template, places, rows in kept:
        columns = [_column(list(values)) for values in zip(*rows, strict=True)]
        seqs, times = array("q", [events[place][0] for place in places]), array("d", [events[place][1]
                                                                                      for place in places])
        for column in (_steps(seqs), times, *(_steps(column) if column.typecode == "q" else column
                                              for column in columns)):
            body += _planes(column)
        head.append([kind, template, len(places), "".join(column.typecode for column in columns)])
    text = json.dumps([head, [list(events[place]) for place in sorted(odd)]], separators=(",", ":")).encode("ascii")
    return bytes([FORMAT]) + zlib.compress(struct.pack("<I", len(text)) + text + bytes(body), _LEVEL)


def unpack(blob: bytes) -> list[StoredEvent]:
    """Return the events of a blob in their order. Raises ValueError for what is none."""
    groups, events = read(blob)
    for group in groups:
        events += [(seq, time, group.kind, group.payload(row))
                   for row, (seq, time) in enumerate(zip(group.seqs, group.times, strict=True))]
    return sorted(events, key=lambda event: event[0])


def read(blob: bytes) -> tuple[list[Group], list[StoredEvent]]:
    """Return what a blob holds, column by column, and the events that are in no group. Raises ValueError."""
    if not blob or blob[0] != FORMAT:
        raise ValueError("events in a format that this MLDesk does not know")
    try:
        data = zlib.decompress(blob[1:])
    except zlib.error as error:
        raise ValueError(str(error)) from error
    (size,) = struct.unpack_from("<I", data)
    head, odd = json.loads(data[4:4 + size])
    at, groups = 4 + size, []
    for kind, template, count, codes in head:
        columns: list[array[Any]] = []
        for code in ("q", "d", *codes):
            column = _from_planes(data[at:at + 8 * count], code, count)
            columns.append(_sums(column) if code == "q" else column)
            at += 8 * count
        groups.append(Group(kind, template, columns[0], columns[1], tuple(columns[2:])))
    return groups, [(seq, time, kind, payload) for seq, time, kind, payload in odd]


def places(template: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield (path, kind, literal) for every leaf of a template, in the order of its columns; keys joined by NUL.

    The kind is "f" or "i" where there is a column, else "v".
    """
    if isinstance(template, str):
        yield path, template, None
    elif template[0] == "v":
        yield path, "v", template[1]
    else:
        for key, item in template[1]:
            yield from places(item, f"{path}\0{key}" if path else key)


def _template(value: Any, numbers: list[Any]) -> Any:
    kind = type(value)
    if kind is float:
        numbers.append(value)
        return "f"
    if kind is int:
        if value not in _WHOLE:
            raise _Odd
        numbers.append(value)
        return "i"
    if kind is dict or isinstance(value, Mapping):
        return ["d", [[key, _template(item, numbers)] for key, item in value.items()]]
    if value is None or kind is str or kind is bool:
        return ["v", value]
    raise _Odd  # a list, for one


def _fill(template: Any, numbers: Iterator[Any]) -> Any:
    if isinstance(template, str):
        return next(numbers)
    if template[0] == "v":
        return template[1]
    return {key: _fill(item, numbers) for key, item in template[1]}


def _column(values: list[Any]) -> array[Any]:
    return array("q" if type(values[0]) is int else "d", values)


def _steps(column: array[int]) -> array[int]:
    """Return each number less the one before it, modulo 2**64: a count becomes ones, which compress to nothing."""
    previous, steps = 0, array("q")
    for value in column:
        steps.append((value - previous + (1 << 63)) % (1 << 64) - (1 << 63))
        previous = value
    return steps


def _sums(steps: array[int]) -> array[int]:
    total, column = 0, array("q")
    for step in steps:
        total = (total + step + (1 << 63)) % (1 << 64) - (1 << 63)
        column.append(total)
    return column


def _planes(column: array[Any]) -> bytes:
    if sys.byteorder == "big":
        column = array(column.typecode, column)
        column.byteswap()
    raw = column.tobytes()
    return b"".join(raw[plane::8] for plane in range(8))


def _from_planes(data: bytes, code: str, count: int) -> array[Any]:
    if len(data) != 8 * count or code not in ("q", "d"):
        raise ValueError("a block of events is cut short")
    raw = bytearray(8 * count)
    for plane in range(8):
        raw[plane::8] = data[plane * count:(plane + 1) * count]
    column: array[Any] = array(code)
    column.frombytes(bytes(raw))
    if sys.byteorder == "big":
        column.byteswap()
    return column
