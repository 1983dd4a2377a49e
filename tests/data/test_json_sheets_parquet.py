"""JSON, workbooks and Parquet: formats whose values bring types along."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldesk.data import ImportRefused
from tests.data.conftest import Import, Rows, kinds, said

RECORDS = [{"a": 1, "b": "x", "c": True}, {"a": 2.5, "b": None, "c": False}]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(RECORDS),
        json.dumps(RECORDS, indent=2),
        "\ufeff" + json.dumps(RECORDS),
        json.dumps({"data": RECORDS}),
        json.dumps({"meta": {"n": 2}, "rows": RECORDS}),
        json.dumps({"a": [1, 2.5], "b": ["x", None], "c": [True, False]}),
        json.dumps({"a": {"0": 1, "1": 2.5}, "b": {"0": "x", "1": None}, "c": {"0": True, "1": False}}),
        "\n".join(map(json.dumps, RECORDS)),
    ],
)
def test_json_in_every_shape_is_the_same_table(text: str, take: Import, rows: Rows) -> None:
    table = take(text, "t.json")
    assert kinds(table) == {"a": "number", "b": "text", "c": "boolean"}
    assert rows(table) == [[1.0, "x", True], [2.5, None, False]]


def test_objects_become_columns_and_what_is_deeper_stays_json(take: Import, rows: Rows) -> None:
    table = take(
        json.dumps([{"p": {"x": 1, "y": {"z": 2}}, "l": [1, 2], "e": {}}, {"p": {"x": 3}, "l": None, "e": {}}]),
        "t.json",
    )
    assert kinds(table) == {"p.x": "integer", "p.y": "text", "l": "text", "e": "text"}
    assert rows(table)[0] == [1, '{"z": 2}', "[1, 2]", "{}"]


def test_keys_may_come_late_and_collide(take: Import, rows: Rows) -> None:
    table = take('[{"a.b": 1}, {"a": {"b": 2}}, {"new": "x"}]', "t.json")
    assert [column.name for column in table.columns] == ["a.b", "a.b_2", "new"]
    assert rows(table) == [[1, None, None], [None, 2, None], [None, None, "x"]]


def test_many_records_are_read_piece_by_piece(take: Import) -> None:
    text = json.dumps([{"i": number, "t": "x" * (number % 50)} for number in range(60_000)])
    table = take(text, "t.json")
    assert (table.rows, table.columns[0].distinct) == (60_000, 60_000)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"a": 1},\n{"a": 2},\n{"a" 3}]', "in line 3"),
        ('[{"a": 1},\n{"a": 2}', "ends in line 2 before"),
        ('{"a": [1, 2], "b": [1]}', "the column 'b' has 1 values"),
        ("[]", "holds no records"),
        ("3", "not JSON"),
        ("[1, 2, 3]", "3 of 3 lines are not records"),
        ('{"a": ', "in line 1"),
        ("[" * 100_000, "nested too deep"),
        ("[{}]", "t.json holds no columns"),
        ("{}", "t.json holds no columns"),
        ("{}\n{}\n", "t.json holds no columns"),
        ('[{"a": 1},\n{"a": ' + "9" * 10_000 + "}]", "a number of more than 4,300 digits, .* begins in line 2"),
        ('{"a": [1, ' + "9" * 10_000 + "]}", "a number of more than 4,300 digits"),
    ],
)
def test_json_that_is_no_table_is_refused(text: str, words: str, take: Import) -> None:
    with pytest.raises(ImportRefused, match=words):
        take(text, "t.json")


def test_a_line_with_an_endless_number_is_left_out_and_named(take: Import, rows: Rows) -> None:
    table = take('{"a": 1}\n{"a": ' + "9" * 10_000 + '}\n{"a": 2}\n', "t.jsonl")
    assert rows(table) == [[1], [2]]
    assert "Line 2 has a number of more than 4,300 digits; it was left out." in said(table)


def test_a_lone_surrogate_in_json_is_no_disaster(take: Import, rows: Rows) -> None:
    assert rows(take('[{"a": "\\ud800x", "b": 1}]', "t.json")) == [["\ufffdx".replace("\ufffd", "\ufffd" * 3), 1]]


def test_shapes_that_mix_in_many_records_are_kept(take: Import, rows: Rows) -> None:
    table = take("\n".join(['{"a": 1, "b": 2}', '{"a": {"v": 3}, "b": 4}', '{"a": {"v": 5}, "b": 6}']), "t.jsonl")
    assert table.rows == 3
    assert rows(table)[1] == [None, 4, 3]
    assert "plain values in some records" in said(table)


def _workbook(rows: list[list[Any]], name: str = "Sheet", **more: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    for title, content in {name: rows, **more}.items():
        sheet = book.active if title == name else book.create_sheet(title)
        assert sheet is not None
        sheet.title = title
        for row in content:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_gives_its_values_with_types(take: Import, rows: Rows) -> None:
    table = take(
        _workbook(
            [
                ["n", "x", "d", "when", "yes", "t", "clock"],
                [
                    1,
                    1.5,
                    dt.date(2024, 1, 31),
                    dt.datetime.fromisoformat("2024-01-31 10:20"),
                    True,
                    "é",
                    dt.time(10, 20),
                ],
                [2, None, dt.date(2024, 2, 1), dt.datetime.fromisoformat("2024-02-01"), False, None, dt.time(9, 5, 7)],
            ]
        ),
        "t.xlsx",
    )
    assert kinds(table) == {
        "n": "integer",
        "x": "number",
        "d": "date",
        "when": "datetime",
        "yes": "boolean",
        "t": "text",
        "clock": "time",
    }
    assert rows(table)[0] == [1, 1.5, "2024-01-31", "2024-01-31 10:20:00", True, "é", "10:20:00"]


def test_a_sheet_may_be_chosen_and_a_wrong_one_is_refused_with_those_there_are(take: Import, rows: Rows) -> None:
    book = _workbook([["a", "b"], [1, 2], [3, 4]], Other=[["c", "d"], [5, 6]])
    assert rows(take(book, "t.xlsx", sheet="Other")) == [[5, 6]]
    assert "left out: 'Other'" in said(take(book, "t.xlsx"))
    with pytest.raises(ImportRefused, match="no sheet 'Nope'") as caught:
        take(book, "t.xlsx", sheet="Nope")
    assert "'Sheet', 'Other'" in caught.value.hint


def test_a_table_in_the_middle_of_a_sheet_is_found(take: Import, rows: Rows) -> None:
    table = take(
        _workbook(
            [
                ["Title"],
                [],
                [None, None, "a", "b", "c"],
                [None, None, 1, "x", 2],
                [],
                [None, None, 3, "y", 4],
                [None, None, "Total", None, None],
            ]
        ),
        "t.xlsx",
    )
    assert [column.name for column in table.columns] == ["a", "b", "c"]
    assert rows(table) == [[1, "x", 2], [3, "y", 4]]
    assert [problem.line for problem in table.problems] == [1, 7, 3, 5]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (_workbook([[]]), "no sheet with cells"),
        (_workbook([["a", "b"]]), "no rows of values"),
        (b"PK\x03\x04" + bytes(200), "damaged or not a workbook"),
        (b"a,b\n1,2\n", "not an Excel file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "password-protected or an old .xls"),
    ],
)
def test_a_workbook_without_a_table_is_refused(content: bytes, words: str, take: Import) -> None:
    with pytest.raises(ImportRefused, match=words):
        take(content, "t.xlsx")


@pytest.mark.parametrize("form", ['{"id%d": 1}', '{"a": {"id%d": 1}}'])
def test_ids_that_are_written_as_keys_are_named_before_they_fill_the_machine(form: str, take: Import) -> None:
    with pytest.raises(ImportRefused, match="more than 4,000 different keys, hardly one of them twice"):
        take("\n".join(form % number for number in range(9000)), "t.jsonl")


@pytest.mark.parametrize("spoil", range(8))
def test_a_workbook_damaged_anywhere_is_read_or_refused_but_never_crashes(spoil: int, take: Import) -> None:
    book = bytearray(_workbook([["a", "b"], *([number, "x"] for number in range(50))]))
    at = len(book) * spoil // 8
    book[at : at + 40] = bytes(40)
    try:
        assert take(bytes(book), "t.xlsx").rows
    except ImportRefused as refused:
        assert "t.xlsx" in refused.message


@pytest.mark.parametrize("sheet", [
    '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c s="1" r="XFD1048576"><v>2</v></c></row>',
    '<row r="1">' + "<c><v>1</v></c>" * 200 + '</row><row r="1048576"><c><v>2</v></c></row>'])
def test_a_workbook_with_cells_in_opposite_corners_is_refused(sheet: str, take: Import, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match=r"t\.xlsx: the cells of 'sheet1.xml' reach over 1,048,576 rows"):
        take(_with_sheet(sheet, tmp_path), "t.xlsx")


def test_cells_far_away_that_only_have_a_style_do_not_count(take: Import, rows: Rows, tmp_path: Path) -> None:
    sheet = ('<row r="1"><c r="A1"><v>1</v></c><c r="B1"><v>2</v></c></row><row r="2"><c r="A2"><v>3</v></c>'
             '<c r="B2"><v>4</v></c></row><row r="1048576"><c r="XFD1048576" s="0"/></row>')
    assert rows(take(_with_sheet(sheet, tmp_path), "t.xlsx")) == [[1, 2], [3, 4]]


@pytest.mark.parametrize(("name", "tag", "refused"), [
    ("xl/sharedStrings.xml", 'count="9" uniqueCount="4000000000"', True),
    ("xl/SharedStrings.xml", "xml:space='>'\n uniqueCount = '4000000000'", True),
    ("xl/sharedStrings.xml", 'count="4000000000" uniqueCount="1"', False)])
def test_a_workbook_that_claims_more_texts_than_it_can_hold_is_refused(
        name: str, tag: str, refused: bool, take: Import, rows: Rows, tmp_path: Path) -> None:
    text = f'<x:sst xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main" {tag}><x:si><x:t>q</x:t></x:si>'
    cells = '<row r="1"><c r="A1" t="s"><v>0</v></c></row><row r="2"><c r="A2"><v>3</v></c></row>'
    book = _with_sheet(cells, tmp_path, {name: f'<?xml version="1.0"?><!--{"-" * 2_000_000}--\n>{text}</x:sst>'
                                         if refused else f"{text}</x:sst>"})
    if refused:  # reading it would end the process
        with pytest.raises(ImportRefused, match="more texts than there is room for"):
            take(book, "t.xlsx")
    else:
        assert rows(take(book, "t.xlsx")) == [[3]]


def test_the_texts_of_a_binary_workbook_are_counted_before_they_are_read(tmp_path: Path) -> None:
    from mldesk.data.readers.sheet_extent import refuse_vast_sheets

    for count, refused in ((1, False), (4_000_000_000, True)):
        with zipfile.ZipFile(tmp_path / "b.xlsb", "w") as archive:
            archive.writestr("xl/sharedStrings.bin", b"\x9f\x01\x08" + (9).to_bytes(4, "little")
                             + count.to_bytes(4, "little"))
        if refused:
            with pytest.raises(ImportRefused, match="more texts"):
                refuse_vast_sheets("b.xlsb", tmp_path / "b.xlsb", lambda: None)
        else:
            refuse_vast_sheets("b.xlsb", tmp_path / "b.xlsb", lambda: None)


def _with_sheet(cells: str, folder: Path, more: Mapping[str, str] | None = None) -> bytes:
    """Return a workbook whose one sheet has these cells; ``more`` replaces other members."""
    (folder / "plain.xlsx").write_bytes(_workbook([["a"]]))
    with zipfile.ZipFile(folder / "plain.xlsx") as old, zipfile.ZipFile(folder / "new.xlsx", "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                data = ('<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/'
                        f'main"><sheetData>{cells}</sheetData></worksheet>').encode()
            if name.lower() not in {other.lower() for other in more or {}}:
                new.writestr(name, data)
        for name, text in (more or {}).items():
            new.writestr(name, text)
    return (folder / "new.xlsx").read_bytes()


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(take: Import, tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(60_000_000))
    with pytest.raises(ImportRefused, match="too much for a workbook"):
        take((tmp_path / "b.zip").read_bytes(), "t.xlsx")


def _parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def test_every_type_of_parquet_becomes_one_of_ours(take: Import, rows: Rows) -> None:
    day, moment = dt.date(2024, 1, 31), dt.datetime.fromisoformat("2024-01-31 10:20:30.123456")
    table = take(
        _parquet(
            pa.table(
                {
                    "i8": pa.array([1, None], pa.int8()),
                    "u64": pa.array([2**64 - 1, 1], pa.uint64()),
                    "f": pa.array([1.5, float("nan")]),
                    "h": pa.array([1.5, None], pa.float16()),
                    "b": [True, None],
                    "s": ["x", " "],
                    "ls": pa.array(["y", None], pa.large_string()),
                    "cat": pa.array(["u", "v"]).dictionary_encode(),
                    "d": [day, None],
                    "ts": pa.array([moment, None], pa.timestamp("ns")),
                    "tz": pa.array([moment, None], pa.timestamp("us", "Europe/Paris")),
                    "t": pa.array([dt.time(1, 2, 3), None]),
                    "dec": [decimal.Decimal("1.25"), None],
                    "dec0": pa.array([7, None], pa.decimal128(10, 0)),
                    "dur": pa.array([90_000, None], pa.duration("ms")),
                    "nul": pa.nulls(2),
                    "bin": pa.array([b"\xff", None], pa.binary()),
                    "list": [[1, 2], None],
                    "st": [{"a": 1, "b": {"c": 2}}, {"a": 3, "b": None}],
                }
            )
        ),
        "t.parquet",
    )
    assert kinds(table) == {
        "i8": "integer",
        "u64": "number",
        "f": "number",
        "h": "number",
        "b": "boolean",
        "s": "text",
        "ls": "text",
        "cat": "text",
        "d": "date",
        "ts": "datetime",
        "tz": "datetime",
        "t": "time",
        "dec": "number",
        "dec0": "integer",
        "dur": "number",
        "nul": "text",
        "list": "text",
        "st.a": "integer",
        "st.b": "text",
    }
    first, second = rows(table)
    assert first[:3] == [1, float(2**64 - 1), 1.5]
    assert first[8:12] == ["2024-01-31", "2024-01-31 10:20:30.123456", "2024-01-31 10:20:30.123456", "01:02:03"]
    assert first[12:] == [1.25, 7, 90.0, None, "[1, 2]", 1, '{"c": 2}']
    assert second[2] is None
    assert second[5] is None
    assert "'bin' holds binary" in said(table)


def test_a_damaged_parquet_file_is_refused(take: Import) -> None:
    whole = _parquet(pa.table({"a": list(range(1000)), "b": ["x" * 50] * 1000}))
    with pytest.raises(ImportRefused, match="damaged or not a Parquet file"):
        take(whole[:-200], "t.parquet")
    spoiled = bytearray(whole)
    spoiled[10:60] = bytes(50)
    with pytest.raises(ImportRefused, match="damaged or not a Parquet file"):
        take(bytes(spoiled), "t.parquet")
    with pytest.raises(ImportRefused, match="header and no rows"):
        take(_parquet(pa.table({"a": pa.array([], pa.int64())})), "t.parquet")


def test_parquet_columns_with_dots_and_twins_in_their_names_stay_apart(take: Import, rows: Rows) -> None:
    table = take(
        _parquet(pa.table([pa.array([1]), pa.array([2]), pa.array([3])], names=["a", "a.b", "A"])), "t.parquet"
    )
    assert [column.name for column in table.columns] == ["a", "a.b", "A_2"]
    assert rows(table) == [[1, 2, 3]]
