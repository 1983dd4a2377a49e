"""Runners as the workbench knows them."""

from __future__ import annotations

import pytest

from mldesk.core.errors import Conflict, NotFound, RunnerUnreachable
from tests.workbench.stand_ins import Desk


def test_this_machine_is_always_there_and_keeps_its_facts(desk: Desk) -> None:
    assert [(runner.name, runner.seen) for runner in desk.runners.list()] == [("local", None)]
    checked = desk.runners.check("local")
    assert checked.facts["cores"] == 2
    assert desk.runners.show("local") == checked


def test_a_silent_runner_keeps_its_old_facts(desk: Desk) -> None:
    before = desk.runners.check("local")
    desk.runner.down = 1
    with pytest.raises(RunnerUnreachable):
        desk.runners.check("local")
    assert desk.runners.show("local") == before


def test_an_unknown_runner_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound) as missing:
        desk.runners.check("locl")
    assert missing.value.hint == "Did you mean 'local'?"


def test_only_this_machines_agent_is_ended_from_here(desk: Desk) -> None:
    with pytest.raises(Conflict):
        desk.runners.stop("local")
