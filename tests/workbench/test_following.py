"""Whoever follows a run, whenever, sees every event exactly once; silence is never failure."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from mldesk.core.errors import BadInput, Conflict, DiskFull, NotFound, RunnerUnreachable
from mldesk.wire.states import JobState
from mldesk.workbench import following
from mldesk.workbench.orders import TrainOrder
from tests.workbench.stand_ins import Desk

ORDER = TrainOrder("shop", "grade", name="first")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FIRST_PAUSE", 0.001)


def test_a_run_is_written_down_submitted_and_followed_to_its_model(desk: Desk) -> None:
    run = desk.runs.start(ORDER)
    assert (run.state, run.name, run.dataset, run.estimator) == (JobState.QUEUED, "first", "shop@1", "lightgbm")
    desk.finish_job(run.id, accuracy=0.9)
    events = list(desk.runs.follow(run.id))
    assert [event.seq for event in events] == list(range(1, 6))
    done = desk.runs.get("first")
    assert (done.state, done.model) == (JobState.SUCCEEDED, "shop-grade@1")
    assert desk.runs.active() == []


def test_two_followers_at_once_each_see_every_event_once(desk: Desk) -> None:
    run = desk.runs.start(ORDER)
    for step in range(1, 3001):
        desk.runner.say(run.id, "metrics", step=step, epoch=None, seconds=0.0, values={"train_loss": 1.0})
    desk.finish_job(run.id)
    seen: list[list[int]] = [[], [], []]
    threads = [threading.Thread(target=lambda into=into: into.extend(
        event.seq for event in desk.runs.follow(run.id))) for into in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [list(range(1, 3006))] * 3


def test_a_follower_that_comes_later_begins_where_it_wants(desk: Desk) -> None:
    run = desk.runs.start(ORDER)
    desk.finish_job(run.id)
    list(desk.runs.follow(run.id))
    assert [event.seq for event in desk.runs.follow(run.id, 3)] == [4, 5]
    assert list(desk.runs.follow(run.id, 5)) == []


def test_an_unreachable_runner_is_reported_and_asked_again(desk: Desk) -> None:
    run = desk.runs.start(ORDER)
    desk.finish_job(run.id)
    desk.runner.down = 3
    troubles: list[str | None] = []
    assert len(list(desk.runs.follow(run.id, trouble=troubles.append))) == 5
    assert troubles == ["No answer."] * 3 + [None]
    assert desk.runs.get(run.id).state is JobState.SUCCEEDED


def test_following_stops_when_it_is_told_to(desk: Desk) -> None:
    run = desk.runs.start(ORDER)
    assert len(list(desk.runs.follow(run.id, stop=lambda: True))) <= 1
    assert not desk.runs.get(run.id).state.ended


def test_a_job_that_its_runner_does_not_know_is_lost(desk: Desk) -> None:
    run = desk.runs.start(ORDER)
    desk.runner.journals.clear()
    assert list(desk.runs.follow(run.id)) == []
    assert desk.runs.get(run.id).state is JobState.LOST


@pytest.mark.parametrize("priority", [0, 5])
def test_a_run_whose_submit_never_arrived_is_submitted_by_the_next_follower(desk: Desk, priority: int) -> None:
    desk.runner.down = 1
    with pytest.raises(RunnerUnreachable, match=r"No answer\."):
        desk.runs.start(replace(ORDER, priority=priority))
    (run,) = desk.runs.list()
    assert (run.state, run.id in desk.runner.specs) == (JobState.CREATED, False)
    assert desk.runs.refresh() == []
    assert desk.runs.get(run.id).state is JobState.QUEUED
    assert desk.runner.priorities[run.id] == priority
    assert desk.runner.specs[run.id].digest == desk.runner.specs[run.id].from_json(run.spec).digest


@pytest.mark.parametrize("refusal", [BadInput("Not here."), DiskFull("Full.")])
def test_a_job_that_was_refused_has_failed_with_the_reason(desk: Desk, refusal: Exception) -> None:
    desk.runner.refusal = refusal
    with pytest.raises(type(refusal)):
        desk.runs.start(ORDER)
    (run,) = desk.runs.list()
    assert (run.state, run.message) == (JobState.FAILED, str(refusal))


def test_refresh_brings_in_what_nobody_watched_and_names_who_is_silent(desk: Desk) -> None:
    run = desk.runs.start(ORDER)
    desk.finish_job(run.id)
    desk.runner.down = 1
    assert desk.runs.refresh() == ["No answer."]
    assert desk.runs.refresh() == []
    assert desk.runs.list()[0].model == "shop-grade@1"


def test_an_interrupted_run_ends_following_and_goes_on_after_resume(desk: Desk) -> None:
    run = desk.runs.start(ORDER)
    desk.runner.say(run.id, "started", attempt=1, pid=1, host="h", device="cpu", resumed_from=None)
    desk.runner.say(run.id, "interrupted", cause="killed_external", message="Killed.", hint="")
    assert len(list(desk.runs.follow(run.id))) == 3
    assert desk.runs.get(run.id).state is JobState.INTERRUPTED
    assert desk.runs.resume(run.id).state is JobState.QUEUED
    desk.finish_job(run.id)
    assert [event.seq for event in desk.runs.follow(run.id, 3)] == list(range(4, 9))
    with pytest.raises(Conflict, match="only an interrupted run"):
        desk.runs.resume(run.id)


def test_cancel_and_finish_reach_the_runner_and_refuse_what_has_ended(desk: Desk) -> None:
    run = desk.runs.start(ORDER)
    assert desk.runs.finish(run.id).state is JobState.STOPPING
    assert desk.runs.cancel(run.id).state is JobState.CANCELLED
    for command in (desk.runs.cancel, desk.runs.finish):
        with pytest.raises(Conflict, match="was cancelled"):
            command(run.id)
    assert desk.runner.commands == ["finish", "cancel"]


def test_a_run_is_found_by_id_start_of_id_and_name_else_not(desk: Desk) -> None:
    run = desk.runs.start(ORDER)
    assert {desk.runs.get(word).id for word in (run.id, run.id[:20], "first")} == {run.id}
    with pytest.raises(NotFound) as missing:
        desk.runs.get("frist")
    assert missing.value.hint == "Did you mean 'first'?"


def test_the_trainers_output_is_read_from_an_offset(desk: Desk) -> None:
    run = desk.runs.start(ORDER)
    assert desk.runs.log(run.id, 11) == (b"the trainer", 22)
