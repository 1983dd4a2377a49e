"""A model trained on a cleaned table predicts rows that are as they were before: its recipes are done to them again."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from tests.cli.csv_files import read_csv, write_csv

pytestmark = pytest.mark.usefixtures("trains_here")

NAMES = ("key", "note", "Size", "colour", "weight", "town", "odd", "Grade")
STEPS: list[dict[str, Any]] = [
    {"step": "deduplicate", "columns": ["key"]}, {"step": "drop", "columns": ["note"]},
    {"step": "edit", "cells": [{"row": 3, "column": "weight", "value": 4}]},
    {"step": "clean_text", "columns": ["colour", "Grade"], "trim": "all", "case": "lower"},
    {"step": "rename", "names": {"Size": "size", "Grade": "grade"}},
    {"step": "cast", "columns": ["odd"], "type": "number", "on_error": "drop"},
    {"step": "drop_missing", "columns": ["grade", "colour"]}, {"step": "filter", "where": "weight >= 0"},
    {"step": "sample", "share": 0.8}, {"step": "fill_missing", "columns": ["size"], "with": "median"},
    {"step": "scale", "columns": ["size"], "how": "standard"},
    {"step": "clip", "columns": ["weight"], "by": "shares", "low": 0.05, "high": 0.95},
    {"step": "bin", "columns": ["weight"], "by": "rows", "bins": 4, "give": "number"},
    {"step": "derive", "name": "both", "expression": "size * odd"},
    {"step": "encode", "columns": ["town"], "how": "one_hot"}]


def lines(count: int) -> list[list[Any]]:
    draw = random.Random(5)
    made: list[list[Any]] = []
    for number in range(count):
        size = round(draw.gauss(3, 1), 3)
        made.append([f"k{number:04}", f"a note {draw.random()}", "" if number % 17 == 5 else size,
                     draw.choice([" Red", "red ", "GREEN", "blue"]), draw.randint(0, 90),
                     draw.choice(["Lyon", "Oslo", "Rome"]), round(draw.random(), 3), "Good" if size > 3 else " bad"])
    made[11][6], made[12][4], made[13][3] = "many", -5, ""
    return [*made, made[0]]


def write(path: Path, rows: list[list[Any]], names: tuple[str, ...] = NAMES, left_out: str = "") -> Path:
    kept = [place for place, name in enumerate(names) if name != left_out]
    return write_csv(path, [names[place] for place in kept], [[row[place] for place in kept] for row in rows])


@pytest.fixture
def shop(mldesk: Command, tmp_path: Path) -> Path:
    """A folder with raw rows; a model of theirs that learned from them cleaned, twice."""
    raw = write(tmp_path / "raw.csv", lines(300))
    mldesk.good("data", "import", raw, "--name", "shop", "--type", "odd=text")
    for number, steps in enumerate((STEPS[:7], STEPS[7:])):
        (tmp_path / f"{number}.json").write_text(json.dumps({"steps": steps}))
        mldesk.good("data", "clean", "shop", "--recipe", tmp_path / f"{number}.json")
    mldesk.good("train", "shop", "--target", "grade", "--model", "linear", "--without", "key")
    return tmp_path


def test_raw_rows_are_predicted_as_the_cleaned_ones_are(mldesk: Command, shop: Path) -> None:
    mldesk.good("data", "export", "shop", shop / "cleaned.csv")
    mldesk.good("predict", "shop-grade", shop / "cleaned.csv", "-o", shop / "a.csv", "--keep", "key")
    before = {row.pop("key"): row for row in read_csv(shop / "a.csv")}
    refused = mldesk("--json", "predict", "shop-grade", shop / "raw.csv", "-o", shop / "b.csv")
    assert (refused.code, "have them cleaned first (--clean)" in refused.json["error"]["hint"]) == (2, True)
    refused = mldesk("--json", "predict", "shop-grade", shop / "raw.csv", "-o", shop / "b.csv", "--clean")
    assert refused.code == 2
    assert "row 12, for example; 'many' is not a number, step 6 (cast)" in refused.json["error"]["message"]
    write(shop / "new.csv", lines(300), left_out="Grade")  # as new rows are: without the target
    for name in ("raw.csv", "new.csv"):
        words = ("predict", "shop-grade", shop / name, "-o", shop / "b.csv", "--clean", "--keep", "key")
        answer = mldesk.good(*words, "--rejects", shop / "bad.csv")
        assert (answer["rows"], answer["left_out"]) == (298, 3)
        assert {line.partition(" was passed over")[0] for line in answer["warnings"]} == {
            "Step 1 (deduplicate) of shop@2", "Step 3 (edit) of shop@2", "Step 2 (sample) of shop@3"}
        after = {row.pop("key"): row for row in read_csv(shop / "b.csv")}
        same = [key for key in before if key != "k0002"]  # whose weight was changed by hand
        assert len(same) > 200
        for key in same:
            assert (int(after[key].pop("row")) - 1) % 300 == int(key[1:])   # the first row comes again as the last
            assert after[key].pop("prediction") == before[key]["prediction"]
            for share, value in after[key].items():
                assert float(value) == pytest.approx(float(before[key][share]), rel=1e-4, abs=1e-12), key
        found = {row["key"]: (row["row"], row["column"], row["reason"]) for row in read_csv(shop / "bad.csv")}
        assert found == {"k0011": ("12", "odd", "'many' is not a number, step 6 (cast)"),
                         "k0012": ("13", "", "cleaning leaves it out, step 1 (filter: weight >= 0)"),
                         "k0013": ("14", "", "cleaning leaves it out, step 7 (drop_missing: values are missing)")}
        (shop / "b.csv").unlink()
        (shop / "bad.csv").unlink()


def test_rows_come_from_a_dataset_or_standard_input_and_drift_cleans_them_too(
    mldesk: Command, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = (shop / "raw.csv").read_bytes()
    answers = []
    for number, source in enumerate((str(shop / "raw.csv"), "shop@1", "-")):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
        code, found = mldesk.here("predict", "shop-grade", source, "-o", shop / f"{number}.csv", "--clean",
                                  "--rejects", shop / f"bad-{number}.csv")
        assert (code, found["rows"], found["left_out"]) == (0, 298, 3)
        answers.append(read_csv(shop / f"{number}.csv"))
    assert answers[0] == answers[1] == answers[2]
    assert [item["input"] for item in mldesk.here("models", "predictions")[1]["predictions"]][:2] == [
        "standard input", "shop@1"]
    printed = mldesk("predict", "shop-grade", "shop@1", "-o", "-", "--clean", "--rejects", shop / "bad-1.csv")
    assert (printed.code, printed.out.encode()) == (0, (shop / "1.csv").read_bytes()), printed
    assert "to standard output" in printed.err and len(mldesk.good("models", "predictions")["predictions"]) == 3
    assert mldesk.here("predict", "shop-grade", "shop@1", "-o", "-")[0] == 2   # where there is one document of --json
    code, found = mldesk.here("predict", "shop-grade", "shop", "-o", shop / "again.csv")
    assert (code, found["rows"]) == (0, 238)   # the sample that is its newest version
    code, found = mldesk.here("predict", "shop-grade", "shopp", "-o", shop / "again.csv", "--force")
    assert (code, found["error"]["message"]) == (3, "There is neither a file nor a dataset 'shopp'.")
    code, found = mldesk.here("models", "drift", "shop-grade", "shopp.csv")
    assert (code, found["error"]["message"]) == (3, "There is neither a file nor a dataset 'shopp.csv'.")
    for source in (str(shop / "raw.csv"), "shop@1", "-"):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
        code, found = mldesk.here("models", "drift", "shop-grade", source, "--clean")
        assert (code, found["rows"]["left_out"], found["shifted"]) == (0, 3, [])


def test_rows_after_cleaning_are_held_to_the_contract_and_named_as_in_the_file(mldesk: Command, shop: Path) -> None:
    mldesk.good("data", "contract", "shop", "--infer")
    rows = lines(40)
    rows[19][2], rows[29][5] = 400, "Bonn"
    rows[9][4] = "heavy"
    write(shop / "new.csv", rows, left_out="Grade")
    answer = mldesk.good("predict", "shop-grade", shop / "new.csv", "-o", shop / "b.csv", "--clean",
                         "--rejects", shop / "bad.csv", "--strict")
    found = [(row["row"], row["column"], row["reason"].partition(" is ")[2]) for row in read_csv(shop / "bad.csv")]
    assert [row[:2] for row in found] == [("10", "weight"), ("12", "odd"), ("13", ""), ("14", ""), ("20", "size; both")]
    assert (answer["rows"], answer["left_out"]) == (36, 5)


def test_what_tells_rows_apart_is_kept_beside_their_predictions(mldesk: Command, tmp_path: Path) -> None:
    raw = write(tmp_path / "raw.csv", [row for row in lines(200)[:200] if "many" not in row])
    mldesk.good("data", "import", raw, "--name", "shop")
    (tmp_path / "steps.json").write_text(json.dumps({"steps": [
        {"step": "rename", "names": {"key": "id"}}, {"step": "scale", "columns": ["weight"]}]}))
    mldesk.good("data", "clean", "shop", "--recipe", tmp_path / "steps.json")
    mldesk.good("train", "shop", "--target", "Grade", "--model", "linear")
    answer = mldesk.good("predict", "shop-Grade", raw, "-o", tmp_path / "b.csv", "--clean", "--keep", "id")
    assert "id" in answer["keys"]
    assert [row["id"] for row in read_csv(tmp_path / "b.csv")][:2] == ["k0000", "k0001"]


def test_a_bundle_brings_the_recipe_to_another_library(mldesk: Command, shop: Path) -> None:
    write(shop / "new.csv", lines(60), left_out="Grade")
    words = (shop / "new.csv", "--clean", "--keep", "key", "--rejects", shop / "bad.csv")
    mldesk.good("predict", "shop-grade", *words, "-o", shop / "home.csv")
    mldesk.good("models", "export", "shop-grade", shop / "m.mlbundle")
    seen = mldesk.good("models", "inspect", shop / "m.mlbundle")["recipe"]
    assert [(item["dataset"], len(item["steps"])) for item in seen] == [("shop@2", 7), ("shop@3", 8)]
    assert seen[0]["steps"][2] == {"step": "edit"}   # what was changed by hand stays at home
    other = ("--home", shop / "other library", "--force")
    mldesk.good("predict", shop / "m.mlbundle", *words, "-o", shop / "away.csv", *other)
    mldesk.good("models", "import", shop / "m.mlbundle", *other[:2])
    mldesk.good("predict", "shop-grade", *words, "-o", shop / "imported.csv", *other)
    mldesk.good("models", "export", "shop-grade", shop / "again.mlbundle", *other[:2])
    mldesk.good("predict", shop / "again.mlbundle", *words, "-o", shop / "again.csv", *other)
    assert len(read_csv(shop / "home.csv")) == 58
    for name in ("away.csv", "imported.csv", "again.csv"):
        assert (shop / name).read_text() == (shop / "home.csv").read_text()


def test_rows_that_are_cleaned_already_are_said_to_be(mldesk: Command, shop: Path) -> None:
    from mldesk.app import open_workbench

    mldesk.good("data", "export", "shop", shop / "cleaned.csv")
    refused = mldesk("--json", "predict", "shop-grade", shop / "cleaned.csv", "-o", shop / "a.csv", "--clean")
    assert "cleaned already" in refused.json["error"]["hint"]
    assert refused.code == 2
    mldesk.good("models", "export", "shop-grade", shop / "m.mlbundle")
    with open_workbench(mldesk.home) as bench:
        for model in ("shop-grade", str(shop / "m.mlbundle")):
            assert "have no column Size" in bench.predictions.why_cleaned(model, shop / "cleaned.csv")
            assert bench.predictions.why_cleaned(model, shop / "raw.csv") == ""


def test_rows_that_cleaning_leaves_as_they_are_need_none(mldesk: Command, tmp_path: Path) -> None:
    from mldesk.app import open_workbench

    raw = write(tmp_path / "raw.csv", [row for row in lines(150)[:150] if "many" not in row])
    mldesk.good("data", "import", raw, "--name", "shop")
    (tmp_path / "steps.json").write_text(json.dumps({"steps": [
        {"step": "clean_text", "columns": ["colour"], "trim": "all", "case": "lower"}]}))
    mldesk.good("data", "clean", "shop", "--recipe", tmp_path / "steps.json")
    mldesk.good("train", "shop", "--target", "Grade", "--model", "linear")
    mldesk.good("data", "export", "shop", tmp_path / "cleaned.csv")
    with open_workbench(mldesk.home) as bench:
        assert "change nothing" in bench.predictions.why_cleaned("shop-Grade", tmp_path / "cleaned.csv")
        assert bench.predictions.why_cleaned("shop-Grade", raw) == ""


@pytest.mark.parametrize(("step", "why"), [
    ({"step": "group", "by": ["town"], "columns": ["weight"], "functions": ["mean"]}, "it makes other rows of many"),
    ({"step": "fill_missing", "columns": ["Size"], "with": "forward"}, "it looks at the rows around"),
    ({"step": "encode_target", "columns": ["town"], "target": "weight"}, "it looks at the target")])
def test_what_cannot_be_done_to_rows_alone_is_refused(step: dict[str, Any], why: str) -> None:
    from mldesk.data.recipes.replaying import why_not

    assert why_not([{"step": "drop", "columns": ["note"]}, step]).startswith(f"step 2 ({step['step']}) cannot be done")
    assert why in why_not([step])
    assert why_not([{**step, "disabled": True}]) == ""


def test_a_table_as_it_was_imported_knows_no_cleaning(mldesk: Command, tmp_path: Path) -> None:
    raw = write(tmp_path / "raw.csv", lines(120))
    mldesk.good("data", "import", raw, "--name", "shop")
    mldesk.good("train", "shop", "--target", "Grade", "--model", "linear")
    refused = mldesk("--json", "predict", "shop-Grade", raw, "-o", tmp_path / "b.csv", "--clean")
    assert (refused.code, "no cleaning to be done again" in refused.json["error"]["message"]) == (2, True)
