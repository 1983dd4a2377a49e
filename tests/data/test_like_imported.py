"""Files that come after training: cells are read as the import read them whose types were chosen."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from mldesk.core.errors import BadInput
from mldesk.data import ImportOptions, import_table, read_like
from mldesk.data.columns.as_imported import AsImported
from mldesk.data.contracts.check import CheckedFile, check_file
from mldesk.data.contracts.contract import ColumnRule, Contract
from mldesk.data.contracts.rejects import write_rejects
from mldesk.data.imports.like import columns_as_numpy
from mldesk.data.imports.preview import preview_import
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import ColumnType
from tests.data.conftest import Import, Rows, kinds, said

TYPES = (("day", "date"), ("at", "datetime"), ("price", "number"), ("count", "integer"), ("paid", "boolean"))
MESSY: list[tuple[str, ...]] = [
    ("2024-03-01", "1 May 2024 10:30", "$1,200.50", "1,200", "yes", "a"),
    ("03/04/2024", "2024-05-02T11:00:00Z", "12.5", "+5", "No", "b"),
    ("25/12/2024", "May 3, 2024", "€3", "7.0", "1", "-"),
    ("1 May 2024", "4.5.2024 9:15 pm", "-", "n/a", "off", "c"),
    ("", "none", "1.5e3", "8", "", "d"),
]
NAMES = (*dict(TYPES), "word")


def _csv(rows: list[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([NAMES, *rows])
    return text.getvalue()


def _write(folder: Path, ending: str, rows: list[tuple[str, ...]]) -> Path:
    path = folder / f"new.{ending}"
    columns = {name: [row[place] or None for row in rows] for place, name in enumerate(NAMES)}
    if ending == "csv":
        path.write_text(_csv(rows), "utf-8")
    elif ending == "jsonl":
        path.write_text("".join(json.dumps(dict(zip(NAMES, row, strict=True))) + "\n" for row in rows))
    elif ending == "parquet":
        pq.write_table(pa.table(columns), path)
    else:
        feather.write_feather(pa.table(columns), path)
    return path


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "feather"])
def test_what_an_import_accepts_is_accepted_later_with_the_same_values(
    ending: str, tmp_path: Path, store: ObjectStore, scratch: Path
) -> None:
    path = _write(tmp_path, ending, MESSY)
    table = import_table([path], store, scratch, ImportOptions(types=TYPES))
    assert {**kinds(table), "word": ""} == {**dict(TYPES), "word": ""}
    assert [column.missing for column in table.columns[:5]] == [1, 1, 1, 1, 1]
    stored = columns_as_numpy(store, table.manifest, table.columns, list(NAMES))
    with read_like([path], table.columns, scratch=scratch) as rows:
        assert (rows.missing, rows.extra) == ((), ())
        again = rows.columns()
    for name, values in stored.items():
        np.testing.assert_array_equal(again[name], values)
    assert str(stored["day"][1]).startswith("2024-04-03")   # the day is first, as another one with slashes tells
    assert stored["price"].tolist()[:3] == [1200.5, 12.5, 3.0]
    assert not list(scratch.iterdir())


def _check(path: Path, folder: Path, **options: object) -> CheckedFile:
    folder.mkdir()
    rules = (*(ColumnRule(name, ColumnType(kind), severity="row") for name, kind in TYPES),
             ColumnRule("word", ColumnType.TEXT, severity="row"))
    found = check_file(path, "", Contract(rules, extra="refuse"), ImportOptions(**options),  # type: ignore[arg-type]
                       folder, lines=folder / "lines.csv")
    assert isinstance(found, CheckedFile)
    return found


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("chosen", [(), TYPES])
def test_a_check_takes_and_merges_what_an_import_takes(
    ending: str, chosen: tuple[tuple[str, str], ...], tmp_path: Path, store: ObjectStore, scratch: Path
) -> None:
    path = _write(tmp_path, ending, MESSY)
    table = import_table([path], store, scratch, ImportOptions(types=TYPES))
    found = _check(path, tmp_path / "check", types=chosen)
    assert (found.verdict.status, found.verdict.bad_rows, found.verdict.findings) == ("accepted", 0, ())
    (batch,) = found.rows(table.columns, scratch)
    stored = pa.concat_tables([pq.read_table(path) for path in (store.path(entry.sha256) for entry in
                               store.manifest(table.manifest).entries)])
    for place, values in enumerate(batch):
        assert values.equals(stored.column(place).combine_chunks()), NAMES[place]


def test_single_bad_cells_are_left_out_with_their_line_and_as_they_stand_in_the_file(
    tmp_path: Path, scratch: Path
) -> None:
    bad = [("soon", *MESSY[0][1:]), (*MESSY[1][:2], "twelve", "1.5", *MESSY[1][4:])]
    path = _write(tmp_path, "csv", [*MESSY[:2], bad[0], *MESSY[2:], bad[1]])
    path.write_text(path.read_text().replace("soon", "\n\nsoon", 1))   # lines that hold no row
    found = _check(path, tmp_path / "check")
    assert (found.verdict.status, found.verdict.bad_rows) == ("accepted", 2)
    assert [(item.column, item.cells) for item in found.verdict.findings if item.rule == "type"] == [
        ("day", ((3, "soon"),)), ("price", ((7, "twelve"),)), ("count", ((7, "1.5"),))]
    good, reasons = scratch / "good.parquet", scratch / "reasons.parquet"
    found.divide(scratch, good, reasons)
    assert pq.read_schema(good).names == list(NAMES)
    with read_like([good], [column for column in found.columns if column.name != "word"], called=path.name) as rows:
        assert rows.rows == 5
        assert str(rows.columns()["day"][2]).startswith("2024-12-25")
    write_rejects(found.as_read, [reasons], None, tmp_path / "rejects.csv", scratch)
    with open(tmp_path / "rejects.csv", newline="") as file:
        left = list(csv.DictReader(file))
    assert [(row["row"], row["line"], row["column"]) for row in left] == [
        ("3", "6", "day"), ("7", "10", "price; count")]
    assert (left[0]["day"], left[0]["price"], left[1]["price"]) == ("soon", "$1,200.50", "twelve")
    assert left[1]["reason"] == "'twelve' is not a number; '1.5' is not a whole number"


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_cell_that_does_not_fit_is_refused_by_the_file_of_the_user(ending: str, tmp_path: Path) -> None:
    path = _write(tmp_path, ending, [*MESSY, ("soon", *MESSY[0][1:])])
    wanted = [{"name": name, "type": kind} for name, kind in TYPES]
    with pytest.raises(BadInput, match=r"^raw\.csv: the column 'day' should hold date values, but holds text; row 6, "
                                       "for example, is 'soon'") as caught:
        read_like([path], wanted, called="raw.csv").columns()
    assert "--rejects FILE" in caught.value.hint


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_texts_in_a_file_with_types_tell_their_order_or_it_is_said(ending: str, tmp_path: Path, store: ObjectStore,
                                                                   scratch: Path, rows: Rows) -> None:
    def take(days: list[str], **options: object) -> tuple[object, str]:
        path = tmp_path / f"t.{ending}"
        made = pa.table({"day": pa.array(days), "n": pa.array(range(len(days)))})
        pq.write_table(made, path) if ending == "parquet" else feather.write_feather(made, path)
        told = ImportOptions(types=(("day", "date"),), **options)  # type: ignore[arg-type]
        table = import_table([path], store, scratch, told)
        return rows(table)[0][0], said(table)

    assert take(["03/04/2024", "04/25/2024"]) == ("2024-03-04", "")
    assert take(["03/04/2024", "25/04/2024"]) == ("2024-04-03", "")
    day, words = take(["03/04/2024", "04/05/2024"])
    assert day == "2024-04-03"
    assert "The dates with '/' in 'day' (2) do not tell day from month; they were read with the day before" in words
    assert take(["03/04/2024", "04/05/2024"], dates="mdy") == ("2024-03-04", "")
    assert take(["03/04/2024", "-"]) [0] == "2024-04-03"
    assert "does not fit the type date, 'soon' for example" in take(["2024-04-03", "soon"])[1]


def test_the_order_of_texts_in_a_file_with_types_is_seen_before_it_is_kept(tmp_path: Path, scratch: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"day": ["03/04/2024", "04/05/2024"], "n": [1, 2]}), path)
    seen = preview_import([path], ImportOptions(types=(("day", "date"),)), scratch)
    assert (seen.columns[0].reading, seen.columns[0].confidence) == ("day first with /; what does not fit is missing",
                                                                     0.5)
    assert (seen.columns[1].reading, seen.columns[1].confidence) == ("", 1.0)
    (problem,) = seen.problems
    assert problem.fix is not None
    again = preview_import([path], seen.options.changed(problem.fix.changes), scratch)
    assert (again.rows[0][0], again.problems) == ("2024-03-04", ())


def test_what_is_expected_of_a_file_is_no_option_that_anybody_keeps(take: Import) -> None:
    options = ImportOptions(expected=(("n", "number"),))
    assert options.to_json() == {}
    with pytest.raises(BadInput, match="no import option 'expected'"):
        ImportOptions.from_json({"expected": {"n": "number"}})
    table = take("n,m\n1,2\n$3,4\nx,5\n", expected=(("n", "number"), ("m", "date")))
    assert table.beside == {"n": "n_"}
    assert kinds(table) == {"n": "number", "m": "integer", "n_": "text"}


def test_what_a_file_leaves_open_is_read_as_the_column_was_and_what_it_tells_goes_first(
    tmp_path: Path, store: ObjectStore, scratch: Path
) -> None:
    first = tmp_path / "first.csv"
    first.write_text("day;size\n25/12/2023;2,5\n03/04/2024;1,234\n")
    table = import_table([first], store, scratch)
    assert table.reading["columns"] == {"day": {"decimal": None, "orders": {"/": "dmy"}},
                                        "size": {"decimal": ",", "orders": {}}}
    told = AsImported.of({"options": {}, "found": table.reading}).options()

    def read(text: str) -> tuple[list[str], list[float]]:
        path = tmp_path / "later.csv"
        path.write_text("day;size\n" + text)
        with read_like([path], table.columns, told) as rows:
            assert rows.problems == [] or "do not tell" not in str(rows.problems)
            found = rows.columns()
        return [str(day)[:10] for day in found["day"]], list(found["size"])

    assert read("03/04/2024;1,234\n") == (["2024-04-03"], [1.234])
    assert read("03/04/2024;1.234\n") == (["2024-04-03"], [1.234])       # as other programs write it
    assert read("12/25/2024;1,234.5\n03/04/2024;1\n") == (["2024-12-25", "2024-03-04"], [1234.5, 1.0])
    assert read("03/04/2024;1,234\n1 May 2024;€ 2,345\n") == (["2024-04-03", "2024-05-01"], [1.234, 2.345])
