"""The evaluation's numbers are scikit-learn's, its plots stay small, and importance finds what matters."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest
from sklearn import metrics
from sklearn.ensemble import HistGradientBoostingClassifier

from mldesk.training.estimators import hist_gradient_boosting
from mldesk.training.estimators.base import quick_scores
from mldesk.training.evaluation import payload, predicted_codes, score
from mldesk.training.features import FeatureEncoder
from mldesk.training.importance import importance
from mldesk.training.values import Array
from mldesk.wire.schema import Column, ColumnType


def guesses(rows: int, classes: int, seed: int = 0) -> tuple[Array, Array]:
    draw = np.random.default_rng(seed)
    y = draw.integers(0, classes, rows)
    raw = draw.random((rows, classes)) + np.eye(classes)[y] * 0.7
    return raw / raw.sum(1, keepdims=True), y


@pytest.mark.parametrize("classes", [2, 5])
def test_scores_of_classes_are_those_of_scikit_learn(classes: int) -> None:
    probabilities, y = guesses(500, classes)
    codes = probabilities.argmax(1)
    got = score(probabilities, y, classes)
    ranked = probabilities[:, 1] if classes == 2 else probabilities
    assert got["accuracy"] == metrics.accuracy_score(y, codes)
    assert got["balanced_accuracy"] == metrics.balanced_accuracy_score(y, codes)
    assert got["f1_macro"] == metrics.f1_score(y, codes, average="macro")
    assert got["mcc"] == metrics.matthews_corrcoef(y, codes)
    assert got["log_loss"] == pytest.approx(metrics.log_loss(y, probabilities))
    assert got["roc_auc"] == pytest.approx(metrics.roc_auc_score(y, ranked, multi_class="ovr"))
    quick = quick_scores(probabilities, y, classes)
    assert quick == pytest.approx({"loss": got["log_loss"], "accuracy": got["accuracy"]})


def test_scores_of_numbers_are_those_of_scikit_learn() -> None:
    draw = np.random.default_rng(0)
    y = draw.normal(size=300)
    guess = y + draw.normal(size=300)
    got = score(guess, y, 0)
    assert got["r2"] == metrics.r2_score(y, guess)
    assert got["root_mean_squared_error"] == metrics.root_mean_squared_error(y, guess)
    assert got["mean_absolute_error"] == metrics.mean_absolute_error(y, guess)
    assert quick_scores(guess, y, 0)["r2"] == pytest.approx(got["r2"])


def test_what_is_not_defined_is_absent_rather_than_wrong() -> None:
    probabilities, _ = guesses(20, 3)
    got = score(probabilities, np.zeros(20, np.int64), 3)
    assert "roc_auc" not in got
    assert np.isfinite(list(got.values())).all()
    assert "r2" not in score(np.array([1.0]), np.array([2.0]), 0)
    part = payload(probabilities, np.zeros(20, np.int64), ("a", "b", "c"))
    assert part["roc"] == []


def test_a_tie_in_float32_goes_to_the_first_class() -> None:
    assert predicted_codes(np.array([[0.5, 0.5 + 1e-12]])).tolist() == [0]


@pytest.mark.parametrize("classes", [2, 4])
def test_curves_are_thinned_and_keep_their_ends(classes: int) -> None:
    probabilities, y = guesses(20_000, classes)
    part = payload(probabilities, y, tuple(f"c{k}" for k in range(classes)))
    assert len(part["roc"]) == len(part["pr"]) == (1 if classes == 2 else 4)
    for curve in part["roc"]:
        assert 100 < len(curve["fpr"]) <= 500
        assert (curve["fpr"][0], curve["tpr"][0], curve["fpr"][-1], curve["tpr"][-1]) == (0, 0, 1, 1)
        assert np.trapezoid(curve["tpr"], curve["fpr"]) == pytest.approx(curve["auc"], abs=0.005)
    for curve in part["pr"]:
        assert len(curve["recall"]) <= 500
    assert np.sum(part["confusion"]["counts"]) == sum(part["calibration"]["counts"]) == 20_000
    json.dumps(part, allow_nan=False)


def test_residuals_are_sampled_and_counted_whole() -> None:
    draw = np.random.default_rng(0)
    y = draw.normal(size=10_000)
    part = payload(y + 1, y, ())
    assert len(part["residuals"]["predicted"]) == len(part["residuals"]["actual"]) == 2000
    assert sum(part["residual_histogram"]["counts"]) == 10_000
    json.dumps(part, allow_nan=False)


@pytest.mark.parametrize("columns", [4, 300])
def test_importance_finds_the_column_that_decides(columns: int) -> None:
    draw = np.random.default_rng(0)
    data = {f"c{k}": draw.normal(size=400) for k in range(columns)}
    encoder = FeatureEncoder.fit(data, [Column(name, ColumnType.NUMBER) for name in data], "trees")
    x, y = encoder.transform(data), data["c2"] * 3.0
    heard: list[int] = []
    ranking = importance(encoder, lambda rows: rows[:, 2] * 3.0, x, y, 0, 0, lambda done, total: heard.append(done))
    assert ranking[0]["feature"] == "c2"
    assert ranking[0]["value"] > 1
    assert all(item["value"] == 0 for item in ranking[1:])
    assert heard[-1] == len(ranking) == min(columns, 100)


def test_scikit_learn_still_calls_the_place_where_rounds_are_reported() -> None:
    hook = getattr(HistGradientBoostingClassifier, hist_gradient_boosting._HOOK)
    assert set(inspect.signature(hook).parameters) == {
        "self", "raw_predictions", "y_train", "sample_weight_train", "raw_predictions_val", "y_val",
        "sample_weight_val", "n_threads"}
