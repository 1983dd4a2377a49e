"""What the texts of a workbook take once every cell has its own: counted before a reader makes them.

Cells of .xlsx and .xlsb name one of the texts that the workbook's cells share. A reader copies that for each of them,
so that three thousand cells and one text of a megabyte, 60 kB as a file, take three gigabytes.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

import numpy as np
import numpy.typing as npt

from mldesk.core.sizes import size
from mldesk.data.readers.sheet_reach import open_document_text, read_length, read_type
from mldesk.data.records import ImportRefused

MOST_TEXT = 200_000_000   # bytes of the texts of one sheet: the reader has them, Python, and the table
_PIECE = 1 << 20          # bytes of XML at once
_TAIL = 400               # bytes in which a tag may be cut off
_BEGINS = re.compile(rb"<(?:[\w.-]+:)?si[\s/>]")
_SHARED = re.compile(rb"<(?:\w+:)?c\s[^<>]{0,250}?\bt\s*=\s*[\"']s[\"'][^<>]{0,250}>\s{0,20}<(?:\w+:)?v[^<>]{0,20}>"
                     rb"\s{0,20}([0-9]{1,9})")
_LAST = re.compile(rb"<(?:[\w.-]+:)?(?:c\s|si[\s/>])|<[\w.:-]{0,80}$")   # how a cell or text begins
_TEXT, _USES_TEXT = 19, 7   # types of records in .xlsb: one of the texts; a cell that shows one
_LOOK = 100_000           # records between two looks at whether to stop
Sizes = npt.NDArray[np.int64]


def refuse_copied_texts(name: str, archive: zipfile.ZipFile, check: Callable[[], None]) -> None:
    """Raise ImportRefused for a workbook whose cells hold the texts they share so often that memory ends.

    ``check`` may raise to stop. Raises what damaged archives raise.
    """
    files = {item.filename.lower(): item for item in archive.infolist()}
    if "content.xml" in files and any(total > MOST_TEXT for total in open_document_text(
            archive, files["content.xml"], check)):
        raise _too_much(name, "content.xml")
    shared = next((item for path, item in files.items() if path.endswith(("sharedstrings.xml", "sharedstrings.bin"))),
                  None)
    if shared is None:
        return
    sizes = _sizes(archive, shared, check)
    longest = int(sizes.max(initial=0))
    for path, item in files.items():
        # A cell takes ten bytes of XML at least, so most workbooks are told by their size alone.
        if "worksheets/" in path and item.file_size / 10 * longest > MOST_TEXT \
                and _text_of(archive, item, sizes, check) > MOST_TEXT:
            raise _too_much(name, item.filename.rpartition("/")[2])


def _too_much(name: str, sheet: str) -> ImportRefused:
    return ImportRefused(f"{name}: the cells of {sheet!r:.80} hold more than {size(MOST_TEXT)} of text, too much for a "
                         "workbook.", hint="Save the sheet as CSV and import that.")


def _sizes(archive: zipfile.ZipFile, item: zipfile.ZipInfo, check: Callable[[], None]) -> Sizes:
    """Return the bytes of each shared text, with its markup."""
    if item.filename.lower().endswith(".bin"):
        return np.array([len(data) for kind, data in _records(archive, item, check) if kind == _TEXT], np.int64)
    begins = [place for piece, first in _pieces(archive, item, check) for place in _places(piece, first)]
    ends = np.array([*begins, item.file_size], np.int64)
    return ends[1:] - ends[:-1]


def _places(piece: bytes, first: int) -> Iterator[int]:
    return (first + match.start() for match in _BEGINS.finditer(piece))


def _text_of(archive: zipfile.ZipFile, item: zipfile.ZipInfo, sizes: Sizes, check: Callable[[], None]) -> int:
    """Return the bytes that the shared texts of a sheet's cells take; stops counting when it is too much."""
    total = 0
    if item.filename.lower().endswith(".bin"):
        for kind, data in _records(archive, item, check):
            place = int.from_bytes(data[8:12], "little")
            total += int(sizes[place]) if kind == _USES_TEXT and place < len(sizes) else 0
        return total
    for piece, _ in _pieces(archive, item, check):
        places = np.array(_SHARED.findall(piece), np.bytes_).astype(np.int64)
        total += int(sizes[places[places < len(sizes)]].sum())
        if total > MOST_TEXT:
            break
    return total


def _pieces(archive: zipfile.ZipFile, item: zipfile.ZipInfo, check: Callable[[], None]) -> Iterator[tuple[bytes, int]]:
    """Give the XML in pieces, each ending before a tag, and where each begins."""
    rest, first = b"", 0
    with archive.open(item) as file:
        while piece := file.read(_PIECE):
            check()
            whole = rest + piece
            cut = _before_cell(whole)
            yield whole[:cut], first
            rest, first = whole[cut:], first + cut
    yield rest, first


def _before_cell(piece: bytes) -> int:
    """Return where the last cell or text in a piece begins, which may go on in the next one; its end if none does."""
    last = None
    for last in _LAST.finditer(piece, max(0, len(piece) - _TAIL)):  # noqa: B007 - the last one is wanted
        pass
    return len(piece) if last is None else last.start()


def _records(archive: zipfile.ZipFile, item: zipfile.ZipInfo, check: Callable[[], None]) -> Iterator[tuple[int, bytes]]:
    seen = 0
    with archive.open(item) as opened:
        file = cast(BinaryIO, opened)
        while (kind := read_type(file)) is not None:
            yield kind, file.read(read_length(file))
            seen += 1
            if seen % _LOOK == 0:
                check()
