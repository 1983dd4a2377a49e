"""Presets: what differs from the usual is kept, passed on, and started from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mldesk.core.errors import BadInput, NotFound
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.presets import PresetService
from mldesk.workbench.searching import SearchOrder
from tests.workbench.stand_ins import Desk

TRAIN = TrainOrder("shop@3", "y", estimator="mlp", parameters={"epochs": 4}, without=("id",), folds=5, name="mine",
                   runner="gpu", model="m")


def test_a_preset_gives_the_settings_but_not_the_table_the_run_and_the_runner(desk: Desk) -> None:
    presets = PresetService(desk.library)
    preset = presets.save("careful", TRAIN)
    assert preset.to_json() == {"train": {"target": "y", "estimator": "mlp", "parameters": {"epochs": 4},
                                          "without": ["id"], "folds": 5}}
    order = presets.get("careful").train_order("other", target="z")
    assert order == TrainOrder("other", "z", estimator="mlp", parameters={"epochs": 4}, without=("id",), folds=5)
    with pytest.raises(NotFound) as error:
        presets.get("carefull")
    assert "careful" in error.value.hint


def test_rows_dealt_as_in_a_run_are_no_part_of_a_preset(desk: Desk) -> None:
    presets = PresetService(desk.library)
    with pytest.raises(BadInput, match="as a run did"):
        presets.save("same", SearchOrder(TrainOrder("shop", "y", split="run:first")))
    assert presets.list() == {}


def test_a_search_is_kept_with_its_limits(desk: Desk) -> None:
    presets = PresetService(desk.library)
    search = SearchOrder(TrainOrder("shop", "y"), seconds=60.0, estimators=("linear",), helpers=("gpu",), stack=True)
    presets.save("quick", search)
    found = presets.get("quick")
    train = found.train_order("other")
    assert found.search_order(train) == SearchOrder(TrainOrder("other", "y"), seconds=60.0, estimators=("linear",),
                                                    stack=True)


def test_presets_go_into_a_file_and_come_back_under_names_that_are_free(desk: Desk, tmp_path: Path) -> None:
    presets = PresetService(desk.library)
    presets.save("a", TRAIN)
    presets.export(tmp_path / "p.json")
    assert presets.take(tmp_path / "p.json") == ["a"]        # the same one is the one there is
    presets.save("a", TrainOrder("shop", "other"))
    assert presets.take(tmp_path / "p.json") == ["a-2"]
    assert presets.get("a-2").train["target"] == "y" and presets.get("a").train["target"] == "other"
    presets.remove("a")
    assert list(presets.list()) == ["a-2"]


@pytest.mark.parametrize("wrong", [
    {"x": {"train": {"targt": "y"}}}, {"x": {"train": {"seed": "1"}}}, {"x": {"train": {"split": "magic"}}},
    {"x": {"search": []}}, {"x": []}, {"x": {"train": {"folds": True}}}, {"x": {"train": {"split": "given"}}},
    {"x": {"train": {"prepare": ["drop"]}}}, {"x": {"train": {"test_size": float("nan")}}},
    {"x": {"search": {"seconds": float("inf")}}}])
def test_a_file_that_says_nonsense_is_refused_whole(desk: Desk, tmp_path: Path, wrong: object) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"kind": "mldesk presets", "format": 1, "presets": {"good": {"train": {}}, **wrong}}))  # type: ignore[dict-item]
    presets = PresetService(desk.library)
    with pytest.raises(BadInput):
        presets.take(path)
    assert presets.list() == {}
