"""What an evaluation says, put in order: scores, thresholds and their costs, payloads of older versions."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from mldesk.desktop import words
from mldesk.training.evaluation import payload
from mldesk.workbench.evaluated import (
    Costs,
    classes_of,
    scores,
    slices_of,
    thresholds_of,
    worst_of,
)

TRUTH = np.array([0, 0, 0, 1, 0, 1, 1, 1, 0, 1, 0, 0])
CHANCE = np.array([.1, .2, .3, .35, .4, .45, .6, .7, .75, .9, .05, .55])


@pytest.fixture
def facts() -> dict[str, object]:
    return payload(np.stack([1 - CHANCE, CHANCE], 1), TRUTH, ["No", "Yes"])


def test_the_most_telling_score_comes_first_with_its_interval(facts: dict[str, object]) -> None:
    found = scores(facts)
    assert [score.metric for score in found[:2]] == ["roc_auc", "accuracy"]
    assert len(found) == len(facts["metrics"])  # type: ignore[arg-type]
    accuracy = found[1]
    assert accuracy.low is not None and accuracy.high is not None
    assert accuracy.low <= float(str(accuracy.value)) <= accuracy.high


@pytest.mark.parametrize("threshold", [0.0, 0.33, 0.5, 0.8, 1.0])
def test_a_threshold_gives_the_scores_of_calling_rows_by_it(facts: dict[str, object], threshold: float) -> None:
    table = thresholds_of(facts)
    assert table is not None
    called, told = threshold <= CHANCE, table.at(threshold)
    assert told.accuracy == pytest.approx(metrics.accuracy_score(TRUTH, called))
    assert told.recall == pytest.approx(metrics.recall_score(TRUTH, called))
    assert told.f1 == pytest.approx(metrics.f1_score(TRUTH, called, zero_division=0))
    assert told.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(TRUTH, called))
    assert told.specificity == pytest.approx(metrics.recall_score(TRUTH, called, pos_label=0))
    assert told.mcc == pytest.approx(metrics.matthews_corrcoef(TRUTH, called))
    assert told.cohen_kappa == pytest.approx(metrics.cohen_kappa_score(TRUTH, called))
    assert told.precision == (pytest.approx(metrics.precision_score(TRUTH, called)) if called.any() else None)


def test_the_cheapest_threshold_costs_no_more_than_any_other(facts: dict[str, object]) -> None:
    table = thresholds_of(facts)
    assert table is not None
    for costs in (Costs(), Costs(fn=20.0), Costs(fp=20.0), Costs(fp=0.0, fn=0.0), Costs(tp=-9.0, tn=-1.0)):
        best = table.cheapest(costs).cost(costs)
        assert all(best <= table.at(step).cost(costs) + 1e-12 for step in np.linspace(0, 1, 101))
    assert table.cheapest(Costs(fn=20.0)).threshold < table.cheapest(Costs(fp=20.0)).threshold
    assert table.at(0.5).cost(Costs(tp=-2.0)) == pytest.approx(
        np.mean(np.where(CHANCE >= 0.5, np.where(TRUTH == 1, -2.0, 1.0), TRUTH == 1)))


def test_a_payload_of_an_older_version_lacks_parts_and_is_read_all_the_same() -> None:
    old = {"rows": 10, "metrics": {"accuracy": 0.8, "of_old": 1.0},
           "intervals": {"accuracy": {"low": 0.7, "high": 0.9}}}
    assert [(score.metric, score.low, score.high) for score in scores(old)] == [
        ("accuracy", 0.7, 0.9), ("of_old", None, None)]
    assert thresholds_of(old) is None
    assert classes_of(old) == slices_of(old) == worst_of(old) == []
    assert scores({}) == []


def test_the_worst_rows_of_numbers_say_how_far_off_they_are() -> None:
    found = worst_of({"worst": [{"row": 3, "actual": 10.0, "predicted": 12.5, "loss": 6.25}]})
    assert (found[0].row, found[0].error, found[0].probability) == (3, -2.5, None)


def test_an_interval_has_as_many_digits_as_it_is_wide() -> None:
    assert words.interval(0.7912, 0.8312) == "0.791 to 0.831"
    assert words.interval(46021.2, 50022.7) == "46,021 to 50,023"
    assert words.interval(float("nan"), 1.0) == ""


def test_a_part_of_the_rows_that_is_better_is_not_listed_as_worse() -> None:
    """Runs of before kept those whose loss was larger, too."""
    item = {"column": "kind", "rows": 50, "score": 0.8163, "whole": 0.76, "sigmas": 4.0}
    kept = [{**item, "value": "better", "metric": "accuracy"}, {**item, "value": "worse", "metric": "accuracy",
                                                               "score": 0.5},
            {**item, "value": "further off", "metric": "mean_absolute_error"}]
    assert [part.value for part in slices_of({"slices": kept})] == ["worse", "further off"]
