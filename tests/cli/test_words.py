"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest

from mldesk.cli import words


@pytest.mark.parametrize(("seconds", "text"), [
    (None, ""), (math.inf, ""), (0.84, "0.8 s"), (42.4, "42 s"), (187, "3:07"), (7387, "2:03:07"), (59.99, "60 s")])
def test_durations_are_short(seconds: float | None, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(("value", "text"), [
    (0.84321, "0.8432"), (-1.5, "-1.5000"), (154.23456, "154.2"), (46840.0, "46,840"), (None, ""), ("NaN", "NaN"),
    (math.nan, "nan"), (True, "True")])
def test_scores_keep_four_digits_whatever_their_size(value: object, text: str) -> None:
    assert words.score(value) == text


def test_sizes_and_counts_are_set_apart() -> None:
    assert [words.size(count) for count in (0, 1023, 970_457, 5 * 1024**3)] == ["0 B", "1 kB", "970 kB", "5.4 GB"]
    assert (words.plural(1, "row"), words.plural(7043, "row"), words.count(None)) == ("1 row", "7,043 rows", "")


def test_a_cell_stays_on_its_line() -> None:
    assert words.cell("a\nb\tc\x1b[31m") == "a·b·c·[31m"
    assert [words.cell(value) for value in (None, True, 0.1, 3)] == ["", "true", "0.1", "3"]


def test_lines_keep_their_ends_and_nothing_else_that_a_terminal_obeys() -> None:
    assert words.plain("größe\n\tb\x1b[31m\x9b\r\u202e") == "größe\n\tb·[31m···"


def test_a_sparkline_falls_with_its_curve() -> None:
    line = words.sparkline([float(value) for value in range(400, 0, -1)], 40)
    assert len(line) == 40
    assert list(line) == sorted(line, reverse=True)
    assert words.sparkline([math.nan]) == ""
    assert words.sparkline([1.0, 1.0]) == "▁▁"


@pytest.mark.parametrize(("values", "whole", "said"), [
    ((7.6322, 8.7334, 10.02543), False, ["7.63", "8.73", "10.03"]),
    ((2700, 4201.754, 6300), True, ["2,700", "4,202", "6,300"]),
    ((172, 200.915, 231), True, ["172", "200.9", "231"]),
    ((32.1, 43.92193, 59.6), False, ["32.10", "43.92", "59.60"]),
    ((-0.00012, 0.0, 0.0005), False, ["-0.0001200", "0.0000000", "0.0005000"]),
    ((0, 0.0, 0), True, ["0", "0", "0"]),
    ((None, None, None), False, ["", "", ""]),
    ((1.0, math.inf, 2.0), False, ["1.000", "inf", "2.000"]),
    (("-inf", 0.5, "inf"), False, ["-inf", "0.5000", "inf"]),  # as plain JSON has them
    ((1e-12, 5e-10, 1e-9), False, ["1e-12", "5e-10", "1e-09"]),
    ((1, 5e17, 10**18), True, ["1", "5e+17", "1e+18"])])
def test_numbers_that_belong_together_are_written_alike(values: tuple[float | str | None, ...], whole: bool,
                                                        said: list[str]) -> None:
    assert words.alike(values, whole=whole) == said


def test_parameters_are_written_as_the_option_takes_them() -> None:
    assert words.parameters({"rounds": 3000, "l2": 1.0, "leaves": None, "refit": True}) == \
        "rounds=3000, l2=1, leaves=none, refit=true"


def test_a_blend_says_what_it_is_made_of() -> None:
    assert words.members([{"estimator": "lightgbm", "trial": 1, "weight": 0.6},
                          {"estimator": "linear", "trial": 3, "weight": 0.4}]) == \
        "60% lightgbm (trial 1), 40% linear (trial 3)"
    assert words.members([{"estimator": "linear", "trial": 5, "weight": 1.0}]) == "linear (trial 5)"


def test_a_score_of_nothing_has_no_sign() -> None:
    assert [words.score(value) for value in (-0.0, -1e-9, 0.0, -0.25)] == ["0.0000", "0.0000", "0.0000", "-0.2500"]


def test_a_loss_that_ran_away_takes_no_more_room_than_another() -> None:
    assert words.score(4.225e74) == "4.225e+74"
    assert words.score(1e14) == "100,000,000,000,000"
