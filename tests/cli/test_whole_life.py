"""All that the window's scripted user does, as commands: each kind of source, then a messy table's whole life."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from tests.kinds_of_files import BAD, KINDS, ROWS, Kind, read_back, serving, text
from tests.messy import ROWS as MESSY
from tests.messy import batch, clean, messy, write

pytestmark = pytest.mark.timeout(900)   # a machine under load may need minutes to start a trainer
STEPS = [{"step": "clean_text", "columns": ["city"], "case": "lower"}, {"step": "deduplicate"}]


def words(options: dict[str, Any]) -> Iterator[str]:
    """Return import options as the command takes them."""
    for name, value in options.items():
        yield f"--{name.replace('_', '-')}"
        if value is not True:
            yield str(value)


def stored(mldesk: Command, name: str) -> list[tuple[Any, ...]]:
    return read_back(mldesk.good("data", "query", name, "SELECT * FROM data ORDER BY 1")["rows"])


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_each_kind_of_source_becomes_a_dataset(kind: Kind, mldesk: Command, tmp_path: Path) -> None:
    source = kind.write(tmp_path)
    seen = mldesk.good("data", "import", source, "--preview", *words(kind.options))
    assert len(seen["columns"]) == 4 + kind.extra
    assert mldesk.good("data", "list")["datasets"] == [], "a preview keeps nothing"
    made = mldesk.good("data", "import", source, "--name", kind.name, *words(kind.options))
    assert (made["rows"], len(made["columns"])) == (len(ROWS), 4 + kind.extra)
    assert stored(mldesk, kind.name) == ROWS


def test_an_address_and_files_together_become_datasets(mldesk: Command, tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text(text(), "utf-8")
    with serving(tmp_path) as address:
        mldesk.good("data", "import", f"{address}/shop.csv", "--name", "far")
    assert stored(mldesk, "far") == ROWS
    (tmp_path / "early.csv").write_text(text(rows=ROWS[:25]), "utf-8")
    (tmp_path / "late.tsv").write_text(text("\t", ROWS[25:]), "utf-8")
    mldesk.good("data", "import", tmp_path / "early.csv", tmp_path / "late.tsv", "--name", "together")
    assert stored(mldesk, "together") == ROWS


def test_what_cannot_be_read_is_one_sentence_and_leaves_nothing(mldesk: Command, tmp_path: Path) -> None:
    for name, content, word in BAD:
        (tmp_path / name).write_bytes(content)
        code, document = mldesk.here("data", "import", tmp_path / name)
        assert code == 2
        error = document["error"]
        assert name in error["message"]
        assert word in error["message"]
    assert mldesk.good("data", "list")["datasets"] == []
    assert not [path for path in (mldesk.home / "objects").rglob("*") if path.is_file()]


def test_a_messy_table_becomes_predictions_of_the_best_model(mldesk: Command, tmp_path: Path) -> None:
    mldesk.good("data", "import", write(tmp_path / "customers.csv", messy(1, MESSY, 7)), "--name", "customers")
    _explore_and_clean(mldesk, tmp_path)
    _check(mldesk, tmp_path)
    found = mldesk.good("search", "customers", "--target", "stays", "--trials", "3", "--model", "linear", "--model",
                        "neighbors", "--name", "searched")
    assert found["status"] == "succeeded"
    scores = [trial["score"] for trial in found["leaderboard"]]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
    live = [event for event in mldesk("runs", "follow", "searched", "--json").lines if event["kind"] == "trial"]
    assert len(live) == 3, "whoever follows sees each trial as it ends"
    best = found["leaderboard"][0]
    assert mldesk.good("runs", "show", "searched")["leaderboard"] == found["leaderboard"]
    assert "mldesk runs trial" in mldesk("runs", "logs", "searched").err
    assert mldesk.good("runs", "trial", "searched")["trials"][0]["number"] == best["number"]
    shown = mldesk.good("runs", "trial", "searched", str(best["number"]))
    assert (shown["parameters"], shown["score"]) == (best["parameters"], best["score"]) and "curve" in shown
    assert mldesk.here("runs", "trial", "searched", "99")[0] == 3
    assert mldesk.here("runs", "trial", "searched", "1", "--save-as", "mine")[0] == 2   # kept or trained anew?
    plain = next(trial for trial in found["leaderboard"] if not trial["pipeline"])
    single = mldesk.good("runs", "trial", "searched", str(plain["number"]), "--train", "--name", "single")
    assert mldesk.good("runs", "show", "single")["parameters"].items() >= plain["parameters"].items()
    compared = mldesk.good("runs", "compare", "searched", "single")
    assert compared["comparable"], compared["warnings"]
    mldesk.good("runs", "report", "searched", "single", "-o", tmp_path / "both.html")
    page = (tmp_path / "both.html").read_text("utf-8")
    assert all(f">{word}" in page for word in ("Data<", "Environment<", "Confusion matrix of"))
    edges = (mldesk.good("runs", "show", "single")["metrics"]["accuracy"], compared["metrics"]["accuracy"][1])
    assert edges[0] == edges[1]
    assert f"{edges[0]:.4f} (" in page, "a score stands with its interval"
    _use(mldesk, found["model"], single["model"], tmp_path)


def _explore_and_clean(mldesk: Command, folder: Path) -> None:
    assert mldesk.good("data", "explore", "customers")["repeats"]["same"]["rows"] == 1
    beside = mldesk.good("data", "explore", "customers", "--target", "stays")
    assert beside["columns"][0]["name"] == "tenure", "what tells most of the target comes first"
    assert {column["name"] for column in mldesk.good("data", "profile", "customers")["columns"]} >= {"city", "price"}
    (folder / "recipe.json").write_text(json.dumps({"steps": STEPS}), "utf-8")
    made = mldesk.good("data", "clean", "customers", "--recipe", folder / "recipe.json")
    assert (made["version"], made["rows"]) == (2, MESSY)
    mldesk.good("data", "rollback", "customers", "1")   # undo …
    assert mldesk.good("data", "show", "customers")["rows"] == MESSY + 1
    mldesk.good("data", "rollback", "customers", "2")   # … and redo
    told = mldesk.good("data", "diff", "customers", "1", "2")
    assert [item["column"] for item in told["changed"]] == ["city"]


def _check(mldesk: Command, folder: Path) -> None:
    mldesk.good("data", "contract", "customers", "--infer")
    files = batch(folder)
    code, told = mldesk.here("data", "check", *files, "--contract", "customers", "--merge",
                             "--quarantine", folder / "aside")
    assert code == 1
    assert {Path(item["file"]).name: item["status"] for item in told["files"]} == {
        path.name: status for path, status in files.items()}
    assert {path.name for path in (folder / "aside").iterdir()} >= {"short.csv", "words.csv", "empty.csv"}
    assert mldesk.good("data", "show", "customers")["rows"] == MESSY + 20
    concerns = mldesk.good("data", "guard", "customers", "--target", "stays")["concerns"]
    assert ["id"] in [concern["columns"] for concern in concerns if concern["kind"] == "identifier"]


def _use(mldesk: Command, best: str, other: str, folder: Path) -> None:
    told = mldesk.good("explain", best)
    assert {item["feature"] for item in told["importance"]} >= {"tenure", "price"}
    refused = mldesk.told("explain", best, "--shap", "forest")
    assert refused.code == 2 and "no way" in refused.err
    one = mldesk.good("explain", best, "--row", "3", "--set", "tenure=1")
    assert (one["of_row"], str(one["row"]["tenure"]), one["level"]) == (3, "1", 0.9)
    assert "as in a real row of the data" in mldesk.told("explain", best, "--set", "tenure=1").err
    assert one["prediction"] in one["within"] and "actual" in one
    mldesk.good("runs", "report", told["run"], "-o", folder / "why.html")
    page = (folder / "why.html").read_text("utf-8")
    assert all(f">{word}<" in page for word in ("What it goes by", "What each column adds", "tenure",
                                                "How predictions follow a column"))
    members = mldesk.good("models", "lineage", best)["members"]
    assert {item["estimator"] for item in members} <= {"linear", "neighbors"}
    assert sum(item["weight"] for item in members) == pytest.approx(1.0)
    assert "trial" in mldesk("models", "lineage", best).out
    name, _, number = best.rpartition("@")
    assert mldesk.good("models", "promote", name, number)["version"] == int(number)
    assert other.startswith(name)
    rows = write(folder / "new.csv", clean(2000, 30, 13))
    report = mldesk.good("predict", name, rows, "-o", folder / "out.csv", "--keep", "id")
    assert report["rows"] == 30
    with (folder / "out.csv").open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["id"] for row in written] == [str(number) for number in range(2000, 2030)]
    assert {row["prediction"] for row in written} <= {"yes", "no"}
