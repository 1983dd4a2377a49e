"""Folders named like year=2024 make columns of the rows of the files in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldesk.data import ImportOptions, Table, TableView, import_table, preview_import
from mldesk.data.imports.like import read_like
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column, ColumnType


def parquet(path: Path, **columns: list[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


@pytest.fixture
def hive(tmp_path: Path) -> Path:
    parquet(tmp_path / "hive/year=2024/day=2024-01-31/at=a%2Fb/x.parquet", a=[1, 2])
    parquet(tmp_path / "hive/year=2025/day=2025-02-01/at=__HIVE_DEFAULT_PARTITION__/x.parquet", a=[3])
    return tmp_path / "hive"


def read(tmp_path: Path, *sources: Path, **options: Any) -> tuple[Table, list[list[Any]]]:
    store = ObjectStore(tmp_path / "objects")
    table = import_table(sources, store, tmp_path / "scratch", ImportOptions(**options))
    with TableView(store, table.manifest, table.columns) as view:
        return table, view.rows(0, table.rows)


def kinds(table: Table) -> dict[str, str]:
    return {column.name: column.type.value for column in table.columns}


def test_the_columns_of_a_hive_folder_come_in_with_types(hive: Path, tmp_path: Path) -> None:
    table, rows = read(tmp_path, hive, provenance=True)
    assert kinds(table) == {"a": "integer", "year": "integer", "day": "date", "at": "text", "source_file": "text",
                            "source_row": "integer"}
    assert [[*row[:2], str(row[2]), row[3]] for row in rows] == [
        [1, 2024, "2024-01-31", "a/b"], [2, 2024, "2024-01-31", "a/b"], [3, 2025, "2025-02-01", None]]
    said = [problem for problem in table.problems if problem.column == "year"]
    assert said[0].message == "'year' is what the names of the folders say, like 'year=2024'."
    assert said[0].fix is not None and said[0].fix.changes == {"partitions": False}
    shown = preview_import([hive], ImportOptions(), tmp_path)
    assert [column.name for column in shown.columns] == ["a", "year", "day", "at"]
    assert any(problem.column == "year" for problem in shown.problems)
    without, _ = read(tmp_path, hive, partitions=False)
    assert (kinds(without), without.problems[1:]) == ({"a": "integer"}, ())   # one column is worth a word


def test_a_type_that_the_user_chose_is_the_type_of_a_folders_column(hive: Path, tmp_path: Path) -> None:
    table, rows = read(tmp_path, hive, types=(("year", "text"), ("at", "number")), told=True)
    assert (kinds(table)["year"], rows[0][1], kinds(table)["at"], rows[0][3]) == ("text", "2024", "number", None)
    assert any("'a/b' does not fit the type number" in problem.message for problem in table.problems)


def test_folders_of_text_files_and_folders_given_one_by_one_make_columns_too(tmp_path: Path) -> None:
    for month, code, text in (("01", "01234", "a\n1\n"), ("12", "00099", "a\n2\n")):
        path = tmp_path / "t" / f"month={month}" / f"code={code}" / "x.csv"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    whole, rows = read(tmp_path, tmp_path / "t")
    assert (kinds(whole), rows) == ({"a": "integer", "month": "integer", "code": "text"},
                                    [[1, 1, "01234"], [2, 12, "00099"]])
    assert read(tmp_path, tmp_path / "t/month=01", tmp_path / "t/month=12")[1] == rows
    assert read(tmp_path, tmp_path / "t/month=12/code=00099/x.csv")[1] == [[2, 12, "00099"]]


def test_a_column_of_the_files_stays_where_a_folder_says_the_same_name(tmp_path: Path) -> None:
    parquet(tmp_path / "t/Year=2024/x.parquet", year=[1, 2], b=["p", "q"])
    parquet(tmp_path / "t/y.parquet", year=[3], b=["r"])
    table, rows = read(tmp_path, tmp_path / "t")
    assert (kinds(table), sorted(row[0] for row in rows)) == ({"year": "integer", "b": "text"}, [1, 2, 3])
    assert any("say 'Year' and so does a column of the files" in problem.message for problem in table.problems)


def test_new_rows_have_a_folders_column_where_it_is_wanted_only(hive: Path, tmp_path: Path) -> None:
    path = hive / "year=2025/day=2025-02-01/at=__HIVE_DEFAULT_PARTITION__/x.parquet"
    wanted = [Column("a", ColumnType.NUMBER), Column("year", ColumnType.NUMBER)]
    assert {name: values.tolist() for name, values in read_like([path], wanted).columns().items()} == {
        "a": [3.0], "year": [2025.0]}
    plain = read_like([path], wanted[:1])
    assert (plain.extra, plain.missing) == ((), ())
    plain.close()
