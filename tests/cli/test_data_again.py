"""The same once more: files imported again, steps applied again; and answers of SQL that are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command


@pytest.fixture
def shop(mldesk: Command, tmp_path: Path) -> Path:
    table = tmp_path / "shop.csv"
    table.write_text("id,price\n" + "".join(f"{n},{n * 2}\n" for n in range(50)), "utf-8")
    assert mldesk.good("data", "import", str(table), "--name", "shop")["made"] is True
    return table


def test_the_same_rows_make_no_version_unless_that_is_meant(mldesk: Command, shop: Path, tmp_path: Path) -> None:
    same = tmp_path / "copy.csv"
    same.write_bytes(shop.read_bytes())
    found = mldesk.good("data", "import", str(same), "--name", "shop")
    assert (found["version"], found["made"]) == (1, False)
    said = mldesk("data", "import", str(same), "--name", "shop")
    assert (said.code, said.out.splitlines()[0]) == (0, "The same rows as shop@1; nothing was made.")
    other = mldesk("data", "import", str(same), "--name", "new one")
    assert other.err.endswith("\nNext: mldesk data explore 'new one' · mldesk train 'new one' --target COLUMN\n")
    assert mldesk.good("data", "again", "shop")["made"] is False
    assert mldesk.good("data", "import", str(same), "--name", "shop", "--again")["version"] == 2
    assert mldesk.good("data", "import", str(same), "--name", "other")["made"] is True
    mldesk.good("data", "rollback", "shop", "1")
    assert mldesk.good("data", "import", str(same), "--name", "shop")["version"] == 1  # of those alike the current one


def test_the_same_steps_once_more_say_so_and_may_start_elsewhere(mldesk: Command, shop: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps([{"step": "rename", "names": {"price": "cents"}}]), "utf-8")
    assert mldesk.good("data", "clean", "shop", "--recipe", str(recipe))["made_before"] is None
    refused = mldesk("data", "clean", "shop", "--recipe", str(recipe), "--json")
    assert refused.code == 2
    assert refused.json["error"]["hint"] == \
        "Version 2 was already made by these steps from version 1; --from 1 starts there."
    done = mldesk.good("data", "clean", "shop", "--recipe", str(recipe), "--from", "1")
    assert (done["version"], done["parent"], done["made_before"]) == (3, 1, None)
    recipe.write_text(json.dumps([{"step": "filter", "where": "id < 40"}]), "utf-8")
    mldesk.good("data", "clean", "shop@1", "--recipe", str(recipe))
    assert mldesk.good("data", "clean", "shop", "--recipe", str(recipe))["made_before"] == {"version": 4, "from": 1}
    assert mldesk("data", "clean", "shop@2", "--recipe", str(recipe), "--from", "1").code == 2


def test_an_answer_becomes_a_version_a_dataset_or_a_file(mldesk: Command, shop: Path, tmp_path: Path) -> None:
    sql = "SELECT id % 2 AS odd, sum(price) AS total FROM data GROUP BY ALL ORDER BY 1"
    assert mldesk.good("data", "sql", "shop", sql)["rows"] == [[0, 1200], [1, 1250]]
    made = mldesk.good("data", "sql", "shop", sql, "--keep", "sums")
    assert (made["dataset"], made["version"], made["rows"]) == ("sums", 1, 2)
    made = mldesk.good("data", "query", "shop", sql, "--version")
    assert (made["dataset"], made["version"], made["parent"]) == ("shop", 2, 1)
    many = "SELECT range AS n FROM range(150000)"  # more than are ever shown
    assert mldesk.good("data", "sql", "shop", many, "-o", tmp_path / "out.parquet")["rows"] == 150_000
    assert mldesk.good("data", "sql", "shop@1", sql, "-o", tmp_path / "out.csv")["rows"] == 2
    assert (tmp_path / "out.csv").read_text().split() == ["odd,total", "0,1200", "1,1250"]
    large = "SELECT 1e30::HUGEINT AS n -- whole, but too large"
    assert mldesk.good("data", "sql", "shop", large, "-o", tmp_path / "out.csv", "--force")["rows"] == 1
    assert (tmp_path / "out.csv").read_text().split() == ["n", "1e+30"]
    assert mldesk("data", "sql", "shop", sql, "--version", "-o", tmp_path / "no.csv").code == 2
    for reaching in (f"SELECT * FROM '{shop}'", f"COPY data TO '{tmp_path / 'stolen.csv'}'",
                     f"ATTACH '{tmp_path / 'x.db'}'", "SET enable_external_access = true"):
        assert mldesk("data", "sql", "shop", reaching, "--keep", "stolen").code == 2
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix) == ["out.csv", "out.parquet", "shop.csv"]
