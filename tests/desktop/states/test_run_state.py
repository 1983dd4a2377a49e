from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from mldesk.desktop.states.curves import CurveFeed, family
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.states.run import RunState, log_line
from mldesk.desktop.states.run_reasons import why_not_cancel, why_not_compare, why_not_finish, why_not_resume
from mldesk.wire.events import Event
from mldesk.wire.states import Cause, JobState
from tests.desktop.fake_workbench import FakeWorkbench, make_run
from tests.desktop.loops import run


async def looking_at(bench: FakeWorkbench) -> RunState:
    desk = Desk(lambda: bench)  # type: ignore[arg-type,return-value]
    desk._workbench = bench  # type: ignore[assignment]
    return RunState(desk, "01RUN")


def push(bench: FakeWorkbench, *events: tuple[str, dict[str, Any]]) -> None:
    for kind, payload in events:
        bench.runs.push("01RUN", kind, payload)
    bench.runs.pump("01RUN", 0)


def losses(step: int, value: float) -> tuple[str, dict[str, Any]]:
    return "metrics", {"step": step, "epoch": None, "seconds": 1.0, "values": {"train_loss": value}}


def test_points_come_once_and_in_order_however_often_one_looks() -> None:
    async def main() -> None:
        bench = FakeWorkbench()
        bench.runs.add(make_run())
        state = await looking_at(bench)
        push(bench, losses(1, 0.9), losses(2, 0.8))
        await state.refresh()
        await state.refresh()
        push(bench, losses(3, 0.7))
        await state.refresh()
        assert state.curves.curves["train_loss"].steps.tolist() == [1, 2, 3]
        assert state.curves.curves["train_loss"].last == 0.7

    assert run(main()) == []


def test_a_second_attempt_replaces_what_it_supersedes() -> None:
    async def main() -> None:
        bench = FakeWorkbench()
        bench.runs.add(make_run())
        state = await looking_at(bench)
        push(bench, ("started", {"attempt": 1}), losses(1, 0.9), losses(2, 0.8), losses(3, 0.1))
        await state.refresh()
        push(bench, ("started", {"attempt": 2, "resumed_from": 2}), losses(3, 0.7))
        await state.refresh()
        assert state.curves.curves["train_loss"].values.tolist() == [0.9, 0.8, 0.7]
        assert state.attempt["attempt"] == 2

    assert run(main()) == []


def test_the_time_of_a_resumed_run_goes_on_where_the_attempt_before_ended() -> None:
    def at(step: int, seconds: float) -> tuple[str, dict[str, Any]]:
        return "metrics", {"step": step, "epoch": None, "seconds": seconds, "values": {"train_loss": 1 / step}}

    async def main() -> None:
        bench = FakeWorkbench()
        bench.runs.add(make_run())
        state = await looking_at(bench)
        push(bench, ("started", {"attempt": 1, "resumed_from": None}), at(1, 0.5), at(2, 1.0), at(3, 1.5))
        await state.refresh()
        push(bench, ("started", {"attempt": 2, "resumed_from": 2}), at(3, 0.25))
        await state.refresh()
        push(bench, at(4, 0.75))
        await state.refresh()
        assert state.curves.curves["train_loss"].seconds.tolist() == [0.5, 1.0, 1.75, 2.25]
        later = await looking_at(bench)   # a window opened afterwards
        await later.refresh()
        push(bench, at(5, 1.0))
        await later.refresh()
        assert later.curves.curves["train_loss"].seconds.tolist() == [0.5, 1.0, 1.75, 2.25, 2.5]

    assert run(main()) == []


def test_readings_warnings_checkpoints_and_the_log_are_kept() -> None:
    async def main() -> None:
        bench = FakeWorkbench()
        bench.runs.add(make_run())
        state = await looking_at(bench)
        lines: list[str] = []
        state.logged.subscribe(lines.append)
        push(bench, ("resources", {"cpu": 120.0, "memory": 5e8}), ("warning", {"text": "Leak?", "hint": "Look."}),
             ("warning", {"text": "Few rows.", "in_result": True}),
             ("checkpoint", {"step": 7, "name": "7"}), ("stage", {"name": "Training"}))
        await state.refresh()
        await asyncio.gather(state.read_log(), state.read_log())
        await state.read_log()
        assert state.machine.cpu.tolist() == [120.0]
        assert math.isnan(state.machine.gpu[0])
        assert state.warnings == [("Leak?", "Look.")]
        assert state.checkpoint == 7
        assert "Training" in "".join(lines)
        assert lines.count("hello\n") == 1

    assert run(main()) == []


def test_cancel_is_seen_at_once() -> None:
    async def main() -> None:
        bench = FakeWorkbench()
        bench.runs.add(make_run())
        state = await looking_at(bench)
        await state.cancel()
        assert bench.runs.commands == ["cancel"]

    assert run(main()) == []


def test_values_that_are_not_finite_travel_as_words_and_become_gaps() -> None:
    feed = CurveFeed()
    feed.extend({"step": 1, "values": {"train_loss": "NaN"}})
    assert math.isnan(feed.curves["train_loss"].values[0])


def test_curves_of_one_kind_are_one_family() -> None:
    assert {family(name) for name in ("train_loss", "validation_loss", "train_loss_epoch")} == {"loss"}
    assert family("validation_accuracy") == "accuracy"
    feed = CurveFeed()
    feed.extend({"step": 1, "values": {"validation_accuracy": 0.5, "train_loss": 1.0, "train_loss_epoch": 1.0}})
    assert feed.families() == ["loss", "accuracy"]
    assert feed.is_background("train_loss")
    assert not feed.is_background("train_loss_epoch")


@pytest.mark.parametrize(("state", "cancel", "finish", "resume"), [
    (JobState.QUEUED, True, False, False), (JobState.RUNNING, True, True, False),
    (JobState.STOPPING, False, False, False), (JobState.SUCCEEDED, False, False, False),
    (JobState.FAILED, False, False, False), (JobState.INTERRUPTED, False, False, True),
    (JobState.LOST, False, False, False),
])
def test_what_cannot_be_done_says_why(state: JobState, cancel: bool, finish: bool, resume: bool) -> None:
    run = make_run(state=state)
    for reason, possible in ((why_not_cancel(run), cancel), (why_not_finish(run), finish),
                             (why_not_resume(run), resume)):
        assert (reason == "") is possible
        assert not reason or reason.endswith(".")
    finishing = make_run(state=JobState.STOPPING, cause=Cause.FINISHING)
    assert why_not_cancel(finishing) == "" and "finishing already" in why_not_finish(finishing)
    assert why_not_cancel(None) and why_not_compare([run]) and not why_not_compare([run, run])


def test_the_log_tells_what_happened_and_leaves_out_what_is_drawn() -> None:
    assert "failed: out of memory" in log_line(Event(1, 0.0, "failed", {"message": "out of memory"}))
    assert log_line(Event(1, 0.0, "metrics", {"step": 1, "values": {}})) == ""
    weak = {"number": 20, "estimator": "linear", "state": "weak", "score": None, "message": "Given up after 3 folds."}
    assert log_line(Event(1, 0.0, "trial", weak)).endswith("  trial 20, linear: given up after 3 folds.\n")
    told = {**weak, "state": "complete", "score": 0.25, "metric": "root_mean_squared_error"}
    assert log_line(Event(1, 0.0, "trial", told)).endswith("  trial 20, linear: RMSE 0.25\n")
    assert "linear: failed: No." in log_line(Event(1, 0.0, "trial", {**weak, "state": "failed", "message": "No."}))


def test_events_of_another_shape_are_passed_over_and_the_next_are_shown() -> None:
    async def main() -> None:
        bench = FakeWorkbench()
        bench.runs.add(make_run())
        state = await looking_at(bench)
        push(bench, losses(1, 0.9))
        await state.refresh()
        for odd in (None, [], "x", 10 ** 400, {"a": []}):
            push(bench, *((kind, dict.fromkeys(("step", "values", "epoch", "seconds", "cpu", "memory", "gpu"), odd))
                          for kind in ("metrics", "resources", "checkpoint")))
        push(bench, losses(3, 0.7))
        await state.refresh()
        assert state.curves.curves["train_loss"].steps.tolist() == [1, 3]
        assert state.checkpoint is None
        assert not [reading for reading in state.machine.cpu if reading == reading]

    assert run(main()) == []


def test_what_every_attempt_says_again_is_shown_once_and_the_log_says_where_one_goes_on() -> None:
    async def main() -> None:
        bench = FakeWorkbench()
        bench.runs.add(make_run())
        state = await looking_at(bench)
        for attempt in (1, 2):
            push(bench, ("started", {"attempt": attempt}), ("warning", {"text": "Not used: id.", "hint": ""}))
        await state.refresh()
        assert state.warnings == [("Not used: id.", "")]

    assert run(main()) == []
    assert log_line(Event(1, 0.0, "started", {"attempt": 2, "device": "cpu", "resumed_from": 30})).endswith(
        "attempt 2 began on cpu, from step 30\n")
