"""Presets on the command line: kept by train and search, started from, and passed on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mldesk.core.errors import BadInput
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.runs import RunService
from mldesk.workbench.searches import SearchService
from mldesk.workbench.searching import SearchOrder
from tests.cli.conftest import Command, make_table


def test_what_is_given_besides_a_preset_counts_more(mldesk: Command, tmp_path: Path,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def stop(_service: RunService | SearchService, order: object) -> None:
        asked.append(order)
        raise BadInput("It is enough to know what was asked.")

    monkeypatch.setattr(RunService, "start", stop)
    monkeypatch.setattr(SearchService, "start", stop)
    mldesk.good("data", "import", make_table(tmp_path / "t.csv"), "--name", "t")
    begin = ("t", "--target", "grade")
    mldesk.here("train", *begin, "--model", "mlp", "--param", "epochs=3", "--folds", "4", "--save-preset", "net")
    mldesk.here("train", *begin, "--preset", "net", "--param", "hidden=8", "--seed", "7", "--name", "x")
    mldesk.here("train", *begin, "--preset", "net", "--model", "linear")
    mldesk.here("search", *begin, "--time", "1", "--model", "linear", "--single", "--save-preset", "short")
    mldesk.here("search", *begin, "--preset", "short", "--trials", "5")
    first = TrainOrder("t", "grade", estimator="mlp", parameters={"epochs": "3"}, folds=4)
    assert asked[:3] == [
        first, TrainOrder("t", "grade", estimator="mlp", parameters={"epochs": "3", "hidden": "8"}, folds=4, seed=7,
                          name="x"), TrainOrder("t", "grade", estimator="linear", folds=4)]
    assert asked[4] == SearchOrder(TrainOrder("t", "grade"), seconds=60.0, trials=5, estimators=("linear",),
                                   ensemble=False)
    assert mldesk.here("train", *begin, "--preset", "short")[0] == 2   # of a search
    assert mldesk.here("train", *begin, "--preset", "ne")[0] == 3
    wrong = ("t", "--target", "grad", "--save-preset", "wrong")
    assert [mldesk.here(verb, *wrong)[0] for verb in ("train", "search")] == [2, 2]   # and nothing of it is kept
    assert list(mldesk.good("presets", "list")["presets"]) == ["net", "short"]
    assert "epochs" in mldesk.told("presets", "list").out
    mldesk.good("presets", "export", "net", "-o", tmp_path / "p.json")
    mldesk.good("presets", "remove", "net")
    assert mldesk.good("presets", "import", tmp_path / "p.json") == {"presets": ["net"]}
    assert mldesk.good("presets", "show", "net")["train"]["folds"] == 4
