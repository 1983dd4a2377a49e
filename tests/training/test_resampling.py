"""Evening out classes: how many rows, which values, and where it must not reach."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mldesk.core.errors import BadInput
from mldesk.training import catalogue
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.estimators.base import Part, load_estimator
from mldesk.training.resampling import resample
from tests.training.jobs import make_job, of, put_table, result, run_here
from tests.training.tables import FAST, mixed


def uneven() -> Part:
    """200 rows, classes of 160, 35 and 5: a number, a code of three, a flag, a number with gaps."""
    draw = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [160, 35, 5])
    x = np.column_stack([draw.normal(size=200) + 10 * y, draw.integers(0, 3, 200), draw.integers(0, 2, 200),
                         np.where(draw.random(200) < 0.2, np.nan, draw.normal(size=200))]).astype(np.float32)
    return Part(x, y)


@pytest.mark.parametrize(("how", "counts"), [
    ("none", [160, 35, 5]), ("over", [160, 160, 160]), ("under", [10, 10, 5]), ("smote", [160, 160, 160])])
def test_classes_come_out_even(how: str, counts: list[int]) -> None:
    made = resample(uneven(), how, 3, {1}, seed=0)
    assert np.bincount(made.y).tolist() == counts
    assert made.x.dtype == np.float32
    again = resample(uneven(), how, 3, {1}, seed=0)
    assert np.array_equal(made.x, again.x, equal_nan=True)


def test_smote_makes_rows_between_rows_and_leaves_codes_alone() -> None:
    part = uneven()
    made = resample(part, "smote", 3, {1}, seed=0)
    known = set(part.x[:, 0].tolist())
    for code in range(3):
        before, after = part.x[part.y == code], made.x[made.y == code]
        assert after[:, 0].min() >= before[:, 0].min()
        assert after[:, 0].max() <= before[:, 0].max()
        assert set(after[:, 1]) <= set(before[:, 1])
        assert set(after[:, 2]) <= set(before[:, 2])
    fresh = [value for value in made.x[:, 0].tolist() if value not in known]
    assert len(fresh) > 200


def test_a_class_of_one_row_is_repeated() -> None:
    part = Part(np.arange(14, dtype=np.float32)[:, None], np.array([0] * 13 + [1]))
    made = resample(part, "smote", 2, (), seed=0)
    assert np.bincount(made.y).tolist() == [13, 13]
    assert set(made.x[made.y == 1].ravel()) == {13.0}


def test_a_thousand_rare_classes_do_not_blow_the_rows_up() -> None:
    y = np.concatenate([np.zeros(5000, int), np.arange(1, 1000)])
    made = resample(Part(np.zeros((len(y), 1), np.float32), y), "over", 1000, (), seed=0)
    assert len(made) < 6 * len(y)


def test_validation_and_test_rows_are_scored_as_they_are(tmp_path: Path) -> None:
    table = put_table(tmp_path, mixed(200))
    said = run_here(make_job(tmp_path, table, "y", parameters={**FAST["lightgbm"], "resampling": "over"}), table)
    assert result(said)["rows"] == {"train": 136, "validation": 24, "test": 40}
    assert any(event["text"].startswith("Classes are evened out (over): ") for event in of("log", said))


def test_a_pack_that_is_not_installed_is_named_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "find_spec", lambda _name: None)
    assert not ESTIMATORS["catboost"].installed
    assert 'pip install "mldesk[catboost]"' in ESTIMATORS["catboost"].lacking and not ESTIMATORS["lightgbm"].lacking
    assert "starts anew" in ESTIMATORS["svm"].resuming and "checkpoint" in ESTIMATORS["catboost"].resuming
    with pytest.raises(BadInput, match="CatBoost is an optional pack that is not installed") as caught:
        load_estimator(ESTIMATORS["catboost"])
    assert 'pip install "mldesk[catboost]"' in str(caught.value.hint)


def test_what_means_nothing_for_a_task_is_not_offered() -> None:
    entry = ESTIMATORS["lightgbm"]
    classes = {item.name for item in entry.parameters_for(catalogue.CLASSIFICATION)}
    numbers = {item.name for item in entry.parameters_for(catalogue.REGRESSION)}
    assert {"resampling", "class_weight", "weights_by_class"} == classes - numbers
    assert {"quantile"} == numbers - classes
