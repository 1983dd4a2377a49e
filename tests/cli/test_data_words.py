"""What a table is called and how it is looked at on the command line: names, tags, order, standard input, formats."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pyarrow.feather
import pytest

from tests.cli.conftest import Command

TABLE = "id,city,price\n1,Lyon,30\n2,Paris,10\n3,Lyon,20\n"


@pytest.fixture
def shop(mldesk: Command, tmp_path: Path) -> Path:
    table = tmp_path / "shop.csv"
    table.write_text(TABLE, "utf-8")
    mldesk.good("data", "import", table, "--name", "shop")
    table.write_text(TABLE + "4,Nice,5\n", "utf-8")
    mldesk.good("data", "import", table, "--name", "shop")
    return table


def test_a_dataset_gets_another_name(mldesk: Command, shop: Path) -> None:
    assert mldesk.good("data", "rename", "shop", "store") == {"dataset": "store", "version": 2}
    assert mldesk.good("data", "show", "store@1")["rows"] == 3
    assert mldesk.here("data", "show", "shop")[0] != 0


def test_a_tag_names_the_version_that_bears_it(mldesk: Command, shop: Path) -> None:
    mldesk.good("data", "tag", "shop@1", "first")
    mldesk.good("data", "tag", "shop", "everything")   # the dataset as a whole, which is no version
    assert mldesk.good("data", "show", "shop@first")["version"] == 1
    assert mldesk.good("data", "preview", "shop@first")["total"] == 3
    assert mldesk.good("data", "tag", "shop@first", "clean")["tags"] == ["first", "clean"]
    assert mldesk.good("data", "tag", "shop")["tags"] == ["everything"]
    code, found = mldesk.here("data", "show", "shop@everything")
    assert code != 0
    assert found["error"]["hint"] == "Its versions have these: first, clean."
    mldesk.good("data", "rollback", "shop@first")
    assert mldesk.good("data", "show", "shop")["version"] == 1


def test_a_version_gets_no_name_of_its_own(mldesk: Command, shop: Path) -> None:
    mldesk.good("data", "tag", "shop@1", "first")
    for reference in ("shop@1", "shop@first"):
        code, found = mldesk.here("data", "rename", reference, "x")
        assert (code, "versions have no names of their own" in found["error"]["message"]) == (2, True)
    assert mldesk.good("data", "rename", "SHOP", "Shop")["dataset"] == "Shop"


def test_a_tag_is_no_number_and_on_one_version(mldesk: Command, shop: Path) -> None:
    code, found = mldesk.here("data", "tag", "shop", "2")
    assert (code, found["error"]["hint"]) == (2, "To tag that version: mldesk data tag shop@2 TAG.")
    mldesk.good("data", "tag", "shop@1", "clean", "old")
    mldesk.good("data", "tag", "shop", "clean")   # the dataset as a whole is no version
    code, found = mldesk.here("data", "tag", "shop@2", "clean")
    assert (code, found["error"]["message"]) == (2, "The tag 'clean' is on shop@1 already; a tag names one version.")
    assert mldesk.good("data", "tag", "shop@2", "clean", "--move")["tags"] == ["clean"]
    assert [item["tags"] for item in mldesk.good("data", "versions", "shop")["versions"]] == [["old"], ["clean"]]
    assert mldesk.good("data", "tag", "shop")["tags"] == ["clean"]
    assert "clean" in mldesk("data", "versions", "shop").out


def test_a_tag_of_old_that_is_a_number_or_on_two_versions_names_none(mldesk: Command, shop: Path) -> None:
    mldesk.good("data", "tag", "shop@1", "one")
    mldesk.good("data", "tag", "shop@2", "two")
    with closing(sqlite3.connect(next(mldesk.folder.rglob("library.db")))) as library:   # as it once could be
        library.execute("""update dataset_words set tags = '["2", "both"]'""")
        library.commit()
    assert mldesk.good("data", "show", "shop@2")["version"] == 2
    code, found = mldesk.here("data", "show", "shop@both")
    assert (code, found["error"]["message"]) == (2, "The tag 'both' is on several versions of 'shop': 1, 2.")
    assert mldesk.good("data", "tag", "shop@1", "new", "--remove", "both")["tags"] == ["2", "new"]


def test_tags_stand_for_versions_where_numbers_do(mldesk: Command, shop: Path) -> None:
    mldesk.good("data", "tag", "shop@1", "raw")
    mldesk.good("data", "tag", "shop@2", "whole")
    for words in (("shop", "raw", "whole"), ("shop", "1", "whole"), ("shop@raw", "shop@whole"), ("shop@1", "2"),
                  ("shop", "shop@raw", "shop@2")):
        found = mldesk.good("data", "diff", *words)
        assert (found["from"], found["to"], found["rows"]["added"]) == (1, 2, 1)
    assert mldesk.good("data", "rollback", "shop", "raw")["version"] == 1
    assert "shop is shop@1 already." in mldesk.told("data", "rollback", "shop", "raw").out
    assert mldesk.good("data", "rollback", "shop@whole")["version"] == 2
    mldesk.good("data", "import", shop, "--name", "other")
    for words in (("shop", "1"), ("shop@1", "1", "2"), ("shop@1", "other@1")):
        assert mldesk.here("data", "diff", *words)[0] == 2
    assert mldesk.here("data", "rollback", "shop", "nothing")[0] == 3


def test_rows_are_sorted_and_searched(mldesk: Command, shop: Path) -> None:
    def ids(*words: str) -> list[int]:
        return [row[0] for row in mldesk.good("data", "preview", "shop", *words)["rows"]]

    assert ids("--sort", "price") == [4, 2, 3, 1]
    assert ids("--sort", "price:desc", "--rows", "2") == [1, 3]
    assert ids("--search", "lyon", "--sort", "price") == [3, 1]
    assert ids("--sort", "-price", "--rows", "2") == [1, 3]
    assert ids("--sort", "city,-price") == ids("--sort", "city:asc,price:desc")
    assert ids("--sort", "city,-price") != ids("--sort", "city,price")
    assert mldesk.here("data", "preview", "shop", "--sort", "city,-city")[0] == 2
    found = mldesk.good("data", "preview", "shop", "--search", "lyon")
    assert (found["total"], found["numbers"]) == (2, [1, 3])
    code, said = mldesk.here("data", "preview", "shop", "--sort", "prise")
    assert (code, said["error"]["hint"]) == (2, "Did you mean 'price'?")
    code, said = mldesk.here("data", "preview", "shop", "--sort", "price:desc", "--sort", "id")
    assert (code, said["error"]["message"]) == (2, "--sort was given 2 times, and takes one value.")


def test_a_table_comes_from_standard_input(mldesk: Command) -> None:
    words = [sys.executable, "-m", "mldesk", "--json", "data", "import", "-", "--format", "csv", "--name", "piped"]
    done = subprocess.run(words, input=TABLE, capture_output=True, text=True, timeout=600, check=False,
                          env=mldesk.environment())
    assert json.loads(done.stdout)["rows"] == 3
    assert mldesk.good("data", "show", "piped")["source"] == "standard input"
    code, found = mldesk.here("data", "import", "-")
    assert (code, "has no name of its own" in found["error"]["message"]) == (2, True)


@pytest.mark.parametrize("ending", ["feather", "arrow"])
def test_a_table_is_written_as_arrow_and_read_again(ending: str, mldesk: Command, shop: Path, tmp_path: Path) -> None:
    file = tmp_path / f"out.{ending}"
    assert mldesk.good("data", "export", "shop", file)["rows"] == 4
    assert pyarrow.feather.read_table(file, memory_map=False).column_names == ["id", "city", "price"]
    mldesk.good("data", "import", file, "--name", "back")
    assert mldesk.good("data", "preview", "back")["rows"] == mldesk.good("data", "preview", "shop")["rows"]


def test_files_that_call_a_column_otherwise_are_checked_under_its_name(mldesk: Command, shop: Path,
                                                                       tmp_path: Path) -> None:
    mldesk.good("data", "contract", "shop", "--infer")
    other = tmp_path / "other.csv"
    other.write_text("id,city,cost\n9,Lyon,20\n8,Nice,15\n", "utf-8")
    assert mldesk.here("data", "check", other, "shop")[0] == 1
    code, found = mldesk.here("data", "check", other, "shop", "--rename", "cost=price", "--merge")
    assert (code, found["files"][0]["status"], found["version"]) == (0, "accepted", 3)
    code, found = mldesk.here("data", "check", other, "shop", "--rename", "cost=prise")
    assert (code, found["error"]["hint"]) == (2, "Did you mean 'price'?")


def test_that_no_row_fits_is_said_in_a_sentence(mldesk: Command, shop: Path) -> None:
    assert mldesk("data", "preview", "shop", "--search", "zzz").err == "No row fits.\n"
    assert "no rows from 10 on, of 4\n" in mldesk("data", "preview", "shop", "--offset", "9").err


def test_a_version_where_a_recipe_is_wanted_is_told_how_its_own_is_named(mldesk: Command, shop: Path) -> None:
    code, document = mldesk.here("data", "recipe", "shop@1")
    assert code == 3
    assert document["error"]["hint"] == "The recipe that made shop@1 is from:shop@1."
    assert mldesk.here("data", "recipe", "gone.json")[1]["error"]["hint"] == ""


def test_a_recipe_ends_when_its_time_is_over_and_keeps_nothing(mldesk: Command, shop: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text('{"steps": [{"step": "filter", "where": "price > 1"}]}', "utf-8")
    before = len(mldesk.good("data", "versions", "shop")["versions"])
    for more in ((), ("--preview",)):
        code, said = mldesk.here("data", "clean", "shop", "--recipe", recipe, "--time-limit", "0.000001s", *more)
        assert code == 1
        assert "was stopped after 1e-06 seconds, its time limit; nothing of it was kept" in said["error"]["message"]
    assert len(mldesk.good("data", "versions", "shop")["versions"]) == before
    assert mldesk.here("data", "clean", "shop", "--recipe", recipe, "--time-limit", "soon")[0] == 2
    assert mldesk.here("data", "clean", "shop", "--recipe", recipe, "--time-limit", "0")[0] == 0
