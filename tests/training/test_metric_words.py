"""Scores by name: called the same everywhere, counted the right way, found by what people call them."""

from __future__ import annotations

import pytest

from mldesk.training import metric_words
from mldesk.training.metric_words import (
    direction,
    explained,
    find_metric,
    leading,
    meaning,
    ordered,
    title,
    within,
    worsening,
)
from mldesk.training.search.measures import find_aim
from mldesk.workbench.searching import METRICS


@pytest.mark.parametrize(("name", "text"), [
    ("roc_auc", "ROC AUC"), ("r2", "R²"), ("root_mean_squared_error", "RMSE"), ("validation_roc_auc",
                                                                              "Validation ROC AUC"),
    ("train_loss", "Training loss"), ("best_log_loss", "Best log loss"), ("val_IoU", "Validation IoU"),
    ("eval/loss", "Evaluation loss"), ("value_loss", "Value loss"), ("val/", "Val/"), ("", "")])
def test_a_score_is_called_what_people_call_it(name: str, text: str) -> None:
    assert title(name) == text


def test_a_score_of_one_class_has_its_class_in_its_name() -> None:
    assert [title(name) for name in ("f1:Yes", "best_recall:a b")] == ["F1 of Yes", "Best recall of a b"]
    assert direction("trial_precision:x_loss") == 1 and direction("f1:an_error") == 1
    assert metric_words.find_metric(" F1: Yes ", METRICS["tabular_classification"]) == "f1:Yes"
    assert metric_words.find_metric("f1:1", METRICS["tabular_regression"]) is None
    assert metric_words.find_metric("recall:", METRICS["tabular_classification"]) is None


def test_within_a_sentence_words_are_small_and_names_are_not() -> None:
    assert [within(title(name)) for name in ("log_loss", "roc_auc", "r2", "f1_macro", "brier_score", "mcc")] == [
        "log loss", "ROC AUC", "R²", "F1 (macro)", "Brier score", "Matthews correlation"]
    assert worsening("log_loss") == "log loss rises (nats per row)" and worsening("r2") == "R² falls"
    assert worsening("score_of_mine") == "score of mine worsens"


def test_every_score_of_the_table_says_which_way_it_counts() -> None:
    for name in metric_words.METRICS:
        assert direction(name) in (1, -1) and explained(name).endswith(("Higher is better.", "Lower is better."))
    assert meaning("score_of_mine") == explained("score_of_mine") == ""
    assert explained("mean_absolute_error") == f"{meaning('mean_absolute_error')} Lower is better."


@pytest.mark.parametrize("task", METRICS)
def test_a_search_strives_in_the_direction_that_the_table_says(task: str) -> None:
    for name in METRICS[task]:
        aim = find_aim(name, 6 if "class" in task else 0, 0.9 if "pinball" in name else None)
        assert aim.larger == (direction(name) > 0), name


def test_titles_and_other_names_are_told_apart() -> None:
    said = [word for metric in metric_words.METRICS.values()
            for word in {metric.name, metric.title.casefold(), *metric.also.split()}]
    doubled = {word for word in said if said.count(word) > 1}
    assert doubled == {"f1"}    # of one class, which nothing strives for


@pytest.mark.parametrize(("wanted", "name"), [
    ("roc_auc", "roc_auc"), ("ROC AUC", "roc_auc"), ("auc", "roc_auc"), ("F1", "f1_macro"), ("kappa", "cohen_kappa"),
    ("Log loss", "log_loss"), ("", None)])
def test_a_score_is_found_by_what_people_call_it(wanted: str, name: str | None) -> None:
    assert find_metric(wanted, METRICS["tabular_classification"]) == name


def test_numbers_have_short_names_too() -> None:
    assert [find_metric(said, METRICS["tabular_regression"]) for said in ("RMSE", "mae", "R²", "R2", "auc")] == [
        "root_mean_squared_error", "mean_absolute_error", "r2", "r2", None]


def test_the_most_telling_come_first_and_unknown_ones_last() -> None:
    assert ordered(["of_mine", "log_loss", "another", "roc_auc"]) == ["roc_auc", "log_loss", "of_mine", "another"]
    assert leading({"r2": 1.0, "root_mean_squared_error": 2.0}) == "r2" and leading({"loss": 1.0}) is None
