"""From which probability on a class is predicted: set once, kept with the version, gone by wherever it predicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.cli.conftest import Command
from tests.cli.csv_files import read_csv, write_csv

KINDS = ("pine", "oak", "ash")


def _called(path: Path) -> list[str]:
    return [row["prediction"] for row in read_csv(path)]


def _by_hand(path: Path, at: float) -> list[str]:
    """Return what rows are called where ash needs ``at``."""
    shares = [{name: float(row[f"probability_{name}"]) for name in KINDS} for row in read_csv(path)]
    return ["ash" if row["ash"] >= at else max(("oak", "pine"), key=row.__getitem__) for row in shares]


def test_a_threshold_is_kept_with_the_version_and_travels_with_it(mldesk: Command, tmp_path: Path) -> None:
    rows = [[index * 37 % 100 / 10, index * 13 % 50 / 10, KINDS[(index * 37 % 100 // 40 + index % 11 // 8) % 3]]
            for index in range(240)]
    table = write_csv(tmp_path / "trees.csv", ["height", "girth", "kind"], rows)
    mldesk.good("data", "import", table, "--name", "trees")
    run = mldesk.good("train", "trees", "--target", "kind", "--model", "naive_bayes")["run"]

    shown = mldesk.told("runs", "evaluation", run, "--class", "ash")
    assert "Called ash from which probability on" in shown.out and "Found among the likeliest rows" in shown.out
    assert {item["class"] for item in mldesk.good("runs", "evaluation", run)["by_class"]} == set(KINDS)
    assert "pine" in mldesk.told("runs", "evaluation", run, "--class", "elm").err

    def predict(model: str | Path, name: str, *more: str) -> Path:
        mldesk.good("predict", model, table, "-o", tmp_path / name, *more)
        return tmp_path / name

    before = predict("trees-kind", "before.csv")
    for bad in ([tmp_path, "-o", "-"], [table, "-o", "-", "--rejects", "-"]):   # a folder; one place for two files
        answer = mldesk("predict", "trees-kind", *bad)
        assert (answer.code, answer.out) == (2, ""), answer
    for bad in (["0.2"], ["0", "--class", "ash"], ["1.5", "--class", "ash"], ["0.5", "--class", "elm"],
                ["--class", "ash"], ["0.5", "--reset"]):
        assert mldesk.here("models", "threshold", "trees-kind", *bad)[0] == 2, bad
    assert mldesk.good("models", "threshold", "trees-kind")["threshold"] is None
    kept: Any = {"class": "ash", "at": 0.1}
    assert mldesk.good("models", "threshold", "trees-kind", "0.1", "--class", "ash")["threshold"] == kept
    assert mldesk.good("models", "show", "trees-kind")["threshold"] == kept
    assert "called ash from a probability of 0.1" in mldesk.good("models", "card", "trees-kind")["card"]

    after = predict("trees-kind", "after.csv")
    assert _called(after) == _by_hand(after, 0.1) != _called(before)
    bundle = tmp_path / "trees.mlbundle"
    mldesk.good("models", "export", "trees-kind", bundle)
    assert _called(predict(bundle, "bundled.csv")) == _called(after)
    for form, name in (("onnx", "trees.onnx"), ("native", "trees")):   # who calls the graph must do it themselves
        assert "knows nothing of the threshold" in mldesk.told("models", "export", "trees-kind", tmp_path / name,
                                                               "--as", form).err
    assert mldesk.good("models", "threshold", "trees-kind", "--reset")["threshold"] is None
    assert _called(predict("trees-kind", "reset.csv")) == _called(before)

    other = Command(tmp_path / "other", tmp_path)
    taken = other.good("models", "import", bundle)
    assert other.good("models", "threshold", taken["model"])["threshold"] == kept
    other.good("models", "threshold", taken["model"], "--reset")
    other.good("models", "export", taken["model"], tmp_path / "plain.mlbundle")
    assert _called(predict(tmp_path / "plain.mlbundle", "plain.csv")) == _called(before)
