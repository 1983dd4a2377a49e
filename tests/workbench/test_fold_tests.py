"""Paired tests over folds, against SciPy and against worked examples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from mldesk.library.records import Run
from mldesk.wire.states import JobState
from mldesk.workbench.fold_tests import by_settings, corrected, dietterich, fold_differences, student


def _run(values: list[float], seed: int = 0, dealt: str = "a") -> Run:
    split = {"method": "random", "seed": seed, "folds": len(values)}
    return Run(id=f"{seed}{values}", name="run", kind="train", state=JobState.SUCCEEDED, cause=None, message="",
               hint="", runner="local", dataset="shop@1", task=None, target="price", estimator="linear", model=None,
               last_seq=1, created=0.0, started=None, finished=None, stage="", progress=None, parameters={},
               result={"split": dealt, "cross_validation": {"metrics": {"accuracy": {"values": values}}}},
               spec={"payload": {"split": split}})


@pytest.mark.parametrize("freedom", range(1, 12))
def test_students_distribution_is_scipys(freedom: int) -> None:
    for t in (0.0, 0.3, 1.0, 2.571, 12.7):
        assert student(t, freedom) == pytest.approx(2 * stats.t.cdf(t, freedom) - 1, abs=1e-12)


def test_the_corrected_test_is_a_t_test_with_more_variance() -> None:
    differences = [0.02, 0.01, 0.03, 0.0, 0.04]
    t = stats.ttest_1samp(differences, 0).statistic * np.sqrt(0.2 / (0.2 + 0.25))
    assert corrected(differences) == pytest.approx(2 * stats.t.sf(t, 4), abs=1e-12)
    assert corrected([0.0, 0.0]) == 1.0 and corrected([0.1, 0.1]) == 0.0


def test_five_times_two_folds_are_tested_as_dietterich_did() -> None:
    tries = [[0.02, 0.03], [0.01, 0.05], [0.0, 0.02], [0.04, 0.04], [0.03, 0.01]]
    variances = [np.var(one) * 2 for one in tries]   # the sum of squares around the mean
    t = 0.02 / np.sqrt(np.mean(variances))
    assert dietterich(tries) == pytest.approx(2 * stats.t.sf(t, 5), abs=1e-12)


def test_equal_folds_are_paired_and_others_are_not() -> None:
    found = fold_differences([_run([0.9, 0.8, 0.85])], [_run([0.8, 0.7, 0.76])])
    assert found is not None and found["test"] == "corrected paired t" and found["folds"] == 3
    assert found["metrics"]["accuracy"]["mean"] == pytest.approx(0.29 / 3) and found["metrics"]["accuracy"]["sure"]
    assert fold_differences([_run([0.9, 0.8])], [_run([0.8, 0.7], dealt="b")]) is None
    assert fold_differences([_run([0.9, 0.8])], [_run([0.8, 0.7], seed=1)]) is None
    first, second = ([_run([0.9, 0.8 + shift + seed / 100], seed) for seed in range(5)] for shift in (0.0, 0.01))
    five = fold_differences(first, second)
    assert five is not None and five["test"] == "5x2cv" and not five["metrics"]["accuracy"]["sure"]
    assert fold_differences(first[:2], second[:2]) is None
    mixed = [run for pair in zip(first, [replace(run, estimator="mlp") for run in second], strict=True) for run in pair]
    groups = by_settings(mixed)
    assert groups is not None and groups[0] == first and by_settings(first) is None


def test_folds_by_time_have_no_test() -> None:
    first, second = ([replace(run, spec={"payload": {"split": {"method": "time", "seed": 0, "folds": 3}}})]
                     for run in (_run([0.9, 0.8, 0.7]), _run([0.8, 0.7, 0.65])))
    assert fold_differences(first, second) is None
