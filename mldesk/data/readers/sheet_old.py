"""Workbooks of the old kind (.xls): their container and records looked through before a reader trusts them.

The container is a file system of sectors in chains. A reader that follows a chain which loops, or makes room for as
many strings or columns as a damaged record claims, ends only when memory does.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mldesk.core import sizes as amounts

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEADER = 512
_END, _FREE_FROM = 0xFFFFFFFE, 0xFFFFFFFA
_MOST = 1024**3                 # bytes of such a file; the format ends at 2 GB, Excel's own long before
_COLUMNS = 256
_STRINGS, _DIMENSIONS, _MANY = 0xFC, 0x200, (0xBD, 0xBE)
_CELLS = frozenset({0x203, 0x204, 0xFD, 0x27E, 0x205, 0x06, 0x206, 0x406, 0x201, 0xD6, *_MANY})
_SHOWS_STRING, _GOES_ON = 0xFD, 0x3C
_LONGEST = 3 * 65_535           # bytes of one text
MOST_TEXT = 200_000_000         # bytes of all texts of the cells, see sheet_texts
_LOOK = 100_000                 # records between two looks at whether to stop


class Damaged(ValueError):
    """The file is not what it says it is."""


def check_old_book(source: Path, check: Callable[[], None]) -> None:
    """Raise Damaged for a workbook that cannot be whole. ``check`` may raise to stop."""
    if source.stat().st_size > _MOST:
        raise Damaged(f"it has more than {_MOST:,} bytes")
    box = _Container(source.read_bytes())
    for name, data in box.streams():
        if name.casefold() in ("workbook", "book"):
            _check_records(data, check)


class _Container:
    """The streams of a compound file."""

    def __init__(self, data: bytes) -> None:
        if len(data) < _HEADER or not data.startswith(MAGIC):
            raise Damaged("it is too short")
        self._data = data
        shift, small_shift = struct.unpack_from("<HH", data, 30)
        if shift not in (9, 12) or small_shift != 6:
            raise Damaged("its sectors have no size that is used")
        self._size = 1 << shift
        self._count = max(0, (len(data) - self._size + self._size - 1) // self._size)
        fats, = struct.unpack_from("<I", data, 44)
        self._directory, = struct.unpack_from("<I", data, 48)
        self._cutoff, small_fat, _, more, more_count = struct.unpack_from("<IIIII", data, 56)
        places = [place for place in struct.unpack_from("<109I", data, 76) if place < _FREE_FROM]
        places += self._further(more, more_count)
        if len(places) > self._count or fats > self._count:
            raise Damaged("its table of sectors is larger than the file")
        self._fat = self._table(places)
        self._small_fat = self._table(self._chain(small_fat, self._fat)) if small_fat < _FREE_FROM else array("I")
        self._small = b""

    def streams(self) -> Iterator[tuple[str, bytes]]:
        """Give (name, content) of every stream; each chain is followed to its end. Raises Damaged."""
        entries = [self._entry(directory, place) for directory in (self._read(self._directory),)
                   for place in range(0, len(directory) - 127, 128)]
        for kind, _, start, size in entries:
            if kind == 5 and size:
                self._small = self._read(start)
        for kind, name, start, size in entries:
            if kind != 2 or not size:
                continue
            if size > len(self._data):
                raise Damaged(f"its part {name!r:.40} is larger than the file")
            if size >= self._cutoff:
                yield name, self._read(start)[:size]
            else:
                places = self._chain(start, self._small_fat)
                yield name, b"".join(self._small[place * 64:place * 64 + 64] for place in places)[:size]

    def _entry(self, directory: bytes, place: int) -> tuple[int, str, int, int]:
        length, kind = struct.unpack_from("<HB", directory, place + 64)
        start, size = struct.unpack_from("<II", directory, place + 116)
        name = directory[place:place + max(0, min(64, length) - 2)].decode("utf-16-le", "replace")
        return kind, name, start, size

    def _further(self, place: int, count: int) -> list[int]:
        """Return the sectors of the table that the header has no room for."""
        found: list[int] = []
        for _ in range(min(count, self._count)):
            if place >= _FREE_FROM:
                break
            numbers = array("I", self._sector(place).ljust(self._size, b"\xff"))
            found += [number for number in numbers[:-1] if number < _FREE_FROM]
            place = numbers[-1]
        return found

    def _table(self, places: Sequence[int]) -> array[int]:
        table = array("I")
        for place in places:
            table.frombytes(self._sector(place).ljust(self._size, b"\xff"))
        return table

    def _sector(self, place: int) -> bytes:
        if place >= self._count:
            raise Damaged("it names sectors beyond its end")
        return self._data[(place + 1) * self._size:(place + 2) * self._size]

    def _read(self, start: int) -> bytes:
        return b"".join(map(self._sector, self._chain(start, self._fat)))

    def _chain(self, place: int, table: array[int]) -> list[int]:
        chain: list[int] = []
        while place != _END:
            if place >= len(table) or len(chain) > len(table):
                raise Damaged("its chains of sectors do not end")
            chain.append(place)
            place = table[place]
        return chain


def _check_records(data: bytes, check: Callable[[], None]) -> None:
    """Look at what records claim: columns that exist, and no more strings than there are bytes."""
    place = seen = 0
    texts: list[bytes] = []              # the record of the texts that cells share, and those that go on with it
    shown = array("I")                   # which of them each cell shows
    before = 0
    while place + 4 <= len(data):
        kind, length = struct.unpack_from("<HH", data, place)
        body = data[place + 4:place + 4 + length]
        if kind in _CELLS and len(body) >= 4:
            last = struct.unpack_from("<H", body, len(body) - 2 if kind in _MANY else 2)[0]
            if last >= _COLUMNS:
                raise Damaged(f"it has cells beyond column {_COLUMNS}")
        elif kind == _DIMENSIONS and len(body) >= 14 and struct.unpack_from("<I", body, 4)[0] > 65_536:
            raise Damaged("it claims more rows than such workbooks have")
        elif kind == _STRINGS and len(body) >= 8 and max(struct.unpack_from("<II", body)) > len(data):
            raise Damaged("it claims more texts than it has bytes")
        if kind == _STRINGS or (kind == _GOES_ON and before == _STRINGS):
            texts.append(body)
            kind = _STRINGS
        elif kind == _SHOWS_STRING and len(body) >= 10:
            shown.append(struct.unpack_from("<I", body, 6)[0])
        before = kind
        place += 4 + length
        seen += 1
        if seen % _LOOK == 0:
            check()
    if len(shown) * min(_LONGEST, sum(map(len, texts))) > MOST_TEXT:
        sizes = _string_sizes(texts, check)
        if sum(sizes[number] for number in shown if number < len(sizes)) > MOST_TEXT:
            raise Damaged(f"its cells hold more than {amounts.size(MOST_TEXT)} of text")


def _string_sizes(blocks: Sequence[bytes], check: Callable[[], None]) -> array[int]:
    """Return the bytes that each of the shared texts takes, of records that go on in the middle of a text.

    Microsoft, [MS-XLS]: Excel Binary File Format, 2.4.265 SST and 2.5.293 XLUnicodeRichExtendedString.
    """
    sizes = array("I")
    block, place = 0, 8
    while block < len(blocks):
        if place + 3 > len(blocks[block]):
            block, place = block + 1, 0
            continue
        letters, flags = struct.unpack_from("<HB", blocks[block], place)
        place += 3
        after = 0                                  # bytes of formatting behind the letters
        if flags & 8 and place + 2 <= len(blocks[block]):
            after += 4 * struct.unpack_from("<H", blocks[block], place)[0]
            place += 2
        if flags & 4 and place + 4 <= len(blocks[block]):
            after += struct.unpack_from("<I", blocks[block], place)[0]
            place += 4
        sizes.append(letters * (3 if flags & 1 else 1))
        while block < len(blocks) and letters:
            wide = 2 if flags & 1 else 1
            taken = min(letters, (len(blocks[block]) - place) // wide)
            letters, place = letters - taken, place + taken * wide
            if letters:                            # the next record says anew how wide its letters are
                block, place = block + 1, 1
                flags = blocks[block][0] if block < len(blocks) and blocks[block] else 0
        while block < len(blocks) and after:
            taken = min(after, len(blocks[block]) - place)
            after, place = after - taken, place + taken
            if after:
                block, place = block + 1, 0
        if len(sizes) % _LOOK == 0:
            check()
    return sizes
