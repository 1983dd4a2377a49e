"""What can be a target, and how rows are dealt into parts."""

from __future__ import annotations

import numpy as np
import pytest

from mldesk.core.errors import BadInput
from mldesk.training.catalogue import CLASSIFICATION, ESTIMATORS, REGRESSION, default_estimator, find_estimator
from mldesk.training.split import LEFT_OUT, TEST, TRAIN, VALIDATION, fold_split, make_folds, make_split
from mldesk.training.target import Target, read_target
from mldesk.training.task_guess import guess_task, target_problem
from mldesk.training.values import TextColumn
from mldesk.wire.jobs import TASKS, SplitRequest
from mldesk.wire.schema import Column, ColumnType


def classes(counts: dict[str, int], missing: int = 0) -> Target:
    values: list[str | None] = [label for label, count in counts.items() for _ in range(count)] + [None] * missing
    return read_target(TextColumn.of(values), Column("y", ColumnType.TEXT), None)


def numbers(values: list[float]) -> Target:
    return read_target(np.array(values, float), Column("y", ColumnType.NUMBER), REGRESSION)


@pytest.mark.parametrize(("column", "task"), [
    (Column("y", ColumnType.TEXT, 0, 3), CLASSIFICATION), (Column("y", ColumnType.BOOLEAN, 0, 2), CLASSIFICATION),
    (Column("y", ColumnType.INTEGER, 0, 5), CLASSIFICATION), (Column("y", ColumnType.INTEGER, 0, 90), REGRESSION),
    (Column("y", ColumnType.NUMBER, 0, 90), REGRESSION), (Column("y", ColumnType.NUMBER, 0, 2), CLASSIFICATION),
])
def test_the_task_is_guessed_from_the_target(column: Column, task: str) -> None:
    assert guess_task(column, 100) == task


@pytest.mark.parametrize(("column", "task", "words"), [
    (Column("y", ColumnType.TEXT, 100, 0), None, "empty in every row"),
    (Column("y", ColumnType.TEXT, 0, 1), None, "same value"),
    (Column("y", ColumnType.DATE, 0, 50), None, "dates"),
    (Column("y", ColumnType.TEXT, 95, 3), None, "Only 5 rows"),
    (Column("y", ColumnType.TEXT, 0, 99), None, "identifiers"),
    (Column("y", ColumnType.TEXT, 0, 3), REGRESSION, "text"),
    (Column("y", ColumnType.NUMBER, 0, 99), CLASSIFICATION, "measured numbers"),
])
def test_a_column_that_cannot_be_the_target_is_refused_with_the_reason(
        column: Column, task: str | None, words: str) -> None:
    problem = target_problem(column, 100, task)
    assert problem is not None
    assert words in problem


def test_classes_are_sorted_and_keep_their_type() -> None:
    assert classes({"б": 5, "a": 5, "ア": 5}).classes == ("a", "б", "ア")
    whole = read_target(np.array([3.0, 1.0] * 10 + [np.nan]), Column("y", ColumnType.INTEGER), CLASSIFICATION)
    assert whole.classes == (1, 3)
    assert whole.y[-1] == -1
    assert read_target(np.array([1.0, 0.0] * 10), Column("y", ColumnType.BOOLEAN), None).classes == (False, True)


def test_rows_without_a_usable_target_are_left_out_and_said() -> None:
    target = numbers([*range(20), np.nan, np.inf, -np.inf, 1e40])
    assert target.usable.sum() == 20
    said = " ".join(target.warnings)
    assert "1 of 24 rows" in said
    assert "2 of 24 rows are left out because their 'y' is infinite" in said
    assert "1e+30" in said


def test_a_class_of_one_row_is_said_and_used_for_training() -> None:
    target = classes({"a": 30, "b": 30, "only": 1})
    assert "“only”" in target.warnings[0]
    membership = make_split(target, SplitRequest())
    assert membership[60] == TRAIN


def test_every_class_is_dealt_in_the_same_shares() -> None:
    target = classes({"a": 700, "b": 200, "c": 100}, missing=50)
    membership = make_split(target, SplitRequest(test_size=0.2, validation_size=0.25))
    assert (membership[1000:] == LEFT_OUT).all()
    for part, counts in ((TRAIN, [420, 120, 60]), (VALIDATION, [140, 40, 20]), (TEST, [140, 40, 20])):
        assert target.counts(membership == part).tolist() == counts


@pytest.mark.parametrize("rows", [10, 11, 13, 47])
def test_the_parts_of_small_tables_are_of_the_asked_size(rows: int) -> None:
    membership = make_split(numbers(list(range(rows))), SplitRequest(test_size=0.3))
    assert (membership == TEST).sum() == round(rows * 0.3)
    assert (membership == VALIDATION).sum() >= 1
    membership = make_split(classes({"a": rows, "b": 2, "c": 2}), SplitRequest(test_size=0.3))
    assert set(membership.tolist()) == {TRAIN, VALIDATION, TEST}


def test_the_same_seed_gives_the_same_parts_and_another_seed_others() -> None:
    target = classes({"a": 50, "b": 50})
    first = make_split(target, SplitRequest(seed=1))
    assert np.array_equal(first, make_split(target, SplitRequest(seed=1)))
    assert not np.array_equal(first, make_split(target, SplitRequest(seed=2)))


def test_a_run_that_knows_the_order_of_the_classes_gets_the_rows_of_one_that_does_not() -> None:
    labels = ["mid", "low", "high", "mid", "low"] * 20
    plain, told = (read_target(TextColumn.of(labels), Column("y", ColumnType.TEXT), CLASSIFICATION, order)
                   for order in ((), ("low", "mid", "high")))
    assert plain.classes != told.classes
    assert np.array_equal(make_split(plain, SplitRequest(seed=3)), make_split(told, SplitRequest(seed=3)))
    folds = SplitRequest(seed=3, folds=4)
    assert np.array_equal(make_folds(plain, folds), make_folds(told, folds))


def test_a_given_split_is_kept_and_only_its_training_rows_are_dealt_further() -> None:
    target = classes({"a": 50, "b": 50}, missing=1)
    given = np.zeros(101, np.uint8)
    given[::5] = TEST
    request = SplitRequest(method="given")
    membership = make_split(target, request, given.tobytes())
    assert np.array_equal(np.flatnonzero(membership == TEST), np.arange(0, 100, 5))
    assert (membership == VALIDATION).sum() == 12
    assert membership[100] == LEFT_OUT
    given[1] = VALIDATION
    assert (make_split(target, request, given.tobytes()) == VALIDATION).sum() == 1


def test_a_given_split_that_does_not_fit_is_refused() -> None:
    target = classes({"a": 50, "b": 50})
    request = SplitRequest(method="given")
    for given, words in ((bytes(99), "99 rows"), (bytes([7]) * 100, "no part"), (bytes(100), "test part"),
                         (bytes([TEST]) * 100, "row for the"), (bytes(50) + bytes([TEST] * 50), "“b”")):
        with pytest.raises(BadInput, match=words):
            make_split(target, request, given)


@pytest.mark.parametrize("request_", [
    SplitRequest(test_size=0.0), SplitRequest(test_size=1.0), SplitRequest(validation_size=-1.0), SplitRequest("other"),
])
def test_an_impossible_split_is_refused(request_: SplitRequest) -> None:
    with pytest.raises(BadInput):
        make_split(classes({"a": 50, "b": 50}), request_)


def test_every_task_has_a_default_and_unknown_models_are_refused_with_the_known_ones() -> None:
    for task in TASKS:
        assert default_estimator(task) in ESTIMATORS
        assert find_estimator("auto", task).name == default_estimator(task)
        with pytest.raises(BadInput) as caught:
            find_estimator("oracle", task)
        assert "lightgbm" in caught.value.hint


def ways(target: Target, by: object = None, **request: object) -> np.ndarray:
    made: np.ndarray = make_split(target, SplitRequest(column="c", **request), by=by)  # type: ignore[arg-type]
    return made


def test_rows_of_one_group_stay_together() -> None:
    target = classes({"a": 300, "b": 200})
    group = np.repeat(np.arange(50), 10).astype(float)
    group[:3] = np.nan  # a row without a group is one of its own
    parts = ways(target, group, method="group", test_size=0.2)
    assert all(len(set(parts[group == one])) == 1 for one in range(50))
    assert 80 <= (parts == TEST).sum() <= 120
    assert (parts == ways(target, group, method="group", test_size=0.2)).all()


def test_the_latest_rows_are_tested_and_those_of_one_moment_stay_together() -> None:
    days = np.array("2020-01-01", "datetime64[us]") + (np.arange(200) // 4 * 86_400_000_000).astype("timedelta64[us]")
    days[5] = np.datetime64("NaT")
    parts = ways(numbers([float(row) for row in range(200)]), days, method="time", test_size=0.2)
    assert parts[5] == LEFT_OUT
    assert days[parts == TRAIN].max() < days[parts == VALIDATION].min()
    assert days[parts == VALIDATION].max() < days[parts == TEST].min()
    assert (parts == TEST).sum() == 40


def test_a_column_says_where_rows_belong() -> None:
    target = classes({"a": 30, "b": 30})
    told = TextColumn.of(["Train", "test", "dev", None] * 15)
    parts = ways(target, told, method="column")
    assert parts[:4].tolist() == [TRAIN, TEST, VALIDATION, LEFT_OUT]
    tested = ways(target, np.array([0.0, 0.0, 1.0] * 20), method="column")
    assert (tested == TEST).sum() == 20
    with pytest.raises(BadInput, match="names no part"):
        ways(target, TextColumn.of(["Lyon"] * 60), method="column")


def test_numbers_are_stratified_by_tenths_and_shuffled_blindly() -> None:
    target = numbers([float(row) for row in range(1000)])
    parts = ways(target, method="stratified", test_size=0.2)
    assert np.bincount(np.flatnonzero(parts == TEST) // 100).tolist() == [20] * 10
    blind = ways(classes({"a": 900, "b": 100}), method="shuffle", test_size=0.2)
    assert (blind == TEST).sum() == 200


@pytest.mark.parametrize("method", ["random", "group"])
def test_every_row_is_tested_in_one_fold(method: str) -> None:
    target = classes({"a": 70, "b": 33}, missing=2)
    group = np.arange(105.0) // 3
    request = SplitRequest(method, column="c", folds=5)
    folds = make_folds(target, request, group)
    assert (folds[-2:] == LEFT_OUT).all()
    assert np.bincount(folds[:103]).min() >= 18
    first = make_split(target, request, by=group)
    assert ((first == TEST) == (folds == 0)).all()
    if method == "group":
        assert all(len(set(folds[:103][group[:103] == one])) == 1 for one in range(34))
    else:
        assert max(np.bincount(folds[70:103])) - min(np.bincount(folds[70:103])) <= 1


@pytest.mark.parametrize("method", ["random", "group", "shuffle"])
@pytest.mark.parametrize("seed", range(5))
def test_a_run_with_folds_learns_and_is_tested_as_one_without(method: str, seed: int) -> None:
    target = classes({"a": 70, "b": 33}, missing=2)
    group = np.arange(105.0) // 3
    request = SplitRequest(method, column="c", seed=seed, folds=5, same_test=True)
    plain = make_split(target, SplitRequest(method, column="c", seed=seed), by=group)
    assert (make_split(target, request, by=group) == plain).all()
    folds = make_folds(target, request, group)
    assert ((folds == 0) == (plain == TEST)).all() and (folds[-2:] == LEFT_OUT).all()
    assert np.bincount(folds[:103]).min() >= 17 and folds[:103].max() == 4
    if method == "group":
        assert all(len(set(folds[:103][group[:103] == one])) == 1 for one in range(34))
    assert "same_test" not in SplitRequest(folds=2).to_json()


@pytest.mark.parametrize("count", [2, 3, 5, 12])
def test_folds_by_time_learn_from_what_came_before(count: int) -> None:
    order = np.random.default_rng(count).permutation(200)
    days = np.array("2020-01-01", "datetime64[us]") + (order // 4 * 86_400_000_000).astype("timedelta64[us]")
    days[:2] = np.datetime64("NaT")
    target, request = numbers([float(row) for row in order]), SplitRequest("time", column="c", folds=count)
    folds = make_folds(target, request, days)
    plain = make_split(target, SplitRequest("time", column="c"), by=days)
    assert (make_split(target, request, by=days) == plain).all()      # the test rows and the model stay
    assert (folds[:2] == LEFT_OUT).all() and folds[2:].max() == count
    assert all(len(set(folds[days == day])) == 1 for day in set(days[2:]))
    seen = 0
    for fold in range(count):
        parts = fold_split(target, request, folds, fold, days)
        assert ((parts == TEST) == (folds == fold)).all()
        assert days[parts == TRAIN].max() < days[parts == VALIDATION].min()
        assert days[parts == VALIDATION].max() < days[parts == TEST].min()
        seen += int((parts == TEST).sum())
    assert seen == 198 - (folds == count).sum()
    assert 40 <= (folds == 0).sum() < 44 and np.bincount(folds[2:])[1:count].max() <= 48


def test_a_fold_by_time_is_as_long_as_the_test_part_and_has_a_moment_at_least() -> None:
    years = np.repeat([2020.0, 2021.0, 2022.0, 2023.0], [5, 90, 2, 3])
    target = numbers([float(row) for row in range(100)])
    folds = make_folds(target, SplitRequest("time", 0.03, column="c", folds=3), years)
    assert [int((folds == fold).sum()) for fold in range(4)] == [3, 2, 90, 5]
    with pytest.raises(BadInput, match="not enough different times for 4 folds"):
        make_folds(target, SplitRequest("time", 0.03, column="c", folds=4), years)


@pytest.mark.parametrize(("request_", "words"), [
    (SplitRequest("sideways"), "no way to split"), (SplitRequest("group"), "column must be named"),
    (SplitRequest(folds=1), "folds cannot be made"), (SplitRequest("column", column="c", folds=3), "dealt into folds")])
def test_a_way_to_split_that_cannot_be_is_refused(request_: SplitRequest, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        make_split(classes({"a": 30, "b": 30}), request_)
    assert "folds" not in SplitRequest().to_json()  # what older runners do not know is not said
