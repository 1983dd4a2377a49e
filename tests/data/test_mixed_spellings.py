"""Columns whose dates or numbers are written in several ways: what is advised is read, and nothing in silence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mldesk.data import ImportOptions
from mldesk.data.imports.preview import ImportPreview, preview_import
from tests.data.conftest import Import, Rows, kinds, said

_DATE = (("d", "date"),)
_MIXED = (["2021-05-03"] * 5 + ["14.01.2021", "02.03.2021"] * 2 + ["1/26/2020", "3/5/2024", "2/28/2021"] * 3 +
          ["8 May 2021", "unknown", "0000-00-00"])


def _column(values: list[str], name: str = "d") -> str:
    return f"{name};k\n" + "".join(f"{value};x\n" for value in values)


def _preview(text: str, tmp_path: Path, **options: object) -> ImportPreview:
    path = tmp_path / "t.csv"
    path.write_text(text, "utf-8")
    scratch = tmp_path / "previews"
    scratch.mkdir(exist_ok=True)
    return preview_import([path], ImportOptions(**options), scratch)  # type: ignore[arg-type]


def test_each_spelling_tells_the_order_of_its_dates_and_what_is_advised_is_read(take: Import, rows: Rows) -> None:
    assert "19 of its 21 values are dates, others are not, the first being 'unknown' in line 21" in said(
        take(_column(_MIXED)))
    for told in (None, True, False):   # nothing is open here
        table = take(_column(_MIXED), types=_DATE, day_first=told)
        assert table.columns[0].missing == 2
        found = [row[0] for row in rows(table)]
        assert [found[5], found[6], found[9], found[10], found[18]] == [
            "2021-01-14", "2021-03-02", "2020-01-26", "2024-03-05", "2021-05-08"]
        assert "do not tell" not in said(table)


def test_a_spelling_that_leaves_the_order_open_is_named_and_the_user_decides_it(take: Import, rows: Rows) -> None:
    text = _column(["14.01.2021", "3/5/2024", "4/6/2024", "2021-05-03"])
    table = take(text, types=_DATE)
    assert "The dates with '/' in 'd' (2) do not tell day from month" in said(table)
    assert "'.'" not in said(table)
    for told, want in ((True, "2024-05-03"), (False, "2024-03-05")):
        table = take(text, types=_DATE, day_first=told)
        assert [row[0] for row in rows(table)][:2] == ["2021-01-14", want]
        assert "do not tell" not in said(table)


def test_of_a_column_in_one_order_what_leaves_it_open_is_named(take: Import, rows: Rows) -> None:
    text = _column(["14.01.2021", "3/5/2024"])
    table = take(text)
    assert rows(table)[1][0] == "2024-05-03"
    assert "The dates with '/' in 'd' (1) do not tell day from month; they were read with the day before" in said(table)
    assert rows(take(text, types=_DATE, dates="mdy"))[1][0] == "2024-03-05"   # as its fix says
    assert "do not tell" not in said(take(_column(["14.01.2021", "25/5/2024"])))


def test_a_spelling_that_contradicts_itself_is_read_one_way_and_said(take: Import, rows: Rows) -> None:
    text = _column(["1/26/2020", "2/27/2020", "26/1/2020", "3/4/2020"])
    advice = said(take(text))
    assert "3 of its 4 values are dates; of those with '/' the day is first in 1, as in '26/1/2020'" in advice
    table = take(text, types=_DATE)
    assert [row[0] for row in rows(table)] == ["2020-01-26", "2020-02-27", None, "2020-03-04"]
    assert "contradict each other" in said(table)
    assert rows(take(text, types=_DATE, day_first=True))[3][0] == "2020-04-03"


@pytest.mark.parametrize("late", ["1/26/2020", "26/1/2020"])
def test_the_whole_file_tells_the_order_also_at_its_end(late: str, take: Import, rows: Rows) -> None:
    table = take(_column(["3/4/2024"] * 70_000 + [late, "8 May 2021"]), types=_DATE)
    assert table.columns[0].missing == 0
    assert rows(table)[0][0] == ("2024-03-04" if late.startswith("1/") else "2024-04-03")


def test_a_preview_names_all_ways_and_is_less_sure_of_what_did_not_fit(tmp_path: Path) -> None:
    found = _preview(_column(_MIXED), tmp_path, types=_DATE)
    assert set(found.dates) == {"ymd", "d month y", "dmy", "mdy"}
    assert found.columns[0].confidence == pytest.approx(19 / 21)
    assert "month first with /; day first with ." in found.columns[0].reading
    assert _preview(_column(["1", "x", "3", "4"]), tmp_path, types=(("d", "integer"),)).columns[0].confidence == 0.75
    assert _preview(_column(["3/4/2024"]), tmp_path, types=_DATE).columns[0].confidence == 0.5


def test_numbers_among_which_some_carry_a_currency_sign_are_named_and_read(take: Import, rows: Rows) -> None:
    text = _column(["16021.29", "-", "€ 35,370.57", "1e3", "$5", "12,345.5 USD"] + ["7"] * 9)
    told = said(take(text))
    assert kinds(take(text))["d"] == "text"
    assert "4|d|'d' is kept as text: all of its 14 values are numbers; 3 of these have a currency sign" in told
    assert "($, USD, €), like " in told
    table = take(text, types=(("d", "number"),))
    assert [row[0] for row in rows(table)][:6] == [16021.29, None, 35370.57, 1000, 5, 12345.5]
    assert "have different currency signs, $, USD and €" in said(table)


def test_money_follows_the_decimal_mark_that_its_column_is_sure_of(take: Import, rows: Rows) -> None:
    text = _column(["1.234 €", "35.370,57 €", "12"] + ["7,5"] * 9)
    assert [row[0] for row in rows(take(text, types=(("d", "number"),)))][:3] == [1234, 35370.57, 12]


@pytest.mark.parametrize(("values", "kind", "first"), [
    (["€ 1,234.50", "€ 7"], "number", 1234.5), (["12,50 EUR", "-3 EUR"], "number", 12.5),
    (["-£3.5", "£4", ""], "number", -3.5), (["€ 1,234", "€ 5,678"], "text", "€ 1,234"),
    (["€ 5", "$ 6"], "text", "€ 5"), (["€ 5", "6"], "text", "€ 5"),
])
def test_a_column_of_one_currency_is_numbers(values: list[str], kind: str, first: object, take: Import,
                                             rows: Rows) -> None:
    table = take(_column(values))
    assert (kinds(table)["d"], rows(table)[0][0]) == (kind, first)
    assert ("without the currency sign" in said(table)) == (kind == "number")


@pytest.mark.parametrize(("values", "kind"), [
    (["1,234.5", "1.234,5", "7", "x"] + ["5"] * 20, "number"),
    (["2020-01-01", "2020-02-30", "3/14/20", "x"] * 3, "date"),
    (["1.2.2020 10:20", "1.2.2020 25:00", "2020-01-01T10:00Z", "1-13-2020"], "date"),
])
def test_as_many_are_read_as_the_advice_says(values: list[str], kind: str, take: Import) -> None:
    found = re.search(r"([0-9]+) of its ([0-9]+) values", said(take(_column(values))))
    assert found is not None
    table = take(_column(values), types=(("d", kind),))
    assert (len(values) - table.columns[0].missing, len(values)) == tuple(map(int, found.groups()))
