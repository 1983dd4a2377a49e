"""``explain`` a model that came in a bundle: rows here that bear the name of its data may be others, or seen ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from mldesk.app import open_workbench
from tests.cli.conftest import Command

pytestmark = pytest.mark.usefixtures("trains_here")


def _table(path: Path, shift: int) -> Path:
    lines = [f"{n + shift},{('yes', 'no')[n // 10 % 2]}" for n in range(60)]
    path.write_text("\n".join(["size,answer", *lines]), "utf-8")
    return path


def test_rows_that_a_model_may_have_learned_from_are_not_called_test_rows(mldesk: Command, tmp_path: Path) -> None:
    mldesk.good("data", "import", _table(tmp_path / "own.csv", 0), "--name", "shop")
    model = mldesk.good("train", "shop", "--target", "answer", "--model", "linear")["model"]
    assert mldesk.good("explain", model)["part"] == "test"
    mldesk.good("models", "export", model, tmp_path / "shop.mlbundle")
    back = mldesk.good("models", "import", tmp_path / "shop.mlbundle", "--again")["model"]
    known = mldesk.good("explain", back)   # what it learned from is here, but not which rows were test rows
    assert (known["part"], known["rows"], known["dataset"]) == ("", 60, "shop@1")
    answer = mldesk.told("explain", back)
    assert "on 60 rows of shop@1" in answer.out and "is not known" in answer.err
    assert mldesk.here("explain", back, "--part", "train")[0] == 2

    other = Command(tmp_path / "other", tmp_path)
    other.good("data", "import", _table(tmp_path / "others.csv", 1000), "--name", "shop")   # a name, and no more
    taken = other.good("models", "import", tmp_path / "shop.mlbundle")["model"]
    for more in ([], ["--row", "3"]):
        code, said = other.here("explain", taken, *more)
        assert code == 2 and "not " in said["error"]["message"], said
    assert other.good("explain", taken, "--set", "size=3")["row"] == {"size": "3"}
    assert other.good("explain", taken, "--data", "shop")["part"] == ""
    for name, columns in (("unlike", "size,answer\nbig,yes\nsmall,no\n"), ("less", "answer\nyes\nno\n")):
        (tmp_path / f"{name}.csv").write_text(columns, "utf-8")
        other.good("data", "import", tmp_path / f"{name}.csv", "--name", name)
    for home, asked, expected in (   # what the window offers
            (mldesk.home, model, ("shop@1", True, [])), (mldesk.home, back, ("shop@1", False, [])),
            (other.home, taken, ("", False, ["shop@1"]))):
        with open_workbench(home) as bench:
            found = bench.explaining.tables(asked)
        assert (found.own, found.tested, [table.label for table in found.others]) == expected
