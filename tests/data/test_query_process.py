"""Queries that a user wrote: answered, written, bounded and ended, and nothing is left of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from mldesk.core.errors import BadInput, LibraryDamaged, NotFound, WorkFailed
from mldesk.data import ImportCancelled, Table
from mldesk.data.query_process import QueriedTable
from mldesk.data.stopping import stoppable
from mldesk.wire.objects import ObjectMissing, ObjectStore

Take = Callable[..., Table]


@pytest.fixture
def asked(take: Take, store: ObjectStore, tmp_path: Path) -> QueriedTable:
    table = take("a,b\n" + "".join(f"{number},x{number}\n" for number in range(100)))
    (tmp_path / "scratch of queries").mkdir()
    return QueriedTable(store, table.manifest, table.columns, "my table", "my table@1", tmp_path / "scratch of queries")


def running() -> bool:
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):   # it has just ended
            if any("query_child" in word for word in child.cmdline()):
                return True
    return False


def nothing_left(asked: QueriedTable) -> bool:
    return not running() and asked.scratch is not None and not any(asked.scratch.iterdir())


def test_a_query_is_answered_written_and_exported_by_a_process_of_its_own(asked: QueriedTable, tmp_path: Path) -> None:
    assert asked.page('SELECT b, a FROM "my table" WHERE a > 97', 10) == (["b", "a"], [["x98", 98], ["x99", 99]], False)
    assert asked.page("SELECT * FROM range(10000000000)", 3) == (["range"], [[0], [1], [2]], True)
    assert asked.export("SELECT sum(a) AS s FROM data", tmp_path / "out.csv") == 1
    assert (tmp_path / "out.csv").read_text() == "s\n4950\n"
    assert asked.write("SELECT * FROM data", tmp_path / "out.parquet") == 100
    assert nothing_left(asked)


def test_what_is_wrong_with_a_query_is_said_as_ever(asked: QueriedTable, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nope") as caught:
        asked.page("SELECT nope FROM data", 10)
    assert "shows the columns" in caught.value.hint
    with pytest.raises(NotFound, match="no folder"):
        asked.export("SELECT 1", tmp_path / "nowhere" / "out.csv")
    assert nothing_left(asked)


def test_a_query_that_makes_gigabytes_ends_in_a_sentence(asked: QueriedTable) -> None:
    with pytest.raises(WorkFailed, match="more memory") as caught:
        asked.page("SELECT string_agg('xxxxxxxxxxxxxxxx', ',') FROM range(100000) a, range(100000) b", 10)
    assert caught.value.hint
    assert asked.page("SELECT 1 AS one", 1)[1] == [[1]]
    assert nothing_left(asked)


def test_an_answer_of_too_much_text_is_not_shown_and_not_half_written(asked: QueriedTable, tmp_path: Path) -> None:
    with pytest.raises(WorkFailed, match="128 MB"):
        asked.page("SELECT repeat('x', 100000) FROM range(2000)", 2000)
    with pytest.raises(WorkFailed, match="more memory"):
        asked.export("SELECT repeat('x', 4000000000)", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
    assert nothing_left(asked)


def test_a_query_that_is_stopped_leaves_no_process(asked: QueriedTable) -> None:
    began = threading.Event()

    def wanted_out() -> bool:
        if running():
            began.set()
        return began.is_set()

    with pytest.raises(ImportCancelled, match="query"):
        stoppable(lambda: asked.page("SELECT sum(x.range * y.range) FROM range(10000000) x, range(10000000) y", 10),
                  wanted_out, "The query")
    assert began.is_set()
    assert nothing_left(asked)


def test_a_damaged_table_is_said_to_be_so(asked: QueriedTable) -> None:
    for part in asked.store.root.rglob("*"):
        if part.is_file() and part.read_bytes()[:4] == b"PAR1":
            part.chmod(0o600)
            part.write_bytes(part.read_bytes()[:-200] + bytes(200))
    with pytest.raises(LibraryDamaged, match="changed on disk"):
        asked.page("SELECT * FROM data", 10)
    for part in asked.store.root.rglob("*"):
        if part.is_file() and part.read_bytes()[:4] == b"PAR1":
            part.unlink()
    with pytest.raises(ObjectMissing, match="is gone from the library") as caught:
        asked.page("SELECT * FROM data", 10)
    assert caught.value.hint
    assert nothing_left(asked)
