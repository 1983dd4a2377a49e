"""What the command line says of runs that were judged, over runs that a test has written down."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mldesk.cli.row_numbers import explained
from mldesk.training.split import TEST
from mldesk.training.values import Array
from mldesk.workbench.orders import TrainOrder
from tests.cli.conftest import Command
from tests.workbench.judged_runs import finished
from tests.workbench.stand_ins import Desk

ROWS = 60
SPLIT = np.where(np.arange(ROWS) % 3 == 0, TEST, 0).astype(np.uint8)
TESTED = np.flatnonzero(SPLIT == TEST)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk with num@1 and num@2, the same rows sorted otherwise."""
    opened = Desk(tmp_path / "home")
    draw = np.random.default_rng(2)
    lines = [f"{index},{draw.normal():.3f},{draw.normal():.3f}" for index in range(ROWS)]
    for name, rows in (("num.csv", lines), ("turned.csv", lines[::-1])):
        (tmp_path / name).write_text("\n".join(["id,size,price", *rows]) + "\n", "utf-8")
        opened.datasets.import_files([tmp_path / name], "num")
    yield opened
    opened.close()


def _prices(desk: Desk, version: int) -> Array:
    page = desk.datasets.preview(f"num@{version}", rows=ROWS)
    return np.array([row[2] for row in page.rows])[TESTED]


def test_rows_are_counted_from_1_wherever_they_are_named(desk: Desk, mldesk: Command, tmp_path: Path) -> None:
    """Whoever passes a row on to `data preview --only` gets that row."""
    y = _prices(desk, 2)
    finished(desk, TrainOrder("num@2", "price", name="a"), SPLIT, y, y)
    mldesk.good("runs", "predictions", "a", "-o", tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(encoding="utf-8-sig", newline="") as file:
        said = {int(line["row"]): float(line["actual"]) for line in csv.DictReader(file)}
    assert sorted(said) == (TESTED + 1).tolist()
    shown = mldesk.good("data", "preview", "num@2", "--only", ",".join(map(str, said)), "--rows", "100")
    assert [row[shown["columns"].index("price")] for row in shown["rows"]] == pytest.approx(list(said.values()))
    kept = {"shap": {"rows": [0, 4], "values": []}, "tree": {"rows": [2]}, "rows": 7}
    assert explained(kept) == {"shap": {"rows": [1, 5], "values": []}, "tree": {"rows": [3]}, "rows": 7}
    assert explained({"rows": 7}) == {"rows": 7}


def test_of_many_classes_the_worst_and_the_most_confused_are_printed(desk: Desk, mldesk: Command) -> None:
    y = np.arange(len(TESTED))
    said = np.where(y == 7, 3, y)
    names = [f"c{code}" for code in range(70)]
    finished(desk, TrainOrder("shop", "grade", name="a"), SPLIT, y, np.eye(70)[said] * 0.93 + 0.001, names)
    answer = mldesk.told("runs", "evaluation", "a")
    assert "Classes, those of least F1 first:" in answer.out and "and 30 lines more; `--json` has all." in answer.out
    assert answer.out.index("c7 ") < answer.out.index("c3 ") < answer.out.index("c0 ")
    pairs = answer.out.split("Most often called another class:")[1].split("\n\n")[0]
    assert "c7" in pairs and "c3" in pairs
    found = mldesk.good("runs", "evaluation", "a")
    assert found["confused"] == [{"actual": "c7", "predicted": "c3", "rows": 1, "of": 1}]


def test_an_evaluation_of_classes_is_read_on_the_command_line(desk: Desk, mldesk: Command) -> None:
    y = np.arange(len(TESTED)) % 2
    chance = np.where(y == 1, 0.8, 0.3) - np.where(np.arange(len(y)) == 3, 0.75, 0)   # the fourth, a "yes", is missed
    run = finished(desk, TrainOrder("shop", "grade", name="a"), SPLIT, y, np.stack([1 - chance, chance], 1),
                   ["no", "yes"])
    found = mldesk.good("runs", "evaluation", "a")
    assert (found["run"], found["part"], found["rows"], found["classes"]) == (run, "test", len(y), ["no", "yes"])
    assert found["metrics"]["accuracy"] == (len(y) - 1) / len(y)
    low, high = found["intervals"]["accuracy"]
    assert low <= found["metrics"]["accuracy"] <= high
    assert found["worst"][0]["row"] == TESTED[3] + 1 and found["confusion"]["counts"] == [[10, 0], [1, 9]]
    assert [item["rows"] for item in found["per_class"]] == [10, 10]
    assert {"fpr", "tpr"} <= found["roc"][0].keys() and {"recall", "precision"} <= found["pr"][0].keys()
    assert found["gain"]["found"][-1] == 1 and len(found["thresholds"]["tp"]) == len(found["thresholds"]["threshold"])
    answer = mldesk.told("runs", "evaluation", "a", "--rows", "2")
    assert answer.code == 0 and f"--only {TESTED[3] + 1}," in answer.err
    for said in ("Accuracy", "0.9500", "precision", "is \\ called", "Called yes from", "Most wrong:", " to "):
        assert said in answer.out, said
    costly = mldesk.good("runs", "evaluation", "a", "--cost", "fn=50", "--cost", "tp=-1")["cheapest"]
    assert costly["costs"] == {"tp": -1, "fp": 1, "fn": 50, "tn": 0} and costly["threshold"] < 0.051
    assert costly["cost"] == pytest.approx(0) and costly["cost_at_half"] == pytest.approx((50 - 9) / len(y))
    answer = mldesk.told("runs", "evaluation", "a", "--cost", "fn=50")
    assert "Least cost: from 0.05 on" in answer.out and "--part validation" in answer.err
    for wrong in ("fn", "fn=", "fn=nan", "xx=1"):
        assert mldesk.here("runs", "evaluation", "a", "--cost", wrong)[0] == 2, wrong
    shown = mldesk.good("runs", "show", "a")
    assert shown["intervals"]["accuracy"] == [low, high]
    assert "95 %" in mldesk.told("runs", "show", "a").out
    assert mldesk.here("runs", "evaluation", "a", "--part", "tset")[0] == 2
    assert mldesk.here("runs", "evaluation", "a", "--part", "validation")[0] == 3
    assert mldesk.here("runs", "evaluation", "b")[0] == 3


def test_an_evaluation_of_numbers_says_how_far_off_it_is_and_why_one_is_missing(desk: Desk, mldesk: Command) -> None:
    y = np.arange(len(TESTED)) * 1.0   # one of them is 0
    finished(desk, TrainOrder("num@1", "size", name="a"), SPLIT, y, y - np.linspace(-1, 3, len(y)))
    found = mldesk.good("runs", "evaluation", "a")
    assert found["error_quantiles"]["0"] == pytest.approx(-1) and found["error_quantiles"]["1"] == pytest.approx(3)
    assert found["error_quantiles"]["0.5"] == pytest.approx(1, abs=0.2)
    for words in (("runs", "evaluation"), ("runs", "show")):
        assert "There is no MAPE: the truth of some rows is 0" in mldesk.told(*words, "a").out
    assert "Errors, truth less prediction:" in mldesk.told("runs", "evaluation", "a").out
    finished(desk, TrainOrder("num@1", "size", name="b"), SPLIT, y + 1, y)
    assert "MAPE" in (said := mldesk.told("runs", "evaluation", "b").out) and "no MAPE" not in said


def test_runs_on_versions_whose_test_rows_differ_are_not_ranked(desk: Desk, mldesk: Command) -> None:
    for name, version, noise in (("a", 1, 0.1), ("b", 1, 0.5), ("c", 2, 0.5)):
        y = _prices(desk, version)
        finished(desk, TrainOrder(f"num@{version}", "price", name=name), SPLIT, y,
                 y + noise * np.random.default_rng(1).normal(size=len(y)))
    found = mldesk.good("runs", "compare", "a", "c")
    assert (found["comparable"], found["best"], found["looks_together"]) == (False, {}, None)
    assert "not tested on the same rows" in found["paired"][0]["why_not"]
    answer = mldesk.told("runs", "compare", "a", "c")
    assert answer.code == 0 and "★" not in answer.out and "looked at" not in answer.err
    assert "! The runs were tested on different rows" in answer.err and "num@1 and num@2" in answer.err
    found = mldesk.good("runs", "compare", "a", "b")
    assert (found["comparable"], found["looks"], found["looks_together"]) == (True, [2, 2], 2)
    assert "looked at by 2 runs" in mldesk.told("runs", "compare", "a", "b").err


def test_the_run_that_others_are_set_against_is_chosen_and_all_goes_into_a_csv(
        desk: Desk, mldesk: Command, tmp_path: Path) -> None:
    y = np.arange(len(TESTED)) % 2
    for name, wrong in (("a", 0), ("b", 3), ("c", 6)):
        right = np.where(np.arange(len(y)) < wrong, 1 - y, y)
        finished(desk, TrainOrder("num@1", "price", name=name), SPLIT, y,
                 np.stack([1 - right * 0.8 - 0.1, right * 0.8 + 0.1], 1), ("no", "yes"))
    out = tmp_path / "compared.csv"
    found = mldesk.good("runs", "compare", "a", "b", "c", "--against", "b", "--csv", str(out))
    ids = {run["name"]: run["run"] for run in found["runs"]}
    assert [(pair["run"], pair["against"]) for pair in found["paired"]] == [(ids["a"], ids["b"]), (ids["c"], ids["b"])]
    deltas = {(item["label"], item["run"]): item["delta"] for item in found["classes"]}
    assert mldesk("runs", "compare", "a", "b").err.endswith("Next: mldesk runs report a b -o FILE.html\n")
    assert deltas["yes", ids["b"]] is None and deltas["yes", ids["a"]] > 0 > deltas["yes", ids["c"]]
    lines = out.read_text("utf-8").splitlines()
    assert len(lines) == 4 and "metric accuracy" in lines[0] and [line.split(",")[1] for line in lines[1:]] == [
        "a", "b", "c"]
    assert mldesk.told("runs", "compare", "a", "b", "--csv", str(out)).code != 0   # it is there already
    answer = mldesk.told("runs", "compare", "a", "b", "--against", "b", "--csv", str(out), "--force")
    assert "a less b" in answer.out and "differs from b:" in answer.out and "Wrote 2 runs" in answer.err
    refused = mldesk.told("runs", "compare", "a", "b", "--against", "c")
    assert refused.code == 2 and "c is not among the compared runs" in refused.err


def test_runs_are_listed_by_score_kind_and_target_and_groups_are_counted(
        desk: Desk, mldesk: Command, tmp_path: Path) -> None:
    for name, noise in (("near", 0.01), ("far", 2.0)):
        y = _prices(desk, 1)
        run = finished(desk, TrainOrder("num@1", "price", name=name), SPLIT, y,
                       y + noise * np.random.default_rng(1).normal(size=len(y)))
        desk.library.runs.annotate(run, group="tries", tags=[name])

    def listed(*more: str) -> list[str]:
        return [run["name"] for run in mldesk.good("runs", "list", *more)["runs"]]

    assert listed("--score", "r2>=0.9") == listed("--score", "R² > 0.9") == ["near"]
    assert listed("--score", "r2<0.9", "--target", "price", "--kind", "train") == ["far"]
    assert listed("--target", "size") == listed("--model", "mlp") == []
    mldesk.good("runs", "list", "--score", "r2>0.9", "--save-view", "sharp")
    assert listed("--view", "sharp") == ["near"]
    listing = ("runs", "list", "--csv", str(tmp_path / "listed.csv"))
    assert [mldesk.told(*listing, *more).code == 0 for more in ((), (), ("--force",))] == [True, False, True]
    refused = mldesk.told("runs", "list", "--score", "r2")
    assert refused.code == 2 and "no condition on a score" in refused.err
    assert mldesk.good("runs", "groups") == {"groups": {"tries": 2}, "tags": {"far": 1, "near": 1}}
    assert "tries" in mldesk.told("runs", "groups").out
