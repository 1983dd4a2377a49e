"""Which type a column of text gets: by every value, never by a sample."""

from __future__ import annotations

import pytest

from tests.data.conftest import Import, Rows, kinds, said


@pytest.mark.parametrize(
    ("values", "kind", "first"),
    [
        (["1", "-2", "+3", "0"], "integer", 1),
        (["9223372036854775807", "-9223372036854775808"], "integer", 9223372036854775807),
        (["1.5", "2", ".5", "5.", "-1e3", "1E-4"], "number", 1.5),
        (["41.0", "42.0"], "number", 41.0),
        (["007", "012"], "text", "007"),
        (["00.5", "1"], "text", "00.5"),
        (["+4912345678", "+4987654321"], "text", "+4912345678"),
        (["true", "FALSE", "True"], "boolean", True),
        (["yes", "no"], "text", "yes"),
        (["2024-01-31", "2024-2-1"], "date", "2024-01-31"),
        (["2024/01/31", "2024.02.01"], "date", "2024-01-31"),
        (["2023-02-29", "2024-01-01"], "text", "2023-02-29"),
        (["31/01/2024", "01/02/2024"], "date", "2024-01-31"),
        (["01/31/2024", "02/01/2024"], "date", "2024-01-31"),
        (["13/01/2024", "01/13/2024"], "text", "13/01/2024"),
        (["5 Jan 2020", "17. März 2020"], "text", "5 Jan 2020"),
        (["5 Jan 2020", "17th March 2020", "Mon, 6 Jan 2020"], "date", "2020-01-05"),
        (["Jan 5, 2020", "March 17 2020"], "date", "2020-01-05"),
        (["2024-01-31 10:20", "2024-01-31T10:20:30.123456"], "datetime", "2024-01-31 10:20:00"),
        (["2024-01-31T10:20:00+02:00", "2024-01-31T10:20:00Z"], "datetime", "2024-01-31 08:20:00"),
        (["1/31/2024 12:05 AM", "1/31/2024 12:05 PM"], "datetime", "2024-01-31 00:05:00"),
        (["10:20", "23:59:59.5"], "time", "10:20:00"),
        (["25:00", "10:20"], "text", "25:00"),
        (["12.345.678", "1.234"], "integer", 12345678),
        (["1,234,567", "1,234"], "integer", 1234567),
        (["1,234.50", "12"], "number", 1234.5),
        (["1.234,50", "12"], "number", 1234.5),
        (["1 234,5", "2 345 678,9"], "number", 1234.5),
        (["1'234.5", "2'345'678"], "number", 1234.5),
        (["99999999999999999999", "1"], "text", "99999999999999999999"),
        (["99999999999999999999", "1.5"], "number", 1e20),
        (["1e5", "abc"], "text", "1e5"),
        (["20240131", "20240201"], "integer", 20240131),
        (["1.2.3", "1.2.4"], "text", "1.2.3"),
        (["192.168.0.1", "10.0.0.1"], "text", "192.168.0.1"),
        ([" 5", "6 "], "integer", 5),
    ],
)
def test_a_column_has_a_type_if_every_value_fits(
    values: list[str], kind: str, first: object, take: Import, rows: Rows
) -> None:
    table = take("x;y\n" + "".join(f"{value};a\n" for value in values))
    assert kinds(table)["x"] == kind, said(table)
    assert rows(table)[0][0] == first
    assert table.columns[0].missing == 0


@pytest.mark.parametrize("late", ["x", "007", "1,5,5"])
def test_one_value_at_the_very_end_decides(late: str, take: Import) -> None:
    table = take("a;b\n" + "1;2\n" * 70_000 + f"{late};2\n")
    assert kinds(table) == {"a": "text", "b": "integer"}


def test_a_column_that_is_nearly_numbers_says_which_value_is_none(take: Import) -> None:
    table = take("a;b\n" + "1;2\n" * 20 + "12 apples;2\n")
    assert (
        "22|a|'a' is kept as text: 20 of its 21 values are numbers, others are not, the first being '12 apples'"
        in said(table)
    )


@pytest.mark.parametrize(
    "marker", ["", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "?", "#N/A", "#DIV/0!", "<NA>", "  "]
)
def test_what_stands_for_missing_everywhere(marker: str, take: Import, rows: Rows) -> None:
    table = take(f"a;t;c\n1;x;1\n{marker};{marker};2\n")
    assert kinds(table) == {"a": "integer", "t": "text", "c": "integer"}
    assert rows(table)[1] == [None, None, 2]
    remarked = marker in ("?", "#DIV/0!", "  ")
    assert (
        f"1 cell of 'a' is {repr(marker) if marker.strip() else 'blank'}; read as missing." in said(table)
    ) == remarked


@pytest.mark.parametrize("marker", ["-", "None", "none", ".", "n.a."])
def test_what_stands_for_missing_only_among_numbers_and_dates(marker: str, take: Import, rows: Rows) -> None:
    table = take(f"a;t;d\n1;x;2024-01-01\n{marker};{marker};{marker}\n")
    assert rows(table)[1] == [None, marker, None]
    assert f"1 cell of 'a' is {marker!r}; read as missing." in said(table)


def test_further_texts_may_be_named_as_missing(take: Import, rows: Rows) -> None:
    assert rows(take("a;b\n-999;x\n1;y\n", missing=("-999",))) == [[None, "x"], [1, "y"]]


def test_columns_without_a_value_are_text_that_is_missing(take: Import) -> None:
    table = take("a;b\n;1\nNA;2\n")
    assert (table.columns[0].type.value, table.columns[0].missing, table.columns[0].distinct) == ("text", 2, 0)


def test_commas_that_may_mean_two_things_are_left_alone_unless_another_column_tells(take: Import, rows: Rows) -> None:
    table = take("a;b\n1,234;x\n5,678;y\n")
    assert kinds(table)["a"] == "text"
    assert "may mean thousands or decimals" in said(table)
    assert rows(take("a;b\n1,234;0,5\n5,678;12,25\n")) == [[1.234, 0.5], [5.678, 12.25]]
    assert rows(take("a;b\n1,234;0.5\n5,678;12.25\n")) == [[1234, 0.5], [5678, 12.25]]
    assert rows(take("a;b\n1,234;x\n5,678;y\n", decimal=",")) == [[1.234, "x"], [5.678, "y"]]
    assert rows(take("a;b\n1.234;0,5\n5.678;12,25\n")) == [[1234, 0.5], [5678, 12.25]]


def test_dates_that_may_mean_two_things_follow_another_column_or_are_reported(take: Import, rows: Rows) -> None:
    table = take("a;b\n3/4/2024;x\n5/6/2024;y\n")
    assert rows(table)[0][0] == "2024-03-04"
    assert "do not tell day from month; they were read with the month before the day, which is a guess" in said(table)
    assert rows(take("a;b\n3.4.2024;x\n5.6.2024;y\n"))[0][0] == "2024-04-03"
    assert rows(take("a;b\n3/4/2024;25/12/2024\n5/6/2024;26/12/2024\n"))[0][0] == "2024-04-03"
    assert rows(take("a;b\n3/4/2024;x\n", day_first=True))[0][0] == "2024-04-03"


def test_infinite_numbers_are_kept_and_named(take: Import, rows: Rows) -> None:
    table = take("a;b\n1.5;x\ninf;y\n-Infinity;z\n1e999;w\n")
    assert [row[0] for row in rows(table)] == [1.5, "inf", "-inf", "inf"]
    assert "3 values of 'a' are infinite" in said(table)


def test_large_whole_numbers_lose_no_digit(take: Import, rows: Rows) -> None:
    table = take("id;b\n123456789012345678901;1\n123456789012345678902;2\n")
    assert rows(table)[1][0] == "123456789012345678902"
    assert "kept as text so that no digit is lost" in said(table)


def test_a_column_may_be_told_to_stay_text(take: Import, rows: Rows) -> None:
    assert rows(take("zip;b\n12345;1\n", text=("zip",))) == [["12345", 1]]


def test_the_order_of_rows_and_the_parts_do_not_depend_on_how_the_file_was_cut(take: Import, rows: Rows) -> None:
    table = take("n;t\n" + "".join(f"{number};t{number % 7}\n" for number in range(250_000)), name="long.csv")
    assert table.rows == 250_000
    assert (table.columns[0].distinct, table.columns[1].distinct) == (250_000, 7)
    assert rows(table)[9_999] == [9_999, "t3"]
