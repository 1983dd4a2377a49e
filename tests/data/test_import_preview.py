"""What is shown before an import, what each fix would change, and that the options say what they say."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mldesk.core.errors import BadInput
from mldesk.data import ImportCancelled, ImportOptions, ImportPreview, ImportRefused, import_table, preview_import
from mldesk.wire.objects import ObjectStore
from tests.data.conftest import Import, Rows, kinds, said
from tests.data.test_shared_tables import REFUSED, WHOLE
from tests.data_folder import SHARED


@pytest.mark.parametrize("name", [item[0] for item in WHOLE if "ten_thousand" not in item[0]])
def test_a_preview_shows_the_table_that_the_import_makes(name: str, store: ObjectStore, scratch: Path) -> None:
    found = preview_import([SHARED / name], None, scratch, rows=3)
    table = import_table([SHARED / name], store, scratch)
    assert [column.name for column in found.columns] == [column.name for column in table.columns]
    if found.whole:
        assert [column.type for column in found.columns] == [column.type for column in table.columns]
        assert found.rows_seen == table.rows
    assert len(found.rows) == 3
    assert json.loads(json.dumps(found.to_json(), allow_nan=False))["file_count"] == 1
    assert not list(scratch.iterdir())


@pytest.mark.parametrize("name", [item[0] for item in REFUSED])
def test_what_cannot_be_imported_has_no_preview(name: str, scratch: Path) -> None:
    with pytest.raises(ImportRefused):
        preview_import([SHARED / name], None, scratch)
    assert not list(scratch.iterdir())


def _preview(text: str, scratch: Path, tmp_path: Path, **options: object) -> ImportPreview:
    path = tmp_path / "t.csv"
    path.write_text(text, "utf-8")
    return preview_import([path], ImportOptions(**options), scratch)  # type: ignore[arg-type]


def test_what_was_found_out_is_said_and_each_fix_changes_it(scratch: Path, tmp_path: Path) -> None:
    text = "d;n;k\n03/04/2024;1.234,5;1\n05/06/2024;2,5;2\n07/08/2024;-;x\n" + "01/02/2024;1,5;3\n" * 20
    found = _preview(text, scratch, tmp_path)
    assert (found.reading["delimiter"], found.decimal, found.dates) == (";", ",", ("mdy",))
    assert "-" in found.missing
    assert [(column.type.value, round(column.confidence, 1)) for column in found.columns] == [
        ("date", 0.5), ("number", 0.5), ("text", 0.0)]
    fixes = {problem.column: problem.fix for problem in found.problems if problem.fix is not None}
    assert fixes["d"].changes == {"dates": "dmy"}  # type: ignore[union-attr]
    options = found.options
    for name in ("d", "k"):
        options = options.changed(fixes[name].changes)  # type: ignore[union-attr]
    mended = _preview(text, scratch, tmp_path, **{name: tuple(value) if isinstance(value, list) else value
                                                  for name, value in options.to_json().items()})
    assert mended.rows[0][0] == "2024-04-03"
    assert [column.type.value for column in mended.columns] == ["date", "number", "number"]
    assert "1 value of 'k' does not fit" in str(mended.problems)


def test_of_a_long_file_the_beginning_is_read(
    scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mldesk.data.readers.sampling.SAMPLE", 10_000)
    lines = [f'{number},"word {number}\nmore"' for number in range(5000)]
    (tmp_path / "long.csv").write_text("\n".join(["a,b", *lines]))
    (tmp_path / "wide.csv").write_text("\n".join(["a,b", *(f"{n},x" for n in range(9000))]), "utf-16")
    (tmp_path / "long.json").write_text(json.dumps([{"a": number, "b": 1} for number in range(5000)]))
    for name in ("long.csv", "wide.csv", "long.json"):
        found = preview_import([tmp_path / name], None, scratch)
        assert not found.whole
        assert 100 < found.rows_seen < 5000
        assert found.columns[0].type.value == "integer"
        assert not found.problems, found.problems


def test_a_preview_can_be_stopped(scratch: Path) -> None:
    with pytest.raises(ImportCancelled):
        preview_import([SHARED / "tabular/adult.csv"], None, scratch, cancelled=lambda: True)
    assert not list(scratch.iterdir())


def test_the_file_for_bad_rows_takes_the_place_of_no_source_and_of_no_device(
    store: ObjectStore, scratch: Path, tmp_path: Path
) -> None:
    path, link, pipe = tmp_path / "t.csv", tmp_path / "link.csv", tmp_path / "pipe"
    path.write_text("a,b\n1,2\n")
    link.symlink_to(path)
    os.mkfifo(pipe)
    for rejects in (path, link):
        with pytest.raises(BadInput, match="would be lost"):
            import_table([path], store, scratch, rejects=rejects)
    with pytest.raises(BadInput, match="cannot be written there"):
        import_table([path], store, scratch, rejects=pipe)
    assert path.read_text() == "a,b\n1,2\n" and pipe.is_fifo() and link.is_symlink()


def test_bad_rows_go_to_a_file_instead_of_refusing(store: ObjectStore, scratch: Path, tmp_path: Path) -> None:
    path, rejects = tmp_path / "t.csv", tmp_path / "bad.csv"
    path.write_text("a,b\n1,2\n3,4\n5\n6,7,8\n9,1,2,3\n")
    with pytest.raises(ImportRefused, match="3 of 5 rows") as caught:
        import_table([path], store, scratch, rejects=None)
    assert {"lenient": True} in [fix.changes for fix in caught.value.fixes]
    assert import_table([path], store, scratch, rejects=rejects).rows == 2
    assert rejects.read_text().splitlines() == [
        "file,line,reason,raw", "t.csv,4,1 cell instead of 2,5", 't.csv,5,3 cells instead of 2,"6,7,8"',
        't.csv,6,4 cells instead of 2,"9,1,2,3"']
    rejects.unlink()
    with pytest.raises(ImportCancelled):
        import_table([path], store, scratch, rejects=rejects, cancelled=lambda: True)
    assert not rejects.exists()
    (tmp_path / "t.jsonl").write_text('{"a": 1}\n[1]\nno\nno\n')
    assert import_table([tmp_path / "t.jsonl"], store, scratch, rejects=rejects).rows == 1
    assert [line.rpartition(",")[2] for line in rejects.read_text().splitlines()[1:]] == ["[1]", "no", "no"]


def test_a_type_that_is_told_reads_what_it_can(take: Import, rows: Rows) -> None:
    text = "n,y,d,s\n1,yes,1.2.2024,a\n\"2,000\",no,2024-03-04,b\nx,maybe,never,c\n"
    told = (("n", "integer"), ("y", "boolean"), ("d", "date"))
    table = take(text, types=told)
    assert rows(table) == [[1, True, "2024-02-01", "a"], [2000, False, "2024-03-04", "b"], [None, None, None, "c"]]
    assert "1 value of 'n' does not fit" in said(table)


@pytest.mark.parametrize(("form", "text", "first"), [
    ("%d.%m.%y %H:%M", "03.04.24 10:11", "2024-04-03 10:11:00"),
    ("%Y%m%d", "20240403", "2024-04-03"),
    ("%d %b %Y", "3 Apr 2024", "2024-04-03"),
    ("mdy", "3/4/2024", "2024-03-04"),
])
def test_dates_are_read_as_they_are_told_to_be_written(
    form: str, text: str, first: str, take: Import, rows: Rows
) -> None:
    table = take(f"d,n\n{text},1\n", dates=form)
    assert rows(table)[0][0] == first
    assert "guess" not in said(table)


def test_options_survive_being_kept() -> None:
    options = ImportOptions(delimiter="::", types=(("a", "text"),), widths=(3, 4), missing=("-9",), union=True,
                            header_row=2, dates="%d.%m.%Y", download=5)
    assert ImportOptions.from_json(json.loads(json.dumps(options.to_json()))) == options
    assert ImportOptions().to_json() == {}
    assert options.changed({"union": False, "delimiter": ","}).delimiter == ","


@pytest.mark.parametrize("bad", [
    {"format": "doc"}, {"delimiter": '"'}, {"delimiter": "123456789"}, {"decimal": "x"}, {"range": "B3"},
    {"range": "B9:C3"}, {"types": [["a", "money"]]}, {"dates": "%d.%m"}, {"dates": "%d.%Q.%Y"}, {"dates": "%d%d%m%Y"},
    {"flatten": 99}, {"table": "a", "query": "b"}, {"nope": 1}, {"union": "yes"}, {"missing": "x"}, {"widths": [0]},
    {"thousands": ".", "decimal": "."}, {"header_row": True},
])
def test_options_that_mean_nothing_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        ImportOptions.from_json(bad)


def test_a_decimal_mark_that_is_told_by_the_thousands(take: Import) -> None:
    text = "n\n1.234\n5.678\n"
    assert kinds(take(text, thousands=".")) == {"n": "integer"}
    assert kinds(take(text)) == {"n": "number"}
