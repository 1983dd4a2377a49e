"""Every metric is scikit-learn's to 1e-9 on the same predictions, whatever they are; none is without a counterpart."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from mldesk.core.errors import BadInput
from mldesk.training import metric_words
from mldesk.training.estimators.base import quick_scores
from mldesk.training.intervals import intervals
from mldesk.training.metrics import per_class, quadratic_kappa, rank_error, score
from mldesk.training.one_class import code_of
from mldesk.training.search.measures import find_aim
from mldesk.training.values import Array
from mldesk.workbench.searching import METRICS

CLOSE = 1e-9
QUANTILE = 0.8


def _calibration(p: Array, y: Array) -> float:
    """Naeini, Cooper and Hauskrecht 2015, equation 3, bin by bin; scikit-learn has no such score."""
    sure, right = p.max(1), p.argmax(1) == y
    total = 0.0
    for low in range(15):
        inside = (sure > low / 15) & (sure <= (low + 1) / 15)
        if inside.any():
            total += inside.sum() / len(y) * abs(sure[inside].mean() - right[inside].mean())
    return total


def _each(measure: Callable[[Array, Array], float], p: Array, y: Array) -> float:
    """The mean over the classes that can be told apart, one against the rest; of two classes the second."""
    told = [k for k in ([1] if p.shape[1] == 2 else range(p.shape[1])) if 0 < (y == k).sum() < len(y)]
    return float(np.mean([measure(y == k, p[:, k]) for k in told]))


def _of(measure: Callable[..., float], **options: object) -> Callable[[Array, Array], float]:
    return lambda p, y: measure(y, p.argmax(1), **options)


CLASSES: Mapping[str, Callable[[Array, Array], float]] = {
    "accuracy": _of(metrics.accuracy_score),
    "balanced_accuracy": lambda p, y: metrics.recall_score(
        y, p.argmax(1), labels=np.unique(y), average="macro", zero_division=0),
    "mcc": _of(metrics.matthews_corrcoef),
    "cohen_kappa": _of(metrics.cohen_kappa_score),
    "quadratic_kappa": lambda p, y: metrics.cohen_kappa_score(
        y, p.argmax(1), weights="quadratic", labels=range(p.shape[1])),
    "rank_error": _of(metrics.mean_absolute_error),
    **{f"{name}_{mean}": _of(measure, average=mean, zero_division=0) for mean in ("macro", "weighted")
       for name, measure in (("f1", metrics.f1_score), ("precision", metrics.precision_score),
                             ("recall", metrics.recall_score))},
    "log_loss": lambda p, y: metrics.log_loss(y, p, labels=range(p.shape[1])),
    "brier_score": lambda p, y: metrics.brier_score_loss(
        y, p if p.shape[1] > 2 else p[:, 1], labels=range(p.shape[1])),
    "calibration_error": _calibration,
    "top_3_accuracy": lambda p, y: metrics.top_k_accuracy_score(y, p, k=3, labels=range(p.shape[1])),
    "top_5_accuracy": lambda p, y: metrics.top_k_accuracy_score(y, p, k=5, labels=range(p.shape[1])),
    "roc_auc": lambda p, y: _each(metrics.roc_auc_score, p, y),
    "average_precision": lambda p, y: _each(metrics.average_precision_score, p, y),
}
NUMBERS: Mapping[str, Callable[[Array, Array], float]] = {
    "root_mean_squared_error": lambda p, y: metrics.root_mean_squared_error(y, p),
    "mean_absolute_error": lambda p, y: metrics.mean_absolute_error(y, p),
    "median_absolute_error": lambda p, y: metrics.median_absolute_error(y, p),
    "mean_absolute_percentage_error": lambda p, y: metrics.mean_absolute_percentage_error(y, p),
    "mean_pinball_loss": lambda p, y: metrics.mean_pinball_loss(y, p, alpha=QUANTILE),
    "r2": lambda p, y: metrics.r2_score(y, p),
}


def drawn(seed: int, rows: int, classes: int, sureness: float) -> tuple[Array, Array]:
    """Chances of ``classes`` and truths; the surer, the nearer to 0 and 1. Multiples of 2⁻²⁰, as float32 knows them:
    no two are so near that one type calls them equal and another does not."""
    draw = np.random.default_rng(seed)
    y = draw.integers(0, classes, rows)
    raw = np.exp(sureness * draw.normal(size=(rows, classes)) + np.eye(classes)[y])
    p = np.round(raw / raw.sum(1, keepdims=True) * 2 ** 20) / 2 ** 20
    p[np.arange(rows), p.argmax(1)] += 1 - p.sum(1)
    return p, y


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.filterwarnings("ignore:A single label was found")
@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2 ** 32 - 1), rows=st.integers(2, 300), classes=st.integers(2, 9),
       sureness=st.sampled_from([0.1, 1.0, 4.0]))
def test_every_score_of_classes_is_that_of_scikit_learn(seed: int, rows: int, classes: int, sureness: float) -> None:
    p, y = drawn(seed, rows, classes, sureness)
    got = score(p, y, classes, ordered=True)
    for name, value in got.items():
        assert abs(value - CLASSES[name](p, y)) <= CLOSE, name
    codes = p.argmax(1)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        y, codes, labels=range(classes), zero_division=0)
    for item in per_class(p, y, range(classes)):
        k = item["class"]
        assert np.allclose([item["precision"], item["recall"], item["f1"], item["rows"]],
                           [precision[k], recall[k], f1[k], support[k]], atol=CLOSE, rtol=0)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2 ** 32 - 1), rows=st.integers(2, 300), scale=st.sampled_from([1e-3, 1.0, 1e6]))
def test_every_score_of_numbers_is_that_of_scikit_learn(seed: int, rows: int, scale: float) -> None:
    draw = np.random.default_rng(seed)
    y = draw.normal(size=rows) * scale
    p = y + draw.normal(size=rows) * scale
    got = score(p, y, 0, QUANTILE)
    assert set(got) == set(NUMBERS)
    for name, value in got.items():
        wanted = NUMBERS[name](p, y)
        assert abs(value - wanted) <= CLOSE * max(1.0, abs(wanted)), name


def test_every_metric_has_a_counterpart_here_and_words() -> None:
    p, y = drawn(0, 400, 7, 1.0)
    assert set(score(p, y, 7, ordered=True)) == set(CLASSES)
    assert set(metric_words.METRICS) >= set(CLASSES) | set(NUMBERS)
    for name in {*CLASSES, *NUMBERS}:
        assert metric_words.title(name) and metric_words.explained(name).endswith(" is better."), name


@pytest.mark.parametrize("classes", [2, 6])
def test_what_a_search_strives_for_is_the_same_number(classes: int) -> None:
    p, y = drawn(1, 500, classes, 1.0)
    for name in METRICS["tabular_classification"]:
        if name.startswith("top_") and classes == 2:
            with pytest.raises(BadInput, match="There are 2 classes"):
                find_aim(name, classes)
            continue
        aim = find_aim(name, classes)
        assert abs(aim.score(aim.loss(p, y)) - CLASSES[name](p, y)) <= CLOSE, name
    truth = np.random.default_rng(2).normal(size=500)
    guess = truth + 0.3
    for name in METRICS["tabular_regression"]:
        aim = find_aim(name, 0, QUANTILE if "pinball" in name else None)
        assert abs(aim.score(aim.loss(guess, truth)) - NUMBERS[name](guess, truth)) <= CLOSE, name
    assert abs(quick_scores(guess, truth, 0, QUANTILE)["loss"] - NUMBERS["mean_pinball_loss"](guess, truth)) <= CLOSE
    assert abs(quick_scores(p, y, classes)["loss"] - CLASSES["log_loss"](p, y)) <= CLOSE


@pytest.mark.parametrize("classes", [2, 6])
def test_a_score_of_one_class_is_scikit_learns(classes: int) -> None:
    labels = [f"class: {code}" for code in range(classes)]
    p, y = drawn(3, 400, classes, 1.0)
    p[:, -1] = 0   # a class that is never predicted
    for code, label in enumerate(labels):
        for name, measure in (("precision", metrics.precision_score), ("recall", metrics.recall_score),
                              ("f1", metrics.f1_score)):
            aim = find_aim(f"{name}:{label}", classes, labels=labels)
            expected = measure(y == code, p.argmax(1) == code, zero_division=0)
            assert aim.larger and abs(aim.score(aim.loss(p, y)) - expected) <= CLOSE, aim.name
    with pytest.raises(BadInput, match="has no class 'other'") as error:
        find_aim("f1:other", classes, labels=labels)
    assert "Its classes: class: 0, class: 1" in error.value.hint
    with pytest.raises(BadInput, match="cannot strive for 'f1'"):
        find_aim("f1", classes, labels=labels)


@pytest.mark.parametrize(("wanted", "labels", "code"), [
    ("1.0", (0, 1), 1), ("1", (0.5, 1.0), 1), ("yes", ("no", " yes "), 1), (" yes", ("yes", " yes"), 1),
    ("1.0", ("1", "1.0"), 1), ("a\nb", ("a\nb", "c"), 0)])
def test_a_class_is_found_as_it_is_written_or_counts(wanted: str, labels: tuple[object, ...], code: int) -> None:
    assert code_of(f"f1:{wanted}", labels) == code


@pytest.mark.parametrize(("wanted", "labels", "shown"), [
    ("1.0", ("1", "2"), "1, 2"), ("1.0", (False, True), "False, True"), ("a", ("a\nb", " c"), "'a\\nb', ' c'"),
    ("yes", (" yes", "yes "), "' yes', 'yes '")])
def test_a_class_that_there_is_not_is_refused_with_those_there_are(
        wanted: str, labels: tuple[object, ...], shown: str) -> None:
    with pytest.raises(BadInput) as error:
        code_of(f"f1:{wanted}", labels)
    assert error.value.hint == f"Its classes: {shown}."


def test_scores_of_an_order_know_how_far_a_miss_is() -> None:
    near, far = np.eye(3)[[1, 1, 2]], np.eye(3)[[2, 1, 2]]
    y = np.array([0, 1, 2])
    assert (rank_error(near, y), rank_error(far, y)) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert quadratic_kappa(near, y) > quadratic_kappa(far, y)
    assert np.isnan(quadratic_kappa(np.eye(3)[[1, 1]], np.array([1, 1])))
    assert "quadratic_kappa" not in score(np.eye(3)[[1, 1]], np.array([1, 1]), 3, ordered=True)


def test_intervals_hold_the_ordered_scores_and_the_pinball_loss() -> None:
    p, y = drawn(3, 800, 5, 1.0)
    found, own = intervals(p, y, 5, ordered=True), score(p, y, 5, ordered=True)
    plain = [quadratic_kappa(p[rows], y[rows]) for rows in np.random.default_rng(0).integers(0, 800, (300, 800))]
    low, high = np.percentile(plain, [2.5, 97.5])
    assert found["quadratic_kappa"] == pytest.approx([low, high], abs=0.2 * (high - low))
    assert found["rank_error"][0] < own["rank_error"] < found["rank_error"][1]
    truth = np.random.default_rng(4).normal(size=400)
    edges = intervals(truth + 1, truth, 0, quantile=QUANTILE)["mean_pinball_loss"]
    assert edges[0] == pytest.approx(1 - QUANTILE)
    assert "mean_pinball_loss" not in intervals(truth + 1, truth, 0)
