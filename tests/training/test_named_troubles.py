"""What goes wrong in training is named and handled: very many classes, a plateau, a class in one fold, two rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.many_classes import resolve_for
from mldesk.training.search.portfolio import portfolio
from tests.training.jobs import make_job, of, put_table, result, run_here
from tests.training.test_search import order

CLASSES = 1000


def thousand(rows_each: int = 4) -> pa.Table:
    """A target of a thousand classes that two columns tell apart well."""
    draw = np.random.default_rng(0)
    y = np.repeat(np.arange(CLASSES), rows_each)
    return pa.table({"across": y % 32 + draw.normal(scale=0.05, size=len(y)),
                     "down": y // 32 + draw.normal(scale=0.05, size=len(y)),
                     "y": [f"kind {k:04d}" for k in y]})


@pytest.mark.parametrize(("estimator", "parameters", "least"), [
    ("lightgbm", {"rounds": 1}, 0.0), ("extra_trees", {}, 0.5), ("mlp", {"epochs": 2, "width": 64}, 0.0)])
def test_a_thousand_classes_are_learnt_and_scored(tmp_path: Path, estimator: str, parameters: dict[str, Any],
                                                  least: float) -> None:
    stored = put_table(tmp_path, thousand())
    said = run_here(make_job(tmp_path, stored, "y", estimator=estimator,
                             parameters={"refit": False, **parameters}), stored)
    done = result(said)
    assert done["metrics"]["accuracy"] >= least
    assert np.isfinite(list(done["metrics"].values())).all()
    if estimator == "extra_trees":
        assert "1,000 classes: every leaf" in " ".join(event["text"] for event in of("warning", said))
        assert done["parameters"]["trees"] == 20


def test_defaults_for_a_thousand_classes_end_and_what_was_set_stays() -> None:
    values, said = resolve_for(ESTIMATORS["lightgbm"], {}, CLASSES)
    assert (values["rounds"], values["learning_rate"]) == (40, 0.1)
    assert "40 rounds at most" in said
    assert resolve_for(ESTIMATORS["lightgbm"], {"rounds": 500}, CLASSES)[0]["rounds"] == 500
    assert resolve_for(ESTIMATORS["lightgbm"], {}, 5)[1] == ""
    assert not {"svm", "hist_gradient_boosting"} & {
        item.estimator for item in portfolio("tabular_classification", (), 3000, 2, 0.0, CLASSES)}


def test_a_machine_per_class_is_refused_for_a_thousand(tmp_path: Path) -> None:
    stored = put_table(tmp_path, thousand(2))
    last = run_here(make_job(tmp_path, stored, "y", estimator="svm"), stored)[-1]
    assert (last["kind"], last["cause"]) == ("failed", "user_error")
    assert "one machine per class, and these are 1,000" in last["message"]


def test_a_plateau_is_called_one(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    stored = put_table(tmp_path, pa.table({"x": draw.normal(size=300), "y": draw.integers(0, 2, 300).astype(str)}))
    said = run_here(make_job(tmp_path, stored, "y", estimator="lightgbm", parameters={"patience": 5}), stored)
    result(said)
    assert [event["text"] for event in of("log", said) if "a plateau, the validation loss" in event["text"]]


def test_a_class_that_is_in_one_fold_alone_costs_that_fold_and_no_more(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    owner = np.arange(240) // 10
    y = np.where(owner == 23, "rare", np.where(draw.random(240) < 0.5, "a", "b"))
    stored = put_table(tmp_path, pa.table({"x": draw.normal(size=240), "owner": [f"o{k:02d}" for k in owner], "y": y}))
    for seed in range(4):   # the fold with the only owner of the class is another one each time
        split = {"method": "group", "column": "owner", "folds": 3, "seed": seed}
        said = run_here(make_job(tmp_path, stored, "y", estimator="linear", split=split), stored)
        if said[-1]["kind"] == "failed":   # it is the first fold, whose model is the one that is kept
            assert "so it cannot be learned" in said[-1]["message"]
            continue
        assert result(said)["cross_validation"]["folds"] == 2
        assert any("left out of the cross-validation" in event["text"] and "“rare”" in event["text"]
                   for event in of("warning", said))
        return
    raise AssertionError("the rare class was in the first fold every time")


def test_two_rows_are_refused_by_training_and_by_a_search(tmp_path: Path) -> None:
    stored = put_table(tmp_path, pa.table({"x": [1.0, 2.0], "y": ["a", "b"]}))
    for folder in (make_job(tmp_path, stored, "y"), order(tmp_path, stored, trials=1)):
        last = run_here(folder, stored)[-1]
        assert (last["kind"], last["cause"]) == ("failed", "user_error")
        assert "Only 2 rows have a value in “y”; at least 10 are needed" in last["message"]
