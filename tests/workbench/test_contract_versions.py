"""A contract holds for the version that it was made for, and as far as recipes let it for those made of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mldesk.app import open_workbench
from mldesk.core.errors import Conflict, NotFound
from mldesk.workbench.bench import Workbench

HEAD = "id,age,town,score\n"
ROWS = "\n".join(f"{number},{20 + number % 40},{'Lyon' if number % 2 else 'Oslo'},{number / 10}"
                 for number in range(60))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with open_workbench(tmp_path / "home") as bench:
        path = tmp_path / "t.csv"
        path.write_text(HEAD + ROWS + "\n")
        bench.datasets.import_files([path], "t")
        bench.contracts.infer("t")
        yield bench


def rules(bench: Workbench, reference: str) -> dict[str, dict[str, Any]]:
    return {rule["name"]: rule for rule in bench.contracts.show(reference).document["columns"]}


def test_columns_that_a_recipe_changed_are_asked_for_their_type_until_their_rules_are_inferred(
    bench: Workbench, tmp_path: Path
) -> None:
    bench.cleaning.clean("t", [
        {"step": "rename", "names": {"town": "city"}}, {"step": "bin", "columns": ["age"], "by": "edges",
                                                        "edges": ["30", "50"]},
        {"step": "derive", "name": "double", "expression": '"score" * 2'}, {"step": "drop", "columns": ["score"]}])
    found = bench.contracts.show("t")
    before = rules(bench, "t@1")
    assert (found.kept.version, found.version.number, found.changed) == (1, 2, ("age", "double"))
    assert rules(bench, "t") == {
        "id": before["id"], "age": {"name": "age", "type": "text"}, "city": {**before["town"], "name": "city"},
        "double": {"name": "double", "type": "number"}}
    bench.datasets.export("t", tmp_path / "again.csv")  # the version keeps the contract that stands for it
    (verdict,) = bench.contracts.check("t", [tmp_path / "again.csv"]).verdicts
    assert (verdict.status, verdict.findings) == ("accepted", ())
    assert bench.contracts.check("t", [tmp_path / "t.csv"]).rejected == 1
    assert bench.contracts.check("t@1", [tmp_path / "t.csv"]).rejected == 0

    made = bench.contracts.infer("t", only_changed=True)
    assert (made.kept.number, made.kept.version, made.changed) == (2, 2, ())
    assert rules(bench, "t")["age"]["values"] == ["30 to below 50", "50 or more", "below 30"]
    assert rules(bench, "t")["city"] == {**before["town"], "name": "city"}
    assert rules(bench, "t@1") == before
    with pytest.raises(Conflict, match="No column of t@2 changed"):
        bench.contracts.infer("t", only_changed=True)
    bench.datasets.rollback("t", 1)
    assert bench.contracts.show("t").kept.number == 1


def test_a_contract_goes_on_over_merged_files_and_over_imports_but_not_over_a_query(
    bench: Workbench, tmp_path: Path
) -> None:
    path = tmp_path / "more.csv"
    path.write_text(HEAD + "100,30,Lyon,1\n")
    assert bench.contracts.check("t", [path], merge=True).version is not None
    assert (bench.contracts.show("t").kept.version, bench.contracts.show("t").changed) == (1, ())
    path.write_text(HEAD + "7,30,Lyon,1\n8,31,Oslo,2\n")
    bench.datasets.import_files([path], "t")
    assert bench.contracts.show("t@3").document == bench.contracts.show("t@1").document
    bench.datasets.keep_query("t", "SELECT id, age FROM data")
    found = bench.contracts.show("t@4")
    assert (found.changed, found.document["columns"]) == (("id", "age"), [
        {"name": "id", "type": "integer"}, {"name": "age", "type": "integer"}])


def test_a_contract_made_for_a_later_version_does_not_hold_for_an_earlier_one(bench: Workbench, tmp_path: Path) -> None:
    path = tmp_path / "u.csv"
    path.write_text(HEAD + ROWS + "\n")
    bench.datasets.import_files([path], "u")
    bench.cleaning.clean("u", [{"step": "drop", "columns": ["id"]}])
    bench.contracts.infer("u")
    assert bench.contracts.show("u@2").kept.version == 2
    with pytest.raises(NotFound, match="No contract holds for u@1") as caught:
        bench.contracts.show("u@1")
    assert "u@2" in caught.value.hint


@pytest.mark.parametrize(("step", "changed"), [
    ({"step": "filter", "where": "age > 30"}, ()), ({"step": "sample", "rows": 30}, ()),
    ({"step": "rename_many", "case": "upper"}, ()), ({"step": "keep", "columns": ["age", "town"]}, ()),
    ({"step": "fill_missing", "columns": ["age"], "with": "median"}, ("age",)),
    ({"step": "encode", "columns": ["town"], "how": "one_hot"}, ("town_Lyon", "town_Oslo")),
    ({"step": "edit", "cells": [{"row": 1, "column": "score", "value": 9}]}, ("score",)),
    ({"step": "group", "by": ["town"], "columns": ["age"], "functions": ["mean"]}, ("age_mean",)),
    ({"step": "cast", "columns": ["id"], "type": "text"}, ("id",)),
    ({"step": "unpivot", "columns": ["age", "score"]}, ("name", "value")),
    ({"step": "scale", "columns": ["score"], "disabled": True}, ()),
])
def test_what_a_step_changes_is_known(step: dict[str, Any], changed: tuple[str, ...], bench: Workbench) -> None:
    bench.cleaning.clean("t", [step])
    found = bench.contracts.show("t")
    assert found.changed == changed
    if step["step"] == "unpivot":
        assert "unique" not in rules(bench, "t")["id"]  # rows are there twice now
