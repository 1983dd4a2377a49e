"""A search at two runners: what the helper finds reaches it once, and the helper ends when it does."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldesk.core.errors import BadInput, NotFound
from mldesk.wire.states import Cause, JobState
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.searching import SearchOrder
from mldesk.workbench.trials import find_trial, trial_order
from tests.workbench.test_moving import Desks

ORDER = SearchOrder(TrainOrder("shop", "grade", name="hunt", runner="old"), seconds=60, helpers=("new",))


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Desks]:
    opened = Desks(tmp_path / "home")
    yield opened
    opened.close()


def _begun(desks: Desks) -> tuple[str, str]:
    run = desks.searches.start(ORDER)
    (helper,) = run.spec["payload"]["helpers"]
    for runner, job in ((desks.old, run.id), (desks.new, helper)):
        runner.say(job, "started", attempt=1, pid=1, host="h", device="cpu", resumed_from=None)
    return run.id, helper


def test_what_a_helper_finds_is_handed_on_once_and_it_ends_with_the_search(desks: Desks) -> None:
    run, helper = _begun(desks)
    assert desks.new.specs[helper].payload["helps"] == run
    assert [spec.payload["share"] for spec in (desks.old.specs[run], desks.new.specs[helper])] == [[0, 2], [1, 2]]
    trial = desks.library.objects.put_bytes(b"a trial")
    desks.new.say(helper, "artifact", name="trial-1", digest=trial, size=7, type="manifest")
    desks.runs.pump(helper)
    for _ in range(2):
        desks.runs.pump(run)
    assert list(desks.old.told.values()) == [({"trial": trial, "source": "new"}, (trial,))]
    desks.old.say(run, "succeeded", result={})
    desks.runs.pump(run)
    desks.runs.pump(helper)
    assert desks.new.commands == ["finish"]


def test_a_search_is_paused_resumed_and_extended_with_its_helpers(desks: Desks) -> None:
    run, helper = _begun(desks)
    paused = desks.runs.pause(run)
    assert (paused.state, paused.cause) == (JobState.INTERRUPTED, Cause.PAUSED)
    assert desks.new.state(helper) is JobState.INTERRUPTED
    desks.runs.resume(run)
    assert (desks.old.state(run), desks.new.state(helper)) == (JobState.QUEUED, JobState.QUEUED)
    desks.searches.extend(run, seconds=30)
    assert [message for message, _ in (*desks.old.told.values(), *desks.new.told.values())] == [
        {"extend": {"seconds": 30, "trials": 0}}] * 2
    with pytest.raises(BadInput):
        desks.searches.extend(run)


def test_a_search_that_ended_goes_on_as_a_new_run_with_its_trials(desks: Desks) -> None:
    run, _ = _begun(desks)
    trials = desks.library.objects.put_bytes(b"all trials")
    desks.old.say(run, "artifact", name="trials", digest=trials, size=7, type="manifest")
    desks.old.say(run, "succeeded", result={"trials": 5, "failed_trials": 1, "folds": 3})
    desks.runs.pump(run)
    more = desks.searches.extend(run, trials=4)
    spec = desks.old.specs[more.id]
    assert trials in spec.inputs
    assert {key: spec.payload.get(key) for key in ("trials", "folds", "earlier", "helpers")} == {
        "trials": 9, "folds": 3, "earlier": [trials], "helpers": None}
    assert desks.searches.estimate(ORDER).folds == 5
    for split, folds in (("group", 5), ("time", 3), ("column", 1)):
        dealt = replace(ORDER, train=replace(ORDER.train, split=split, split_column="size"))
        assert (desks.searches.estimate(dealt).folds, desks.searches.estimate(dealt).split) == (folds, split)


@pytest.mark.parametrize("order", [
    replace(ORDER, seconds=math.inf), replace(ORDER, seconds=1e308), replace(ORDER, seconds=-1.0),
    replace(ORDER, trials=10**30), replace(ORDER, parallel=0), replace(ORDER, target_score=math.nan),
    replace(ORDER, train=replace(ORDER.train, test_size=math.nan)),
    replace(ORDER, train=replace(ORDER.train, test_size=math.inf)),
])
def test_amounts_that_no_search_can_have_are_refused_by_the_estimate_and_the_search(
    desks: Desks, order: SearchOrder
) -> None:
    for ask in (desks.searches.estimate, desks.searches.start):
        with pytest.raises(BadInput):
            ask(order)
    assert not desks.old.specs


def test_a_search_for_a_score_alone_has_nothing_to_extend(desks: Desks) -> None:
    run = desks.searches.start(replace(ORDER, seconds=0.0, target_score=0.9, helpers=()))
    desks.old.say(run.id, "started", attempt=1, pid=1, host="h", device="cpu", resumed_from=None)
    with pytest.raises(BadInput, match="until it reaches its score"):
        desks.searches.extend(run.id, trials=3)
    assert not desks.old.told


@pytest.mark.parametrize(("change", "words"), [
    ({"metric": "pinball"}, "none is named"), ({"quantile": 1.0}, "cannot be '1.0'"),
    ({"quantile": 0.9, "metric": "r2"}, "by the pinball loss alone"),
    ({"quantile": 0.9, "train": replace(ORDER.train, target="grade")}, "Only numbers have quantiles")])
def test_a_quantile_and_its_score_go_together(desks: Desks, change: dict[str, Any], words: str) -> None:
    numbers = replace(ORDER, train=replace(ORDER.train, target="price"), helpers=())
    with pytest.raises(BadInput, match=words):
        desks.searches.start(replace(numbers, **change))
    run = desks.searches.start(replace(numbers, quantile=0.9))
    asked = run.spec["payload"]
    assert (asked["metric"], asked["quantile"]) == ("mean_pinball_loss", 0.9)
    assert desks.searches.start(replace(numbers, metric="MAPE")).spec["payload"]["metric"] == (
        "mean_absolute_percentage_error")


@pytest.mark.parametrize(("target", "asked", "metric"), [
    ("y", "f1:1.0", "f1:1"), ("y", " Recall: 0", "recall:0"), ("word", "f1:b", "f1: b"), ("word", "f1: b", "f1: b")])
def test_the_class_that_a_search_strives_for_is_looked_up_before_it_runs(
        desks: Desks, tmp_path: Path, target: str, asked: str, metric: str) -> None:
    pq.write_table(pa.table({"x": list(range(40)), "y": [0, 1] * 20, "word": ["a", " b"] * 20}), tmp_path / "t.parquet")
    desks.datasets.import_files([tmp_path / "t.parquet"], "classes")
    order = replace(ORDER, helpers=(), train=replace(ORDER.train, dataset="classes", target=target))
    assert desks.searches.start(replace(order, metric=asked)).spec["payload"]["metric"] == metric
    begun = len(desks.runs.list())
    with pytest.raises(BadInput, match="no class 'nope'") as error:
        desks.searches.start(replace(order, metric="recall:nope"))
    assert error.value.hint == ("Its classes: 0, 1." if target == "y" else "Its classes: ' b', a.")
    assert len(desks.runs.list()) == begun
    assert desks.searches.start(replace(ORDER, metric="f1: yes ")).spec["payload"]["metric"] == "f1:yes"   # unreadable


def test_what_a_search_keeps_is_fitted_once_more_when_it_has_ended(desks: Desks) -> None:
    run, _ = _begun(desks)
    with pytest.raises(BadInput, match="not known yet"):
        desks.searches.extend(run, refit=True)
    trials = desks.library.objects.put_bytes(b"all trials")
    desks.old.say(run, "artifact", name="trials", digest=trials, size=7, type="manifest")
    desks.old.say(run, "succeeded", result={"trials": 5, "folds": 3})
    desks.runs.pump(run)
    asked = desks.old.specs[desks.searches.extend(run, refit=True).id].payload
    assert (asked["refit"], asked["trials"], asked["seconds"], asked["earlier"]) == (True, 5, 0.0, [trials])


@pytest.mark.parametrize(("result", "why"), [
    ({"folds": 3, "forward": True}, "judged by later rows"), ({"folds": 1}, "judged by one validation part"),
    ({"folds": 3, "members": [{"refitted": True}, {"refitted": True}]}, "already")])
def test_a_second_fit_that_would_make_the_same_model_is_refused(desks: Desks, result: dict[str, Any], why: str) -> None:
    run, _ = _begun(desks)
    trials = desks.library.objects.put_bytes(b"all trials")
    desks.old.say(run, "artifact", name="trials", digest=trials, size=7, type="manifest")
    desks.old.say(run, "succeeded", result={"trials": 5, **result})
    desks.runs.pump(run)
    with pytest.raises(BadInput, match=f"would make the same model: .*{why}"):
        desks.searches.extend(run, refit=True)
    assert desks.old.specs[desks.searches.extend(run, trials=2, refit=True).id].payload["trials"] == 7


def test_a_trial_is_trained_on_the_rows_of_its_search(desks: Desks) -> None:
    run = desks.searches.start(replace(ORDER, helpers=(), train=replace(
        ORDER.train, seed=7, split="time", split_column="size", without=("id",))))
    desks.old.say(run.id, "started", attempt=1, pid=1, host="h", device="cpu", resumed_from=None)
    desks.old.say(run.id, "trial", number=2, estimator="linear", state="complete", parameters={"l1_share": 0.5},
                  origin="tpe", metric="roc_auc", score=0.8, seconds=1.0, curve=[[1, 0.7], [2, 0.6]])
    desks.runs.pump(run.id)
    run, tried = desks.runs.get(run.id), desks.searches.leaderboard(run.id)
    made = desks.runs.start(trial_order(run, find_trial(run, tried, 2), name="one", runner="old"))
    asked, searched = made.spec["payload"], run.spec["payload"]["train"]
    assert (asked["estimator"], asked["parameters"]["l1_share"]) == ("linear", 0.5)
    assert [asked[key] for key in ("split", "features", "seed", "target")] == [
        searched[key] for key in ("split", "features", "seed", "target")]
    with pytest.raises(NotFound, match="no trial 9"):
        find_trial(run, tried, 9)
    desks.old.say(run.id, "trial", number=3, estimator="lightgbm", state="pruned", parameters={"leaves": 9},
                  pipeline={"target": "log"}, origin="tpe", metric="roc_auc", score=None, seconds=1.0,
                  curve=[[1, 0.7], [2, 0.6]])
    desks.old.say(run.id, "succeeded", result={"trials": 2, "folds": 3})
    desks.runs.pump(run.id)
    with pytest.raises(BadInput, match="pipeline"):
        trial_order(run, find_trial(run, desks.searches.leaderboard(run.id), 3))
    kept = desks.searches.keep_trial(run.id, 3, model="one").spec["payload"]   # whatever became of it in the search
    assert kept["configurations"][0].pop("trial") == 3
    assert kept["configurations"] == [
        {"estimator": "lightgbm", "parameters": {"leaves": 9}, "pipeline": {"target": "log"}}]
    assert (kept["folds"], kept["trials"], kept["seconds"], kept["ensemble"]) == (3, 1, 0.0, False)
    assert kept["train"] == {**searched, "model": "one"}
    with pytest.raises(BadInput, match="is not a search"):
        find_trial(made, (), 1)
