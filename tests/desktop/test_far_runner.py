"""A real box, a user of its own behind a real sshd, becomes a runner in the window, trains, and is removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from mldesk.desktop.pages.runners.add_runner_dialog import AddRunnerDialog
from mldesk.desktop.pages.runs.train_dialog import TrainDialog
from mldesk.desktop.states.add_runner import Step
from mldesk.desktop.tasks import in_thread
from mldesk.runners.provision import provisioning
from mldesk.runners.provision.desktop import Desktop
from mldesk.runners.provision.execution import Exec
from mldesk.runners.provision.probe import HostFacts, probe
from mldesk.runners.provision.training_plan import TrainingOffer
from mldesk.wire.states import JobState
from tests.cli.conftest import make_table
from tests.cli.far_box import FarBox, usable
from tests.desktop.scripted_user import User, dialogs, play
from tests.runners.ssh.box import make_key

pytestmark = pytest.mark.skipif(not usable(), reason="needs root, sshd and a system's Python to play the box")


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FarBox]:
    """A box that knows no way to the internet, for a desk that has no packages to train with for it."""
    def look(there: Exec, _url: str) -> HostFacts:
        facts = probe(there, "")
        return replace(facts, pythons=tuple(item for item in facts.pythons if item.path.startswith("/usr/bin/")))

    monkeypatch.setattr(provisioning, "probe", look)
    monkeypatch.setattr(Desktop, "python", lambda _self: None)
    monkeypatch.setattr(Desktop, "_training", lambda *_given, **_named: TrainingOffer())
    made = FarBox()
    ssh = tmp_path / "user" / ".ssh"
    ssh.mkdir(mode=0o700, parents=True)
    make_key(ssh / "id_ed25519", "ed25519")
    made.sshd.allow(ssh / "id_ed25519.pub")
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    yield made
    made.close()


def test_a_bare_box_becomes_a_runner_trains_and_is_removed_in_the_window(box: FarBox, tmp_path: Path,
                                                                         qtbot: QtBot) -> None:
    before = box.left()

    async def script(user: User) -> None:
        main = user.window
        await user.until(lambda: main.desk.ready.value, "the library")
        user.drop(make_table(tmp_path / "shop.csv"))
        await user.until(main.dataset_page, "the dataset")
        await add(user, box)
        assert box.left() != before
        run = await train(user)
        assert run.runner == "far"
        await look_and_remove(user)

    play(tmp_path / "home", script, patience=60, meet_machine=False)
    assert box.left() == before


async def add(user: User, box: FarBox) -> None:
    """Paste the address, compare the key, agree to the plan."""
    user.window.add_runner()
    dialog: Any = await user.until(
        lambda: next((item for item in dialogs() if isinstance(item, AddRunnerDialog)), None), "the dialog")
    user_, _, port = box.address.rpartition("@")
    dialog.where.address.setText(f"ssh -p {port.rpartition(':')[2]} {user_}@127.0.0.1")
    dialog.where.name.setText("far")
    await user.press("Connect")
    await user.until(lambda: dialog.state.step.value is Step.KEY or dialog.state.problem.value, "the key")
    assert dialog.key.fingerprint.text() in box.fingerprints, dialog.state.problem.value
    await user.press("Accept this key")
    await user.until(lambda: dialog.state.step.value is Step.PLAN or dialog.state.problem.value, "the plan")
    assert any("/usr/bin/python3" in line for line in dialog.state.preparation.words), dialog.state.problem.value
    await user.press("Set it up")
    await user.until(lambda: dialog.state.step.value is Step.DONE or dialog.state.problem.value, "the end")
    assert dialog.state.record is not None, dialog.state.problem.value
    await in_thread(box.can_train)
    await in_thread(user.window.desk.workbench.runners.check, "far")  # its own word counts, once it was asked again
    await user.press("Train on it…")


async def train(user: User) -> Any:
    """Train on the runner that was just added, and watch."""
    main = user.window
    dialog: Any = await user.until(
        lambda: next((item for item in dialogs() if isinstance(item, TrainDialog)), None), "the Train dialog")
    await user.until(lambda: dialog.runners.choice.value() == "far", "the runner to be chosen")
    dialog.target.set_value("grade")
    await user.until(lambda: dialog.state.estimates.value, "the estimates")
    assert {estimate.name: estimate.reachable for estimate in dialog.state.estimates.value}["far"]
    await user.press("Train")
    page = await user.until(main.run_page, "the run page")
    await user.until(lambda: page.state.run.value and page.state.run.value.state.ended, "its end")
    run = page.state.run.value
    assert run.state is JobState.SUCCEEDED, run.message
    assert page._where.text == "far"
    return run


async def look_and_remove(user: User) -> None:
    """Look at the runner's page, then take everything away again."""
    main = user.window
    main.open_runner("far")
    page = main._seen("runners", "RunnerPage")
    await user.until(lambda: page._badge.text == "Connected" and page.state.telemetry.after > 1, "its load")
    page.tabs.set_value("log")
    await user.until(lambda: page.state.log.value, "its log")
    page.remove()
    (dialog,) = dialogs()
    await user.press("Remove")
    await user.until(lambda: not dialogs() or dialog._error_text.text(), "it to be removed")
    assert not dialogs(), dialog._error_text.text()
    await user.until(lambda: main._seen("runners", "RunnersPage"), "the list")
