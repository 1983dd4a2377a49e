"""How far the cells of .ods and .xlsb sheets reach: the two kinds of workbook whose cells do not carry their names."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast
from xml.parsers.expat import ExpatError, ParserCreate

_PIECE = 1 << 20       # bytes at once
_LONGEST_TAG = 1 << 20
_TAG = re.compile(rb"<(/?)(?:table:)(table|table-row|table-cell|covered-table-cell)(\s[^<>]*)?>")
_ACROSS = re.compile(rb"number-columns-repeated\s*=\s*[\"'](\d{1,9})")
_DOWN = re.compile(rb"number-rows-repeated\s*=\s*[\"'](\d{1,9})")
_ROW_HEADER, _LAST_CELL = 0, 11   # types of records in .xlsb: a row's header; cells are 1 to 11
_TEXTS = 159                      # type of the record before the texts that cells share
_LOOK = 100_000                   # records between two looks at whether to stop


def open_document_reach(archive: zipfile.ZipFile, item: zipfile.ZipInfo,
                        check: Callable[[], None]) -> Iterator[tuple[int, int]]:
    """Give (rows, columns) of a sheet in .ods as they grow. Cells and rows may say that they stand for many.

    Empty ones at the end of a row or sheet count for nothing, as readers leave them out.
    """
    row = place = rows = columns = repeat = 0
    filled = False
    for tag, name, about, closed, _, _ in _tags(archive, item, check):
        if name == b"table" and not tag:
            row = rows = columns = 0
        elif name == b"table-row" and not tag:
            repeat, place, filled = _number(_DOWN, about), 0, False
        if name == b"table-row" and (tag or closed):
            row += repeat
            rows = row if filled else rows
            yield rows, columns
        elif name.endswith(b"cell") and not tag:
            place += _number(_ACROSS, about)
            if not closed or b"office:value" in about or b"office:" in about:
                filled, columns = True, max(columns, place)
                yield max(rows, row + repeat), columns


def open_document_text(archive: zipfile.ZipFile, item: zipfile.ZipInfo, check: Callable[[], None]) -> Iterator[int]:
    """Give the bytes that the cells of a sheet in .ods take, as they grow; each counts as often as it stands there."""
    total = repeat = across = begin = 0
    for tag, name, about, closed, start, end in _tags(archive, item, check):
        if name == b"table" and not tag:
            total = 0
        elif name == b"table-row" and not tag:
            repeat = _number(_DOWN, about)
        elif name.endswith(b"cell") and not tag:
            across, begin = _number(_ACROSS, about), end
            total += across * repeat * len(about) if b"office:" in about else 0
            yield total
        if name.endswith(b"cell") and tag and not closed:
            total += across * repeat * (start - begin)
            yield total


def _tags(archive: zipfile.ZipFile, item: zipfile.ZipInfo,
          check: Callable[[], None]) -> Iterator[tuple[bytes, bytes, bytes, bool, int, int]]:
    """Give (/ at its end, name, what it says, whether it is closed, where it begins and ends) of a sheet's tags."""
    rest, first = b"", 0
    with archive.open(item) as file:
        while piece := file.read(_PIECE):
            check()
            whole = rest + piece
            end = 0
            for match in _TAG.finditer(whole):
                end = match.end()
                about = match[3] or b""
                yield match[1], match[2], about, about.endswith(b"/"), first + match.start(), first + end
            begins = whole.rfind(b"<")
            if begins >= end and len(whole) - begins > _LONGEST_TAG and b">" not in whole[begins:]:
                raise ValueError(f"it has a tag of more than {_LONGEST_TAG:,} bytes")
            kept = max(end, begins) if begins >= end else len(whole)
            rest, first = whole[kept:], first + kept


def refuse_broken_xml(archive: zipfile.ZipFile, item: zipfile.ZipInfo, check: Callable[[], None]) -> None:
    """Raise ValueError for XML that is not well-formed: the reader would wait for its end for ever."""
    parser = ParserCreate()
    try:
        with archive.open(item) as file:
            while piece := file.read(_PIECE):
                check()
                parser.Parse(piece, False)
        parser.Parse(b"", True)
    except ExpatError as error:
        raise ValueError(f"its XML is broken ({error})") from error


def _number(pattern: re.Pattern[bytes], about: bytes) -> int:
    found = pattern.search(about)
    return max(1, int(found[1])) if found else 1


def binary_reach(archive: zipfile.ZipFile, item: zipfile.ZipInfo,
                 check: Callable[[], None]) -> Iterator[tuple[int, int]]:
    """Give (rows, columns) of a sheet in .xlsb as they grow: records of a type, a length and that many bytes."""
    rows = columns = seen = 0
    with archive.open(item) as opened:
        file = cast(BinaryIO, opened)
        while (kind := read_type(file)) is not None:
            length = read_length(file)
            data = file.read(length)
            if len(data) < length:
                return
            if kind == _ROW_HEADER and length >= 4:
                rows = max(rows, int.from_bytes(data[:4], "little") + 1)
            elif 1 <= kind <= _LAST_CELL and length >= 4:
                columns = max(columns, int.from_bytes(data[:4], "little") + 1)
            else:
                continue
            seen += 1
            if seen % _LOOK == 0:
                check()
            yield rows, columns


def binary_strings(archive: zipfile.ZipFile, item: zipfile.ZipInfo) -> int:
    """Return how many texts the shared ones of an .xlsb are said to be, by the record that begins them."""
    with archive.open(item) as opened:
        file = cast(BinaryIO, opened)
        while (kind := read_type(file)) is not None:
            data = file.read(read_length(file))
            if kind == _TEXTS:
                return int.from_bytes(data[4:8], "little")  # before it: how often they are used
    return 0


def read_type(file: BinaryIO) -> int | None:
    """Return the type of the next record of an .xlsb, None at the end."""
    first = file.read(1)
    if not first:
        return None
    if first[0] < 0x80:
        return first[0]
    second = file.read(1)
    return (first[0] & 0x7F) | (second[0] & 0x7F) << 7 if second else None


def read_length(file: BinaryIO) -> int:
    """Return how many bytes the record has whose type was read."""
    length = 0
    for shift in (0, 7, 14, 21):
        byte = file.read(1)
        if not byte:
            return 0
        length |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            break
    return length
