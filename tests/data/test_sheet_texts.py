"""Workbooks whose cells share long texts: those that no memory would hold are refused before they are read."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest
import xlwt

from mldesk.data import import_table
from mldesk.data.readers.sheet_old import _Container, _string_sizes
from mldesk.data.records import ImportOptions, ImportRefused
from mldesk.wire.objects import ObjectStore
from tests.data.odf import cell, row, sheet

_HEAD = '<?xml version="1.0"?>'
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_REL = "http://schemas.openxmlformats.org"
_OFFICE = f"{_REL}/officeDocument/2006/relationships"


def _book(path: Path, texts: list[str], rows: list[list[int]]) -> Path:
    """Write a workbook whose cells show the texts with these numbers."""
    cells = "".join(f'<row r="{n}">' + "".join(f'<c r="{chr(65 + c)}{n}" t="s"><v>{text}</v></c>'
                                               for c, text in enumerate(row)) + "</row>"
                    for n, row in enumerate(rows, start=1))
    with zipfile.ZipFile(path, "w") as archive:  # stored: what packs well is refused for that already
        archive.writestr("[Content_Types].xml", f'{_HEAD}<Types xmlns="{_REL}/package/2006/content-types"/>')
        archive.writestr("_rels/.rels", f'{_HEAD}<Relationships xmlns="{_REL}/package/2006/relationships">'
                         f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" '
                         'Target="xl/workbook.xml"/></Relationships>')
        archive.writestr("xl/_rels/workbook.xml.rels", f'{_HEAD}<Relationships '
                         f'xmlns="{_REL}/package/2006/relationships">' + "".join(
                             f'<Relationship Id="r{n}" Type="{_OFFICE}/{kind}" '
                             f'Target="{target}"/>' for n, (kind, target) in enumerate(
                                 [("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml")], 1))
                         + "</Relationships>")
        archive.writestr("xl/workbook.xml", f'{_HEAD}<workbook {_MAIN} xmlns:r="{_OFFICE}">'
                         '<sheets><sheet name="s" sheetId="1" r:id="r1"/></sheets></workbook>')
        archive.writestr("xl/sharedStrings.xml",
                         f'{_HEAD}<sst {_MAIN} count="{len(texts)}" uniqueCount="{len(texts)}">' +
                         "".join(f"<si><t>{text}</t></si>" for text in texts) + "</sst>")
        archive.writestr("xl/worksheets/sheet1.xml",
                         f"{_HEAD}<worksheet {_MAIN}><sheetData>{cells}</sheetData></worksheet>")
    return path


def test_one_long_text_in_thousands_of_cells_is_refused(store: ObjectStore, scratch: Path, tmp_path: Path) -> None:
    path = _book(tmp_path / "b.xlsx", ["a", "b", "x" * 1_000_000], [[0, 1], *[[2, 2]] * 1500])
    with pytest.raises(ImportRefused, match="more than 200 MB of text"):
        import_table([path], store, scratch)
    assert not list(scratch.iterdir())


def test_a_long_text_in_one_cell_among_thousands_is_read(store: ObjectStore, scratch: Path, tmp_path: Path) -> None:
    rows = [[0, 1], [2, 3], *[[3, 4]] * 6000]   # the size alone would forbid it
    table = import_table([_book(tmp_path / "b.xlsx", ["a", "b", "x" * 1_000_000, "yes", "no"], rows)], store, scratch)
    assert (table.rows, [column.distinct for column in table.columns]) == (6001, [2, 2])


@pytest.mark.parametrize("cells", [
    row([cell("a"), cell("b")]) + row([cell("x" * 20_000, 100), cell(1)], 1000),
    row([cell("a"), cell("b")]) + row([cell("x" * 3_000_000)], 100),
])
def test_a_long_text_that_stands_for_many_cells_is_refused(store: ObjectStore, scratch: Path, tmp_path: Path,
                                                           cells: str) -> None:
    (tmp_path / "b.ods").write_bytes(sheet(cells))
    with pytest.raises(ImportRefused, match="more than 200 MB of text"):
        import_table([tmp_path / "b.ods"], store, scratch)


def test_an_old_workbook_whose_cells_share_long_texts_is_refused(store: ObjectStore, scratch: Path,
                                                                 tmp_path: Path) -> None:
    book = xlwt.Workbook()
    page = book.add_sheet("S")
    for number in range(7000):
        page.write(number, 0, "ä" * 32_000 if number else "name")
        page.write(number, 1, f"row {number}")
    book.save(str(tmp_path / "b.xls"))
    with pytest.raises(ImportRefused, match="more than 200 MB of text"):
        import_table([tmp_path / "b.xls"], store, scratch)
    for number in range(1, 200):  # the texts that go on in the next record are not taken for others
        book = xlwt.Workbook() if number == 1 else book
        page = book.add_sheet("S") if number == 1 else page
        page.write(number, 0, f"{number}" * 3000)
        page.write(number, 1, "ß" * number)
    book.save(str(tmp_path / "c.xls"))
    assert _text_in(tmp_path / "c.xls") == sorted([*(len(f"{n}" * 3000) for n in range(1, 200)), *range(1, 200)])
    assert import_table([tmp_path / "c.xls"], store, scratch, ImportOptions(header_row=0)).rows == 199


def _text_in(path: Path) -> list[int]:
    """Return the lengths of the texts that cells share; none of them has letters of three bytes."""
    found: list[int] = []
    for name, data in _Container(path.read_bytes()).streams():
        if name == "Workbook":
            found = sorted(_string_sizes(_texts_of(data), lambda: None))
    return found


def _texts_of(data: bytes) -> list[bytes]:
    place, before, found = 0, 0, []
    while place + 4 <= len(data):
        kind, length = struct.unpack_from("<HH", data, place)
        if kind == 0xFC or (kind == 0x3C and before == 0xFC):
            found.append(data[place + 4:place + 4 + length])
            kind = 0xFC
        before, place = kind, place + 4 + length
    return found


def test_entities_that_grow_are_refused(store: ObjectStore, scratch: Path, tmp_path: Path) -> None:
    entities = '<!ENTITY a0 "aaaaaaaaaa">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    content = sheet(row([cell("a"), cell("&a9;")]), row([cell(1), cell(2)]))
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(tmp_path / "b.ods", "w") as out:
        for item in archive.infolist():
            data = archive.read(item)
            if item.filename == "content.xml":
                data = data.replace(b"?>", f"?><!DOCTYPE x [{entities}]>".encode(), 1)
            out.writestr(item, data)
    with pytest.raises(ImportRefused):
        import_table([tmp_path / "b.ods"], store, scratch)
