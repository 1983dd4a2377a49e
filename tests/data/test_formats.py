"""The other kinds of sources: archives, folders, fixed width, HTML, Arrow, old workbooks, databases."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import sqlite3
import zipfile
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
import xlwt

from mldesk.data import ImportCancelled, ImportOptions, ImportRefused, import_table, preview_import
from mldesk.wire.objects import ObjectStore
from tests.data.conftest import Import, Rows, kinds, said
from tests.data.odf import cell, row, sheet

CSV = b"a,b,c\n1,x,2024-01-02\n2,y,2024-01-03\n3,,2024-02-01\n"


def _zip(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv.gz", gzip.compress(CSV)),
        ("t.csv.bz2", bz2.compress(CSV)),
        ("t.csv.xz", lzma.compress(CSV)),
        ("t.csv.zst", pa.compress(CSV, codec="zstd", asbytes=True)),
        ("t.zip", _zip(**{"in__t.csv": CSV, "README.txt": b"Read me."})),
        ("t.csv", CSV),
    ],
    ids=["gz", "bz2", "xz", "zst", "zip", "plain"],   # not the bytes: gzip writes the time into them
)
def test_a_packed_table_is_the_table_and_a_cut_one_is_refused(name: str, content: bytes, take: Import) -> None:
    table = take(content, name)
    assert kinds(table) == {"a": "integer", "b": "text", "c": "date"}
    assert table.rows == 3
    if name != "t.csv":
        with pytest.raises(ImportRefused, match="cut"):
            take(content[:-9], f"cut{name[1:]}")


def test_what_unpacks_to_far_more_than_it_is_gets_refused(take: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mldesk.data.sources.archives._FREE", 100_000)
    for name, bomb in (("b.csv.zst", pa.compress(b"0" * 10**7, codec="zstd", asbytes=True)),
                       ("b.csv.xz", lzma.compress(b"0" * 10**7))):
        with pytest.raises(ImportRefused, match=r"unpacks to more than .* bytes; that is too much"):
            take(bomb, name)


def test_entries_that_point_outside_of_an_archive_are_left_out_and_named(take: Import, tmp_path: Path) -> None:
    table = take(_zip(**{"ok.csv": CSV, "../../x.csv": CSV, "/abs.csv": CSV}), "slip.zip")
    assert table.rows == 3
    assert "'../../x.csv' was left out" in said(table)
    assert "'/abs.csv' was left out" in said(table)
    assert not (tmp_path.parent / "x.csv").exists()
    assert not Path("/abs.csv").exists()


def test_a_folder_is_one_table_with_where_each_row_came_from(
    store: ObjectStore, scratch: Path, rows: Rows, tmp_path: Path
) -> None:
    folder = tmp_path / "parts"
    (folder / "deep").mkdir(parents=True)
    (folder / "1.csv").write_bytes(CSV)
    (folder / "deep/2.csv").write_bytes(b"a,b,e\n7,q,1.5\n")
    (folder / "notes.pdf").write_bytes(b"%PDF")
    with pytest.raises(ImportRefused, match=r"2\.csv has no column 'c'") as caught:
        import_table([folder], store, scratch)
    assert [fix.changes for fix in caught.value.fixes] == [{"union": True}]
    table = import_table([folder], store, scratch, ImportOptions(union=True, provenance=True))
    assert [line[3:] for line in rows(table)] == [
        [None, "1.csv", 2], [None, "1.csv", 3], [None, "1.csv", 4], [1.5, "deep/2.csv", 2]]
    assert "1 file of the folder was left out, 'notes.pdf' first" in said(table)
    assert "has no column 'c'" in said(table)


def test_columns_of_two_types_in_typed_files_become_the_wider_one(
    store: ObjectStore, scratch: Path, rows: Rows, tmp_path: Path
) -> None:
    feather.write_feather(pa.table({"n": [1, 2]}), tmp_path / "1.feather")
    feather.write_feather(pa.table({"n": [0.5]}), tmp_path / "2.feather")
    table = import_table([tmp_path / "1.feather", tmp_path / "2.feather"], store, scratch)
    assert rows(table) == [[1.0], [2.0], [0.5]]
    assert "it became number" in said(table)


def test_fixed_width_is_found_by_its_blanks_or_cut_by_widths(take: Import, rows: Rows) -> None:
    found = take("name      age city\nBob        12 Rome\nAlice      30 New York\nEve         7 Oslo\n", "f.txt")
    assert rows(found)[1] == ["Alice", 30, "New York"]
    assert "read as fixed width" in said(found)
    told = take("BobRome12\nAliOslo30\n", "w.txt", widths=(3, 4, 2), header_row=0)
    assert rows(told) == [["Bob", "Rome", 12], ["Ali", "Oslo", 30]]


@pytest.mark.parametrize(
    ("delimiter", "text"),
    [("::", 'u::i\n1::2\n4::"a::b"\n'), (" ", 'u   i\n1  2\n4 "a::b"\n'), ("~", "u~i\n1~2\n4~a::b\n")],
)
def test_any_delimiter_can_be_told(delimiter: str, text: str, take: Import, rows: Rows) -> None:
    assert rows(take(text, "t.dat", delimiter=delimiter)) == [[1, "2"], [4, "a::b"]]


def test_a_table_of_a_page_keeps_what_spans_rows(take: Import, rows: Rows) -> None:
    page = ("<html><script>var t='<table>';</script><table><tr><td>menu</table><table><tr><th>a<th>b</tr>"
            "<tr><td rowspan=2>1<td>x &amp; y</tr><tr><td>z</tr></table></html>")
    assert rows(take(page, "p.html")) == [[1, "x & y"], [1, "z"]]
    with pytest.raises(ImportRefused, match="without a table"):
        take("<html><p>No.</html>", "n.html")


def test_arrow_files_and_streams_are_read_and_damaged_ones_refused(take: Import, rows: Rows, tmp_path: Path) -> None:
    data = pa.table({"a": [1, 2], "b": ["x", None]})
    feather.write_feather(data, tmp_path / "x.feather")
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, data.schema) as writer:
        writer.write_table(data)
    content = (tmp_path / "x.feather").read_bytes()
    for bytes_, name in ((content, "f.feather"), (stream.getvalue(), "s.arrows")):
        assert rows(take(bytes_, name)) == [[1, "x"], [2, None]]
    with pytest.raises(ImportRefused, match="damaged or not an Arrow file"):
        take(content[:200] + content[300:], "d.feather")


def test_old_and_open_workbooks_are_read_in_part(take: Import, rows: Rows, tmp_path: Path) -> None:
    book = xlwt.Workbook()
    page = book.add_sheet("one")
    for place, cells in enumerate([["", "title"], ["", "k", "v"], ["", 1, "x"], ["", 2, "y"], ["", 3, "z"]]):
        for column, value in enumerate(cells):
            page.write(place, column, value)
    made = io.BytesIO()
    book.save(made)
    assert rows(take(made.getvalue(), "o.xls", range="B2:C4")) == [[1, "x"], [2, "y"]]
    with pytest.raises(ImportRefused, match="lies outside of the cells that are filled"):
        take(made.getvalue(), "o.xls", range="H2:J4")
    honest = sheet(row([cell("a"), cell("b"), cell(None, 1000)]), row([cell(1), cell("x")]),
                   row([cell(2), cell("y")], 3), row([cell(None, 1024)], 1_048_000))
    assert rows(take(honest, "h.ods")) == [[1, "x"], [2, "y"], [2, "y"], [2, "y"]]


@pytest.mark.parametrize("hostile", [row([cell(None, 16_000), cell(1)], 1_000_000), row([cell(1, 16_000)], 1_000_000)])
def test_an_open_sheet_that_claims_a_vast_rectangle_is_refused(hostile: str, take: Import) -> None:
    with pytest.raises(ImportRefused, match="reach over 1,000,001 rows"):
        take(sheet(row([cell("a")]), hostile), "far.ods")


def test_json_is_flattened_as_deep_as_is_asked(take: Import) -> None:
    text = '[{"a": 1, "b": {"c": {"d": 2}, "e": 3}}]'
    assert list(kinds(take(text, "t.json", flatten=2))) == ["a", "b.c.d", "b.e"]
    assert list(kinds(take(text, "t.json"))) == ["a", "b.c", "b.e"]
    assert list(kinds(take(text, "t.json", flatten=0))) == ["a", "b"]


class TestDatabases:
    @pytest.fixture(params=["sqlite", "duckdb"])
    def base(self, request: pytest.FixtureRequest, tmp_path: Path) -> Path:
        path = tmp_path / f"base.{request.param}"
        connection = sqlite3.connect(path) if request.param == "sqlite" else duckdb.connect(str(path))
        connection.execute("CREATE TABLE people (id INTEGER, name TEXT)")
        connection.executemany("INSERT INTO people VALUES (?, ?)", [(number, f"n{number}") for number in range(5)])
        connection.execute("CREATE TABLE empty (x INTEGER)")
        connection.commit()
        connection.close()
        return path

    def test_a_table_or_the_answer_to_a_query_is_taken(
        self, base: Path, store: ObjectStore, scratch: Path, rows: Rows
    ) -> None:
        before = base.read_bytes()
        table = import_table([base], store, scratch)
        assert (table.rows, kinds(table)) == (5, {"id": "integer", "name": "text"})
        assert "left out: 'empty'" in said(table)
        answer = import_table([base], store, scratch, ImportOptions(query="SELECT id * 2 d FROM people WHERE id > 2"))
        assert rows(answer) == [[6], [8]]
        assert base.read_bytes() == before

    @pytest.mark.parametrize(("options", "words"), [
        ({"query": "DROP TABLE people"}, "may read"),
        ({"query": "SELECT nope FROM people"}, "cannot be answered"),
        ({"query": "SELECT * FROM read_csv('/etc/passwd')"}, "read this database only|cannot be answered"),
        ({"table": "peopel"}, "has no table 'peopel'"),
        ({"table": "empty"}, "has no rows"),
    ])
    def test_what_is_no_question_or_has_no_answer_is_refused(
        self, base: Path, options: dict[str, str], words: str, store: ObjectStore, scratch: Path
    ) -> None:
        with pytest.raises(ImportRefused, match=words):
            import_table([base], store, scratch, ImportOptions(**options))  # type: ignore[arg-type]

    def test_a_query_without_end_is_stopped_when_asked(self, base: Path, store: ObjectStore, scratch: Path) -> None:
        asked = 0

        def stop() -> bool:
            nonlocal asked
            asked += 1
            return asked > 8

        forever = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t"
        with pytest.raises(ImportCancelled):
            import_table([base], store, scratch, ImportOptions(query=forever), cancelled=stop)
        assert not list(scratch.iterdir())

    def test_views_without_end_or_too_big_keep_nobody_from_the_tables(
        self, tmp_path: Path, store: ObjectStore, scratch: Path, rows: Rows
    ) -> None:
        with contextlib.closing(sqlite3.connect(tmp_path / "views.sqlite")) as connection:
            connection.execute("CREATE TABLE t (a)")
            connection.execute("INSERT INTO t VALUES (7)")
            connection.execute("CREATE VIEW endless AS WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) "
                               "SELECT x FROM r")
            connection.execute("CREATE VIEW huge AS SELECT zeroblob(2000000000) a UNION SELECT 1")
            connection.commit()
        table = import_table([tmp_path / "views.sqlite"], store, scratch)
        assert rows(table) == [[7]]
        assert "left out: 'endless'" in said(table)

    def test_a_damaged_database_is_a_sentence(self, base: Path, store: ObjectStore, scratch: Path) -> None:
        content = base.read_bytes()
        base.write_bytes(content[:100] + bytes(len(content) - 100))
        with pytest.raises(ImportRefused, match=r"damaged|without tables"):
            import_table([base], store, scratch)


def test_far_cells_of_a_binary_workbook_are_found_before_they_are_read(tmp_path: Path) -> None:
    from mldesk.data.readers.sheet_extent import refuse_vast_sheets

    def record(kind: int, *numbers: int) -> bytes:
        body = b"".join(number.to_bytes(4, "little") for number in numbers)
        return bytes([kind, len(body)]) + body

    for name, far, refused in (("near", 9, False), ("far", 1_048_575, True)):
        cells = record(0, 0) + record(2, 0, 1) + record(0, far) + record(2, 16_383, 1)
        (tmp_path / name).write_bytes(_zip(**{"xl__worksheets__sheet1.bin": bytes([0x81, 0x01, 0]) + cells}))
        if refused:
            with pytest.raises(ImportRefused, match="1,048,576 rows and 16,384 columns"):
                refuse_vast_sheets(name, tmp_path / name, lambda: None)
        else:
            refuse_vast_sheets(name, tmp_path / name, lambda: None)


def test_files_of_a_folder_that_cannot_be_read_are_left_out_if_that_is_wanted(
        store: ObjectStore, scratch: Path, tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "0.csv").write_bytes(b"")
    for number in (1, 2):
        pq.write_table(pa.table({"n": pa.array(range(number * 1000), pa.int64())}), folder / f"{number}.parquet")
    damaged = bytearray((folder / "2.parquet").read_bytes())
    damaged[100:160] = bytes(60)  # in its pages: only who reads the rows finds that out
    (folder / "2.parquet").write_bytes(damaged)
    (folder / "3.json").write_text("[1, 2", "utf-8")
    with pytest.raises(ImportRefused, match=r"0\.csv is empty") as refused:
        import_table([folder], store, scratch)
    assert refused.value.fixes[-1].changes == {"skip_bad_files": True}
    table = import_table([folder], store, scratch, ImportOptions(skip_bad_files=True))
    assert table.rows == 1000
    out = {problem.file: problem.message for problem in table.problems if problem.message.endswith("It was left out.")}
    assert list(out) == ["0.csv", "2.parquet", "3.json"]
    found = preview_import([folder], ImportOptions(skip_bad_files=True), scratch)
    assert (found.file_count, [problem.file for problem in found.problems][:3]) == (4, ["0.csv", "2.parquet", "3.json"])
    (folder / "1.parquet").unlink()
    with pytest.raises(ImportRefused, match=r"0\.csv is empty"):  # nothing is left
        import_table([folder], store, scratch, ImportOptions(skip_bad_files=True))


def test_links_out_of_a_folder_are_left_out_and_named(store: ObjectStore, scratch: Path, tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    (tmp_path / "secret.csv").write_bytes(CSV)
    (folder / "out.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(ImportRefused, match=r"holds no table but 1 link to elsewhere \('out.csv'\)"):
        import_table([folder], store, scratch)
    (folder / "1.csv").write_bytes(CSV)
    (folder / "same.csv").symlink_to("1.csv")
    table = import_table([folder], store, scratch)
    assert table.rows == 6 and "1 link to elsewhere ('out.csv'), left out" in said(table)
