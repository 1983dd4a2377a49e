"""What a user may say of how a text or sheet is written: marks of any kind, sheets together, names in two rows."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import openpyxl
import pytest

from mldesk.core.errors import BadInput
from mldesk.data import ImportOptions, ImportRefused, import_table, preview_import
from mldesk.data.temporal_format import strptime_of
from mldesk.wire.objects import ObjectStore
from tests.data.conftest import Import, Rows, kinds, said


@pytest.mark.parametrize(("text", "options", "wanted"), [
    ("a§b\n1§x\n2§y\n", {"delimiter": "§"}, [[1, "x"], [2, "y"]]),
    ("a~b\n1~x\n2~y\n", {"delimiter": "~"}, [[1, "x"], [2, "y"]]),
    ("a,b\n1,'x,y'\n2,'it''s'\n", {"quote": "'"}, [[1, "x,y"], [2, "it's"]]),
    ("a,b\n1,'x\ny'\n2,'z'\n", {"quote": "'"}, [[1, "x\ny"], [2, "z"]]),
    ('a,b\n1,"x\n2,y"\n', {"quote": "none"}, [[1, '"x'], [2, 'y"']]),
    ("# by hand\na,b\n#\n1,x\n# more, than, that\n2,y\n", {"comment": "#"}, [[1, "x"], [2, "y"]]),
    ('a,b\n1,"x\n#y"\n2,z\n', {"comment": "#"}, [[1, "x\n#y"], [2, "z"]]),
    ("a;b\n1_234;x\n2_000_000;y\n", {"thousands": "_"}, [[1234, "x"], [2000000, "y"]]),
    ("a;b\n1_234,5;x\n2;y\n", {"thousands": "_", "decimal": ","}, [[1234.5, "x"], [2.0, "y"]]),
    ("a;b\n1·234;x\nn/k;y\n", {"thousands": "·", "missing": ("n/k",)}, [[1234, "x"], [None, "y"]]),
    ("a,b\n31.12.2024 10:11,x\n1.2.2025 09:00,y\n", {"dates": "dd.mm.yyyy hh:mm"},
     [["2024-12-31 10:11:00", "x"], ["2025-02-01 09:00:00", "y"]]),
    ("2023,,2024,\nQ1,Q2,Q1,Q2\n1,2,3,4\n", {"header_rows": 2}, [[1, 2, 3, 4]]),
])
def test_a_text_is_read_as_it_is_told_to_be_written(
    text: str, options: dict[str, object], wanted: list[list[object]], take: Import, rows: Rows
) -> None:
    table = take(text, **options)
    assert rows(table) == wanted
    assert "left out" not in said(table)


def test_lines_are_counted_with_those_that_are_comments(take: Import) -> None:
    table = take("# by hand\na,b\n1,2\n# more\n3\n4,5\n6,7\n", comment="#")
    assert (table.rows, said(table)) == (3, "5|None|Line 5 has 1 cell instead of 2; it was left out.")
    fixed = take("# by hand\nid   name\n1    x   \n# more\n2    y   \n3    zz  \n", "t.fwf", comment="#")
    assert fixed.rows == 3


@pytest.mark.parametrize(("form", "wanted"), [
    ("dd.mm.yyyy", "%d.%m.%Y"), ("d/m/yy", "%d/%m/%y"), ("yyyy-mm-dd hh:mm:ss", "%Y-%m-%d %H:%M:%S"),
    ("mm/dd/yyyy h:mm AM/PM", "%m/%d/%Y %I:%M %p"), ("d mmm yyyy", "%d %b %Y"), ("%d.%m.%Y", "%d.%m.%Y"),
    ("someday", "someday"), ("mm:ss", "mm:ss"),
])
def test_dates_as_spreadsheets_write_them_are_formats(form: str, wanted: str) -> None:
    assert strptime_of(form) == wanted


@pytest.mark.parametrize("bad", [
    {"quote": "ab"}, {"quote": "«"}, {"comment": ""}, {"comment": "x\n"}, {"thousands": "x"}, {"thousands": "::"},
    {"percent": "half"}, {"header_rows": 0}, {"sheet": "a", "sheets": ("b",)}, {"quote": "'", "delimiter": "'"},
    {"dates": "someday"},
])
def test_what_cannot_be_meant_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        ImportOptions(**bad)  # type: ignore[arg-type]


def test_an_encoding_is_any_that_python_knows(take: Import, rows: Rows) -> None:
    assert rows(take("a;b\nœuf;1\nété;2\n".encode("iso8859-15"), encoding="iso8859-15")) == [["œuf", 1], ["été", 2]]
    for name in ("klingon", "base64", "idna", "rot13", "punycode", "undefined", "mbcs"):
        with pytest.raises(ImportRefused, match=r"encoding|is not written in"):
            take("a,b\n1,2\n", encoding=name)


def test_options_are_kept_as_they_were_said() -> None:
    options = ImportOptions(quote="'", comment="#", sheets=("a", "b*"), header_rows=2, percent="share", thousands="_")
    assert ImportOptions.from_json(json.loads(json.dumps(options.to_json()))) == options


def test_percent_signs_are_taken_off_and_that_is_said(take: Import, rows: Rows) -> None:
    text = "a;b;c\n10%;12,5 %;10%\n20 %;1 %;5\n"
    table = take(text)
    assert rows(table) == [[10.0, 12.5, "10%"], [20.0, 1.0, "5"]]
    assert "'a' were read without their percent sign, 10% as 10, as in '10%'" in said(table)
    assert "'c' is kept as text: all of its 2 values are numbers; 1 of these has a percent sign" in said(table)
    assert next(problem.fix.changes for problem in table.problems if problem.fix) == {"percent": "share"}
    shares = take(text, percent="share", types=(("c", "number"),))
    assert rows(shares) == [[0.1, 0.125, 0.1], [0.2, 0.01, 5.0]]
    assert "percent" not in said(shares)


def _book(path: Path, **sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, lines in sheets.items():
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append(line)
    book.save(path)
    return path


def test_several_sheets_make_one_table(store: ObjectStore, scratch: Path, tmp_path: Path, rows: Rows) -> None:
    path = _book(tmp_path / "b.xlsx", y2023=[["k", "v"], [1, 2], [3, 4]], y2024=[["k", "v"], [5, 6.5]], notes=[["x"]],
                 none=[])
    assert [problem.fix.words for problem in preview_import([path], None, scratch).problems if problem.fix] == [
        "Take the sheet 'y2024'"]
    for names in (("y20*",), ("y2024", "y2023")):
        table = import_table([path], store, scratch, ImportOptions(sheets=names, provenance=True, told=True))
        assert rows(table) == [[1, 2.0, "b.xlsx [y2023]", 2], [3, 4.0, "b.xlsx [y2023]", 3],
                               [5, 6.5, "b.xlsx [y2024]", 2]]
    with pytest.raises(ImportRefused, match="has no sheet 'z'") as caught:
        import_table([path], store, scratch, ImportOptions(sheets=("y2023", "z")))
    assert "'y2023', 'y2024', 'notes', 'none'" in caught.value.hint
    with pytest.raises(ImportRefused, match=r"no cells on the sheets 'none'"):
        preview_import([path], ImportOptions(sheets=("none",)), scratch)
    with pytest.raises(ImportRefused, match="the sheet 'notes' has no rows"):
        import_table([path], store, scratch, ImportOptions(sheets=("*",)))
    both = import_table([path], store, scratch, ImportOptions(sheets=("*",), union=True, header_row=1,
                                                              skip_bad_files=True))
    assert both.rows == 3
    assert "'none' has no cells" in said(both)
    alike = _book(tmp_path / "c.xlsx", a=[["k"], [1]], b=[["k"], [2]])
    assert [problem.fix.changes for problem in preview_import([alike], None, scratch).problems if problem.fix] == [
        {"sheets": ["*"]}]


def test_sheets_of_a_packed_workbook_make_one_table(store: ObjectStore, scratch: Path, tmp_path: Path) -> None:
    book = _book(tmp_path / "b.xlsx", a=[["k"], [1]], b=[["k"], [2]])
    (tmp_path / "p.xlsx.gz").write_bytes(gzip.compress(book.read_bytes()))
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        archive.write(book, "in/b.xlsx")
    for name in ("p.xlsx.gz", "p.zip"):
        assert import_table([tmp_path / name], store, scratch, ImportOptions(sheets=("*",))).rows == 2


def test_a_cell_may_be_longer_than_what_a_preview_looks_at(
    store: ObjectStore, scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mldesk.data.readers.sampling.SAMPLE", 10_000)
    monkeypatch.setattr("mldesk.data.readers.careful._LONGEST_RECORD", 20_000)
    path = tmp_path / "long.csv"
    path.write_text('a,b\n1,"' + "words\n" * 5_000 + '"\n2,y\n')
    assert preview_import([path], None, scratch).rows_seen == 2
    assert import_table([path], store, scratch).rows == 2


def _merged(path: Path, lines: list[list[object]], *areas: str) -> Path:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for line in lines:
        sheet.append(line)
    for area in areas:
        sheet.merge_cells(area)
    book.save(path)
    return path


_QUARTERS = [["Where", 2023, None, 2024, None], [None, "Q1", "Q2", "Q1", "Q2"], ["Lyon", 1, 2, 3, 4],
             ["Graz", 5, 6, 7, 8]]


def test_names_in_two_rows_are_joined_where_merged_cells_say_so(
    store: ObjectStore, scratch: Path, tmp_path: Path, rows: Rows
) -> None:
    path = _merged(tmp_path / "q.xlsx", _QUARTERS, "B1:C1", "D1:E1", "A1:A2")
    table = import_table([path], store, scratch)
    assert list(kinds(table)) == ["Where", "2023 Q1", "2023 Q2", "2024 Q1", "2024 Q2"]
    assert rows(table) == [["Lyon", 1, 2, 3, 4], ["Graz", 5, 6, 7, 8]]
    assert "1|None|The names stand in rows 1 to 2, one above the other, and were joined, as in '2023 Q1'" in said(table)
    assert len(table.problems) == 1
    fix = table.problems[0].fix
    assert fix is not None
    alone = import_table([path], store, scratch, ImportOptions().changed(fix.changes))
    assert list(kinds(alone))[1:] == ["Q1", "Q2", "Q1_2", "Q2_2"]


@pytest.mark.parametrize(("lines", "areas", "names"), [
    ([["Report", None, None], [None, None, None], ["a", "b", "c"], [1, 2, 3], [4, 5, 6]], ["A1:C1"], ["a", "b", "c"]),
    ([["Report", None, None], ["a", "b", "c"], [1, 2, 3], [4, 5, 6]], ["A1:B1"], ["a", "b", "c"]),
    ([["Sales", None, "of"], [2023, 2024, "x"], [1, 2, 3], [4, 5, 6]], ["A1:B1"], ["Sales 2023", "Sales 2024", "of x"]),
    ([["k", "A", None], [None, "x", "y"], [1, 2, 3], [4, 5, 6]], ["B1:C1", "A1:A2"], ["k", "A x", "A y"]),
    ([["a", "b", "c"], ["x", "y", None], [1, 2, 3], [4, 5, 6]], ["B2:C2"], ["a", "b", "c"]),
])
def test_only_what_is_plainly_a_storey_of_names_is_one(
    lines: list[list[object]], areas: list[str], names: list[str], store: ObjectStore, scratch: Path, tmp_path: Path
) -> None:
    path = _merged(tmp_path / "m.xlsx", lines, *areas)
    assert list(kinds(import_table([path], store, scratch))) == names


def test_names_in_two_rows_without_merged_cells_are_told(store: ObjectStore, scratch: Path, tmp_path: Path) -> None:
    path = _merged(tmp_path / "p.xlsx", [["Title"], [None], *_QUARTERS])
    assert list(kinds(import_table([path], store, scratch, ImportOptions(header_rows=2)))) == [
        "Where", "2023 Q1", "2023 Q2", "2024 Q1", "2024 Q2"]
    assert list(kinds(import_table([path], store, scratch, ImportOptions(header_rows=2, header_row=3)))) == [
        "Where", "2023 Q1", "2023 Q2", "2024 Q1", "2024 Q2"]
