from __future__ import annotations

import pytest
from PySide6.QtCore import QDate, QDateTime, QLocale, QTime

from mldesk.desktop import words
from mldesk.desktop.step_words import step_words


@pytest.mark.parametrize(("seconds", "text"), [
    (0.84, "0.8 s"), (45, "45 s"), (200, "3 min 20 s"), (180, "3 min"), (7500, "2 h 5 min"), (None, "–"),
    (float("inf"), "–"), (-1, "0.0 s")])
def test_a_length_of_time_is_written_as_people_say_it(seconds: float | None, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [
    (2, "a few seconds left"), (43, "about 45 s left"), (90, "about 2 min left"), (8000, "about 2 h left"), (None, ""),
    (float("nan"), ""), (-3, "")])
def test_an_estimate_is_no_finer_than_it_can_be_known(seconds: float | None, text: str) -> None:
    assert words.remaining(seconds) == text


@pytest.mark.parametrize(("amount", "text"), [(0, "0 B"), (970_000, "970 kB"), (1_930_000, "1.9 MB"),
                                              (25_300_000_000, "25.3 GB"), (3e13, "30.0 TB")])
def test_sizes_have_units(amount: float, text: str) -> None:
    assert words.size(amount) == text


def test_times_are_told_by_how_long_ago_they_were() -> None:
    now = 1_800_000_000.0
    assert words.when(now - 5, now) == "just now"
    assert words.when(now - 300, now) == "5 min ago"
    assert words.when(now - 300 * 86400, now) != words.when(now - 600 * 86400, now)
    assert words.when(None) == "–"


@pytest.mark.parametrize(("value", "text"), [(0.86534, "0.8653"), (12.4, "12.40"), (47210.3, "47,210"),
                                             (0.00001, "1.00e-05"), (float("nan"), "not a number"), (None, "–"),
                                             (True, "–"), (0, "0.0000")])
def test_scores_have_as_many_digits_as_can_be_told_apart(value: object, text: str) -> None:
    assert words.metric_value(value) == text


@pytest.mark.parametrize(("value", "text"), [(1490400.0, "1490400"), (206855.7, "206856"), (500001.0, "500001"),
                                             (-1.5, "-1.5"), (0.0, "0"), (1e-7, "1e-07"), (3e20, "3e+20")])
def test_large_figures_of_a_column_are_written_out(value: float, text: str) -> None:
    assert words.figure(value) == text


def test_a_part_of_a_prediction_is_written_in_the_unit_of_the_target() -> None:
    assert [words.figure(value, 4, signed=True) for value in (20685.5, -12345.6, 3.14159)] == [
        "+20686", "-12346", "+3.142"]


def test_metrics_are_called_what_people_call_them() -> None:
    assert words.metric_name("roc_auc") == "ROC AUC"
    assert words.metric_name("validation_roc_auc") == "Validation ROC AUC"
    assert words.metric_name("train_accuracy") == "Training accuracy"
    assert words.metric_name("something_new") == "Something new"


def test_a_machine_is_told_in_words() -> None:
    assert words.machine({"cores": 8, "memory": 32e9, "devices": [{"name": "NVIDIA H200"}]}) == \
        "8 cores · 32.0 GB · NVIDIA H200"
    assert words.machine({"cores": 1, "devices": ["cpu"]}) == "1 core · no GPU"


@pytest.mark.parametrize(("step", "text"), [
    ({"step": "drop", "columns": ["a", "b", "c", "d", "e"]}, "Drop a, b, c and 2 more"),
    ({"step": "rename", "names": {"a": "b"}}, "Rename a → b"),
    ({"step": "cast", "columns": ["a"], "type": "number", "on_error": "missing"},
     "Read a as number, what does not fit becomes missing"),
    ({"step": "fill_missing", "columns": ["a"], "with": "median"}, "Fill missing a with the median"),
    ({"step": "fill_missing", "columns": ["a"], "value": 0}, "Fill missing a with 0"),
    ({"step": "drop_missing", "columns": []}, "Leave out rows without any column"),
    ({"step": "deduplicate", "columns": ["a"], "keep": "last"}, "Keep the last of rows that are the same in a"),
    ({"step": "filter", "where": "x > 1"}, "Keep rows where x > 1"),
    ({"step": "replace", "columns": ["a"], "values": {"?": None}}, "In a replace ? → missing"),
    ({"step": "edit", "cells": [{"row": 2, "column": "a", "value": "x"}], "remove": [5, 6]},
     "By hand: a of row 2 is x; take out row 5, 6"),
    ({"step": "of_tomorrow", "x": 1}, "of_tomorrow: x 1"),
])
def test_a_step_reads_as_a_sentence(step: dict[str, object], text: str) -> None:
    assert step_words(step) == text


@pytest.mark.parametrize(("name", "short", "full"), [
    ("en_US", "h:mm ap", "3:04:09 pm"), ("de_DE", "hh:mm", "15:04:09")])
def test_every_time_of_day_is_written_with_the_clock_of_the_locale(
        monkeypatch: pytest.MonkeyPatch, name: str, short: str, full: str) -> None:
    monkeypatch.setattr(words, "locale", lambda: QLocale(name))
    at = QDateTime(QDate(2026, 11, 29), QTime(15, 4, 9)).toSecsSinceEpoch()

    def plain(text: str) -> str:
        return text.replace("\u202f", " ").lower()   # some editions of the locales part "PM" by a narrow space

    assert plain(words.clock_format()) == short
    assert plain(words.moment(at)).endswith(f", {full}")
    assert plain(words.when(at, at + 3600)) == full.replace(":09", "")
