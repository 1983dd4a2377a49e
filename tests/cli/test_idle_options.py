"""Options of an import that say nothing about its sources are refused by name, and nothing is made."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import Command


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "shop.csv"
    path.write_text("id;price\n" + "".join(f"{n};{n * 2}\n" for n in range(50)), "utf-8")
    return path


@pytest.mark.parametrize("words", [
    ("--sheet", "X"), ("--table", "t"), ("--query", "SELECT 1"), ("--range", "A1:B3"), ("--flatten", "2"),
    ("--member", "*.csv")])
def test_an_option_for_other_formats_is_refused(words: tuple[str, str], mldesk: Command, table: Path) -> None:
    for more in ([], ["--preview"]):
        code, found = mldesk.here("data", "import", table, "--name", "shop", *words, *more)
        assert code == 2
        assert found["error"]["message"].startswith(f"{words[0]} says nothing about shop.csv (CSV), only about ")
    assert mldesk.good("data", "list")["datasets"] == []


def test_what_speaks_of_texts_says_nothing_about_typed_columns(mldesk: Command, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": ["1", "NA"] * 9, "b": [1, 2] * 9}), path)
    for words in (("--flatten", "2"), ("--missing", "NA"), ("--delimiter", ";"), ("--header-row", "1")):
        code, found = mldesk.here("data", "import", path, *words)
        assert (code, found["error"]["message"].split(" says")[0]) == (2, words[0])
    assert mldesk.here("data", "import", path, "--type", "a=integer", "--missing", "NA")[0] == 0


def test_a_type_for_a_column_that_is_not_there_is_refused(mldesk: Command, table: Path) -> None:
    code, found = mldesk.here("data", "import", table, "--type", "prise=integer")
    assert (code, found["error"]["message"]) == (2, "There is no column 'prise', for which a type was given.")
    assert found["error"]["hint"] == "Did you mean 'price'?"


def test_an_option_given_twice_is_refused_unless_it_may_be(mldesk: Command, table: Path) -> None:
    code, found = mldesk.here("data", "import", table, "--range", "A1:B2", "--range", "A1:B3")
    assert (code, found["error"]["message"]) == (2, "--range was given 2 times, and takes one value.")
    mldesk.good("data", "import", table, "--missing", "NA", "--missing", "?")


def test_of_a_folder_an_option_may_speak_of_some_files(mldesk: Command, table: Path, tmp_path: Path) -> None:
    folder = tmp_path / "both"
    folder.mkdir()
    (folder / "a.csv").write_bytes(table.read_bytes())
    (folder / "b.json").write_text('[{"id": 1, "price": 2}, {"id": 3, "price": 4}]', "utf-8")
    assert mldesk.good("data", "import", folder, "--delimiter", ";", "--flatten", "1")["rows"] == 52
    code, found = mldesk.here("data", "import", folder, "--sheet", "X")
    assert code == 2
    assert found["error"]["message"] == "--sheet says nothing about these files (CSV, JSON), only about workbook files."


def test_options_that_were_kept_are_read_again_as_they_are(mldesk: Command, table: Path, tmp_path: Path) -> None:
    mldesk.good("data", "import", table, "--name", "shop", "--delimiter", ";")
    pq.write_table(pa.table({"id": range(9), "price": range(9)}), tmp_path / "now.parquet")
    table.write_bytes((tmp_path / "now.parquet").read_bytes())   # the same name, another format
    assert mldesk.good("data", "again", "shop")["rows"] == 9


def test_an_import_says_what_might_put_a_problem_right(mldesk: Command, tmp_path: Path) -> None:
    path = tmp_path / "days.csv"
    same = "".join(f"{n:02d}/{n:02d}/2024,{n}\n" for n in range(1, 12))   # day or month first, nobody knows
    path.write_text(f"day,n\n{same}03/04/2024,3\n", "utf-8")
    told = mldesk("data", "import", path, "--preview").err.splitlines()
    kept = mldesk("data", "import", path, "--name", "days").err.splitlines()
    fixes = [line for line in told if line.startswith("    → ")]
    assert fixes and fixes == [line for line in kept if line.startswith("    → ")]
    assert any("fix" in problem for problem in mldesk.good("data", "show", "days")["problems"])
