"""How far the cells of a workbook reach, read from its XML before a reader makes room for them.

A reader makes the whole rectangle from A1 to the last cell, so that one value in each corner of a sheet takes 17
thousand million places. Here the rectangle is found from the cells' own names, piece by piece.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from mldesk.data.readers.sheet_reach import binary_reach, binary_strings, open_document_reach, refuse_broken_xml
from mldesk.data.records import ImportRefused

MOST_CELLS = 25_000_000   # of 24 bytes and more each, twice: as the reader has them and as Python does
_PIECE = 1 << 20  # bytes of XML at once
_TAIL = 300       # bytes in which the tag of a cell may be cut off
_LONG_TAIL = 1 << 16
_STRINGS = re.compile(rb"<(?:[\w.-]+:)?sst\b([^<]{0,60000})")
_COUNT = re.compile(rb"\buniqueCount\s*=\s*[\"']\D{0,20}([0-9]+)")
_STRING = 4       # bytes that one text of a workbook takes at least
_FEW = 10_000_000  # texts that may be claimed wrongly: writers that cannot count are no danger
_CELL = re.compile(rb"<(?:\w+:)?c(\s[^<>]{0,250})?>")                       # ends in / where it only has a style
_NAME = re.compile(rb"\br\s*=\s*[\"']\$?([A-Za-z]{1,3})\$?([0-9]{1,7})[\"']")
_ROW = re.compile(rb"<(?:\w+:)?row\s[^<>]{0,250}?\br\s*=\s*[\"']([0-9]{1,7})[\"']")


def refuse_vast_sheets(name: str, source: Path, check: Callable[[], None]) -> None:
    """Raise ImportRefused if a sheet's cells lie so far apart that its rectangle cannot be held.

    ``check`` may raise to stop. Raises what damaged archives raise.
    """
    with zipfile.ZipFile(source) as archive:
        for item in archive.infolist():
            if _claims(archive, item, check) > max(_FEW, item.file_size // _STRING):
                raise ImportRefused(f"{name} is damaged: it says that it holds more texts than there is room for.",
                                    hint="Open it in a spreadsheet program and save it anew.")
            for rows, columns in _reaches(archive, item, check):
                if rows * columns > MOST_CELLS:
                    raise ImportRefused(
                        f"{name}: the cells of {item.filename.rpartition('/')[2]!r:.80} reach over {rows:,} rows and "
                        f"{columns:,} columns; more than {MOST_CELLS // 1_000_000} million cells are too many.",
                        hint="One stray cell far from the table does that: delete it, or save the sheet as CSV.")


def _claims(archive: zipfile.ZipFile, item: zipfile.ZipInfo, check: Callable[[], None]) -> int:
    """Return how many texts the workbook says that its cells share: a reader makes room for all before the first."""
    lower = item.filename.lower()
    if not lower.endswith(("sharedstrings.xml", "sharedstrings.bin")):
        return 0
    if lower.endswith(".bin"):
        return binary_strings(archive, item)
    tags = (tag for piece in _pieces(archive, item, check, _LONG_TAIL) for tag in _STRINGS.findall(piece))
    return max((int(count[:20]) for tag in tags for count in _COUNT.findall(tag)), default=0)


def _reaches(archive: zipfile.ZipFile, item: zipfile.ZipInfo, check: Callable[[], None]) -> Iterator[tuple[int, int]]:
    """Give the last row and column of a sheet's cells, from 1, as they grow while it is read."""
    if item.filename.endswith(".bin") and "worksheets" in item.filename:
        yield from binary_reach(archive, item, check)
    elif item.filename == "content.xml":
        yield from open_document_reach(archive, item, check)
        refuse_broken_xml(archive, item, check)
    else:
        rows = columns = 0
        for piece in _pieces(archive, item, check):
            rows, columns = _reach(piece, rows, columns)
            yield rows, columns


def _pieces(archive: zipfile.ZipFile, item: zipfile.ZipInfo, check: Callable[[], None],
            overlap: int = _TAIL) -> Iterator[bytes]:
    """Give the XML in pieces that overlap, so that no cell's name is cut in two."""
    tail = b""
    with archive.open(item) as file:
        while piece := file.read(_PIECE):
            check()
            yield tail + piece
            tail = piece[-overlap:]


def _reach(piece: bytes, rows: int, columns: int) -> tuple[int, int]:
    """Return the last row and column, from 1, of the cells in a piece of XML and of those before it."""
    tags = [tag for tag in _CELL.findall(piece) if not tag.endswith(b"/")]
    names = [found.groups() for found in map(_NAME.search, tags) if found]
    columns = max([columns, *map(_place, {letters for letters, _ in names})])
    rows = max([rows, *map(int, {row for _, row in names})])
    if len(names) < len(tags):  # cells without a name stand in the next place of their row
        columns = max([columns, *(len(_CELL.findall(row)) for row in re.split(rb"<(?:\w+:)?row\b", piece))])
        rows = max([rows, *map(int, _ROW.findall(piece))])
    return rows, columns


def _place(letters: bytes) -> int:
    place = 0
    for letter in letters.upper():
        place = place * 26 + letter - 64
    return place
