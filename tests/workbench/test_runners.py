"""Runners as the workbench knows them."""

from __future__ import annotations

import pytest

from mldesk.core.clock import SystemClock
from mldesk.core.errors import Conflict, NotFound, RunnerUnreachable
from mldesk.library import Library
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.runners import RunnerService
from tests.workbench.stand_ins import Desk


def test_this_machine_is_always_there_and_keeps_its_facts(desk: Desk) -> None:
    assert [(runner.name, runner.seen) for runner in desk.runners.list()] == [("local", None)]
    checked = desk.runners.check("local")
    assert checked.facts["cores"] == 2
    assert desk.runners.show("local") == checked


def test_a_silent_runner_keeps_its_old_facts_and_is_noted_until_it_answers(desk: Desk) -> None:
    before = desk.runners.check("local")
    desk.runner.down = 2
    for _ in range(2):
        with pytest.raises(RunnerUnreachable):
            desk.runners.check("local")
    silent = desk.runners.show("local")
    assert (silent.facts, silent.seen, silent.trouble) == (before.facts, before.seen, "No answer.")
    assert silent.unreachable is not None
    run = desk.runs.start(TrainOrder("shop", "grade"))
    assert desk.runs.refresh(run.id) == []
    assert (desk.runners.show("local").unreachable, desk.runners.show("local").trouble) == (None, "")


def test_an_unknown_runner_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound) as missing:
        desk.runners.check("locl")
    assert missing.value.hint == "Did you mean 'local'?"


def test_only_this_machines_agent_is_ended_from_here(desk: Desk) -> None:
    with pytest.raises(Conflict):
        desk.runners.stop("local")


def test_every_face_sees_since_when_a_runner_is_out_of_reach_and_any_answer_ends_it(desk: Desk) -> None:
    with Library.open(desk.library.home) as library:
        other = RunnerService(library, desk._connect, SystemClock())
        desk.runner.down = 1
        with pytest.raises(RunnerUnreachable):
            desk.runners.queue("local")
        since = desk.runners.show("local").unreachable
        assert since is not None
        assert (other.show("local").unreachable, other.show("local").trouble) == (since, "No answer.")
        other.queue("local")
        assert desk.runners.show("local").unreachable is None
        other.close()


def test_an_answer_that_is_a_refusal_is_an_answer(desk: Desk) -> None:
    desk.runner.down = 1
    with pytest.raises(RunnerUnreachable):
        desk.runners.queue("local")
    with pytest.raises(NotFound), desk.runners.asking("local") as client:
        client.events("0" * 26, 0)
    assert desk.runners.show("local").unreachable is None


def test_this_machine_is_neither_upgraded_nor_removed_nor_forgotten(desk: Desk) -> None:
    for unmake in (desk.runners.upgrade, desk.runners.remove, desk.runners.forget):
        with pytest.raises(Conflict, match="is this machine"):
            unmake("local")


@pytest.mark.parametrize(("name", "wrong"), [("local", "already"), ("any", "any of them"), ("any:24GB", "any of them")])
def test_a_new_runner_needs_a_name_of_its_own(desk: Desk, name: str, wrong: str) -> None:
    with pytest.raises(Conflict, match=wrong):
        desk.runners.check_new(name, "me@box")


def test_a_machine_is_one_runner_only(desk: Desk) -> None:
    desk.library.runners.add("box", "ssh", "me@box:22")
    with pytest.raises(Conflict, match="is a runner already: box"):
        desk.runners.check_new("again", "ssh://me@box:22")
    assert desk.runners.check_new("other", "you@box:22") == "other"
