"""Workbooks whose cells share long texts: those that no memory would hold are refused before they are read."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from mldesk.data import import_table
from mldesk.data.records import ImportRefused
from mldesk.wire.objects import ObjectStore

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
