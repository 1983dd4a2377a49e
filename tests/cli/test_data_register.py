"""Parquet that stays where it lies: looked at, cleaned, purged without harm, and refused once it changed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldesk.wire.objects import ObjectStore
from tests.cli.conftest import Command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "lake"
    (made / "deep").mkdir(parents=True)
    for number, name in enumerate(("a.parquet", "deep/b.parquet")):
        rows = range(number * 100, number * 100 + 100)
        table = pa.table({"id": pa.array(rows, pa.int64()), "word": [f"w{row % 7}" for row in rows]})
        pq.write_table(table, made / name)
    (made / "_SUCCESS").touch()
    return made


def _facts(folder: Path) -> dict[str, tuple[int, int, int]]:
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns, path.stat().st_mode)
            for path in folder.rglob("*") if path.is_file()}


def test_registered_rows_are_used_where_they_lie_and_never_touched(mldesk: Command, folder: Path) -> None:
    before = _facts(folder)
    made = mldesk.good("data", "import", folder, "--register", "--name", "lake")
    assert (made["rows"], made["made"]) == (200, True)
    assert mldesk.good("data", "import", folder, "--register", "--name", "lake")["made"] is False
    assert mldesk.good("data", "show", "lake")["outside"] == str(folder)
    assert mldesk.good("data", "list")["datasets"][0]["outside"] == str(folder)
    assert "outside" in mldesk("data", "versions", "lake").out
    assert mldesk.good("data", "preview", "lake", "--offset", "150", "--rows", "1")["rows"] == [[150, "w3"]]
    assert mldesk.good("data", "query", "lake", "SELECT sum(id) FROM data")["rows"] == [[19900]]
    assert mldesk.good("data", "profile", "lake")["columns"][0]["max"] == 199
    recipe = folder.parent / "recipe.json"
    recipe.write_text('[{"step": "filter", "where": "id < 150"}]', "utf-8")
    assert mldesk.good("data", "clean", "lake", "--recipe", recipe)["outside"] is None
    assert mldesk.good("data", "diff", "lake", "1", "2")["rows"]["removed"] == 50
    mldesk.good("data", "export", "lake@1", folder.parent / "out.csv")
    mldesk.good("data", "remove", "lake")
    mldesk.good("data", "purge", "lake", "--yes")
    ObjectStore(mldesk.home / "objects").sweep((), 0)  # as if all of it were long unused
    assert not list(ObjectStore(mldesk.home / "objects").digests())
    assert _facts(folder) == before


def test_a_registered_file_that_changed_or_went_away_is_refused_when_it_is_used(
        mldesk: Command, folder: Path) -> None:
    mldesk.good("data", "import", folder, "--register", "--name", "lake")
    file = folder / "a.parquet"
    status = file.stat()
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    for command in (["preview", "lake"], ["profile", "lake"], ["query", "lake", "SELECT 1"],
                    ["export", "lake", str(folder.parent / "out.csv")]):
        refused = mldesk("data", *command, "--json")
        assert refused.code != 0
        assert refused.json["error"]["message"] == f"The registered file {file} has changed since it was registered."
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert mldesk.good("data", "preview", "lake")["total"] == 200
    moved = folder.rename(folder.parent / "moved")
    refused = mldesk("data", "preview", "lake", "--json")
    assert (refused.code, "is not there any more" in refused.json["error"]["message"]) == (3, True)
    assert mldesk("data", "list").code == 0
    assert mldesk.good("data", "import", moved, "--register", "--name", "lake")["made"] is False  # the same rows
    assert mldesk.good("data", "preview", "lake")["total"] == 200


def test_what_an_import_would_change_cannot_stay_where_it_is(mldesk: Command, folder: Path, tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": pa.array([1], pa.int32()), "word": ["x"]}), tmp_path / "small.parquet")
    refused = mldesk("data", "import", tmp_path / "small.parquet", "--register", "--json")
    assert refused.code == 2
    assert "the column 'id' is stored as int32" in refused.json["error"]["message"]
    shutil.copy(tmp_path / "small.parquet", folder / "c.parquet")
    assert mldesk("data", "import", folder, "--register").code == 2
    (folder / "c.parquet").unlink()
    (folder / "notes.txt").write_text("x")
    assert mldesk("data", "import", folder, "--register").code == 2
    assert mldesk("data", "import", folder, "--register", "--preview").code == 2


def test_an_import_of_the_same_bytes_does_not_depend_on_a_registered_file(
        mldesk: Command, folder: Path, tmp_path: Path) -> None:
    mldesk.good("data", "import", folder / "a.parquet", "--name", "own")
    parts = [path for path in (mldesk.home / "objects").glob("??/*") if path.read_bytes()[:4] == b"PAR1"]
    (tmp_path / "part.parquet").write_bytes(parts[0].read_bytes())
    for path in (mldesk.home / "objects").glob("??/*"):
        if path in parts:
            path.unlink()
    mldesk.good("data", "import", tmp_path / "part.parquet", "--register", "--name", "link")
    mldesk.good("data", "import", folder / "a.parquet", "--name", "own", "--again")
    (tmp_path / "part.parquet").unlink()
    assert mldesk.good("data", "preview", "own")["total"] == 100


def test_folders_that_are_partitions_make_columns_but_of_a_registered_table(mldesk: Command, tmp_path: Path) -> None:
    folder = tmp_path / "hive"
    for year in (2024, 2025):
        path = folder / f"year={year}" / "x.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.table({"a": [year, 1], "b": ["x", "y"]}), path)
    said = mldesk("data", "import", folder, "--preview").err
    assert "'year' is what the names of the folders say" in said and "--no-partitions" in said
    mldesk.good("data", "import", folder, "--name", "whole")
    assert mldesk.good("data", "preview", "whole")["rows"] == [
        [2024, "x", 2024], [1, "y", 2024], [2025, "x", 2025], [1, "y", 2025]]
    without = mldesk.good("data", "import", folder, "--name", "without", "--no-partitions")
    assert [column["name"] for column in without["columns"]] == ["a", "b"]
    kept = mldesk.good("data", "import", folder, "--name", "kept", "--register")
    assert [column["name"] for column in kept["columns"]] == ["a", "b"]
    assert kept["problems"][0]["message"] == ("The names of the folders say 'year'; a registered table has no such "
                                              "column. Import a copy (without --register) to have them.")
