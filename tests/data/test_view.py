"""Looking at a table: pages, order, search, SQL that is locked in, export."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from mldesk.core.errors import BadInput, MldeskError, NotFound, WorkFailed
from mldesk.data import Table, TableView, import_table
from mldesk.wire.objects import ObjectStore
from tests.data.conftest import Import, Rows
from tests.data_folder import SHARED


@pytest.fixture
def flights(store: ObjectStore, scratch: Path) -> Table:
    return import_table([SHARED / "tabular/pnw_flights_2014.parquet"], store, scratch)


def test_pages_come_in_the_order_of_the_file_also_across_row_groups(flights: Table, store: ObjectStore) -> None:
    with TableView(store, flights.manifest, flights.columns) as view:
        across = view.rows(122_870, 20)
        assert across == view.rows(122_870, 10) + view.rows(122_880, 10)
        assert len(view.rows(162_040, 100)) == 9
        assert view.rows(162_049, 10) == view.rows(5, 0) == view.rows(-1, 5) == []
        assert view.query("SELECT * FROM data LIMIT 20 OFFSET 122870")[1] == across


def test_a_page_reads_its_row_group_only_once(
    flights: Table, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow.parquet as pq

    read: list[int] = []
    real = pq.ParquetFile.read_row_group
    monkeypatch.setattr(
        pq.ParquetFile, "read_row_group", lambda self, group: (read.append(group), real(self, group))[1]
    )
    with TableView(store, flights.manifest, flights.columns) as view:
        for offset in range(130_000, 131_000, 100):
            view.rows(offset, 100)
    assert read == [4]


def test_a_page_far_down_an_order_is_the_one_that_sorting_whole_rows_gives(
    flights: Table, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = [{"order_by": (("arr_delay", True),)},
                                   {"order_by": (("carrier", False), ("arr_delay", True)), "where": "month > 6"},
                                   {"search": "n508as"}, {"where": "arr_delay IS NULL"}]
    with TableView(store, flights.manifest, flights.columns) as view:
        whole = [view.rows(40, 30, **how) for how in asked]
        monkeypatch.setattr("mldesk.data.view._NEAR", 0)
        assert [view.rows(40, 30, **how) for how in asked] == whole
        assert view.rows(200_000, 10, order_by=(("carrier", True),)) == []


@pytest.mark.parametrize("near", [0, 10_000])
def test_the_place_of_every_row_comes_with_it(
    near: int, flights: Table, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mldesk.data.view._NEAR", near)
    with TableView(store, flights.manifest, flights.columns) as view:
        asked: list[dict[str, Any]] = [{}, {"order_by": (("arr_delay", True),)}, {"where": "month > 6"},
                                       {"search": "n508as"}, {"only": [9, 3]}]
        for how in asked:
            rows, places = view.placed_rows(1, 3, **how)
            assert rows and [view.rows(place, 1)[0] for place in places] == rows, how


def test_rows_can_be_ordered_filtered_and_searched(flights: Table, store: ObjectStore) -> None:
    names = [column.name for column in flights.columns]
    delay, tail = names.index("arr_delay"), names.index("tailnum")
    with TableView(store, flights.manifest, flights.columns) as view:
        worst = view.rows(0, 3, order_by=(("arr_delay", True),))
        assert [row[delay] for row in worst] == sorted((row[delay] for row in worst), reverse=True)
        assert view.rows(162_048, 1, order_by=(("arr_delay", False),))[0][delay] is None
        assert view.count(where="carrier = 'AS' AND \"arr_delay\" > 100") == len(
            view.rows(0, 10_000, where="carrier = 'AS' AND arr_delay > 100")
        )
        assert {row[tail] for row in view.rows(0, 1000, search="n508as")} == {"N508AS"}
        assert view.count(search="1553", where="carrier = 'AA'") >= 1
        assert view.count() == 162_049
        first, second = (view.rows(offset, 50, order_by=(("carrier", False),)) for offset in (0, 50))
        assert first + second == view.rows(0, 100, order_by=(("carrier", False),))


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("carier = 'AS'", "no column 'carier'"),
        ("1=1) UNION SELECT (1", "more than one condition|cannot be read"),
        ("1=1; DROP VIEW data", "cannot be read"),
        ("EXISTS(SELECT 1)", "subquery"),
        ("random() > 0.5", "another answer"),
        ("carrier IN (SELECT content FROM read_text('/etc/passwd'))", "subquery"),
        ("count(*) > 1", "aggregates"),
        ("carrier = ?", "parameter"),
        ("carrier", "BOOL"),
        ("current_date > '2020-01-01'", "no column 'current_date'"),
        ("sum(day) OVER () > 1", "window"),
        ("*", "cannot be read|star"),
        ("'" * 3, "cannot be read"),
        ("x" * 30_000, "limit"),
        ("1=1) GROUP BY (1", "more than one condition"),
        ("list_transform([1], x -> x) = [1]", "lambdas"),
    ],
)
def test_a_condition_is_one_expression_over_the_row(where: str, words: str, flights: Table, store: ObjectStore) -> None:
    with TableView(store, flights.manifest, flights.columns) as view:
        with pytest.raises(BadInput, match=words):
            view.count(where=where)
        assert (
            view.count(where="day = 1 -- the first") == view.query("SELECT count(*) FROM data WHERE day = 1")[1][0][0]
        )


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('{file}')",
        "SELECT * FROM read_text('{file}')",
        "SELECT * FROM '{file}'",
        "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM read_parquet('{folder}/*')",
        "COPY data TO '{folder}/out.csv'",
        "ATTACH '{folder}/x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads = 1",
        "PRAGMA database_list",
        "SELECT 1; SELECT 2",
        "CREATE TABLE t AS SELECT 1",
        "EXPORT DATABASE '{folder}/e'",
        "DROP VIEW data",
        "RESET enable_external_access",
        "",
        "SELECT * FROM query('COPY data TO ''{folder}/o''')",
        "EXPLAIN ANALYZE COPY data TO '{folder}/o'",
        "nonsense",
        "PREPARE p AS COPY data TO '{folder}/o'",
        "SELECT * FROM sniff_csv('{file}')",
        "VACUUM",
        "CALL pragma_version()",
        "SELECT * FROM read_blob('/proc/self/environ')",
        "SELECT * FROM read_json('https://example.org/x.json')",
    ],
)
def test_a_query_reaches_nothing_but_the_table(sql: str, take: Import, store: ObjectStore, tmp_path: Path) -> None:
    table = take("a,b\n1,2\n")
    secret = tmp_path / "secret.csv"
    secret.write_text("x,y\n1,2\n")
    before = sorted(tmp_path.rglob("*"))
    with TableView(store, table.manifest, table.columns) as view:
        with pytest.raises(MldeskError):
            view.query(sql.format(file=secret, folder=tmp_path))
        assert view.query("SELECT * FROM data")[1] == [[1, 2]]
    assert sorted(tmp_path.rglob("*")) == before


def test_moments_with_a_zone_are_given_as_of_utc(take: Import, store: ObjectStore) -> None:
    table = take("a\n1\n")
    with TableView(store, table.manifest, table.columns, name="t") as view:
        names, rows = view.query("SELECT a, TIMESTAMPTZ '2020-01-01 02:00:00+02' AS \"w hen\", "
                                 "[TIMESTAMPTZ '2020-01-01 00:00:00+00'] AS l, 2 AS a FROM t -- why not")
    assert names == ["a", "w hen", "l", "a"]
    assert rows[0][:2] == [1, "2020-01-01 00:00:00"]
    assert "2020-01-01 00:00:00+00" in rows[0][2]


def test_columns_of_one_name_are_told_apart_in_a_file(take: Import, store: ObjectStore, tmp_path: Path) -> None:
    table = take("a\n1\n")
    with TableView(store, table.manifest, table.columns, name="t") as view:
        assert view.export_answer("SELECT 1 AS a, 2 AS a, 3 AS A", tmp_path / "out.jsonl") == 1
    assert json.loads((tmp_path / "out.jsonl").read_text()) == {"a": 1, "a_2": 2, "A_3": 3}


def test_answers_are_plain_values_and_limited(take: Import, store: ObjectStore) -> None:
    table = take("a,d,t\n1,2024-01-31,10:20\n2,,\n")
    with TableView(store, table.manifest, table.columns, name="my table") as view:
        names, got = view.query(
            "SELECT *, 1.5::DECIMAL(4,2) AS e, [a, NULL] AS l, {'k': d} AS s, INTERVAL 1 DAY AS i, "
            "'nan'::DOUBLE AS n, '\\xFF'::BLOB AS b, 'inf'::DOUBLE AS f, 2::HUGEINT AS h "
            'FROM "my table" ORDER BY a'
        )
        assert names[:4] == ["a", "d", "t", "e"]
        assert got[0] == [
            1,
            "2024-01-31",
            "10:20:00",
            1.5,
            [1, None],
            {"k": "2024-01-31"},
            "1 day, 0:00:00",
            None,
            "ff",
            "inf",
            2,
        ]
        assert json.dumps(got, allow_nan=False)
        assert len(view.query("SELECT * FROM range(1000)", 7)[1]) == 7
        with pytest.raises(NotFound, match="no column 'A'"):
            view.rows(0, 1, order_by=(("A", False),))


def test_a_query_can_be_interrupted_from_another_thread(take: Import, store: ObjectStore) -> None:
    table = take("a,b\n1,2\n")
    with TableView(store, table.manifest, table.columns) as view:
        view.query("SELECT 1")
        done = threading.Event()

        def stop() -> None:
            while not done.wait(0.05):
                view.interrupt()

        thread = threading.Thread(target=stop)
        thread.start()
        try:
            with pytest.raises(WorkFailed, match="was stopped"):
                view.query("SELECT sum(x.range * y.range) FROM range(10000000) x, range(10000000) y")
        finally:
            done.set()
            thread.join()
        assert view.query("SELECT 2")[1] == [[2]]


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_what_is_exported_comes_back_as_the_same_table(
    ending: str, take: Import, store: ObjectStore, scratch: Path, tmp_path: Path
) -> None:
    table = take(
        'n,t,d,ts,b,clock,x\n1,"a ""q"", b\nc",2024-01-31,2024-01-31 10:20:30.5,true,10:20,1.5\n'
        "2,=1+1,,,false,,\n3,é,2024-02-01,2024-02-01 00:00:00,,23:59:59.25,-0.1\n"
    )
    with TableView(store, table.manifest, table.columns) as view:
        view.export(tmp_path / f"out{ending}")
    again = import_table([tmp_path / f"out{ending}"], store, scratch)
    assert (again.manifest, again.columns) == (table.manifest, table.columns)


def test_an_export_refuses_what_it_cannot_write(take: Import, store: ObjectStore, tmp_path: Path) -> None:
    table = take("a,b\n1,2\n")
    with TableView(store, table.manifest, table.columns) as view:
        with pytest.raises(BadInput, match=r"'\.docx'"):
            view.export(tmp_path / "out.docx")
        with pytest.raises(NotFound, match="no folder"):
            view.export(tmp_path / "nowhere" / "out.csv")
        (tmp_path / "folder.csv").mkdir()
        with pytest.raises(BadInput, match="is a folder"):
            view.export(tmp_path / "folder.csv")


def test_odd_column_names_are_quoted_wherever_they_go(take: Import, store: ObjectStore, rows: Rows) -> None:
    table = take('"a""b","x; drop view data","_row","select","날짜","file_row_number"\n1,2,3,4,5,0\n6,7,8,9,10,0\n')
    with TableView(store, table.manifest, table.columns, name="data") as view:
        for column in table.columns:
            assert len(view.rows(0, 5, order_by=((column.name, True),))) == 2
        assert view.rows(0, 5, where='"a""b" = 6 AND "날짜" = 10 AND _row = 8') == [[6, 7, 8, 9, 10, 0]]
    assert rows(table)[0] == [1, 2, 3, 4, 5, 0]


def test_wide_tables_can_be_looked_at(store: ObjectStore, scratch: Path) -> None:
    table = import_table([SHARED / "broken/11_ten_thousand_columns.csv"], store, scratch)
    with TableView(store, table.manifest, table.columns) as view:
        assert len(view.rows(0, 12)[11]) == 10_000
        with pytest.raises(BadInput, match="v09999") as caught:
            view.query("SELECT v09999 FROM data")
        assert "Did you mean" in caught.value.hint
        assert view.query("SELECT v00001 FROM data WHERE v09998 IS NOT NULL", 1)[1]


@pytest.mark.parametrize(
    ("sql", "hint"),
    [
        ("SELECT * FROM titanic", "The table's name is `data`."),
        ("SELECT * FROM rows", "The table's name is `data`."),
        ("SELECT titanic.age FROM data", "The table's name is `data`."),
        ("SELECT nope FROM data", "`SELECT * FROM data LIMIT 1` shows the columns."),
        ("SELECT incom FROM data", "Did you mean 'income'?"),
        ("SELECT AGEE FROM data", "Did you mean 'age'?"),
        ("SELECT summ(age) FROM data", "Did you mean 'sum'?"),
        ("SELECT qqqqqq(age) FROM data", ""),
        ("SELEC 1", ""),
    ],
)
def test_a_wrong_query_gets_a_hint_only_for_what_is_near(sql: str, hint: str, take: Import, store: ObjectStore) -> None:
    table = take("age,income\n1,2\n3,4\n")
    with TableView(store, table.manifest, table.columns, name="people") as view:
        with pytest.raises(BadInput) as caught:
            view.query(sql)
        assert caught.value.hint == hint


@pytest.mark.parametrize(("sql", "kind", "cast"), [
    ("INTERVAL 1 DAY", "INTERVAL", "VARCHAR"), ("union_value(k := 1)", "UNION(k INTEGER)", "VARCHAR"),
    ("{'d': [INTERVAL 1 DAY]}", "STRUCT(d INTERVAL[])", "VARCHAR"), ("'101'::BIT", "BIT", "VARCHAR"),
    ("170141183460469231731687303715884105727::HUGEINT", "HUGEINT", "DOUBLE")])
def test_what_parquet_cannot_hold_is_said_with_its_column(
    flights: Table, store: ObjectStore, tmp_path: Path, sql: str, kind: str, cast: str
) -> None:
    with TableView(store, flights.manifest, flights.columns) as view:
        for write in (view.write_answer, view.export_answer):
            with pytest.raises(BadInput) as error:
                write(f"SELECT 1 AS a, {sql} AS odd", tmp_path / "out.parquet")
            assert f"column 'odd' is of type {kind}," in error.value.message
            assert f'CAST("odd" AS {cast})' in error.value.hint


def test_a_text_is_found_in_every_type_that_can_hold_it(take: Import, store: ObjectStore) -> None:
    table = take("i,n,b,d,m,t,w\n-12,1.5e300,true,2024-01-31,2024-01-31 10:20:30.5,10:20:30,Some\n"
                 "7,inf,false,1999-12-01,2001-02-03 04:05:06,23:59:59.25,tRuly 12\n40,-0.5,true,0044-03-15,,,\n")
    assert [column.type.value for column in table.columns] == [
        "integer", "number", "boolean", "date", "datetime", "time", "text"]
    with TableView(store, table.manifest, table.columns) as view:
        for text in ("e", "E+3", "tru", "TRUE", "als", "-", "-0.5", "1e", "2024-01", ":", ".5", ".25", "x", "inf", "12",
                     "o", " ", "true x", "44-"):
            wanted = " OR ".join(f"contains(lower(CAST({column.name} AS VARCHAR)), '{text.lower()}')"
                                 for column in table.columns)
            assert view.count(search=text) == view.query(f"SELECT count(*) FROM data WHERE {wanted}")[1][0][0], text
