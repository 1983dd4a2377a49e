"""Runs are compared, and versions promoted, by what their models were made for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mldesk.cli.model_retrain import promotion
from mldesk.desktop.pages.models.challenge_dialog import verdict
from mldesk.desktop.states.new_data import score_pairs
from mldesk.library.records import ModelVersion, Run
from mldesk.training.split import TEST
from mldesk.training.values import Array
from mldesk.workbench import challenging
from mldesk.workbench.challenging import Challenge, challenge
from mldesk.workbench.orders import TrainOrder
from tests.workbench.judged_runs import finished
from tests.workbench.stand_ins import Desk

ROWS = 200
SPLIT = np.where(np.arange(ROWS) % 2 == 0, TEST, 0).astype(np.uint8)
Y = np.random.default_rng(0).normal(size=ROWS // 2)
NEAR, HIGH = np.zeros(ROWS // 2), np.full(ROWS // 2, float(np.quantile(Y, 0.9)))   # about the mean, the 0.9 quantile


def _run(desk: Desk, said: Array, quantile: float | None) -> Run:
    order = TrainOrder("shop", "price", estimator="lightgbm", parameters={"quantile": quantile})
    return desk.runs.get(finished(desk, order, SPLIT, Y, said, quantile=quantile))


def test_quantiles_are_paired_by_their_own_loss_and_only_with_their_like(desk: Desk) -> None:
    poor, good, median = (_run(desk, said, level) for said, level in ((NEAR, 0.9), (HIGH, 0.9), (NEAR, 0.5)))
    found = desk.judging.compare([poor.id, good.id])
    assert (found["best"]["mean_pinball_loss"], found["verdicts"]["mean_pinball_loss"]) == (good.id, "clear")
    (pair,) = desk.judging.paired([poor.id, good.id])
    assert pair["differences"]["mean_pinball_loss"]["high"] < 0 < pair["differences"]["root_mean_squared_error"]["low"]
    found = desk.judging.compare([good.id, median.id])
    assert "mean_pinball_loss" not in found["best"] and found["best"]["root_mean_squared_error"] == median.id
    (pair,) = desk.judging.paired([good.id, median.id])
    assert "mean_pinball_loss" not in pair["differences"]


def test_ranks_are_paired_by_how_far_off_they_are(desk: Desk) -> None:
    y = np.random.default_rng(1).integers(0, 3, ROWS // 2)
    ids = []
    for miss in (1, 2):   # as often wrong, by so many classes
        said = np.where(np.arange(len(y)) % 4 == 0, (y + miss * np.where(y == 2, -1, 1)) % 3, y)
        ids.append(finished(desk, TrainOrder("shop", "grade", estimator="ordinal"), SPLIT, y,
                            0.7 * np.eye(3)[said] + 0.1, ["low", "mid", "high"], ordered=True))
    (pair,) = desk.judging.paired(ids)
    assert {"rank_error", "quadratic_kappa"} <= pair["differences"].keys()


def _challenge(desk: Desk, run: Run, said: Array, monkeypatch: pytest.MonkeyPatch) -> Challenge:
    """Set the model of a run beside one that says this of the same rows."""
    monkeypatch.setattr(challenging, "_answers", lambda *_: said)
    new = ModelVersion("m", 2, "", run.id, "shop@1", run.task or "", run.target, run.estimator, {}, 1, 0.0, "")
    return challenge(desk.library, new, replace(new, number=1, run=None), run)


def test_a_quantile_is_promoted_by_its_own_loss(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    run = _run(desk, HIGH, 0.9)
    found = _challenge(desk, run, NEAR, monkeypatch)
    squares = [float(((said - Y) ** 2).mean()) for said in (HIGH, NEAR)]
    assert squares[0] > squares[1]   # by squared error the older one would stay
    assert (found.better, found.sure, found.to_json()["decided_by"]) == (True, True, "mean_pinball_loss")
    assert promotion(found).startswith("m@2 is promoted: its loss on the same rows is lower (")
    assert score_pairs(found)[0].metric == "mean_pinball_loss"
    mean = _challenge(desk, _run(desk, HIGH, None), NEAR, monkeypatch)
    assert (mean.better, mean.to_json()["decided_by"]) == (False, "root_mean_squared_error")
    assert mean.scores["loss"] == pytest.approx(tuple(squares))


def test_a_version_that_answers_the_same_but_for_rounding_is_not_better(
        desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was kept of a training is of double precision, what its bundle answers of single."""
    run = _run(desk, said := Y + 0.1, None)
    found = _challenge(desk, run, said.astype(np.float32) * np.float32(1 + 1e-6), monkeypatch)
    new, old = found.scores["loss"]
    assert new < old and (found.equal, found.better, found.to_json()["better"]) == (True, False, False)
    assert "m@2 is not promoted: its loss on the same rows is as good (" in promotion(found)
    assert verdict(found, score_pairs(found)) == ("neutral", "Both are equally good.")
    worse = _challenge(desk, run, said + 0.01, monkeypatch)
    assert (worse.equal, worse.better) == (False, True)


def test_what_came_of_a_search_is_promoted_by_what_it_strove_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newer model ranks better and is far too sure of itself, which its log loss would tell against it."""
    y = np.arange(ROWS // 2) % 2
    sure = np.where(np.arange(len(y)) < 5, 1 - y, y) * (1 - 2e-12) + 1e-12
    shy = 0.5 + 0.1 * (y - 0.5) + np.random.default_rng(2).normal(size=len(y)) * 0.15
    shy = shy.clip(0.1, 0.9)
    order = TrainOrder("shop", "grade")
    run = desk.runs.get(finished(desk, order, SPLIT, y, np.stack([1 - sure, sure], 1), ["a", "b"]))
    searched = replace(run, kind="search", result={**(run.result or {}), "metric": "roc_auc"})
    found = _challenge(desk, searched, np.stack([1 - shy, shy], 1), monkeypatch)
    assert found.scores["loss"][0] > found.scores["loss"][1]
    assert (found.better, found.to_json()["decided_by"]) == (True, "roc_auc")
    assert "m@2 is promoted: its ROC AUC on the same rows is higher (" in promotion(found)
    assert [pair.metric for pair in score_pairs(found)] == ["roc_auc", "log_loss", "accuracy"]
    trained = _challenge(desk, run, np.stack([1 - shy, shy], 1), monkeypatch)
    assert (trained.better, trained.to_json()["decided_by"]) == (False, "log_loss")
