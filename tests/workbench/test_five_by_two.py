"""The 5x2cv test: ten runs are begun once, found again whoever asks, and then compared."""

from __future__ import annotations

import pytest

from mldesk.core.errors import BadInput
from mldesk.library.records import Run
from mldesk.wire.states import JobState
from mldesk.workbench.five_by_two import TRIALS, CrossTestService
from mldesk.workbench.orders import TrainOrder
from tests.workbench.stand_ins import Desk

ONE = TrainOrder("shop", "grade", estimator="linear", features=("size", "colour"), name="one")
TWO = TrainOrder("shop", "grade", estimator="lightgbm", parameters={"rounds": 50}, features=("size", "colour"),
                 name="two")


@pytest.fixture
def service(desk: Desk) -> CrossTestService:
    for order in (ONE, TWO):
        desk.finish_job(desk.runs.start(order).id)
    desk.runs.refresh()
    return CrossTestService(desk.library, desk.runs)


def _end(desk: Desk, run: Run, first: float, second: float) -> None:
    split = desk.library.objects.put_bytes(f"split {run.spec['payload']['seed']}".encode())
    desk.runner.say(run.id, "started", attempt=1, pid=1, host="h", device="cpu", resumed_from=None)
    desk.runner.say(run.id, "succeeded", result={
        "task": "tabular_classification", "metrics": {"accuracy": first}, "rows": {}, "split": split,
        "cross_validation": {"metrics": {"accuracy": {"values": [first, second]}}}})
    assert list(desk.runs.follow(run.id))


def test_ten_runs_are_begun_and_their_scores_tested(desk: Desk, service: CrossTestService) -> None:
    assert service.why_not(["one", "two"]) == "" and not service.look("one", "two").begun
    begun = service.start("one", "two")
    assert (len(begun.runs), len(begun.active), begun.done, begun.result) == (TRIALS, TRIALS, 0, None)
    specs = [run.spec["payload"] for run in begun.runs]
    assert [(spec["seed"], spec["estimator"]) for spec in specs] == [
        (seed, kind) for seed in range(5) for kind in ("linear", "lightgbm")]
    assert all(spec["split"]["folds"] == 2 and spec["split"]["seed"] == spec["seed"] for spec in specs)
    assert all(spec["features"] == ["size", "colour"] for spec in specs)
    assert len({run.name for run in begun.runs}) == TRIALS and {run.tags for run in begun.runs} == {("5x2cv",)}
    assert all(spec["scores_only"] for spec in specs)   # ten models would only be in the way of the others
    assert [run.id for run in service.start("one", "two").runs] == [run.id for run in begun.runs]   # nothing twice
    for number, run in enumerate(begun.runs):
        better = 0.05 if run.estimator == "linear" else 0.0
        _end(desk, run, 0.8 + better + number % 4 / 100, 0.8 + better - number % 3 / 100)
    done = service.look("one", "two")
    assert (done.done, done.active, done.failed) == (TRIALS, (), ())
    assert done.result is not None and done.result["test"] == "5x2cv"
    assert done.result["metrics"]["accuracy"]["mean"] > 0.03
    turned = service.look("two", "one")
    assert turned.result is not None
    assert turned.result["metrics"]["accuracy"]["mean"] == -done.result["metrics"]["accuracy"]["mean"]
    assert turned.to_json()["done"] == TRIALS


def test_what_failed_or_was_cancelled_is_begun_again_and_nothing_else(desk: Desk, service: CrossTestService) -> None:
    begun = service.start("one", "two")
    _end(desk, begun.runs[0], 0.8, 0.8)
    stopped = service.cancel("one", "two")
    for run in stopped.runs[1:]:
        assert list(desk.runs.follow(run.id))
    ended = service.look("one", "two")
    assert (ended.done, len(ended.failed), ended.result) == (1, TRIALS - 1, None)
    again = service.start("one", "two")
    assert (again.done, len(again.active), again.failed) == (1, TRIALS - 1, ())
    assert again.runs[0].id == begun.runs[0].id


@pytest.mark.parametrize(("order", "why"), [
    (TrainOrder("shop", "price", estimator="linear", name="other"), "different data"),
    (TrainOrder("shop", "grade", estimator="linear", features=("size", "colour"), seed=3, name="other"),
     "the same settings"),
    (TrainOrder("shop", "grade", estimator="linear", split="time", split_column="size", name="other"),
     "split by time")])
def test_runs_that_no_test_can_be_made_of_are_refused(desk: Desk, service: CrossTestService, order: TrainOrder,
                                                      why: str) -> None:
    desk.runs.start(order)
    assert why in service.why_not(["one", "other"])
    with pytest.raises(BadInput, match=why):
        service.start("one", "other")
    assert "two runs" in service.why_not(["one", "two", "other"])
    assert all(run.state is not JobState.CREATED for run in desk.runs.list())
