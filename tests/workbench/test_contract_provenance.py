"""Contracts and --provenance go together: file and row are of every file something else, and a merge fills them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mldesk.app import open_workbench
from mldesk.data.options import ImportOptions
from mldesk.workbench.bench import Workbench

HEAD = "id,town\n"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    (tmp_path / "a.csv").write_text(HEAD + "".join(f"{number},Oslo\n" for number in range(60)))
    (tmp_path / "b.csv").write_text(HEAD + "100,Oslo\n\n101,Oslo\n")
    with open_workbench(tmp_path / "home") as bench:
        bench.datasets.import_files([tmp_path / "a.csv"], "t", options=ImportOptions(provenance=True))
        yield bench


def test_a_contract_asks_nothing_of_file_and_row_and_a_merge_fills_them(bench: Workbench, tmp_path: Path) -> None:
    document = bench.contracts.infer("t").document
    assert [rule["name"] for rule in document["columns"]] == ["id", "town"]
    found = bench.contracts.check("t", [tmp_path / "b.csv"], merge=True)
    assert [(item.status, [one.rule for one in item.findings]) for item in found.verdicts] == [
        ("accepted", ["reading"])]   # an empty line
    assert bench.datasets.preview("t", offset=59).rows == [
        [59, "Oslo", "a.csv", 61], [100, "Oslo", "b.csv", 2], [101, "Oslo", "b.csv", 4]]
    assert [version.source for version in bench.datasets.versions("t")] == ["a.csv", "version 1 and b.csv"]


def test_an_older_contract_with_such_rules_and_a_file_with_such_columns_do_no_harm(
    bench: Workbench, tmp_path: Path
) -> None:
    document = dict(bench.contracts.infer("t").document)
    document["columns"] = [*document["columns"], {"name": "source_file", "type": "text", "values": ["a.csv"]},
                           {"name": "source_row", "type": "integer", "low": 1, "high": 70}]
    bench.contracts.edit("t", document)
    (tmp_path / "own.csv").write_text("id,town,source_file,source_row\n200,Oslo,first.csv,7\n")
    found = bench.contracts.check("t", [tmp_path / "b.csv", tmp_path / "own.csv"], merge=True)
    assert [item.status for item in found.verdicts] == ["accepted", "accepted"]
    assert bench.datasets.preview("t", offset=60).rows == [
        [100, "Oslo", "b.csv", 2], [101, "Oslo", "b.csv", 4], [200, "Oslo", "first.csv", 7]]
