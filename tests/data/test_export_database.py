"""A table goes into a SQLite or DuckDB file: a new one, or beside the tables of one that is there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, time
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from mldesk.core.errors import BadInput, Conflict, MldeskError, NotFound
from mldesk.data.export_database import export_to_database, tables_in

SCHEMA = pa.schema([("n", pa.int64()), ("x", pa.float64()), ("yes", pa.bool_()), ("word", pa.string()),
                    ("day", pa.date32()), ("at", pa.timestamp("us")), ("hour", pa.time64("us"))])
ROWS = [(1, 0.5, True, "ä'\"", date(2024, 1, 31), datetime(2024, 1, 31, 12, 30), time(8, 0)),  # noqa: DTZ001
        (None,) * 7, (-(2**62), float("inf"), False, "", date(1, 1, 1), datetime(1969, 1, 1), time(23, 59, 59, 1))]  # noqa: DTZ001


def batches() -> Iterator[pa.RecordBatch]:
    for row in ROWS:
        yield pa.RecordBatch.from_arrays([pa.array([cell], kind) for cell, kind in zip(row, SCHEMA.types, strict=True)],
                                         schema=SCHEMA)


def test_rows_come_back_from_sqlite_and_other_tables_stay(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    assert export_to_database(batches(), path, "one", SCHEMA) == 3
    assert export_to_database(batches(), path, 'two "quoted"', SCHEMA) == 3
    with pytest.raises(Conflict, match="'one' already"):
        export_to_database(batches(), path, "ONE", SCHEMA)
    assert export_to_database(iter(list(batches())[:1]), path, "ONE", SCHEMA, replace=True) == 1
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM one").fetchall() == [
            (1, 0.5, 1, "ä'\"", "2024-01-31", "2024-01-31 12:30:00", "08:00:00")]
        assert connection.execute('SELECT n, x FROM "two ""quoted"""').fetchall() == [
            (1, 0.5), (None, None), (-(2**62), float("inf"))]
    assert tables_in(path) == ["ONE", 'two "quoted"']
    assert [item.name for item in tmp_path.iterdir()] == ["t.sqlite"]


def test_rows_come_back_from_duckdb_with_their_types(tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    assert export_to_database(batches(), path, "one", SCHEMA) == 3
    assert export_to_database(batches(), path, "two", SCHEMA) == 3
    with pytest.raises(Conflict):
        export_to_database(batches(), path, "two", SCHEMA)
    assert export_to_database(batches(), path, "two", SCHEMA, replace=True) == 3
    with closing(duckdb.connect(str(path), read_only=True)) as connection:
        assert connection.execute("SELECT * FROM one").fetchall() == ROWS
    assert tables_in(path) == ["one", "two"]
    assert [item.name for item in tmp_path.iterdir()] == ["t.duckdb"]


@pytest.mark.parametrize("ending", ["sqlite", "duckdb"])
def test_what_goes_wrong_leaves_everything_as_it_was(ending: str, tmp_path: Path) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield from batches()
        raise NotFound("gone")

    path = tmp_path / f"t.{ending}"
    with pytest.raises(MldeskError):
        export_to_database(broken(), path, "one", SCHEMA)
    assert list(tmp_path.iterdir()) == []
    export_to_database(batches(), path, "one", SCHEMA)
    with pytest.raises(MldeskError):
        export_to_database(broken(), path, "one", SCHEMA, replace=True)
    with pytest.raises(BadInput):
        export_to_database(batches(), path, " ", SCHEMA)
    twice = pa.schema([("a", pa.int64()), ("A", pa.int64())])
    with pytest.raises(BadInput, match="are one to a database"):
        export_to_database(iter(()), path, "two", twice)
    assert tables_in(path) == ["one"]
    (tmp_path / f"text.{ending}").write_text("not a database, but something of a person's")
    with pytest.raises(BadInput, match="and would be lost"):
        export_to_database(batches(), tmp_path / f"text.{ending}", "one", SCHEMA)
