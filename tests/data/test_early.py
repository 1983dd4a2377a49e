"""A table made while its file is read is the one that two looks at the file make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mldesk.data import ImportOptions, import_table
from mldesk.data.columns.guess import ColumnGuess
from mldesk.data.readers.early import EarlyTable
from mldesk.data.readers.regular import RegularRows
from mldesk.data.records import ImportCancelled, ImportRefused, Table
from mldesk.wire.objects import ObjectStore
from tests.data_folder import SHARED

_LATE = {  # what the first rows hold, and what comes after them
    "the same": ("1,1.5,a,2024-01-02", "2,2.5,b,2024-01-03"),
    "numbers after whole ones": ("1,1.5,a,2024-01-02", "2.5,2.5,b,2024-01-03"),
    "words after numbers": ("1,1.5,a,2024-01-02", "2,none of these,b,2024-01-03"),
    "values after nothing": (",,,", "2,2.5,b,2024-01-03"),
    "times after days": ("1,1.5,a,2024-01-02", "2,2.5,b,2024-01-03 10:00:00"),
    "a month that settles the order": ("1,1.5,a,01/02/2024", "2,2.5,b,13/02/2024"),
    "a comma that settles the decimals": ('1,"1,234",a,x', '2,"1,23",b,x'),
    "markers": ("1,1.5,a,2024-01-02", "NA,-,None,?"),
    "infinity": ("1,1.5,a,x", "2,1e999,b,x"),
}


def _outcome(work: Any) -> tuple[Any, ...]:
    try:
        table: Table = work()
    except ImportRefused as error:
        return (error.message,)
    return table.manifest, table.rows, table.columns, table.problems, dict(table.reading)


@pytest.mark.parametrize("case", _LATE)
def test_a_type_that_only_the_whole_file_tells_is_the_one_taken(
    case: str, store: ObjectStore, scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    early, late = _LATE[case]
    path = tmp_path / "x.csv"
    path.write_text("n,m,text,day\n" + (early + "\n") * 1000 + (late + "\n") * 5)
    monkeypatch.setattr("mldesk.data.readers.regular.BLOCK", 2048)
    taken: list[bool] = []
    writer = EarlyTable.writer

    def counted(self: EarlyTable, decisions: Any) -> Any:
        found = writer(self, decisions)
        taken.append(found is not None)
        return found

    monkeypatch.setattr(EarlyTable, "writer", counted)
    at_once = _outcome(lambda: import_table([path], store, scratch))
    assert taken == [case in ("the same", "markers", "infinity")]
    monkeypatch.setattr("mldesk.data.readers.delimited._read_at_once", lambda *_: None)
    assert _outcome(lambda: import_table([path], store, scratch)) == at_once
    assert not list(scratch.iterdir())


@pytest.mark.parametrize("content", [
    b"a,b\n1,2\n3\n", b"a,b\n1,\xff\n", b"a,b\n1,\0\n", b"a,b\n1,\"x\n", b"a,b\n1,\"x\ny\"\n", b"a,b\n\n1,2\n",
    b"a,b\n", b"a, b\n1, 2\n", b"\xef\xbb\xbfa,b\n1,2\n", b"1,2\n3,4\n", b"a,b\r1,2\r", b"a,b\n1,2\n\xc3",
])
def test_a_file_that_is_not_regular_is_read_with_care(
    content: bytes, store: ObjectStore, scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    at_once = _outcome(lambda: import_table([path], store, scratch))
    monkeypatch.setattr("mldesk.data.readers.delimited._read_at_once", lambda *_: None)
    assert _outcome(lambda: import_table([path], store, scratch)) == at_once
    assert not list(scratch.iterdir())


@pytest.mark.parametrize("name", ["adult.csv", "nonvoters.csv", "beijing_pm25.csv", "seoul_bike_ko_utf8.csv"])
def test_real_files_are_the_same_either_way(
    name: str, store: ObjectStore, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mldesk.data.readers.regular.BLOCK", 1 << 17)
    path = SHARED / "tabular" / name
    at_once = _outcome(lambda: import_table([path], store, scratch))
    monkeypatch.setattr("mldesk.data.readers.delimited._read_at_once", lambda *_: None)
    assert _outcome(lambda: import_table([path], store, scratch)) == at_once


def test_a_file_that_changes_between_two_looks_is_refused(
    store: ObjectStore, scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n" + "1,2\n" * 100)
    batches = RegularRows.batches

    def changed(self: RegularRows, columns: Any = None) -> Any:
        path.write_text("a,b\n" + "1,2\n" * 90)
        return batches(self, columns)

    monkeypatch.setattr(RegularRows, "batches", changed)
    monkeypatch.setattr(EarlyTable, "writer", lambda *_: None)
    with pytest.raises(ImportRefused, match="changed while it was read"):
        import_table([path], store, scratch)
    assert not list(scratch.iterdir())


def test_a_cancelled_import_leaves_no_part(store: ObjectStore, scratch: Path) -> None:
    asked = iter([False] * 4)
    with pytest.raises(ImportCancelled):
        import_table([SHARED / "tabular/adult.csv"], store, scratch, ImportOptions(),
                     cancelled=lambda: next(asked, True))
    assert not list(scratch.iterdir())
    assert not list(store.digests())


def test_only_columns_that_are_asked_for_are_counted(store: ObjectStore, scratch: Path, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,x\n2,x\n2,y\n")
    counts = [[column.distinct for column in import_table([path], store, scratch, counted=counted).columns]
              for counted in (None, {"a"}, set())]
    assert counts == [[2, 2], [2, 0], [0, 0]]


def test_numbers_with_more_than_three_decimals_are_known_by_their_bytes_at_once() -> None:
    guess, other = ColumnGuess(), ColumnGuess()
    for seen, texts in ((guess, ["1.234", "1.2345"]), (other, ["1.234", "12.345"])):
        seen.observe(pa.array(texts))
    assert not guess.has("comma")
    assert other.has("comma")
