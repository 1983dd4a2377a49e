"""A contract is inferred, edited and exported; files are checked against it, and good ones merged."""

from __future__ import annotations

import csv
import gzip
import json
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mldesk.data.contracts.natural import natural_ends
from mldesk.data.contracts.verdict import Room
from tests.cli.conftest import Command, make_table
from tests.data_folder import SHARED

HEAD = "id,city,score,day\n"


@pytest.fixture
def batch(mldesk: Command, tmp_path: Path) -> Path:
    """A dataset of fifty rows with a contract, and a folder for files."""
    rows = [f"{number},{'Lyon' if number % 2 else 'Oslo'},{number / 10},2024-01-{number % 28 + 1:02d}"
            for number in range(1, 51)]
    (tmp_path / "first.csv").write_text(HEAD + "\n".join(rows) + "\n")
    mldesk.good("data", "import", tmp_path / "first.csv", "--name", "t")
    mldesk.good("data", "contract", "t", "--infer")
    folder = tmp_path / "batch"
    folder.mkdir()
    return folder


def checked(mldesk: Command, *words: object) -> tuple[int, dict[str, dict[str, Any]]]:
    answer = mldesk("--json", "data", "check", *words, "--contract", "t")
    return answer.code, {Path(item["file"]).name: item for item in answer.json["files"]}


def test_a_contract_is_inferred_of_types_ranges_values_and_keys(mldesk: Command, batch: Path) -> None:
    made = mldesk.good("data", "contract", "t")
    rules = {rule["name"]: rule for rule in made["contract"]["columns"]}
    assert rules["id"] == {"name": "id", "type": "integer", "nullable": False, "unique": True}
    assert rules["city"]["values"] == ["Lyon", "Oslo"]
    assert (rules["score"]["low"], rules["score"]["high"]) == (0, 5.49)
    assert rules["day"]["low"] == "2024-01-01"
    assert made["number"] == 1


def test_limits_go_no_further_than_a_column_can(mldesk: Command, tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text("Hour,month,Weekday,Humidity(%),year,calls per day,Hours\n" + "".join(
        f"{n % 24},{n % 11 + 2},{n % 7},{n % 90 + 0.5},{2010 + n % 5},{n % 31 + 1},{n % 40}\n" for n in range(60)))
    mldesk.good("data", "import", tmp_path / "n.csv", "--name", "n")
    made = mldesk.good("data", "contract", "n", "--infer")
    ends = {rule["name"]: (rule.get("low"), rule.get("high")) for rule in made["contract"]["columns"]}
    assert ends == {"Hour": (0, 23), "month": (1, 12), "Weekday": (0, 6), "Humidity(%)": (0, 100), "year": (2010, None),
                    "calls per day": (0, 34), "Hours": (0, 43)}


@pytest.mark.parametrize(("name", "low", "high", "whole", "ends"), [
    ("DepHour", 5, 24, True, (0, 24)), ("hour_of_day", 3, 20, True, (0, 23)), ("hour", 0, 40, True, None),
    ("hour", 0.5, 20.0, False, None), ("day_of_week", 1, 7, True, (1, 7)), ("dayOfWeek", 1, 5, True, (0, 6)),
    ("day", 2, 30, True, (1, 31)), ("pct_done", 1.0, 99.5, False, (0, 100)), ("pct_change", -4.0, 9.0, False, None),
    ("latitude", 32.5, 41.9, False, (-90, 90)), ("day_charge", 1, 20, True, None), ("n", 0, 5, True, None)])
def test_what_a_name_says_holds_only_where_the_values_keep_to_it(
        name: str, low: float, high: float, whole: bool, ends: object) -> None:
    assert natural_ends(name, low, high, whole=whole) == ends


def test_the_dataset_after_the_files_says_whose_contract_is_kept(mldesk: Command, batch: Path) -> None:
    (batch / "a.csv").write_text(HEAD + "1,Lyon,1,2024-01-02\n")
    assert mldesk.here("data", "check", batch / "a.csv", "t")[1]["dataset"] == "t"
    assert mldesk.here("data", "check", batch / "a.csv", "t@1")[0] == 0
    code, said = mldesk.here("data", "check", batch / "a.csv")
    assert (code, "Name the dataset after the files" in said["error"]["hint"]) == (2, True)
    assert mldesk.here("data", "check", batch / "a.csv", "nothing")[0] == 3


def test_rules_are_said_in_words(mldesk: Command, batch: Path) -> None:
    (batch / "c.json").write_text(json.dumps({"extra": "allow", "rows": {"low": 3}, "columns": [
        {"name": "id", "type": "integer", "nullable": False, "unique": True, "severity": "row"},
        {"name": "city", "type": "text", "values": list("abcdefgh"), "missing": 0.05, "required": False},
        {"name": "score", "type": "number", "low": 0}, {"name": "day", "type": "date"}]}))
    said = mldesk("data", "contract", "t", "--edit", batch / "c.json").out
    assert "never empty, every value once, else the row is left out" in said
    assert "at most 5 % empty, one of a, b, c, d, e, f and 2 more, may be left out" in said
    assert "at least 0" in said
    assert "A file: at least 3 rows." in said


def test_a_column_of_noughts_and_ones_may_hold_no_two(mldesk: Command, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("flag,more\n" + "".join(f"{row % 2},{row % 3}\n" for row in range(60)))
    mldesk.good("data", "import", tmp_path / "f.csv", "--name", "f")
    made = mldesk.good("data", "contract", "f", "--infer")
    assert [(rule["low"], rule["high"]) for rule in made["contract"]["columns"]] == [(0, 1), (0, 3)]


@pytest.mark.parametrize(("text", "rule", "words", "cell"), [
    (HEAD + "1,Rome,1,2024-01-02\n", "values", "none of the allowed values", (1, "Rome")),
    (HEAD + "1,Lyon,1,2024-01-02\n2,Lyon,77,2024-01-02\n", "range", "not between 0 and 5.49", (2, "77")),
    (HEAD + "1,Lyon,many,2024-01-02\n", "type", "not a number", (1, "many")),
    (HEAD + "1,Lyon,1,2023-12-31\n", "range", "below 2024-01-01", (1, "2023-12-31")),
    (HEAD + "1,Lyon,1,2024-01-02\n1,Oslo,1,2024-01-02\n", "unique", "there more than once", (1, "1")),
    (HEAD + ",Lyon,1,2024-01-02\n2,Oslo,1,2024-01-02\n", "missing", "which may not be", (1, "")),
    ("id,city,score\n1,Lyon,1\n", "columns", "'day' is not there", None),
    (HEAD.strip() + ",more\n1,Lyon,1,2024-01-02,5\n", "columns", "'more' is not in the contract", None),
    ("", "reading", "empty", None),
])
def test_a_file_that_breaks_a_rule_is_rejected_with_the_row(
    text: str, rule: str, words: str, cell: tuple[int, str] | None, mldesk: Command, batch: Path
) -> None:
    (batch / "bad.csv").write_text(text)
    code, files = checked(mldesk, batch)
    found = [item for item in files["bad.csv"]["findings"] if item["rule"] == rule]
    assert (code, files["bad.csv"]["status"]) == (1, "rejected")
    assert any(words in item["message"] for item in found)
    if cell is not None:
        assert {"row": cell[0], "value": cell[1]} in found[0]["cells"]


def test_renamed_columns_are_suggested(mldesk: Command, batch: Path) -> None:
    (batch / "bad.csv").write_text("ID,town,scores,day\n1,Lyon,1,2024-01-02\n")
    assert checked(mldesk, batch)[1]["bad.csv"]["suggestions"] == {"ID": "id", "scores": "score", "town": "city"}


def test_good_files_are_merged_once_and_bad_ones_set_aside(mldesk: Command, batch: Path, tmp_path: Path) -> None:
    (batch / "a.csv").write_text(HEAD + "101,Lyon,1,2024-02-02\n102,Oslo,,2024-02-03\n")
    (batch / "b.csv").write_text(HEAD + "103,Rome,1,2024-02-02\n")
    document = mldesk.good("data", "contract", "t")["contract"]
    document["columns"][2] |= {"nullable": True}
    (tmp_path / "contract.json").write_text(json.dumps(document))
    assert mldesk.good("data", "contract", "t", "--edit", tmp_path / "contract.json")["number"] == 2
    aside = tmp_path / "aside"
    code, files = checked(mldesk, batch, "--merge", "--quarantine", aside, "--rejects", tmp_path / "r.csv")
    assert (code, files["a.csv"]["status"], files["b.csv"]["status"]) == (1, "accepted", "rejected")
    assert (aside / "b.csv").read_text() == (batch / "b.csv").read_text()
    assert "Rome" in (aside / "report.html").read_text()
    assert [row["value"] for row in csv.DictReader((tmp_path / "r.csv").read_text().splitlines())] == ["Rome"]
    version = mldesk.good("data", "show", "t")
    assert (version["version"], version["rows"]) == (2, 52)
    last = mldesk.good("data", "preview", "t", "--offset", 50)["rows"]
    assert last == [[101, "Lyon", 1.0, "2024-02-02"], [102, "Oslo", None, "2024-02-03"]]
    (batch / "b.csv").unlink()
    code, files = checked(mldesk, batch, "--merge")
    assert (code, files["a.csv"]["status"]) == (0, "unchanged")
    assert mldesk.good("data", "show", "t")["version"] == 2
    mldesk.good("data", "rollback", "t", 1)
    assert checked(mldesk, batch)[1]["a.csv"]["status"] == "accepted"


def test_a_file_that_was_corrected_since_and_one_that_is_packed_are_known(
    mldesk: Command, batch: Path, tmp_path: Path
) -> None:
    first = tmp_path / "first.csv"
    (batch / "other.csv.gz").write_bytes(gzip.compress(first.read_bytes()))
    with zipfile.ZipFile(batch / "other.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(first, "inside.csv")
    (batch / "odd.csv.gz").write_bytes(gzip.compress(b"x")[:-3])
    code, found = mldesk.here("data", "check", batch, "t", "--merge")
    files = {Path(item["file"]).name: item for item in found["files"]}
    assert {name: item["status"] for name, item in files.items()} == {
        "other.csv.gz": "unchanged", "inside.csv": "unchanged", "odd.csv.gz": "rejected"}
    first.write_text(first.read_text() + "101,Lyon,1,2024-01-02\n")
    code, found = mldesk.here("data", "check", first, "t")
    assert [item["message"] for item in found["files"][0]["findings"] if item["rule"] == "held"] == [(
        "It was changed since its rows came in with t@1 (`data again` would read it anew): a merge keeps those rows "
        "and adds these to them.")]
    more = batch / "more.csv"
    for number in (102, 103):
        more.write_text(HEAD + f"{number},Lyon,1,2024-01-02\n")
        code, found = mldesk.here("data", "check", more, "t", "--merge")
        assert code == 0
    assert "A file of this name with other bytes came in with t@2" in str(found)


def test_folders_in_a_folder_are_read_and_a_time_in_a_name_is_one(
    mldesk: Command, batch: Path, tmp_path: Path
) -> None:
    document = mldesk.good("data", "contract", "t")["contract"]
    document["file_name"] = {"pattern": r"w_(?P<day>\d{8})_(?P<at>\d{4})\.csv",
                             "dates": {"day": "%Y%m%d", "at": "%H%M"}}
    (tmp_path / "contract.json").write_text(json.dumps(document))
    mldesk.good("data", "contract", "t", "--edit", tmp_path / "contract.json")
    for number, folder in enumerate(("", "deep/er", ".hidden")):
        (batch / folder).mkdir(parents=True, exist_ok=True)
        (batch / folder / f"w_20240131_120{number}.csv").write_text(HEAD + f"10{number},Lyon,1,2024-02-02\n")
    code, files = checked(mldesk, batch, "--merge")
    assert (code, {name: item["name_parts"] for name, item in files.items()}) == (0, {
        "w_20240131_1200.csv": {"day": "2024-01-31T00:00:00", "at": "12:00:00"},
        "w_20240131_1201.csv": {"day": "2024-01-31T00:00:00", "at": "12:01:00"}})
    assert [version["source"] for version in mldesk.good("data", "versions", "t")["versions"]] == [
        "first.csv", "version 1 and w_20240131_1200.csv, w_20240131_1201.csv"]


def test_a_rejects_file_has_a_line_for_each_cell(
    mldesk: Command, batch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (batch / "bad.csv").write_text(HEAD + "".join(f"{number},Rome,{number},2024-02-02\n" for number in range(49)))
    code, files = checked(mldesk, batch, "--rejects", tmp_path / "r.csv")
    assert (code, len(files["bad.csv"]["findings"][0]["cells"])) == (1, 5)
    rows = list(csv.DictReader((tmp_path / "r.csv").read_text().splitlines()))
    assert [row["row"] for row in rows if row["value"] == "Rome"] == [str(number) for number in range(1, 50)]
    assert [row["row"] for row in rows if row["column"] == "score"] == [str(number) for number in range(7, 50)]
    monkeypatch.setattr("mldesk.data.contracts.verdict.Room", partial(Room, 60))
    assert mldesk.here("data", "check", batch, "t", "--rejects", tmp_path / "r.csv", "--force")[0] == 1
    rows = list(csv.DictReader((tmp_path / "r.csv").read_text().splitlines()))
    assert len(rows) == 61
    assert rows[-1]["message"].startswith("32 more such cells have no line: a check names")


def test_reading_the_files_again_leaves_no_merged_row_out_unless_that_is_meant(mldesk: Command, batch: Path) -> None:
    (batch / "a.csv").write_text(HEAD + "101,Lyon,1,2024-02-02\n102,Oslo,1,2024-02-03\n")
    checked(mldesk, batch, "--merge")
    answer = mldesk("data", "again", "t")
    assert answer.code == 2
    assert "t has 2 rows that were merged (a.csv)" in answer.err
    assert mldesk.good("data", "show", "t")["version"] == 2
    assert mldesk.good("data", "again", "t", "--without-merged")["rows"] == 50
    assert checked(mldesk, batch, "--merge")[1]["a.csv"]["status"] == "accepted"
    assert [mldesk.good("data", "show", f"t@{number}")["rows"] for number in (2, 4)] == [52, 52]
    mldesk.good("data", "rollback", "t", 1)
    assert mldesk.good("data", "again", "t")["rows"] == 50


def test_rows_that_are_there_already_are_not_merged_twice(mldesk: Command, batch: Path) -> None:
    (batch / "a.csv").write_text(HEAD + "7,Lyon,1,2024-02-02\n201,Lyon,1,2024-02-02\n")
    answer = mldesk("data", "check", batch, "--contract", "t", "--merge", "--json")
    assert (answer.code, answer.json["error"]["code"]) == (2, "conflict")
    assert "1 values of 'id' would be there more than once" in answer.json["error"]["message"]
    assert mldesk.good("data", "show", "t")["version"] == 1


def test_bad_rows_are_left_out_where_the_contract_says_so(mldesk: Command, batch: Path, tmp_path: Path) -> None:
    document = mldesk.good("data", "contract", "t")["contract"]
    document["columns"][1]["severity"] = "row"
    document["file_name"] = {"pattern": r"W_(?P<day>\d{8})\.csv", "ignore_case": True, "dates": {"day": "%d%m%Y"}}
    (tmp_path / "contract.json").write_text(json.dumps(document))
    mldesk.good("data", "contract", "t", "--edit", tmp_path / "contract.json")
    for number, name in enumerate(("w_31012024.csv", "w_31022024.csv", "x.csv")):
        (batch / name).write_text(HEAD + f"10{number},Lyon,1,2024-02-02\n2,Rome,1,2024-02-02\n")
    code, files = checked(mldesk, batch, "--merge")
    good = files["w_31012024.csv"]
    assert (code, good["status"], good["bad_rows"]) == (1, "accepted", 1)
    assert good["name_parts"] == {"day": "2024-01-31T00:00:00"}
    assert "'31022024' in the name is no day" in files["w_31022024.csv"]["findings"][0]["message"]
    assert "the name is not like" in files["x.csv"]["findings"][0]["message"].lower()
    assert mldesk.good("data", "show", "t")["rows"] == 51


@pytest.mark.parametrize(("change", "words"), [
    ({"columns": []}, "no list of columns"), ({"colums": []}, "no field 'colums'"),
    ({"columns": [{"name": "a", "type": "int"}]}, "no type 'int'"),
    ({"columns": [{"name": "a", "type": "text", "missing": 2}]}, "'missing' is a share"),
    ({"columns": [{"name": "a", "type": "text"}, {"name": "A", "type": "text"}]}, "twice"),
    ({"file_name": {"pattern": "("}}, "cannot be read"),
    ({"file_name": {"pattern": "x", "dates": {"day": "%d"}}}, "no group 'day'"),
])
def test_a_contract_that_makes_no_sense_is_refused(change: dict[str, Any], words: str, mldesk: Command, batch: Path,
                                                   tmp_path: Path) -> None:
    base = {"columns": [{"name": "a", "type": "text"}]}
    (tmp_path / "contract.json").write_text(json.dumps(base | change))
    answer = mldesk("--json", "data", "contract", "t", "--edit", tmp_path / "contract.json")
    assert answer.code == 2
    assert words in answer.json["error"]["message"]


def test_a_real_table_keeps_the_contract_that_is_made_of_it(mldesk: Command, tmp_path: Path) -> None:
    source = SHARED / "tabular/telco_churn.csv"
    mldesk.good("data", "import", source, "--name", "t")
    mldesk.good("data", "contract", "t", "--infer", "--export", tmp_path / "schema.py")
    compile((tmp_path / "schema.py").read_text(), "schema.py", "exec")
    assert checked(mldesk, source) == (0, {source.name: checked(mldesk, source)[1][source.name]})


SHOP = "id,size,colour,weight\n"


@pytest.mark.usefixtures("trains_here")
def test_the_contract_guards_predictions_by_a_model_and_by_its_bundle(mldesk: Command, tmp_path: Path) -> None:
    mldesk.good("data", "import", make_table(tmp_path / "shop.csv"), "--name", "shop")
    mldesk.good("train", "shop", "--target", "grade", "--model", "linear")
    mldesk.good("data", "contract", "shop", "--infer")
    bundle = tmp_path / "shop.mlbundle"
    mldesk.good("models", "export", "shop-grade", bundle)
    told = mldesk.good("models", "inspect", bundle)
    assert {rule["name"] for rule in told["contract"]["columns"]} == {"size", "colour", "weight"}  # not of the target
    assert (told["contract"]["dataset"], told["contract"]["number"]) == ("shop@1", 1)
    assert "contract.json" in {item["path"] for item in told["files"]}
    assert "contract 1 of shop: rules for 3 columns" in mldesk("models", "inspect", bundle).out
    rows, output, rejects = tmp_path / "rows.csv", tmp_path / "out.csv", tmp_path / "rejects.csv"
    rows.write_text(SHOP + "x1,0.3,green,1\nx2,999,green,1\nx3,0.4,violet,\nx4,0.2,green,2\n")
    elsewhere = ("--home", tmp_path / "elsewhere")  # where a dataset of that name is another
    mldesk.good(*elsewhere, "data", "import", make_table(tmp_path / "other.csv"), "--name", "shop")
    taken = mldesk(*elsewhere, "models", "import", bundle)   # tests have no key to sign with
    assert taken.out == "shop.mlbundle is shop-grade@1 now.\n"
    assert "! not signed: nobody vouches for it.\n" in taken.err
    assert "Next: mldesk predict shop-grade@1 INPUT" in taken.err
    again = mldesk.good(*elsewhere, "models", "import", bundle)
    assert (again["made"], again["signature"]["valid"]) == (False, False)
    promoted = mldesk(*elsewhere, "models", "promote", "shop-grade", "1")
    assert promoted.out == "Version 1 of shop-grade is promoted: the bare name means it.\n"
    assert "Next: mldesk predict shop-grade INPUT" in promoted.err
    for model, home in (("shop-grade", ()), (bundle, ()), (bundle, elsewhere), ("shop-grade", elsewhere)):
        words = (*home, "predict", model, rows, "-o", output)
        warned = mldesk.good(*words)
        assert (warned["rows"], warned["left_out"]) == (4, 0)
        assert any("contract 1 of shop" in line and "'size'" in line for line in warned["warnings"]), warned
        output.unlink()
        refused = mldesk("--json", *words, "--strict")
        assert refused.code == 2
        assert "The rows break contract 1 of shop: " in refused.json["error"]["message"]
        assert not output.exists()
        answer = mldesk.good(*words, "--strict", "--rejects", rejects)
        assert (answer["rows"], answer["left_out"]) == (2, 2)
        with open(rejects, newline="") as file:
            found = list(csv.DictReader(file))
        assert [(row["row"], row["id"], row["column"]) for row in found] == [
            ("2", "x2", "size"), ("3", "x3", "colour")]
        assert found[0]["reason"].startswith("'999.0' is not between ")
        assert found[1]["reason"] == "'violet' is none of the allowed values"
        assert len(output.read_text().splitlines()) == 3
        assert mldesk("--json", *words, "--rejects", output).code != 0
        output.unlink()
        rejects.unlink()


@pytest.mark.usefixtures("trains_here")
def test_cells_that_no_model_can_read_are_named_and_left_out_without_any_contract(
    mldesk: Command, tmp_path: Path
) -> None:
    mldesk.good("data", "import", make_table(tmp_path / "shop.csv"), "--name", "shop")
    mldesk.good("train", "shop", "--target", "grade", "--model", "linear")
    rows, output, rejects = tmp_path / "rows.csv", tmp_path / "out.csv", tmp_path / "rejects.csv"
    rows.write_text(SHOP + "x1,0.3,green,1\nx2,many,green,1\nx3,0.4\nx4,0.2,green,2.5\n")
    refused = mldesk("--json", "predict", "shop-grade", rows, "-o", output).json["error"]
    assert "every row must be readable" in refused["message"] and "--rejects FILE" in refused["hint"]
    rows.write_text(rows.read_text().replace("x3,0.4\n", ""))
    refused = mldesk("--json", "predict", "shop-grade", rows, "-o", output).json["error"]
    assert "'size'" in refused["message"]
    assert "row 2, for example, is 'many'" in refused["message"]
    assert "--rejects" in refused["hint"]
    rows.write_text(rows.read_text() + "x5,0.4\n")
    answer = mldesk.good("predict", "shop-grade", rows, "-o", output, "--rejects", rejects)
    assert (answer["rows"], answer["left_out"]) == (2, 2)
    with open(rejects, newline="") as file:
        found = list(csv.DictReader(file))
    assert [(row["row"], row["line"], row["column"], row["id"]) for row in found] == [
        ("2", "3", "size", "x2"), ("", "5", "", "")]
    assert found[0]["reason"] == "'many' is not a number"


def test_other_sheets_of_a_workbook_are_no_reason_to_reject_it(mldesk: Command, batch: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for line in (("id", "city", "score", "day"), (101, "Lyon", 1.0, "2024-01-02"), (102, "Oslo", 2.0, "2024-01-03")):
        sheet.append(line)
    notes = book.create_sheet("Notes")
    for number in range(9):
        notes.append([f"note {number}", "more"] * 4)
    book.save(batch / "a.xlsx")
    files = checked(mldesk, batch, "--sheet", "Sheet")[1]
    assert (files["a.xlsx"]["status"], files["a.xlsx"]["findings"]) == ("accepted", [])
    assert checked(mldesk, batch)[1]["a.xlsx"]["status"] == "rejected"  # of the sheet with the most cells
    book.remove(notes)
    book.create_sheet("Few").append(["a note"])
    book.save(batch / "a.xlsx")
    found = checked(mldesk, batch)[1]["a.xlsx"]
    assert (found["status"], [item["severity"] for item in found["findings"]]) == ("accepted", ["warning"])


# As pandera 0.31.1 writes it.
PANDERA = """schema_type: dataframe
columns:
  id: {dtype: Int64, unique: true, greater_than: 0, less_than_or_equal_to: 9}
  city: {dtype: 'string[pyarrow]', nullable: true, isin: [Lyon, Oslo]}
  code: {dtype: 'string[pyarrow]', str_matches: '[A-Z]+$'}
  x: {dtype: float64, in_range: {min_value: 0, max_value: 1, include_min: true, include_max: true}}
  d: {dtype: 'datetime64[ns]', required: false, greater_than: '2024-01-01'}
coerce: true
strict: true
"""


def test_a_contract_is_read_from_a_pandera_schema(mldesk: Command, batch: Path, tmp_path: Path) -> None:
    (tmp_path / "schema.yaml").write_text(PANDERA)
    made = mldesk.good("data", "contract", "t", "--edit", tmp_path / "schema.yaml")
    assert made["contract"]["columns"] == [
        {"name": "id", "type": "integer", "nullable": False, "low": 1, "high": 9, "unique": True},
        {"name": "city", "type": "text", "values": ["Lyon", "Oslo"]},
        {"name": "code", "type": "text", "nullable": False, "pattern": "[A-Z]+"},
        {"name": "x", "type": "number", "nullable": False, "low": 0, "high": 1},
        {"name": "d", "type": "datetime", "required": False, "nullable": False}]
    assert (made["contract"]["extra"], made["left_out"]) == ("refuse", ["greater_than of 'd'"])
    older = {"schema_type": "dataframe", "strict": False, "columns": {"id": {
        "dtype": "int64", "nullable": False, "checks": {"greater_than_or_equal_to": {"value": 3, "options": {}}}}}}
    (tmp_path / "schema.json").write_text(json.dumps(older))
    made = mldesk.good("data", "contract", "t", "--edit", tmp_path / "schema.json")
    assert made["contract"]["columns"] == [{"name": "id", "type": "integer", "nullable": False, "low": 3}]
    for text in ("columns: [", "schema_type: dataframe", "schema_type: dataframe\ncolumns: {a: {dtype: complex128}}",
                 "!!python/object/apply:os.system [x]"):
        (tmp_path / "bad.yaml").write_text(text)
        assert mldesk("data", "contract", "t", "--edit", tmp_path / "bad.yaml").code == 2


def test_rejected_files_are_put_into_an_archive_with_the_report(mldesk: Command, batch: Path, tmp_path: Path) -> None:
    (batch / "sub").mkdir()
    for folder in (batch, batch / "sub"):
        (folder / "bad.csv").write_text(HEAD + f"1,{folder.name},1,2024-01-02\n")
    target = tmp_path / "aside.zip"
    checked(mldesk, batch / "bad.csv", batch / "sub" / "bad.csv", "--quarantine", target)
    with zipfile.ZipFile(target) as archive:
        assert sorted(archive.namelist()) == ["bad-2.csv", "bad.csv", "report.html"]
        assert archive.read("bad-2.csv") == (batch / "sub" / "bad.csv").read_bytes()
        assert "sub" in archive.read("report.html").decode()
    refused = mldesk("data", "check", batch / "bad.csv", "--contract", "t", "--quarantine", tmp_path / "no" / "a.zip")
    assert refused.code == 3


def test_rows_with_something_wrong_are_counted_in_a_rejected_file(mldesk: Command, batch: Path) -> None:
    (batch / "bad.csv").write_text(HEAD + "1,Rome,99,2024-01-02\n2,Lyon,1,2024-01-02\n3,Rome,1,2024-01-02\n")
    found = checked(mldesk, batch)[1]["bad.csv"]
    assert (found["status"], found["rows"], found["bad_rows"]) == ("rejected", 3, 2)
    assert "2 rows of 3 with something wrong" in mldesk("data", "check", batch, "--contract", "t").out


def test_rows_and_lines_of_a_file_are_told_apart(mldesk: Command, batch: Path, tmp_path: Path) -> None:
    (batch / "bad.csv").write_text(HEAD + "101,Lyon,1,2024-01-02\n102,Lyon\n103,Rome,1,2024-01-02\n")
    found = checked(mldesk, batch, "--rejects", tmp_path / "r.csv")[1]["bad.csv"]["findings"]
    assert [(item["rule"], item["line"], [cell["row"] for cell in item["cells"]]) for item in found] == [
        ("reading", 3, []), ("values", None, [2])]
    with open(tmp_path / "r.csv", newline="") as file:
        assert [(row["row"], row["line"], row["rule"]) for row in csv.DictReader(file)] == [
            ("", "3", "reading"), ("2", "", "values")]
