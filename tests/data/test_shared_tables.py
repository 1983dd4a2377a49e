"""Every table of the shared data folder, whole and broken ones: rows, types and what is said about them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mldesk.core.errors import BadInput
from mldesk.data import ImportRefused, Table, import_table
from mldesk.wire.objects import ObjectStore
from tests.data.conftest import Rows, kinds, said
from tests.data_folder import SHARED

_LETTERS = {"i": "integer", "n": "number", "t": "text", "d": "date"}
_PENGUINS = "titttttt" + "dnniitnnt"
_FLIGHTS = "iiiiiiittittiiii"
_TELCO = "ttittittttttttttttnnt"
_BIKE = "diinininnnnttt"

# file, rows, types (one letter per column; x: only counted), columns, (line, column, words) of each problem
WHOLE = [
    (
        "tabular/adult.csv",
        48842,
        "ititittttt" + "iiitt",
        [(None, "workclass", "2,799"), (None, "occupation", "2,809"), (None, "native-country", "857")],
    ),
    ("tabular/pnw_flights_2014.parquet", 162049, _FLIGHTS, [(None, "tailnum", "248 cells")]),
    ("tabular/pnw_flights_2014.csv.gz", 162049, _FLIGHTS, []),
    ("tabular/penguins_raw.csv", 344, _PENGUINS, []),
    ("tabular/penguins_raw.xlsx", 344, _PENGUINS, []),
    ("tabular/penguins_raw.json", 344, _PENGUINS, []),
    ("tabular/penguins_raw.jsonl", 344, _PENGUINS, []),
    ("tabular/california_housing.csv", 20640, "nnnnnnnnnt", []),
    ("tabular/seoul_bike_latin1.csv", 8760, _BIKE, [(None, None, "cp1252")]),
    ("tabular/seoul_bike_ko_utf8.csv", 8760, _BIKE, []),
    ("tabular/telco_churn.csv", 7043, _TELCO, [(None, "TotalCharges", "11 cells")]),
    ("tabular/telco_churn.xlsx", 7043, _TELCO, [(None, None, "'Churn'")]),
    ("tabular/beijing_pm25.csv", 43824, "iiiiiiinntnii", []),
    (
        "federated/heart_disease/cleveland.csv",
        303,
        "n" * 13 + "i",
        [(None, "ca", "4 cells"), (None, "thal", "2 cells")],
    ),
    ("federated/heart_disease/hungarian.csv", 294, "iiiiiiiiiniiii", 9),
    ("federated/heart_disease/switzerland.csv", 123, "iiiiiiiiiniiii", 9),
    ("federated/heart_disease/va_long_beach.csv", 200, "iiiiiiiiiniiii", 9),
    ("broken/01_truncated.csv", 242, "inittt", [(244, None, "never ends")]),
    (
        "broken/02_ragged_rows.csv",
        194,
        "initt",
        [
            (21, None, "3 cells instead of 5"),
            (22, None, "3 cells"),
            (41, None, "7 cells"),
            (91, None, "3 cells"),
            (121, None, "is empty"),
            (151, None, "7 cells"),
        ],
    ),
    ("broken/03_cp1252.csv", 150, "inittt", [(None, None, "cp1252")]),
    ("broken/04_utf16.csv", 150, "inittt", []),
    (
        "broken/05_duplicate_columns.csv",
        150,
        "inni" + "tttt",
        [
            (1, "amount_2", "more than once"),
            (1, "column_4", "no name"),
            (1, "city_2", "more than once"),
            (1, "column_8", "no name"),
        ],
    ),
    ("broken/07_merged_header.xlsx", 60, "ittitt", 8),
    (
        "broken/08_bad_lines.jsonl",
        116,
        "initt",
        [
            (57, None, "not whole JSON"),
            (71, "amount", "NaN"),
            (81, None, "a list"),
            (101, None, "is empty"),
            (91, "amount", "list or record"),
        ],
    ),
    ("broken/10_one_column.csv", 400, "t", [(None, "bought", "only one column")]),
    ("broken/11_ten_thousand_columns.csv", 12, "x" * 10_000, [(None, None, "10,000 columns")]),
    ("tabular/nonvoters.csv", 5836, "x" * 119, []),
]

REFUSED = [
    ("broken/06_zip_slip.zip", "zip archive"),
    ("broken/09_empty.csv", "is empty"),
    ("broken/09_header_only.csv", "header in line 1 and no rows"),
    ("broken/12_corrupt_pictures", "is a folder"),
    ("broken/13_voc_bad_boxes", "is a folder"),
]


@pytest.mark.parametrize(("name", "count", "types", "problems"), WHOLE, ids=[item[0] for item in WHOLE])
def test_every_table_is_read_whole_and_what_is_wrong_is_named(
    name: str,
    count: int,
    types: str,
    problems: list[tuple[int | None, str | None, str]] | int,
    store: ObjectStore,
    scratch: Path,
) -> None:
    table = import_table([SHARED / name], store, scratch)
    assert table.rows == count
    if "x" in types:
        assert len(table.columns) == len(types)
    else:
        assert [column.type.value for column in table.columns] == [_LETTERS[letter] for letter in types]
    if isinstance(problems, int):
        assert len(table.problems) == problems, said(table)
    else:
        found = [(problem.line, problem.column) for problem in table.problems]
        assert found == [(line, column) for line, column, _ in problems], said(table)
        for problem, (_, _, words) in zip(table.problems, problems, strict=True):
            assert words in problem.message
            assert problem.file == Path(name).name
    assert not list(scratch.iterdir())


@pytest.mark.parametrize(("name", "words"), REFUSED, ids=[item[0] for item in REFUSED])
def test_what_is_no_table_is_refused_in_one_sentence_and_leaves_nothing(
    name: str, words: str, store: ObjectStore, scratch: Path, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ImportRefused, match=words) as caught:
        import_table([SHARED / name], store, scratch)
    assert Path(name).name in caught.value.message
    assert caught.value.message.count("\n") == 0
    assert issubclass(ImportRefused, BadInput)
    assert sorted(tmp_path.rglob("*")) == before


def test_no_file_of_the_broken_folder_is_forgotten() -> None:
    named = {item[0] for item in WHOLE} | {item[0] for item in REFUSED}
    there = {
        path.relative_to(SHARED).as_posix() for folder in ("broken", "tabular") for path in (SHARED / folder).iterdir()
    }
    assert there <= named


def test_penguins_are_the_same_table_in_four_formats(store: ObjectStore, scratch: Path) -> None:
    tables = [
        import_table([SHARED / f"tabular/penguins_raw.{ending}"], store, scratch)
        for ending in ("csv", "xlsx", "json", "jsonl")
    ]
    assert len({table.manifest for table in tables}) == 1
    assert len({table.columns for table in tables}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("tabular/pnw_flights_2014.csv.gz", "tabular/pnw_flights_2014.parquet"),
        ("tabular/telco_churn.csv", "tabular/telco_churn.xlsx"),
        ("broken/03_cp1252.csv", "broken/04_utf16.csv"),
    ],
)
def test_the_same_rows_from_two_formats_are_the_same_bytes(
    one: str, other: str, store: ObjectStore, scratch: Path
) -> None:
    first, second = (import_table([SHARED / name], store, scratch) for name in (one, other))
    assert first.manifest == second.manifest


def test_the_korean_columns_hold_what_the_latin_ones_hold(store: ObjectStore, scratch: Path, rows: Rows) -> None:
    korean, latin = (
        import_table([SHARED / f"tabular/seoul_bike_{name}.csv"], store, scratch) for name in ("ko_utf8", "latin1")
    )
    assert [column.type for column in korean.columns] == [column.type for column in latin.columns]
    assert [row[:11] for row in rows(korean)] == [row[:11] for row in rows(latin)]
    assert korean.columns[0].name == "날짜"
    assert latin.columns[3].name == "Temperature(°C)"


def test_letters_of_windows_come_out_right(store: ObjectStore, scratch: Path, rows: Rows) -> None:
    text = str(rows(import_table([SHARED / "broken/03_cp1252.csv"], store, scratch)))
    for word in ("Besançon", "“quoted” price 10 €", "œuvre", "Málaga – centro"):
        assert word in text


def test_day_first_dates_are_known_by_their_days(store: ObjectStore, scratch: Path, rows: Rows) -> None:
    table = import_table([SHARED / "tabular/seoul_bike_latin1.csv"], store, scratch)
    days = [row[0] for row in rows(table)]
    assert (days[0], days[24 * 24], days[-1]) == ("2017-12-01", "2017-12-25", "2018-11-30")


def test_the_messy_workbook_says_what_it_took_for_what(store: ObjectStore, scratch: Path, rows: Rows) -> None:
    table = import_table([SHARED / "broken/07_merged_header.xlsx"], store, scratch)
    assert kinds(table) == {
        "Client id": "integer",
        "Client city": "text",
        "Sales amount": "text",
        "Sales visits": "integer",
        "Sales date": "text",
        "Result bought": "text",
    }
    text = said(table)
    for words in (
        "A1:F1 are merged",
        "B10:B13 are merged",
        "rows 3 to 4, one above the other, and were joined, as in 'Client id'",
        "'Total'",
        "provisional figures",
        "5|Sales amount|",
        "'51.51 EUR'",
        "5|Sales date|",
        "'3/4/24'",
    ):
        assert words in text
    assert [row[1] for row in rows(table)][5:9] == ["Lyon"] * 4


def test_files_with_the_same_columns_make_one_table(store: ObjectStore, scratch: Path) -> None:
    sites = [SHARED / f"federated/heart_disease/{name}.csv" for name in ("cleveland", "hungarian", "switzerland")]
    table: Table = import_table(sites, store, scratch)
    assert table.rows == 303 + 294 + 123
    assert {problem.file for problem in table.problems} == {"cleveland.csv"}
    with pytest.raises(ImportRefused, match=r"adult\.csv has no column 'sex'|'age'|has no column"):
        import_table([sites[0], SHARED / "tabular/adult.csv"], store, scratch)
