"""Runners as the workbench knows them."""

from __future__ import annotations

import pytest

from mldesk.core.clock import SystemClock
from mldesk.core.errors import Conflict, NotFound, RunnerUnreachable
from mldesk.library import Library
from mldesk.library.secrets import SecretStore
from mldesk.wire.runner_view import QueueView, Slot, Waiting
from mldesk.workbench.access import Access
from mldesk.workbench.credentials import KeptSecrets
from mldesk.workbench.orders import TrainOrder
from mldesk.workbench.runner_setup import RunnerSetup
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


class TestRemoving:
    """What keeps a runner from being removed. That it leaves no trace is tested on a real box."""

    @pytest.fixture
    def far(self, desk: Desk) -> Desk:
        desk.library.runners.add("far", "ssh", "me@far")
        return desk

    def test_a_run_that_is_not_done_there(self, far: Desk) -> None:
        run = far.runs.start(TrainOrder("shop", "grade", runner="far"))
        with pytest.raises(Conflict, match=f"{run.name} is not done there yet") as busy:
            far.runners.remove("far")
        assert (busy.value.code, "mldesk runs move" in busy.value.hint) == ("install_busy", True)

    def test_a_job_of_somebody_else(self, far: Desk) -> None:
        far.runner.view = QueueView((Waiting("1" * 26, "theirs", 0, 1, ""),), (Slot("cpu", 0, "", 0, "2" * 26),),
                                    draining=False, quiet=False)
        with pytest.raises(Conflict, match="a job of another MLDesk, theirs are not done there yet"):
            far.runners.remove("far")

    def test_a_table_whose_rows_are_there_only(self, far: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(far.library.runs), "importer", lambda _self, _manifest: "far")
        monkeypatch.setattr("mldesk.workbench.runners.is_here", lambda _library, _manifest: False)
        with pytest.raises(Conflict, match="the data of shop@1 are on the runner far only"):
            far.runners.remove("far")

    def test_a_runner_that_gives_no_answer(self, far: Desk) -> None:
        far.runner.down = 1
        with pytest.raises(RunnerUnreachable):
            far.runners.remove("far")
        assert far.runners.show("far").trouble == "No answer."
        far.runners.forget("far")
        assert [record.name for record in far.runners.list()] == ["local"]


def test_two_programs_of_one_library_do_not_work_on_one_machine_at_once(desk: Desk) -> None:
    access = Access(desk.library.home, KeptSecrets(SecretStore(desk.library.home.vault)))
    one, other = RunnerSetup(desk.library, access), RunnerSetup(desk.library, access)
    with one._alone("me@box"):
        with pytest.raises(Conflict, match="at work on me@box just now"), other._alone("me@box"):
            pass
        with other._alone("me@elsewhere"):
            pass
    with other._alone("me@box"):
        pass
