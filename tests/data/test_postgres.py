"""A real PostgreSQL server on this machine, where one is installed: tables, queries, refusals, and wanting out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mldesk.core.errors import WorkFailed
from mldesk.data import ImportCancelled, ImportOptions, ImportRefused, import_table, preview_import
from mldesk.wire.objects import ObjectStore
from tests.data.conftest import Rows, kinds
from tests.data.postgres_server import INSTALLED, running

pytestmark = pytest.mark.skipif(not INSTALLED, reason="PostgreSQL is not installed")
_FILL = """CREATE TABLE people (id int, name text, born date, weight numeric(6,2), ok boolean, u uuid);
INSERT INTO people SELECT i, 'n' || i, date '2000-01-01' + i, i * 1.25, i % 2 = 0, gen_random_uuid()
FROM generate_series(1, 500) i; CREATE TABLE "Odd name" (a int); INSERT INTO "Odd name" VALUES (1);
CREATE TABLE none (a int); ANALYZE"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running(_FILL) as address:
        yield address


def test_tables_and_queries_come_with_their_types(server: str, store: ObjectStore, scratch: Path, rows: Rows) -> None:
    table = import_table([server], store, scratch)
    assert kinds(table) == {"id": "integer", "name": "text", "born": "date", "weight": "number", "ok": "boolean",
                            "u": "text"}
    assert rows(table)[0][:5] == [1, "n1", "2000-01-02", 1.25, False]
    assert "ret" not in table.source
    assert import_table([server], store, scratch, ImportOptions(table="Odd name")).rows == 1
    answer = import_table([server], store, scratch, ImportOptions(query="SELECT weight * 2 AS w FROM people LIMIT 2"))
    assert rows(answer) == [[2.5], [5.0]]


@pytest.mark.parametrize(("query", "words"), [
    ("DELETE FROM people", "may read the database only"),
    ("WITH gone AS (DELETE FROM people RETURNING 1) SELECT * FROM gone", "may read the database only|cannot be"),
    ("SELECT 1; DROP TABLE people", "cannot be answered"),
    ("SELECT nope FROM people", 'column "nope" does not exist'),
    ("SELECT * FROM none", "has no rows"),
])
def test_nothing_is_changed_and_each_refusal_is_a_sentence(
    query: str, words: str, server: str, store: ObjectStore, scratch: Path
) -> None:
    with pytest.raises(ImportRefused, match=words):
        import_table([server], store, scratch, ImportOptions(query=query))
    assert import_table([server], store, scratch, ImportOptions(table="people")).rows == 500


def test_a_table_with_rows_is_found_though_nobody_counted_them(store: ObjectStore, scratch: Path) -> None:
    """As after a restore, before the first ANALYZE."""
    with running("CREATE TABLE a (x int); CREATE TABLE b (x int); INSERT INTO b VALUES (7)") as address:
        assert import_table([address], store, scratch).rows == 1
        with pytest.raises(ImportRefused, match="'a' has no rows") as caught:
            import_table([address], store, scratch, ImportOptions(table="a"))
        assert [fix.changes for fix in caught.value.fixes] == [{"table": "b"}]


def test_a_server_or_database_that_is_not_there_is_a_sentence(server: str, store: ObjectStore, scratch: Path) -> None:
    for url in (server.replace("/postgres", "/nowhere"), "postgresql://me:sec%20ret@127.0.0.1:9/x"):
        with pytest.raises(WorkFailed, match="cannot be reached") as caught:
            import_table([url], store, scratch)
        assert "ret" not in str(caught.value).replace("returned", "")


def test_a_long_query_ends_when_asked(server: str, store: ObjectStore, scratch: Path) -> None:
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 6

    with pytest.raises(ImportCancelled):
        import_table([server], store, scratch, ImportOptions(query="SELECT pg_sleep(60)"), cancelled=stop)
    assert not list(scratch.iterdir())


def test_a_preview_takes_the_first_rows_only(server: str, scratch: Path) -> None:
    query = "SELECT i FROM generate_series(1, 3000000) i"
    assert 0 < preview_import([server], ImportOptions(query=query), scratch).rows_seen < 1_000_000


def test_without_the_driver_the_package_is_named(
    server: str, store: ObjectStore, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    with pytest.raises(ImportRefused, match="needs the package adbc-driver-postgresql"):
        import_table([server], store, scratch)
