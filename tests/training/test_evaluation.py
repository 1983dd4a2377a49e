"""The evaluation's numbers are scikit-learn's, its plots stay small, and importance finds what matters."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest
from sklearn import metrics
from sklearn.ensemble import HistGradientBoostingClassifier

from mldesk.training import intervals as intervals_module
from mldesk.training.estimators import hist_gradient_boosting, hist_trees
from mldesk.training.estimators.base import quick_scores
from mldesk.training.evaluation import payload
from mldesk.training.features import FeatureEncoder
from mldesk.training.importance import importance, metric, weighed_on
from mldesk.training.intervals import intervals, measured
from mldesk.training.metric_words import weighed_in_words
from mldesk.training.metrics import calibration_error, per_class, score
from mldesk.training.probabilities import predicted_codes
from mldesk.training.slices import slices, worst
from mldesk.training.values import Array, TextColumn
from mldesk.wire.schema import Column, ColumnType
from mldesk.workbench.evaluated import classes_of, worst_first


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


def test_what_importance_is_computed_on_is_said() -> None:
    data = {f"c{k}": np.random.default_rng(k).normal(size=3000) for k in range(10)}
    encoder = FeatureEncoder.fit(data, [Column(name, ColumnType.NUMBER) for name in data], "trees")
    x, asked = encoder.transform(data), list[int]()

    def predict(rows: Array) -> Array:
        asked.append(len(rows))
        return rows[:, 0] * 2.0

    for predictions, rows in ((60_000, 1200), (2_000, 40), (1e9, 1200)):
        asked.clear()
        importance(encoder, predict, x, x[:, 0], 0, 3, lambda *_: None, predictions)
        on = weighed_on(encoder, x, 3, predictions)
        assert (asked[0], on) == (rows, {"rows": rows, "of": 3000, "repeats": 5, "seed": 3})
    assert weighed_in_words(on) == "Computed on 1,200 of 3,000 rows, each column shuffled 5 times, seed 3."
    assert weighed_in_words(None) == ""


def test_a_quantile_is_weighed_by_its_own_loss() -> None:
    """Columns, slices and worst rows of a 0.9 quantile go by the pinball loss: too low costs nine times too high."""
    draw = np.random.default_rng(0)
    data = {"shift": draw.normal(size=300), "noise": draw.normal(size=300)}
    encoder = FeatureEncoder.fit(data, [Column(name, ColumnType.NUMBER) for name in data], "trees")
    x, y = encoder.transform(data), data["shift"] + np.abs(draw.normal(size=300))

    def predict(rows: Array) -> Array:
        return rows[:, 0].astype(np.float64) + 1.6

    ranking = importance(encoder, predict, x, y, 0, 0, lambda done, total: None, quantile=0.9)
    shuffled = [metrics.mean_pinball_loss(y, predict(x[draw.permutation(300)]), alpha=0.9) for _ in range(50)]
    rise = np.mean(shuffled) - metrics.mean_pinball_loss(y, predict(x), alpha=0.9)
    assert (metric(0, 0.9), metric(0), metric(2)) == ("mean_pinball_loss", "r2", "log_loss")
    assert ranking[0]["feature"] == "shift" and ranking[0]["value"] == pytest.approx(rise, rel=0.15)
    y, said = np.zeros(100), np.where(np.arange(100) < 50, 3.0, -1.0)   # further off, but on the side that costs less
    assert worst(said, y, np.arange(100), (), 0.9)[0]["row"] == 50
    kind = {"kind": TextColumn.of(["over"] * 50 + ["under"] * 50)}
    found = slices(kind, [Column("kind", ColumnType.TEXT)], said + draw.normal(size=100) / 9, y, 0, 0.9)
    assert [(item["value"], item["metric"]) for item in found] == [("under", "mean_pinball_loss")]
    assert found[0]["score"] == pytest.approx(0.9, abs=0.1)


@pytest.mark.parametrize("classes", [0, 2, 40])
def test_scores_are_measured_without_scikit_learn_as_with_it(classes: int) -> None:
    draw = np.random.default_rng(1)
    if classes:
        prediction, y = guesses(300, classes)
    else:
        prediction, y = draw.normal(size=300) + 3, draw.normal(size=300) + 3
    quantile = None if classes else 0.8
    found = measured(prediction, y, classes, quantile=quantile, ordered=True)
    wanted = score(prediction, y, classes, quantile, ordered=bool(classes))
    assert set(wanted) - set(found) <= {"median_absolute_error"}
    assert found == pytest.approx({name: wanted[name] for name in found}, rel=1e-9)


@pytest.mark.parametrize(("rows", "units"), [(11, 5_000), (900, 5_000), (901, 60)])
def test_the_median_error_of_a_draw_is_that_of_the_rows_drawn(
        rows: int, units: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals_module, "_MOST_UNITS", units)
    draw = np.random.default_rng(2)
    prediction, y = draw.normal(size=rows).round(1), draw.normal(size=rows).round(1)   # with ties
    found = intervals_module.draws(prediction, y, 0, seed=3)["median_absolute_error"]
    counts = intervals_module._Units(rows, np.random.default_rng(3)).weights_of(np.arange(rows)).astype(int)
    assert found == pytest.approx([np.median(np.repeat(np.abs(prediction - y), drawn)) for drawn in counts])


def test_scikit_learn_still_calls_the_place_where_rounds_are_reported() -> None:
    hook = getattr(HistGradientBoostingClassifier, hist_gradient_boosting._HOOK)
    assert set(inspect.signature(hook).parameters) == {
        "self", "raw_predictions", "y_train", "sample_weight_train", "raw_predictions_val", "y_val",
        "sample_weight_val", "n_threads"}
    binning = getattr(HistGradientBoostingClassifier, hist_trees._BIN)
    assert list(inspect.signature(binning).parameters) == ["self", "X", "sample_weight", "is_training_data"]


@pytest.mark.parametrize("classes", [2, 7])
def test_the_newer_scores_of_classes_are_those_of_scikit_learn(classes: int) -> None:
    probabilities, y = guesses(400, classes)
    codes = probabilities.argmax(1)
    got = score(probabilities, y, classes)
    assert got["cohen_kappa"] == pytest.approx(metrics.cohen_kappa_score(y, codes), abs=1e-12)
    assert got["f1_weighted"] == pytest.approx(metrics.f1_score(y, codes, average="weighted"), abs=1e-12)
    assert got["precision_weighted"] == pytest.approx(metrics.precision_score(y, codes, average="weighted"), abs=1e-12)
    by_class = metrics.precision_score(y, codes, average=None)
    assert [item["precision"] for item in per_class(probabilities, y, range(classes))] == pytest.approx(by_class)
    if classes == 2:
        assert got["brier_score"] == pytest.approx(metrics.brier_score_loss(y, probabilities[:, 1]), abs=1e-12)
    else:
        assert got["brier_score"] == pytest.approx(
            metrics.brier_score_loss(y, probabilities, labels=range(classes)), abs=1e-12)
        assert got["top_5_accuracy"] == metrics.top_k_accuracy_score(y, probabilities, k=5)


def test_calibration_error_is_nothing_for_honest_chances_and_large_for_boasting() -> None:
    draw = np.random.default_rng(0)
    promised = draw.uniform(0.5, 1, 50_000)
    assert calibration_error(promised, draw.random(50_000) < promised) < 0.01
    assert calibration_error(np.full(1000, 0.95), draw.random(1000) < 0.5) == pytest.approx(0.45, abs=0.05)


def test_a_percentage_error_is_given_only_where_no_truth_is_zero() -> None:
    guess, y = np.array([1.0, 2.5, 4.0]), np.array([1.0, 2.0, 5.0])
    assert score(guess, y, 0)["mean_absolute_percentage_error"] == metrics.mean_absolute_percentage_error(y, guess)
    assert "mean_absolute_percentage_error" not in score(guess, y - 1, 0)


@pytest.mark.parametrize("classes", [2, 4])
def test_intervals_are_those_of_a_plain_bootstrap(classes: int) -> None:
    probabilities, y = guesses(600, classes)
    got = intervals(probabilities, y, classes)
    draw, plain = np.random.default_rng(1), []
    for _ in range(300):
        rows = draw.integers(0, 600, 600)
        plain.append(score(probabilities[rows], y[rows], classes))
    own = score(probabilities, y, classes)
    for name in ("accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "mcc", "cohen_kappa", "log_loss",
                 "brier_score", "roc_auc", "average_precision"):
        low, high = np.percentile([item[name] for item in plain], [2.5, 97.5])
        assert got[name][0] < own[name] < got[name][1]
        assert got[name] == pytest.approx([low, high], abs=0.2 * (high - low)), name


def test_intervals_of_numbers_cover_the_truth_about_as_often_as_they_say() -> None:
    draw, covered = np.random.default_rng(0), 0
    for _ in range(100):
        y = draw.normal(size=200)
        low, high = intervals(y + draw.normal(size=200), y, 0)["root_mean_squared_error"]
        covered += low < 1.0 < high
    assert 87 <= covered <= 100


def test_a_large_part_is_drawn_in_groups_to_the_same_width() -> None:
    probabilities, y = guesses(40_000, 2)
    low, high = intervals(probabilities, y, 2)["accuracy"]
    right = score(probabilities, y, 2)["accuracy"]
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(right * (1 - right) / 40_000), rel=0.2)


def test_thresholds_count_as_scikit_learn_does() -> None:
    probabilities, y = guesses(3000, 2)
    table = payload(probabilities, y, ("no", "yes"))["thresholds"]
    for at in range(0, len(table["threshold"]), 17):
        tn, fp, fn, tp = metrics.confusion_matrix(
            y, probabilities[:, 1] >= table["threshold"][at], labels=[0, 1]).ravel()
        assert [table[name][at] for name in ("tn", "fp", "fn", "tp")] == [tn, fp, fn, tp]
    assert set(np.arange(101) / 100) <= set(table["threshold"])   # what people ask for is answered to the row


def test_the_slice_where_a_model_fails_comes_first_and_the_worst_rows_are_there() -> None:
    draw = np.random.default_rng(0)
    rows = 2000
    place = draw.choice(["north", "south", "west"], rows)
    columns = {"place": TextColumn.of(place), "size": draw.normal(size=rows)}
    y = draw.integers(0, 2, rows)
    sure = np.where(place == "west", 0.4, 0.9)
    chance = np.where(y == 1, sure, 1 - sure)
    prediction = np.stack([1 - chance, chance], 1)
    found = slices(columns, [Column("place", ColumnType.TEXT), Column("size", ColumnType.NUMBER)], prediction, y, 2)
    assert (found[0]["column"], found[0]["value"]) == ("place", "west")
    assert found[0]["score"] == 0.0
    assert found[0]["rows"] == (place == "west").sum()
    wrong = worst(prediction, y, np.arange(rows), ("no", "yes"))
    assert {place[item["row"]] for item in wrong} == {"west"}
    json.dumps([found, wrong], allow_nan=False)


def test_a_slice_whose_accuracy_is_better_than_elsewhere_is_not_called_worse() -> None:
    """Rows that are called rightly with doubt have a larger log loss, and a better accuracy."""
    draw = np.random.default_rng(0)
    rows = 1000
    doubtful = np.arange(rows) % 2 == 0
    y = draw.integers(0, 2, rows)
    right = doubtful | (draw.random(rows) < 0.9)
    sure = np.where(doubtful, 0.51, 0.8)
    chance = np.where((y == 1) == right, sure, 1 - sure)
    kind = {"kind": TextColumn.of(np.where(doubtful, "doubtful", "sure"))}
    prediction = np.stack([1 - chance, chance], 1)
    assert slices(kind, [Column("kind", ColumnType.TEXT)], prediction, y, 2) == []


def test_parts_of_a_column_of_dates_are_named_by_days() -> None:
    day = np.datetime64("2024-04-20", "us").astype(np.int64) + np.arange(400) * 86_400_000_000
    y = np.zeros(400)
    off = np.where(np.arange(400) < 100, 5.0, 1.0) + np.random.default_rng(0).normal(size=400) / 9
    found = slices({"day": day}, [Column("day", ColumnType.DATE)], off, y, 0)
    assert found[0]["value"] == "2024-04-20 to 2024-07-29"


def test_of_a_thousand_classes_every_score_is_kept_and_the_pairs_most_often_confused() -> None:
    y = np.arange(1000).repeat(2)
    prediction = np.full((len(y), 1000), 0.0002)
    said = np.where(y == 8, 9, y)
    said[1999] = 0
    prediction[np.arange(len(y)), said] = 0.8
    part = payload(prediction, y, [f"c{code}" for code in range(1000)], spread=False)
    assert "confusion" not in part and len(part["per_class"]) == 1000
    assert part["confused"] == [{"actual": "c8", "predicted": "c9", "rows": 2, "of": 2},
                                {"actual": "c999", "predicted": "c0", "rows": 1, "of": 2}]
    assert [item.label for item in worst_first(classes_of(part))][:4] == ["c8", "c9", "c999", "c0"]


def test_of_more_classes_than_that_those_of_least_f1_keep_their_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mldesk.training.metrics._MOST_CLASSES", 2)
    y, said = np.array([0, 0, 1, 1, 2, 2]), [0, 0, 2, 2, 2, 2]
    assert [item["class"] for item in per_class(np.eye(4)[said], y, "abcd")] == ["b", "c"]   # of d there is no row
