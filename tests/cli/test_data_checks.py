"""What checks said of files is kept; rejected ones are looked at later and taken by hand; archives file by file."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Command

HEAD = "id,city,score\n"


def lines(first: int, city: str = "Lyon") -> str:
    return "".join(f"{number},{city if number % 2 else 'Oslo'},{number % 10}\n" for number in range(first, first + 30))


@pytest.fixture
def folder(mldesk: Command, tmp_path: Path) -> Path:
    """A dataset with a contract, and beside it a good file and a bad one."""
    (tmp_path / "first.csv").write_text(HEAD + lines(1))
    mldesk.good("data", "import", tmp_path / "first.csv", "--name", "t")
    mldesk.good("data", "contract", "t", "--infer")
    (tmp_path / "good.csv").write_text(HEAD + lines(100))
    (tmp_path / "bad.csv").write_text(HEAD + lines(200, "Rome") + "many,Lyon,3\n")
    return tmp_path


def test_every_check_is_written_down_and_a_rejected_file_taken_later(mldesk: Command, folder: Path) -> None:
    assert mldesk.good("data", "checks", "t")["files"] == []
    code, _ = mldesk.here("data", "check", folder / "good.csv", folder / "bad.csv", "t", "--merge", "--quarantine",
                          folder / "aside")
    assert code == 1
    listed = mldesk.good("data", "checks", "t")["files"]
    assert [(item["number"], Path(item["file"]).name, item["status"], item["version"]) for item in listed] == [
        (2, "bad.csv", "rejected", None), (1, "good.csv", "accepted", 2)]
    assert {item["check"] for item in listed} == {1}
    assert listed[0]["aside"] == str(folder / "aside" / "bad.csv")
    assert [item["number"] for item in mldesk.good("data", "checks", "t", "--status", "rejected")["files"]] == [2]
    (folder / "bad.csv").unlink()
    one = mldesk.good("data", "checks", "t", 2)
    assert one["where"] == str(folder / "aside" / "bad.csv")
    assert one["findings"][0]["cells"]
    assert mldesk.here("data", "accept", "t", 1, "--why", "x")[0] == 2
    done = mldesk.good("data", "accept", "t", 2, "--why", "Rome is new")
    assert (done["version"], done["left"]) == (3, [])
    assert done["taken"][0]["by_hand"]["why"] == "Rome is new"
    assert done["taken"][0]["by_hand"]["who"]
    assert mldesk.good("data", "show", "t")["rows"] == 91
    assert mldesk.good("data", "query", "t", "SELECT count(*) FROM data WHERE id IS NULL")["rows"] == [[1]]
    code, said = mldesk.here("data", "accept", "t", 2, "--why", "again")
    assert (code, said["error"]["message"]) == (2, "The rows of file 2 went into version 3.")
    assert "taken by hand, in version 3" in mldesk.told("data", "checks", "t").out
    assert "because" in mldesk.told("data", "checks", "t", "2").out


def test_a_file_that_changed_since_is_not_taken(mldesk: Command, folder: Path) -> None:
    mldesk.here("data", "check", folder / "bad.csv", "t")
    (folder / "bad.csv").write_text(HEAD + lines(500, "Rome"))
    code, said = mldesk.here("data", "accept", "t", 1, "--why", "it is fine")
    assert (code, "is neither where it was checked" in said["error"]["message"]) == (3, True)
    assert mldesk.good("data", "checks", "t", 1)["where"] is None
    assert mldesk.good("data", "show", "t")["version"] == 1


def test_files_of_an_archive_are_checked_one_by_one(mldesk: Command, folder: Path) -> None:
    with zipfile.ZipFile(folder / "batch.zip", "w") as archive:
        archive.writestr("may/good.csv", HEAD + lines(100))
        archive.writestr("may/bad.csv", HEAD + lines(200, "Rome"))
        archive.writestr("readme.md", "not a table")
    code, said = mldesk.here("data", "check", folder / "batch.zip", "t", "--merge", "--quarantine",
                             folder / "aside.zip")
    assert code == 1
    assert {Path(item["file"]).relative_to(folder).as_posix(): item["status"] for item in said["files"]} == {
        "batch.zip/may/bad.csv": "rejected", "batch.zip/may/good.csv": "accepted"}
    assert mldesk.good("data", "show", "t")["rows"] == 60
    with zipfile.ZipFile(folder / "aside.zip") as archive:
        assert sorted(archive.namelist()) == ["bad.csv", "report.html"]
    (folder / "batch.zip").unlink()
    listed = mldesk.good("data", "checks", "t", "--status", "rejected")["files"]
    assert mldesk.good("data", "checks", "t", listed[0]["number"])["where"] == str(folder / "aside.zip" / "bad.csv")
    assert mldesk.good("data", "accept", "t", listed[0]["number"], "--why", "fine")["version"] == 3


def test_an_archive_that_was_imported_is_there_already(mldesk: Command, folder: Path) -> None:
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        archive.writestr("a.csv", HEAD + lines(100))
        archive.writestr("b.csv", HEAD + lines(200))
    mldesk.good("data", "import", folder / "all.zip", "--name", "z")
    mldesk.good("data", "contract", "z", "--infer")
    said = mldesk.good("data", "check", folder / "all.zip", "z", "--merge")
    assert [item["status"] for item in said["files"]] == ["unchanged", "unchanged"]
    with open(folder / "cut.zip", "wb") as file:
        file.write((folder / "all.zip").read_bytes()[:80])
    code, said = mldesk.here("data", "check", folder / "cut.zip", "z")
    assert (code, [item["status"] for item in said["files"]]) == (1, ["rejected"])


def test_a_cell_that_the_import_left_missing_is_no_reason_to_reject_a_file(mldesk: Command, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEAD + lines(1) + "99,Lyon,many\n")
    mldesk.good("data", "import", tmp_path / "a.csv", "--name", "n", "--type", "score=number")
    mldesk.good("data", "contract", "n", "--infer")
    (tmp_path / "b.csv").write_text(HEAD + lines(100) + "999,Lyon,lots\n")
    found = mldesk.good("data", "check", tmp_path / "b.csv", "n", "--merge")["files"][0]
    assert found["status"] == "accepted"
    said = [(item["rule"], item["severity"], item["message"], item["cells"]) for item in found["findings"]]
    assert said == [("type", "warning", "1 value of 'score' is not a number, and missing then.",
                     [{"row": 31, "value": "lots"}])]
    assert mldesk.good("data", "query", "n", "SELECT count(*), count(score) FROM data")["rows"] == [[62, 60]]
    document = mldesk.good("data", "contract", "n")["contract"]
    document["columns"][2] |= {"nullable": False, "missing": None}
    (tmp_path / "c.json").write_text(json.dumps(document))
    mldesk.good("data", "contract", "n", "--edit", tmp_path / "c.json")
    (tmp_path / "c.csv").write_text(HEAD + lines(200) + "998,Lyon,lots\n")
    code, said = mldesk.here("data", "check", tmp_path / "c.csv", "n")
    assert (code, said["files"][0]["findings"][-1]["message"]) == (
        1, "1 value of 'score' is missing, which may not be.")
