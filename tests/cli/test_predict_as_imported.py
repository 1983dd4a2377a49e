"""A table whose types were chosen when it came trains a model, which then predicts the same raw file."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.cli.csv_files import read_csv, write_csv

pytestmark = pytest.mark.usefixtures("trains_here")

_NAMES = ("signup", "price", "plan", "stays")

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _rows(count: int) -> list[list[str]]:
    draw = random.Random(7)
    rows = []
    for number in range(count):
        day, month = draw.randint(1, 28), draw.randint(1, 12)
        spelled = (f"2024-{month:02}-{day:02}", f"{day:02}/{month:02}/2024", f"{day} {_MONTHS[month - 1]} 2024")
        price = draw.randint(100, 3000) + 0.5
        rows.append([spelled[number % 3], f"${price:,.2f}" if number % 2 else f"{price:,.2f}",
                     draw.choice(["a", "b"]), "yes" if month > 6 else "no"])
    return rows


@pytest.fixture
def desk(mldesk: Command, tmp_path: Path) -> Path:
    raw = write_csv(tmp_path / "raw.csv", _NAMES, _rows(160))
    mldesk.good("data", "import", raw, "--name", "desk", "--type", "signup=date", "--type", "price=number")
    mldesk.good("train", "desk", "--target", "stays", "--model", "linear")
    return tmp_path


def test_the_raw_file_is_predicted_checked_merged_and_compared_as_it_was_imported(
    mldesk: Command, desk: Path
) -> None:
    raw = desk / "raw.csv"
    mldesk.good("data", "export", "desk", desk / "stored.csv")
    mldesk.good("predict", "desk-stays", desk / "stored.csv", "-o", desk / "want.csv")
    mldesk.good("data", "contract", "desk", "--infer")
    answer = mldesk.good("predict", "desk-stays", raw, "-o", desk / "a.csv", "--strict")
    assert answer["rows"] == 160
    answer = mldesk.good("predict", "desk-stays", raw, "-o", desk / "b.csv", "--rejects", desk / "bad.csv")
    assert answer["left_out"] == 0
    mldesk.good("models", "export", "desk-stays", desk / "m.mlbundle")
    mldesk.good("predict", desk / "m.mlbundle", raw, "-o", desk / "c.csv", "--home", desk / "another library")
    for name in ("a.csv", "b.csv", "c.csv"):
        assert _without_numbers(desk / name) == (desk / "want.csv").read_text()
    assert mldesk.good("models", "drift", "desk-stays", raw)["shifted"] == []
    more = write_csv(desk / "more.csv", _NAMES, _rows(300)[160:])
    assert mldesk.good("data", "check", more, "desk", "--merge")["version"] == 2
    assert mldesk.good("data", "show", "desk")["rows"] == 300
    first = mldesk.good("data", "sql", "desk", "SELECT CAST(signup AS VARCHAR), price FROM data OFFSET 160 LIMIT 1")
    spelled = read_csv(more)[0]
    assert (spelled["signup"], spelled["price"]) == ("27/11/2024", "2,492.50")
    assert first["rows"] == [["2024-11-27", 2492.5]]


def test_single_bad_cells_are_refused_by_name_or_left_out_by_line(mldesk: Command, desk: Path) -> None:
    rows = _rows(40)
    rows[4][0], rows[30][1] = "soon", "a lot"
    new = write_csv(desk / "new.csv", _NAMES, rows)
    words = ("predict", "desk-stays", new, "-o", desk / "a.csv")
    code, refused = mldesk.here(*words)
    assert code == 2
    assert refused["error"]["message"] == ("new.csv: the column 'signup' should hold date values, but holds text "
                                           "(row 5 is 'soon'); the column 'price' should hold number values, but holds "
                                           "text (row 31 is 'a lot').")
    answer = mldesk.good(*words, "--rejects", desk / "bad.csv")
    assert (answer["rows"], answer["left_out"]) == (38, 2)
    assert [(row["row"], row["line"], row["column"], row["reason"].partition(" is ")[0]) for row in
            read_csv(desk / "bad.csv")] == [("5", "6", "signup", "'soon'"), ("31", "32", "price", "'a lot'")]
    write_csv(new, _NAMES, [["1.5", *row[1:]] for row in rows])   # numbers where dates should be
    code, refused = mldesk.here(*words, "--rejects", desk / "bad.csv", "--force")
    assert code == 2
    assert refused["error"]["message"].startswith("new.csv: the column 'signup' should hold date values, but holds num")
    assert "--rejects" not in refused["error"]["hint"]


def test_what_a_file_leaves_open_is_read_as_the_table_was(mldesk: Command, tmp_path: Path) -> None:
    draw = random.Random(3)
    names = ["day", "size", "seen", "grade"]

    def write(path: Path, rows: list[list[str]]) -> Path:
        path.write_text("\n".join(";".join(row) for row in (names, *rows)) + "\n")
        return path

    rows = []
    for _ in range(120):
        day, size = draw.randint(1, 28), draw.randint(1000, 9999)
        rows.append([f"{day:02}/{draw.randint(1, 12):02}/2024", f"{size // 1000},{size % 1000:03}",
                     draw.choice(["never", "3", "4"]), "good" if day > 12 else "bad"])
    rows[0][1] = "2,5"   # a comma for decimals, and the day is first: the table tells it, not every row
    mldesk.good("data", "import", write(tmp_path / "t.csv", rows), "--name", "t", "--missing", "never")
    mldesk.good("train", "t", "--target", "grade", "--model", "linear")
    few = [["03/04/2024", "1,234", "never", "bad"], ["05/06/2024", "2,345", "3", "bad"]]
    told = [["2024-04-03", "1.234", "", "bad"], ["2024-06-05", "2.345", "3", "bad"]]
    new, plain = write(tmp_path / "new.csv", few), write(tmp_path / "plain.csv", told)
    mldesk.good("predict", "t-grade", plain, "-o", tmp_path / "want.csv", "--keep-all")
    want = (tmp_path / "want.csv").read_text()
    assert "2024-04-03" in want
    answer = mldesk.good("predict", "t-grade", new, "-o", tmp_path / "a.csv", "--keep-all")
    assert not any("do not tell" in item for item in answer["warnings"])
    mldesk.good("predict", "t-grade", new, "-o", tmp_path / "b.csv", "--keep-all", "--rejects", tmp_path / "bad.csv")
    mldesk.good("models", "export", "t-grade", tmp_path / "m.mlbundle")
    away = ("--home", tmp_path / "away")
    mldesk.good("predict", tmp_path / "m.mlbundle", new, "-o", tmp_path / "c.csv", "--keep-all", *away)
    mldesk.good("models", "import", tmp_path / "m.mlbundle", *away)
    mldesk.good("predict", "t-grade", new, "-o", tmp_path / "d.csv", "--keep-all", *away)
    for name in "abcd":
        assert _without_numbers(tmp_path / f"{name}.csv") == want, name
    mldesk.good("data", "contract", "t", "--infer")
    assert mldesk.good("data", "check", new, "t", "--merge")["version"] == 2
    found = mldesk.good("data", "sql", "t", "SELECT CAST(day AS VARCHAR), size, seen FROM data OFFSET 120")["rows"]
    assert found == [["2024-04-03", 1.234, None], ["2024-06-05", 2.345, 3]]


def _without_numbers(path: Path) -> str:
    """Return a file of predictions without the numbers of rows that --rejects has at the end of each."""
    lines = path.read_text().splitlines()
    if not lines[0].endswith(',"row"'):
        return path.read_text()
    assert [line.rpartition(",")[2] for line in lines[1:]] == [str(number) for number in range(1, len(lines))]
    return "".join(f"{line.rpartition(',')[0]}\n" for line in lines)
