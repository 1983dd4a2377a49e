"""A score that is too good is asked about: by the columns that give the target away, and copies of rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mldesk.wire.objects import ObjectStore
from tests.training.jobs import make_job, of, put_table, result, run_here
from tests.training.tables import mixed
from tests.training.test_search import order


def _told(root: Path, table: pa.Table, **fields: Any) -> tuple[list[str], list[dict[str, Any]]]:
    stored = put_table(root, table)
    said = run_here(make_job(root, stored, "y", estimator="linear", **fields), stored)
    return list(result(said)["warnings"]), [event for event in of("warning", said) if event.get("in_result")]


@pytest.mark.parametrize("task", ["two", "number"])
def test_a_column_that_gives_the_target_away_is_asked_about(tmp_path: Path, task: str) -> None:
    rows = mixed(400, task)
    y = rows.column("y").to_numpy(zero_copy_only=False)
    known = np.where(y == "yes", 1.0, 0.0) if task == "two" else y.astype(float)
    leak = known + np.random.default_rng(1).normal(scale=0.1, size=400)
    texts, events = _told(tmp_path, rows.add_column(0, "closed on", pa.array(leak)))
    assert len(texts) == len(events) == 1
    assert texts[0].startswith("closed on alone gives 0.9") or texts[0].startswith("closed on alone gives 1.0")
    assert texts[0].endswith("is it known beforehand? `mldesk data guard test --target y` shows the rows.")
    assert f"{events[0]['text']} {events[0]['hint']}" == texts[0]


def test_a_good_score_of_many_columns_together_and_an_ordinary_one_are_left_alone(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(400, 4))
    together = pa.table({**{f"x{place}": x[:, place] for place in range(4)}, "y": x.sum(1)})
    for place, table in enumerate((together, mixed(240, "two"))):
        folder = tmp_path / str(place)
        folder.mkdir()
        assert _told(folder, table) == ([], [])


def test_copies_of_training_rows_are_counted(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(150, 4))
    once = pa.table({**{f"x{place}": x[:, place] for place in range(4)}, "word": [f"w{k % 7}" for k in range(150)],
                     "y": x.sum(1)})
    texts, _ = _told(tmp_path, pa.concat_tables([once, once]))
    assert len(texts) == 1
    assert "of 60 test rows are copies of training rows, target and all" in texts[0]


def _kept(root: Path, said: list[dict[str, Any]]) -> tuple[dict[str, Any], str]:
    """Return the evaluation that a model took along, and its card."""
    files = ObjectStore(root / "objects")
    manifest = files.manifest(result(said)["model"])
    return (json.loads(files.read(manifest.entry("evaluation.json").sha256)),
            files.read(manifest.entry("MODEL_CARD.md").sha256).decode())


def test_few_test_rows_are_said_in_the_result_and_in_the_card_that_the_model_takes_along(tmp_path: Path) -> None:
    stored = put_table(tmp_path, mixed(100, "two"))
    said = run_here(make_job(tmp_path, stored, "y", estimator="linear"), stored)
    text = "The scores come from only 20 test rows and may be far off by luck alone."
    assert result(said)["warnings"] == [text]
    evaluation, card = _kept(tmp_path, said)
    assert evaluation["doubts"] == [text] and card.count(text) == card.count("by luck alone") == 1


def test_a_search_asks_as_well(tmp_path: Path) -> None:
    rows = mixed(100, "two")
    told = pa.array([str(y)[0] for y in rows.column("y").to_pylist()])
    stored = put_table(tmp_path, rows.append_column("told", told))
    said = run_here(order(tmp_path, stored, trials=2), stored)
    few, alone = result(said)["warnings"]
    assert few.startswith("The scores come from only 20 test rows")
    assert alone.startswith("told alone gives 1.000 of ROC AUC")
    evaluation, card = _kept(tmp_path, said)
    assert evaluation["doubts"] == [few, alone]
    assert few in card and "told alone gives" in card and "Metric: ROC AUC." in card and "{" not in card


def test_test_rows_that_are_far_worse_than_those_that_chose_are_told_of(tmp_path: Path) -> None:
    x, draw = np.random.default_rng(0).normal(size=400), np.random.default_rng(1)
    y = np.where(np.arange(400) < 320, x, -x) + draw.normal(scale=0.3, size=400)   # what held holds no longer
    split = {"method": "time", "column": "day"}
    days = np.datetime64("2026-01-01", "us") + np.arange(400).astype("timedelta64[D]")
    texts, _ = _told(tmp_path, pa.table({"day": days, "x": x, "y": y}), features=("x",), split=split)
    assert len(texts) == 1 and "far worse than the 0." in texts[0]
    assert texts[0].endswith("train anew as newer rows come in.")
