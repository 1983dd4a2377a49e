"""What a prediction leaves out stands in its file of rejects, whole, also where the rows are cleaned first."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from mldesk.data.contracts.rejects import keep_reasons
from mldesk.workbench.left_over import LeftOver
from tests.cli.conftest import Command
from tests.cli.csv_files import read_csv, write_csv

pytestmark = pytest.mark.usefixtures("trains_here")

_NAMES = ["id", "amount", "day", "seen", "colour", "stays"]
_STEPS = [{"step": "cast", "columns": ["amount"], "type": "number", "on_error": "missing"},
          {"step": "cast", "columns": ["day", "seen"], "type": "date", "on_error": "missing"},
          {"step": "rename", "names": {"day": "since"}},
          {"step": "clean_text", "columns": ["colour"], "trim": "all", "case": "lower"}]


def _rows(count: int) -> list[list[str]]:
    draw = random.Random(3)
    made = []
    for number in range(count):
        amount = round(draw.gauss(30, 9), 2)
        made.append([f"c{number:04}", str(amount), f"2024-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}",
                     f"2025-01-{draw.randint(1, 28):02}", draw.choice(["Red ", "blue"]),
                     "yes" if amount > 30 else "no"])
    return made


@pytest.fixture
def desk(mldesk: Command, tmp_path: Path) -> Path:
    raw = write_csv(tmp_path / "raw.csv", _NAMES, _rows(120))
    texts = [word for name in ("amount", "day", "seen") for word in ("--type", f"{name}=text")]
    mldesk.good("data", "import", raw, "--name", "desk", *texts)
    (tmp_path / "steps.json").write_text(json.dumps({"steps": _STEPS}))
    mldesk.good("data", "clean", "desk", "--recipe", tmp_path / "steps.json")
    mldesk.good("train", "desk", "--target", "stays", "--model", "linear", "--without", "id", "--without", "seen")
    return tmp_path


def test_cells_that_cleaning_cannot_read_are_said_refused_or_left_out(mldesk: Command, desk: Path) -> None:
    rows = _rows(30)
    rows[1][1], rows[5][2], rows[7][3] = "see invoice", "not known", "never"   # the model does without "seen"
    rows[3][1] = ""                                                            # is missing, and no reason to complain
    new = write_csv(desk / "new.csv", _NAMES, rows)
    words = ("predict", "desk-stays", new, "-o", desk / "a.csv")
    named = desk / "named.csv"   # with the names of the model's table, as if it were cleaned
    named.write_text(new.read_text().replace("day", "since"))
    raw = mldesk("--json", "predict", "desk-stays", named, *words[3:])
    assert (raw.code, "have them cleaned first (--clean)" in raw.json["error"]["hint"]) == (2, True)
    told = mldesk.good("predict", "desk-stays", named, *words[3:], "--rejects", desk / "bad.csv", "--keep", "id")
    assert {row["id"]: int(row["row"]) for row in read_csv(desk / "a.csv")} == {
        row[0]: number for number, row in enumerate(rows, start=1) if number not in (2, 6)}
    assert (told["rows"], told["left_out"]) == (28, 2)
    assert any("have them cleaned first (--clean)" in warning for warning in told["warnings"])
    empty = mldesk("--json", "predict", "desk-stays", "-", "-o", desk / "none.csv")
    assert (empty.code, empty.json["error"]["message"], "wrote nothing" in empty.json["error"]["hint"]) == (
        2, "Nothing came from standard input.", True)
    answer = mldesk.good(*words, "--clean", "--force")
    assert (answer["rows"], answer["left_out"]) == (30, 0)
    end = "did not fit and is missing now, the first being"
    assert [text for text in answer["warnings"] if "in training it never was" not in text] == [
        f"Step 1 (cast) of desk@2: 1 value of 'amount' {end} 'see invoice' in row 2.",
        f"Step 2 (cast) of desk@2: 1 value of 'day' {end} 'not known' in row 6."]
    assert "'amount' is missing in 2 rows; in training it never was." in answer["warnings"]
    refused = mldesk("--json", *words, "--clean", "--strict", "--force")
    assert (refused.code, "row 2, for example; 'see invoice' is not a number" in refused.json["error"]["message"]) == (
        2, True)
    answer = mldesk.good(*words, "--clean", "--rejects", desk / "bad.csv", "--force")
    assert (answer["rows"], answer["left_out"], answer["warnings"]) == (
        28, 2, ["'amount' is missing in 1 row; in training it never was."])
    assert (answer["columns"][0], answer["columns"][-1]) == ("prediction", "row")
    left = [number for number in range(1, 31) if number not in (2, 6)]
    assert [int(row["row"]) for row in read_csv(desk / "a.csv")] == left
    assert [(row["row"], row["line"], row["column"], row["reason"].partition(" is ")[0], row["id"])
            for row in read_csv(desk / "bad.csv")] == [("2", "3", "amount", "'see invoice'", "c0001"),
                                                    ("6", "7", "day", "'not known'", "c0005")]

    for row in rows:
        row[1] = "much"
    write_csv(named, ["since" if name == "day" else name for name in _NAMES], rows)
    refused = mldesk("--json", "predict", "desk-stays", named, *words[3:], "--force", "--rejects", desk / "why.csv")
    assert (refused.code, "why.csv says what to mend" in refused.json["error"]["hint"]) == (2, True)
    assert sum("amount" in row["column"] for row in read_csv(desk / "why.csv")) == 30


def test_lines_that_are_no_rows_are_kept_as_they_stand_and_no_old_file_is_left(mldesk: Command, desk: Path) -> None:
    rows = _rows(30)
    rows[1], rows[5] = rows[1][:4], [*rows[5], "more"]
    new, bad = write_csv(desk / "new.csv", _NAMES, rows), desk / "bad.csv"
    words = ("predict", "desk-stays", "-o", desk / "a.csv", "--rejects", bad, "--force", "--clean")
    answer = mldesk.good(*words, new)
    assert (answer["rows"], answer["left_out"]) == (28, 2)
    found = [(row["line"], row["reason"], row["raw"], row["amount"]) for row in read_csv(bad)]
    assert found == [("3", "4 cells instead of 6", ",".join(rows[1]), ""),
                     ("7", "7 cells instead of 6", ",".join(rows[5]), "")]
    said = mldesk(*words, desk / "raw.csv")
    assert said.code == 0
    assert "No row left out" in said.err
    assert bad.read_text().splitlines() == ["row,line,column,reason,id,amount,day,seen,colour,stays,raw"]
    (desk / "broken.xlsx").write_bytes(b"no sheet at all")
    before = bad.read_bytes()
    for more in (words, words[:-1]):
        assert mldesk(*more, desk / "broken.xlsx").code == 2
    assert bad.read_bytes() == before


def test_a_column_is_kept_by_its_name_before_cleaning_and_after(mldesk: Command, tmp_path: Path) -> None:
    raw = write_csv(tmp_path / "raw.csv", _NAMES, _rows(120))
    mldesk.good("data", "import", raw, "--name", "desk")
    (tmp_path / "steps.json").write_text(json.dumps({"steps": [
        {"step": "rename", "names": {"colour": "Colour", "day": "since", "amount": "paid"}},
        {"step": "clean_text", "columns": ["Colour"], "trim": "all", "case": "upper"}]}))
    mldesk.good("data", "clean", "desk", "--recipe", tmp_path / "steps.json")
    mldesk.good("train", "desk", "--target", "stays", "--model", "linear", "--without", "id", "--without", "since")
    words = ("predict", "desk-stays", raw, "-o", tmp_path / "a.csv", "--clean", "--force")
    keep = [word for name in ("colour", "Colour", "paid", "amount") for word in ("--keep", name)]
    assert mldesk.good(*words, *keep)["columns"][:4] == ["colour", "Colour", "paid", "amount"]
    row = read_csv(tmp_path / "a.csv")[0]
    assert (row["Colour"], row["paid"]) == (row["colour"].strip().upper(), row["amount"])
    refused = mldesk("--json", *words, "--keep", "since")   # the model does without it, so it is not made
    assert refused.json["error"]["hint"] == "Cleaning makes it of 'day', which can be kept."
    assert mldesk("--json", *words, "--keep", "amuont").json["error"]["hint"] == "Did you mean 'amount'?"


@pytest.mark.parametrize(("gone", "left"), [
    ([], [1, 2, 3, 4, 5, 6]), ([1], [2, 3, 4, 5, 6]), ([6, 2, 2, 3], [1, 4, 5]), ([4, 5, 6], [1, 2, 3])])
def test_rows_that_are_left_keep_their_numbers_over_several_batches(
        tmp_path: Path, gone: list[int], left: list[int]) -> None:
    keep_reasons([(row, "a", "why") for row in gone], tmp_path / "reasons.parquet")
    numbers = LeftOver(tmp_path / "reasons.parquet", None)
    assert [int(row) for count in (1, 0, len(left) - 1) for row in numbers.next(count)] == left
    assert LeftOver(tmp_path / "none.parquet", None).next(3).tolist() == [1, 2, 3]
