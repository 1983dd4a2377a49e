"""New rows for prediction: read like the training table, every row in its place."""

from __future__ import annotations

import gc
import tempfile
from pathlib import Path

import numpy as np
import pytest

from mldesk.core.errors import BadInput
from mldesk.data import ImportRefused, import_table, read_like
from mldesk.data.imports.like import columns_as_numpy
from mldesk.wire.objects import ObjectStore
from mldesk.wire.schema import Column, ColumnType
from tests.data.conftest import Import
from tests.data_folder import SHARED

WANTED = [
    Column("n", ColumnType.INTEGER),
    Column("x", ColumnType.NUMBER),
    Column("b", ColumnType.BOOLEAN),
    Column("t", ColumnType.TEXT),
    Column("d", ColumnType.DATE),
    Column("ts", ColumnType.DATETIME),
]


@pytest.fixture(autouse=True)
def own_temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def _write(tmp_path: Path, text: str, name: str = "new.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_columns_come_in_the_wanted_types_and_order(tmp_path: Path, own_temp: Path) -> None:
    path = _write(
        tmp_path, "d,t,b,x,n,ts,more\n2024-01-31,007,1,3,1.0,2024-01-31,z\n,,,,,,\n2024-02-01,8,0,2.5,2,2024-02-01,\n"
    )
    with read_like([path], WANTED) as found:
        assert (found.rows, found.missing, found.extra) == (3, (), ("more",))
        columns = found.columns()
    assert list(columns) == ["n", "x", "b", "t", "d", "ts"]
    np.testing.assert_array_equal(columns["n"], [1, np.nan, 2])
    np.testing.assert_array_equal(columns["b"], [1, np.nan, 0])
    assert columns["t"].tolist() == ["007", None, "8"]
    assert columns["d"].dtype == columns["ts"].dtype == np.dtype("datetime64[us]")
    assert str(columns["d"][0]) == "2024-01-31T00:00:00.000000"
    assert np.isnat(columns["ts"][1])
    assert not list(own_temp.iterdir())


def test_missing_and_extra_columns_are_told_and_schemas_may_be_plain_records(tmp_path: Path) -> None:
    path = _write(tmp_path, "x,zzz\n1,2\n")
    found = read_like([path], [{"name": "x", "type": "number", "role": "feature"}, {"name": "y", "type": "text"}])
    assert (found.missing, found.extra) == (("y",), ("zzz",))
    (batch,) = list(found)
    assert batch.schema.names == ["x", "zzz"]


def test_what_is_read_is_gone_when_nobody_holds_it(tmp_path: Path, own_temp: Path) -> None:
    path = _write(tmp_path, "x\n1\n")
    rows = iter(read_like([path], [Column("x", ColumnType.NUMBER)]))
    assert next(rows).num_rows == 1
    del rows
    gc.collect()
    assert not list(own_temp.iterdir())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x\n1\nabc\n", ("it has no column 'n', 'b', 't', 'd', 'ts'; the column 'x' should hold number values, but "
                        "holds text (row 2 is 'abc').")),
        ("x,n,b,t,d,ts\n1,1,,,soon,\na,1,,,,\nb,2,,,,\nc,3,,,,\nd,4,,,,\n",
         ("new.csv: the column 'x' should hold number values, but holds text (row 2 is 'a', row 3 is 'b', row 4 is "
          "'c' and 1 more); the column 'd' should hold date values, but holds text (row 1 is 'soon').")),
        ("d\n1.5\n", "column 'd' should hold date values, but holds number"),
        ("b\n1\n2\n", "column 'b' should hold boolean values"),
        ("x,t\n1,a\n2\n", "Line 3 has 1 cell instead of 2; every row must be readable"),
    ],
)
def test_values_of_another_kind_are_refused_by_column_and_row(
    text: str, words: str, tmp_path: Path, own_temp: Path
) -> None:
    with pytest.raises(BadInput) as caught:
        list(read_like([_write(tmp_path, text)], WANTED))
    assert words in caught.value.message
    del caught
    gc.collect()
    assert not list(own_temp.iterdir())


def test_a_file_that_is_no_table_leaves_nothing(tmp_path: Path, own_temp: Path) -> None:
    with pytest.raises(ImportRefused):
        read_like([_write(tmp_path, "")], WANTED)
    assert not list(own_temp.iterdir())


def test_the_training_file_itself_reads_as_the_stored_table_does(store: ObjectStore, scratch: Path) -> None:
    table = import_table([SHARED / "tabular/telco_churn.csv"], store, scratch)
    stored = columns_as_numpy(store, table.manifest, table.columns, [column.name for column in table.columns])
    for ending in ("csv", "xlsx"):
        again = read_like([SHARED / f"tabular/telco_churn.{ending}"], table.columns).columns()
        for name, values in stored.items():
            np.testing.assert_array_equal(again[name], values)


def test_stored_columns_are_read_by_place(store: ObjectStore, take: Import) -> None:
    table = take("a,a.b,t,clock\n1,2,x,10:20\n,4,,\n")
    columns = columns_as_numpy(store, table.manifest, table.columns, ["clock", "a.b", "a"])
    assert list(columns) == ["clock", "a.b", "a"]
    np.testing.assert_array_equal(columns["a.b"], [2.0, 4.0])
    np.testing.assert_array_equal(columns["a"], [1.0, np.nan])
    assert str(columns["clock"][0]) == "1970-01-01T10:20:00.000000"
    assert np.isnat(columns["clock"][1])
