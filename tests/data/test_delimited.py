"""Delimited text in all the ways that programs and people write it."""

from __future__ import annotations

import csv
import gzip
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mldesk.data import ImportOptions, ImportRefused, import_table
from mldesk.data.readers.careful import read_rows
from mldesk.data.readers.delimited import _read_fast
from mldesk.data.readers.dialect import Dialect, Told, sniff
from mldesk.data.readers.raw import Context
from mldesk.data.readers.regular import Irregular
from mldesk.data.readers.spool import Spool
from mldesk.data.records import Problems
from mldesk.data.sources.encoding import as_utf8
from mldesk.wire.objects import ObjectStore
from tests.data.conftest import Import, Rows, kinds, said


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_delimiter_and_the_line_ends_are_found_out(delimiter: str, end: str, take: Import, rows: Rows) -> None:
    lines = [("name", "note", "x"), ("a", "é", "1"), ("b", "", "2")]
    table = take("".join(delimiter.join(line) + end for line in lines))
    assert rows(table) == [["a", "é", 1], ["b", None, 2]]


def test_commas_inside_semicolon_files_stay_in_their_cells(take: Import, rows: Rows) -> None:
    table = take("name;price\nTisch;1,50\nStuhl;12,25\n")
    assert kinds(table) == {"name": "text", "price": "number"}
    assert rows(table) == [["Tisch", 1.5], ["Stuhl", 12.25]]


def test_quoted_line_breaks_and_quotes_are_part_of_the_cell_and_lines_are_counted_as_an_editor_does(
    take: Import, rows: Rows
) -> None:
    table = take('a,b\n"one\ntwo",1\n"say ""hi""",2\nbad\nlast,3\n')
    assert rows(table) == [["one\ntwo", 1], ['say "hi"', 2], ["last", 3]]
    assert said(table) == "5|None|Line 5 has 1 cell instead of 2; it was left out."


def test_a_quote_that_never_ends_costs_its_own_line_only(take: Import, rows: Rows) -> None:
    table = take('a,b\n1,x\n2,"oh\n3,y\n4,z\n')
    assert rows(table) == [[1, "x"], [3, "y"], [4, "z"]]
    assert "3|None|The quoted cell that begins in line 3 never ends" in said(table)


def test_a_file_full_of_quotes_that_never_end_is_refused(take: Import) -> None:
    with pytest.raises(ImportRefused, match=r"quoted cells that never end, the last in line \d+"):
        take("a,b\n" + '1,"x\n' * 501)


def test_rows_of_the_wrong_width_are_named_up_to_a_hundred_and_then_counted(take: Import) -> None:
    table = take("a,b\n" + "1,2\n" * 1000 + "1\n" * 300)
    assert table.rows == 1000
    assert len(table.problems) == 101
    assert table.problems[-1].message == "200 more lines left out, 300 in all."


def test_a_file_whose_rows_mostly_do_not_fit_its_header_is_refused(take: Import) -> None:
    with pytest.raises(
        ImportRefused, match=r"table\.csv: 4 of 5 rows do not have the 3 cells that the header in line 1"
    ):
        take("a,b,c\n1,2,3\n1,2\n1,2\n1\n1\n", delimiter=",")


def test_empty_lines_are_named_but_not_those_at_the_end(take: Import, rows: Rows) -> None:
    table = take("\na,b\n1,2\n\n   \n3,4\n\n\n")
    assert rows(table) == [[1, 2], [3, 4]]
    assert [problem.line for problem in table.problems] == [4, 5]


@pytest.mark.parametrize("text", ["a,b,\n1,2,\n3,4,\n", "a,b\n1,2,\n3,4,\n"])
def test_a_delimiter_at_the_end_of_every_line_shifts_nothing(text: str, take: Import, rows: Rows) -> None:
    assert [row[:2] for row in rows(take(text))] == [[1, 2], [3, 4]]


def test_names_are_made_unique_also_where_only_case_or_blanks_differ(take: Import) -> None:
    table = take("a,A, a ,,straße,STRASSE,a_2\n1,2,3,4,5,6,7\n")
    assert [column.name for column in table.columns] == ["a", "A_3", "a_4", "column_4", "straße", "STRASSE_2", "a_2"]
    assert len(table.problems) == 4


def test_names_in_other_scripts_are_kept_in_their_composed_form(take: Import) -> None:
    table = take("이름,城市,Ελλάς,cafe\u0301,😀\n1,2,3,4,5\n")
    assert [column.name for column in table.columns] == ["이름", "城市", "Ελλάς", "café", "😀"]


def test_a_header_may_follow_a_title_or_be_chosen(take: Import, rows: Rows) -> None:
    text = "Report of May\nprinted 2024-05-31\na,b\n1,2\n3,4\n"
    table = take(text)
    assert rows(table) == [[1, 2], [3, 4]]
    assert "1|None|Line 1 stands above the header" in said(table)
    assert rows(take("x,y\na,b\n1,2\n", header_row=2)) == [[1, 2]]
    assert rows(take("a,b\n1,2\n", header_row=0)) == [["a", "b"], ["1", "2"]]


def test_a_file_without_a_header_gets_names_and_a_word_about_it(take: Import, rows: Rows) -> None:
    table = take("1,2.5,2024-01-01\n2,3.5,2024-01-02\n")
    assert [column.name for column in table.columns] == ["column_1", "column_2", "column_3"]
    assert table.rows == 2
    assert "first line holds values, not names" in said(table)



@pytest.mark.parametrize(("first", "rest", "named"), [
    ("5.1,3.5,1.4,0.2,setosa", "4.9,3.0,1.4,0.2,setosa", False),
    ("39,State-gov,77516,13", "50,Private,83311,9", False),
    ("Ann,34", "Bob,27", False),
    ("Ann,2024-03-01", "Bob,2024-01-02", False),
    ("name,age", "Bob,27", True),
    ("town,2021,2020", "Oslo,1,2", True),        # years
    (",a,0,1", "x,y,3.5,4", True),               # as pandas writes columns without names
    ("town,0.1,0.5,0.9", "Oslo,3,4,5", True),    # quantiles
    ("name,7,age", "Bob,2,3", True),             # a word stands above numbers
    ("12,town", "x,Oslo", True),                 # a number stands above words
])
def test_a_first_row_like_those_below_is_a_row(first: str, rest: str, named: bool) -> None:
    found = sniff(f"{first}\n" + f"{rest}\n" * 9, Told(), whole=True)
    assert found is not None
    assert (found.headerless, bool(found.header)) == (not named, named)


def test_row_names_as_r_writes_them_become_a_column(take: Import, rows: Rows) -> None:
    table = take('"mpg","cyl"\n"Mazda",21,6\n"Datsun",22.8,4\n')
    assert [column.name for column in table.columns] == ["column_1", "mpg", "cyl"]
    assert rows(table) == [["Mazda", 21.0, 6], ["Datsun", 22.8, 4]]


def test_blanks_after_delimiters_do_not_belong_to_values(take: Import, rows: Rows) -> None:
    table = take('age, class, note\n1, Private, "a, b"\n2, ?, c\n')
    assert rows(table) == [[1, "Private", "a, b"], [2, None, "c"]]


def test_the_line_of_a_spreadsheet_that_names_the_delimiter_is_obeyed(take: Import, rows: Rows) -> None:
    assert rows(take("sep=;\na;b\n1;2\n")) == [[1, 2]]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8-sig", "ä,b\nö,1\n"),
        ("utf-16", "ä,b\nö,1\n"),
        ("utf-32", "ä,b\nö,1\n"),
        ("utf-16-le", "aaa,bbb\nö,1\n"),
        ("utf-16-be", "aaa,bbb\nö,1\n"),
        ("cp1252", "Stadt,n\nMünchen,1\nNürnberg,2\n"),
        ("cp1251", "город,имя\n" + "Москва,Анна\nНовосибирск,Сергей\n" * 20),
        ("euc-kr", "도시,이름\n" + "서울 특별시,가나다\n부산 광역시,라마바\n" * 20),
        ("shift_jis", "都市,名前\n" + "東京都,ひらがなです\n大阪府,カタカナです\n" * 20),
        ("gb18030", "城市,姓名\n" + "北京市,这是中文的数据\n上海市,我们的名字\n" * 20),
    ],
)
def test_encodings_are_found_out(encoding: str, text: str, take: Import, rows: Rows) -> None:
    table = take(text.encode(encoding))
    wanted = list(csv.reader(io.StringIO(text)))
    assert [column.name for column in table.columns] == wanted[0]
    assert [row[0] for row in rows(table)] == [row[0] for row in wanted[1:]]
    assert ("guess" in said(table)) == (not encoding.startswith("utf"))


def test_an_encoding_may_be_chosen_and_a_wrong_one_is_refused(take: Import, rows: Rows) -> None:
    assert rows(take("a,b\né,1\n".encode("cp850"), encoding="cp850")) == [["é", 1]]
    with pytest.raises(ImportRefused, match=r"table\.csv is not written in ascii: line 2"):
        take("a,b\né,1\n", encoding="ascii")
    with pytest.raises(ImportRefused, match="no encoding 'klingon'"):
        take("a,b\n1,2\n", encoding="klingon")
    for packing in ("zip", "rot13", "hex", "base64", "idna"):  # Python's names for what is no encoding of a text
        with pytest.raises(ImportRefused, match="no encoding"):
            take("a,b\n1,2\n", encoding=packing)


def test_one_broken_byte_in_utf8_costs_one_letter(take: Import, rows: Rows) -> None:
    table = take(b"a,b\n" + "äöü,1\n".encode() * 10 + b"\xff,2\n" + "é,3\n".encode())
    assert rows(table)[10:] == [["\ufffd", 2], ["é", 3]]
    assert table.problems[0].line == 12


def test_bytes_that_a_guessed_encoding_does_not_have_cost_one_letter(take: Import, rows: Rows) -> None:
    table = take(b"Stadt,n\n" + "München,1\nKöln,2\n".encode("cp1252") * 10 + b"ab\x81,3\n")
    assert rows(table)[-2:] == [["Köln", 2], ["ab\ufffd", 3]]
    assert [problem.line for problem in table.problems] == [None, 22]


def test_nul_characters_are_left_out_and_named(take: Import, rows: Rows) -> None:
    table = take(b"a,b\n1,x\n2,y\0z\n")
    assert rows(table) == [[1, "x"], [2, "yz"]]
    assert table.problems[0].line == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (bytes(range(256)) * 50, "binary data"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a picture"),
        (b"PK\x03\x04" + bytes(100), "zip archive"),
        (b"%PDF-1.7", "PDF"),
        (b"\n\n \n", "nothing but blank lines"),
        (b"\x80\x04\x95" + bytes(50), "a pickle"),
        (b"PAR1" + bytes(100), "damaged or not a Parquet file"),
        (b"\x1f\x8b\x08\x00" + bytes(20), "damaged|packed"),
        (b"\x1f\x8b", "packed data"),
    ],
)
def test_what_is_not_text_is_refused(content: bytes, words: str, take: Import) -> None:
    with pytest.raises(ImportRefused, match=words) as caught:
        take(content)
    assert "table.csv" in caught.value.message


def test_very_long_cells_are_kept_whole(take: Import, store: ObjectStore) -> None:
    long = "x" * 9_000_000
    table = take(f'a,b\n1,"{long}"\n2,y\n')
    assert table.rows == 2
    assert table.columns[1].distinct == 2


def test_a_single_column_needs_no_delimiter(take: Import, rows: Rows) -> None:
    assert rows(take("city\nSão Paulo\nLyon\n")) == [["São Paulo"], ["Lyon"]]


def test_a_packed_file_is_unpacked_and_a_cut_one_refused(take: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress(b"a,b\n" + b"1,2\n" * 1000)
    assert take(packed, "t.csv.gz").rows == 1000
    with pytest.raises(ImportRefused, match=r"t\.csv\.gz ends in the middle of its packed data"):
        take(packed[:-20], "t.csv.gz")
    monkeypatch.setattr("mldesk.data.sources.archives._MOST", 3000)
    with pytest.raises(ImportRefused, match="unpacks to more than 3,000 bytes"):
        take(packed, "bomb.csv.gz")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere.csv", "There is no file nowhere.csv"),
        (".", "is a folder"),
        ("pipe", "not a regular file"),
        ("a\0b.csv", "cannot be read"),
    ],
)
def test_a_path_that_is_no_file_is_refused(
    name: str, words: str, store: ObjectStore, scratch: Path, tmp_path: Path
) -> None:
    if name == "pipe":
        os.mkfifo(tmp_path / name)
    with pytest.raises(ImportRefused, match=words):
        import_table([tmp_path / name], store, scratch)
    with pytest.raises(ImportRefused, match="no file to import"):
        import_table([], store, scratch)


def test_no_part_of_an_import_loads_pandas() -> None:
    code = (
        "import sys, mldesk.data.imports.importing, mldesk.data.view, mldesk.data.statistics.profiling, "
        "mldesk.data.recipes.applying, mldesk.data.imports.like, mldesk.data.readers.sheets; "
        "print('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
    light = ("import sys, mldesk.data, mldesk.data.recipes.steps; "
             "print({'duckdb', 'pyarrow', 'numpy'} & set(sys.modules))")
    assert subprocess.run([sys.executable, "-c", light], capture_output=True, text=True, check=True).stdout == "set()\n"


CELLS = st.text(alphabet=st.sampled_from(list("ab1 \",;\n\r'é\t")), max_size=6)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=8), data=st.data())
def test_the_fast_and_the_careful_reader_agree(table: list[list[str]], data: st.DataObject, tmp_path: Path) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(
        out,
        lineterminator=data.draw(st.sampled_from(["\n", "\r\n"])),
        quoting=data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
    )
    writer.writerow(["x", "y", "z"])
    writer.writerows(table)
    raw = out.getvalue()
    if data.draw(st.booleans()):  # spoil it somewhere
        at = data.draw(st.integers(6, len(raw)))
        raw = raw[:at] + data.draw(st.sampled_from(['"', ",", "\n", "", '""'])) + raw[at + 1 :]
    path = tmp_path / "x.csv"
    path.write_bytes(raw.encode())
    dialect = Dialect(",", False, ("x", "y", "z"), 1, (), 3)

    def context() -> Context:
        return Context("x.csv", 0, len(raw), ImportOptions(), Problems("x.csv"), tmp_path, lambda _: None)

    text = as_utf8(path, tmp_path / "x.utf8", Problems("x.csv"), None, lambda _: None, "x.csv")
    fast, careful = Spool(tmp_path, "fast"), Spool(tmp_path, "careful")
    if text.quotes % 2:
        return
    try:
        lines = _read_fast(context(), text, dialect, fast)
    except Irregular:
        return
    try:
        slow = read_rows(context(), path, dialect, careful)
    except ImportRefused:
        assert not fast.rows
        return
    assert _content(fast) == _content(careful)
    assert [lines.of(row) for row in range(fast.rows)] == [slow.of(row) for row in range(fast.rows)]


def _content(spool: Spool) -> list[list[str]]:
    result: list[list[str]] = [[], [], []]
    for arrays in spool.batches():
        for column, values in zip(result, arrays, strict=True):
            column += values.to_pylist()
    return result
