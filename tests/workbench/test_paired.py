"""Two models on the same rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from mldesk.core.errors import BadInput
from mldesk.training import predictions
from mldesk.training.split import TEST
from mldesk.workbench.paired import RowsTested, paired, read_tested


def _model(path: Path, skill: float, seed: int, rows: int = 600) -> RowsTested:
    y = np.random.default_rng(0).integers(0, 3, rows)
    raw = np.random.default_rng(seed).random((rows, 3)) + skill * np.eye(3)[y]
    predictions.write(path, np.full(rows, TEST, np.uint8), y, raw / raw.sum(1, keepdims=True), ["a", "b", "c"])
    return read_tested(path)


def test_a_better_model_is_surely_better_and_a_twin_is_not(tmp_path: Path) -> None:
    good, twin, poor = (_model(tmp_path / f"{seed}.parquet", skill, seed) for seed, skill in (
        (1, 0.9), (2, 0.9), (3, 0.2)))
    found = paired(good, poor)
    assert found["rows"] == 600
    assert found["differences"]["accuracy"]["low"] > 0.1
    assert found["differences"]["log_loss"]["high"] < 0
    assert found["differences"]["roc_auc"]["sure"]
    test = found["mcnemar"]
    assert test["p"] == pytest.approx(
        binomtest(test["only_first"], test["only_first"] + test["only_second"]).pvalue, rel=1e-9)
    assert test["p"] < 1e-6
    alone = np.flatnonzero((good.prediction.argmax(1) == good.y) & (poor.prediction.argmax(1) != poor.y))
    assert test["rows_first"] == (good.rows[alone] + 1).tolist() and len(alone) == test["only_first"]
    assert not set(test["rows_first"]) & set(test["rows_second"])
    same = paired(good, twin)
    assert not same["differences"]["accuracy"]["sure"]
    assert same["mcnemar"]["p"] > 0.05
    assert paired(good, good)["mcnemar"]["p"] == 1.0
    gap = found["differences"]["accuracy"]
    right = [(one.prediction.argmax(1) == one.y).astype(float) for one in (good, poor)]
    error = np.std(right[0] - right[1], ddof=1) / np.sqrt(600)
    assert gap["high"] - gap["low"] == pytest.approx(2 * 1.96 * error, rel=0.2)


def test_an_order_of_the_classes_keeps_two_runs_comparable(tmp_path: Path) -> None:
    good, poor = (_model(tmp_path / f"{seed}.parquet", skill, seed) for seed, skill in ((1, 0.9), (3, 0.2)))
    turned = replace(poor, y=2 - poor.y, prediction=poor.prediction[:, ::-1], classes=poor.classes[::-1], ordered=True)
    found, plain = paired(good, turned), paired(good, poor)
    assert found["mcnemar"] == plain["mcnemar"]
    for metric, gap in plain["differences"].items():
        assert found["differences"][metric]["low"] == pytest.approx(gap["low"], rel=1e-9)
    with pytest.raises(BadInput):
        paired(replace(good, ordered=True), turned)   # one of them counts misses another way


def test_numbers_are_paired_and_other_rows_are_refused(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    y = draw.normal(size=300)
    tested = []
    for number, noise in enumerate((0.2, 1.0)):
        path = tmp_path / f"{number}.parquet"
        predictions.write(path, np.full(300, TEST, np.uint8), y, y + noise * draw.normal(size=300), [])
        tested.append(read_tested(path))
    found = paired(*tested)
    assert found["mcnemar"] is None
    assert found["differences"]["r2"]["low"] > 0
    assert found["differences"]["root_mean_squared_error"]["sure"]
    assert found["differences"]["median_absolute_error"]["high"] < 0
    other = RowsTested(tested[1].rows[:-1], tested[1].y[:-1], tested[1].prediction[:-1], ())
    with pytest.raises(BadInput, match="not tested on the same rows"):
        paired(tested[0], other)
