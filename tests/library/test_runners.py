"""Runners as the library remembers them, and runs that go from one to another."""

from __future__ import annotations

import pytest

from mldesk.core.errors import BadInput, Conflict, NotFound
from mldesk.library import Library
from mldesk.wire.states import JobState
from tests.library.conftest import STARTED, add_run, add_table, journal

STOPPED = ("interrupted", {"cause": "killed_external", "message": "It was stopped."})


def test_a_runner_is_kept_with_what_was_chosen_for_it(library: Library) -> None:
    added = library.runners.add("gpu", "ssh", "me@box:2222", options={"at_boot": "cron"}, added=5.0)
    assert (added.kind, added.address, added.options, added.added) == ("ssh", "me@box:2222", {"at_boot": "cron"}, 5.0)
    library.runners.set_options("gpu", {"at_boot": "systemd"})
    assert library.runners.get("gpu").options == {"at_boot": "systemd"}
    assert [record.name for record in library.runners.list()] == ["local", "gpu"]
    for name, wrong in (("gpu", Conflict), ("local", Conflict), ("a/b", BadInput)):
        with pytest.raises(wrong):
            library.runners.add(name, "ssh", "me@elsewhere")


def test_out_of_reach_is_counted_from_the_first_failure_and_ends_with_an_answer(library: Library) -> None:
    library.runners.add("gpu", "ssh", "me@box")
    library.runners.set_unreachable("gpu", 10.0, "It is off.")
    library.runners.set_unreachable("gpu", 20.0, "No way there.")
    record = library.runners.get("gpu")
    assert (record.unreachable, record.trouble) == (10.0, "No way there.")
    library.runners.set_reachable("gpu")
    assert (library.runners.get("gpu").unreachable, library.runners.get("gpu").trouble) == (None, "")
    library.runners.set_unreachable("gpu", 30.0, "It is off.")
    library.runners.set_facts("gpu", {"cores": 4}, 31.0)
    assert (library.runners.get("gpu").unreachable, library.runners.get("gpu").facts) == (None, {"cores": 4})


def test_this_machine_may_be_out_of_reach_as_well(library: Library) -> None:
    library.runners.set_unreachable("local", 10.0, "The agent cannot start.")
    assert library.runners.get("local").unreachable == 10.0
    library.runners.set_reachable("local")
    assert library.runners.get("local").unreachable is None


def test_an_answer_of_a_runner_that_was_never_in_trouble_writes_nothing(library: Library) -> None:
    library.runners.add("gpu", "ssh", "me@box")
    with Library.open(library.home) as other:
        token = other.change_token()
        library.runners.set_reachable("gpu")
        assert other.change_token() == token


def test_a_runner_that_is_not_there_has_no_trouble(library: Library) -> None:
    with pytest.raises(NotFound):
        library.runners.set_unreachable("gone", 1.0, "Off.")
    with pytest.raises(NotFound):
        library.runners.set_reachable("gone")


def test_an_interrupted_run_moves_once_and_waits_to_be_taken_over(library: Library) -> None:
    add_table(library)
    run = add_run(library)
    with pytest.raises(Conflict, match="cannot move: it is created"):
        library.runs.move(run.id, "gpu")
    library.runs.apply(run.id, journal(STARTED, STOPPED))
    library.runs.move(run.id, "gpu", checkpoint="a" * 64, message="Moved.")
    library.runs.move(run.id, "gpu")
    moved = library.runs.get(run.id)
    assert (moved.runner, moved.handover, moved.message) == ("gpu", {"from": "local", "checkpoint": "a" * 64}, "Moved.")
    with pytest.raises(Conflict, match="has yet to take it over"):
        library.runs.move(run.id, "third")
    library.runs.taken_over(run.id)
    library.runs.move(run.id, "third")
    assert library.runs.get(run.id).runner == "third"


def test_a_runner_that_does_not_know_a_run_any_more_cannot_lose_it_after_it_moved(library: Library) -> None:
    add_table(library)
    run = add_run(library)
    library.runs.apply(run.id, journal(STARTED, STOPPED))
    library.runs.move(run.id, "gpu")
    library.runs.mark_lost(run.id, "No trace of it.", "local")
    assert library.runs.get(run.id).state is JobState.INTERRUPTED
    library.runs.mark_lost(run.id, "No trace of it.", "gpu")
    assert library.runs.get(run.id).state is JobState.LOST
