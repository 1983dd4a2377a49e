"""A merge leaves out files whose rows an import brought in, and says so where that cannot be told."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mldesk.app import open_workbench
from mldesk.workbench.bench import Workbench
from mldesk.workbench.contracts import Checked

HEAD = "id,town,score\n"


def rows(first: int) -> str:
    return HEAD + "".join(f"{number},{'Lyon' if number % 2 else 'Oslo'},{number % 10}\n"
                          for number in range(first, first + 50))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "a.csv").write_text(rows(0))
    (tmp_path / "in" / "deep" / "b.csv").write_text(rows(50))
    (tmp_path / "c.csv").write_text(rows(100))
    with open_workbench(tmp_path / "home") as bench:
        yield bench


def keep_contract(bench: Workbench, *, unique: bool) -> None:
    document = dict(bench.contracts.infer("t").document)
    columns = [{"name": rule["name"], "type": rule["type"]} for rule in document["columns"]]
    bench.contracts.edit("t", document | {"columns": [columns[0] | ({"unique": True} if unique else {}),
                                                      *columns[1:]]})


def told(found: Checked) -> list[tuple[str, str, str]]:
    return [(Path(item.file).name, item.status, item.held) for item in found.verdicts]


@pytest.mark.parametrize("unique", [False, True])
def test_a_file_that_was_imported_is_not_merged_again(unique: bool, bench: Workbench, tmp_path: Path) -> None:
    first, more = tmp_path / "in" / "a.csv", tmp_path / "c.csv"
    bench.datasets.import_files([first], "t")
    keep_contract(bench, unique=unique)
    checked = bench.contracts.check("t", [first, more])
    assert told(checked) == [("a.csv", "accepted", "t@1"), ("c.csv", "accepted", "")]
    assert checked.verdicts[0].findings[0].message == "Its rows came in with t@1; a merge leaves it out."
    bench.cleaning.clean("t", [{"step": "filter", "where": "id >= 0"}])   # what a line of versions began with
    merged = bench.contracts.check("t", [first, more], merge=True)
    assert told(merged) == [("a.csv", "unchanged", "t@1"), ("c.csv", "accepted", "")]
    assert (merged.verdicts[0].rows, merged.untold) == (50, ())
    assert merged.version is not None and merged.version.rows == 100
    again = bench.contracts.check("t", [first, more], merge=True)
    assert (told(again), again.version) == ([("a.csv", "unchanged", "t@1"), ("c.csv", "unchanged", "t@3")], None)


def test_files_of_a_folder_that_was_imported_or_registered_are_known(bench: Workbench, tmp_path: Path) -> None:
    bench.datasets.import_files([tmp_path / "in"], "t")
    keep_contract(bench, unique=False)
    folder = tmp_path / "in" / "deep"
    (folder / "b.csv").rename(folder / "other.csv")
    found = bench.contracts.check("t", [tmp_path / "in" / "a.csv", folder, tmp_path / "c.csv"], merge=True)
    assert [item.status for item in found.verdicts] == ["unchanged", "unchanged", "accepted"]
    assert found.verdicts[0].to_json()["rows"] is None
    assert found.version is not None and found.version.rows == 150

    there = tmp_path / "there"
    there.mkdir()
    bench.datasets.export("t@1", there / "x.parquet")
    bench.datasets.register(there, "r")
    bench.contracts.infer("r")
    held = bench.contracts.check("r", [there / "x.parquet"], merge=True)
    assert (told(held), held.untold) == ([("x.parquet", "unchanged", "r@1")], ())


def test_of_a_folder_imported_before_digests_were_kept_they_are_found_out_or_that_is_said(
    bench: Workbench, tmp_path: Path
) -> None:
    bench.datasets.import_files([tmp_path / "in"], "t")
    keep_contract(bench, unique=False)
    with closing(sqlite3.connect(bench.home.database)) as database, database:   # as an earlier release left it
        changed = database.execute("UPDATE dataset_versions SET reading = json_remove(reading, '$.files[0].each')")
        assert changed.rowcount == 1
    first = tmp_path / "in" / "a.csv"
    known = bench.contracts.check("t", [first], merge=True)
    assert (told(known), known.untold) == ([("a.csv", "unchanged", "t@1")], ())
    (tmp_path / "in" / "new.csv").write_text(rows(200))
    assert bench.contracts.check("t", [first]).untold == (str(tmp_path / "in"),)


def test_what_came_from_the_clipboard_was_no_file(bench: Workbench, tmp_path: Path) -> None:
    bench.datasets.import_text(rows(0), "t")
    keep_contract(bench, unique=False)
    found = bench.contracts.check("t", [tmp_path / "c.csv"], merge=True)
    assert (told(found), found.untold) == ([("c.csv", "accepted", "")], ())


def test_a_contract_is_inferred_from_the_files_too(bench: Workbench, tmp_path: Path) -> None:
    folder = tmp_path / "days"
    folder.mkdir()
    for number, day in enumerate(("29", "30", "31")):
        (folder / f"t_2024-01-{day}.csv").write_text(rows(50 * number))
    bench.datasets.import_files([folder], "d")
    made = bench.contracts.infer("d").document
    assert made["rows"] == {"low": 25, "high": 100, "severity": "warning"}
    assert made["file_name"] == {"pattern": r"t_(?P<day>\d{4}\-\d{2}\-\d{2})\.csv", "ignore_case": False,
                                 "dates": {"day": "%Y-%m-%d"}}
    assert made["order"] == "warn"
    turned = tmp_path / "t_2024-02-01.csv"
    turned.write_text("town,id,score\n" + "".join(f"Oslo,{number},1\n" for number in range(200, 225)))
    other = tmp_path / "t_2024-13-01.csv"
    other.write_text(rows(300))
    long = tmp_path / "t_2024-02-02.csv"
    long.write_text(rows(300) + "".join(rows(first).removeprefix(HEAD) for first in (400, 500)))
    found = bench.contracts.check("d", [turned, other, long], merge=True)
    said = [[(item.severity, item.message) for item in verdict.findings if item.rule in ("name", "columns", "rows")]
            for verdict in found.verdicts]
    assert said == [[("warning", "The columns come in another order.")],
                    [("error", "'2024-13-01' in the name is no day written like %Y-%m-%d.")],
                    [("warning", "It has 150 rows; 100 is the most.")]]
    assert [verdict.status for verdict in found.verdicts] == ["accepted", "rejected", "accepted"]
    assert bench.datasets.preview("d", offset=150).rows[0] == [200, "Oslo", 1]   # by name, whatever the order
    assert found.verdicts[0].name_parts == {"day": "2024-02-01T00:00:00"}
    bench.datasets.import_files([folder / "t_2024-01-31.csv"], "one")
    alone = bench.contracts.infer("one").document
    assert (alone["rows"], alone["file_name"], alone["order"]) == (
        {"low": 1, "high": 10_000, "severity": "warning"}, None, False)
