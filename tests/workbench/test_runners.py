"""Runners as the workbench knows them."""

from __future__ import annotations

import pytest

from mldesk.core.errors import Conflict, NotFound, RunnerUnreachable
from mldesk.workbench.orders import TrainOrder
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
