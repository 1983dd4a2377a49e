"""The rule for file names that several names show."""

import pytest

from mldesk.data.contracts.contract import Contract, NameRule
from mldesk.data.contracts.infer import FileFacts, with_files
from mldesk.data.contracts.infer_name import infer_name


@pytest.mark.parametrize(("names", "pattern", "dates"), [
    (["sales_31012024.csv", "sales_28022024.csv"], r"sales_(?P<day>\d{8})\.csv", {"day": "%d%m%Y"}),
    (["sales_20240131.csv", "sales_20240301.csv"], r"sales_(?P<day>\d{8})\.csv", {"day": "%Y%m%d"}),
    (["s-2024-01-31.csv.gz", "s-2024-02-01.csv.gz"], r"s\-(?P<day>\d{4}\-\d{2}\-\d{2})\.csv\.gz", {"day": "%Y-%m-%d"}),
    (["01022024.csv", "02022024.csv"], r"\d{8}\.csv", {}),   # the second of January, or the first of February
    (["a 202401.csv", "a 202402.csv"], r"a\ (?P<month>\d{6})\.csv", {"month": "%Y%m"}),
    (["log20240131T101500.csv", "log20240131T111500.csv"], r"log(?P<moment>\d{8}T\d{6})\.csv",
     {"moment": "%Y%m%dT%H%M%S"}),
    (["part-9.csv", "part-10.csv"], r"part\-\d+\.csv", {}),
    (["lot007.csv", "lot012.csv"], r"lot\d{3}\.csv", {}),
    (["umsatz_nord_2023.csv", "umsatz_süd_2024.csv"], r"umsatz_[^0-9_.-]+_(?P<year>\d{4})\.csv", {"year": "%Y"}),
])
def test_names_alike_show_a_pattern_that_each_of_them_keeps(names: list[str], pattern: str,
                                                            dates: dict[str, str]) -> None:
    found = infer_name(names)
    assert found == NameRule(pattern, dates=dates)
    assert [found.problem(name) for name in names] == ["", ""]
    assert Contract.from_json(with_files(Contract.from_json({"columns": [{"name": "a", "type": "text"}]}), FileFacts(
        tuple(names))).to_json()).file_name == found


def test_capitals_do_not_matter_where_they_differ() -> None:
    found = infer_name(["day1.csv", "DAY2.CSV"])
    assert found is not None
    assert found.ignore_case
    assert not found.problem("Day3.csv")


@pytest.mark.parametrize("names", [
    [], ["one.csv"], ["one.csv", "one.csv"], ["sales.csv", "returns.csv"], ["a_1.csv", "b.csv"], ["x-1.csv", "x_1.csv"],
])
def test_one_name_or_unlike_ones_show_none(names: list[str]) -> None:
    assert infer_name(names) is None


def test_rows_are_bounded_by_round_numbers_with_room() -> None:
    contract = Contract.from_json({"columns": [{"name": "a", "type": "text"}]})
    bounds = [(made.low, made.high) for rows in ((), (7043,), (3,), (1234, 1377), (3, 1))
              for made in [with_files(contract, FileFacts(rows=rows))]]
    assert bounds == [(None, None), (1, 71_000), (1, 10_000), (610, 2800), (1, 6)]
