"""The training environment on a real box, through the steps of a real installation, with tiny packages."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from mldesk.core.errors import RunnerUnreachable
from mldesk.runners.provision.environment import Supply, install_training
from mldesk.runners.provision.execution import Exec
from mldesk.runners.provision.install import AGENT, Installed, InstallFailed, install, uninstall
from mldesk.runners.provision.package import Payload, build_payload
from mldesk.runners.provision.plan import Offer, Plan, make_plan
from mldesk.runners.provision.progress import Progress
from mldesk.runners.provision.steps import Steps
from mldesk.runners.provision.torch_builds import BUILDS, CPU
from mldesk.runners.provision.training_plan import Source, Training, TrainingOffer, Wheels
from mldesk.runners.provision.wheelhouse import lock_for
from tests.runners.provision.test_install import Cut, box, facts_of, files_below, home
from tests.runners.provision.wheels import torch, wheel

__all__ = ["box", "home"]  # fixtures


@pytest.fixture(scope="module")
def payload() -> Payload:
    return build_payload()


@dataclass
class Desk:
    """A desktop that has tiny wheels for a box."""

    box: Exec
    payload: Payload
    folder: Path

    def plan(self, tool: str = "1.0") -> Plan:
        facts, packages = facts_of(self.box), (("tool", tool), ("torch", "2.10.0"))
        lock = lock_for(packages, CPU, facts.pythons[0].version, "x86_64-glibc")
        return make_plan(facts, Offer(self.payload.build, len(self.payload.data), self.payload.installed,
                                      training=TrainingOffer(packages, {lock.key: Wheels(1000, 2000, exact=True)})),
                         upgrade=True)

    def supply(self, tool: str = "1.0", cards: int = 0) -> Supply:
        wheels = [wheel(self.folder, "tool", tool), torch(self.folder, cards)]
        return Supply(wheels, modules=("tool", "torch"))

    def set_up(self, tool: str = "1.0", *, box: Exec | None = None, told: list[float] | None = None) -> Installed:
        report = None if told is None else lambda _what, part: told.append(part)
        return install(box or self.box, facts_of(self.box), self.plan(tool), self.payload, token="me",
                       supply=self.supply(tool), report=report)


@pytest.fixture
def desk(box: Exec, tmp_path: Path, payload: Payload) -> Desk:
    return Desk(box, payload, tmp_path / "wheels")


def trainer(home: Path) -> str:
    [command] = json.loads((home / ".mldesk/trainer").read_text())
    return str(command)


def test_a_box_gets_an_environment_that_was_tried_and_leaves_no_trace_of_it(desk: Desk, home: Path) -> None:
    before, told = files_below(home), []
    done = desk.set_up(told=told)
    assert json.loads(done.training)["torch"] == "2.10.0"
    assert told == sorted(told) and (told[0], told[-1]) == (0.0, 1.0)
    facts = facts_of(desk.box)
    assert [item.torch for item in facts.environments] == ["cpu"] and facts.trainer == facts.environments[0].key
    assert Path(trainer(home)).is_relative_to(home / f".mldesk/environments/{facts.trainer}")
    assert not list((home / ".mldesk").rglob("*.whl")) and not (home / ".mldesk/incoming").exists()
    code = (home / ".mldesk/current").resolve() / "lib"
    script = "import mldesk, sys, tool; print(mldesk.__file__); print(sys._xoptions)"
    asked = subprocess.run([trainer(home), "--try"], text=True, capture_output=True, check=True, input=script,
                           env={"PATH": "/usr/bin:/bin"})
    assert asked.stdout.splitlines() == [f"{code}/mldesk/__init__.py", f"{{'mldesk': '{code}'}}"]  # as a sweep sees it
    assert uninstall(desk.box, data=True).left == ()
    assert files_below(home) == before


def test_a_running_agent_takes_the_environment_up(desk: Desk, home: Path) -> None:
    install(desk.box, facts_of(desk.box), desk.plan(), desk.payload, token="me")  # the agent only
    assert not (home / ".mldesk/trainer").exists()
    assert desk.box.run(f"{AGENT} start").status == 0
    said = "for file in /proc/[0-9]*/environ; do tr '\\0' '\\n' <$file 2>/dev/null; done"
    assert b"MLDESK_TRAINS=0" in desk.box.run(said).stdout
    desk.set_up()
    lines = desk.box.run(said).stdout
    assert f'MLDESK_TRAINER=["{trainer(home)}"]'.encode() in lines


def test_an_installation_that_is_cut_anywhere_goes_on_and_sends_nothing_twice(desk: Desk) -> None:
    cuts, done = 0, None
    while done is None:
        try:
            done = desk.set_up(box=Cut(desk.box, 2 + 7 * cuts))
        except RunnerUnreachable:
            cuts += 1
    assert cuts > 2 and facts_of(desk.box).trainer
    assert desk.set_up().uploaded == 0


def test_another_set_of_packages_sends_only_what_is_new_and_the_old_one_goes_when_unused(
        desk: Desk, home: Path) -> None:
    desk.set_up()
    old = facts_of(desk.box).trainer
    runs = subprocess.Popen([trainer(home), "--try"], stdin=subprocess.PIPE)  # a job of the old one
    try:
        done = desk.set_up("1.1")
        facts = facts_of(desk.box)
        assert facts.trainer != old and {item.key for item in facts.environments} == {old, facts.trainer}
        assert 0 < done.uploaded < 2 * (desk.folder / "tool-1.1-py3-none-any.whl").stat().st_size
    finally:
        runs.communicate(b"")
    desk.set_up("1.2")
    assert len(facts_of(desk.box).environments) == 1
    assert uninstall(desk.box, data=True).left == ()


def test_an_environment_that_does_not_work_is_not_taken_into_use(desk: Desk, home: Path) -> None:
    desk.set_up()
    before = trainer(home)
    wheel(desk.folder, "broken", "2.0", {"tool/__init__.py": "raise ImportError('no libwhatever.so.1')"})
    broken = Supply([desk.folder / "broken-2.0-py3-none-any.whl"], modules=("tool",))
    with pytest.raises(InstallFailed, match=r"it cannot train here: tool cannot be loaded: no libwhatever\.so\.1"):
        install(desk.box, facts_of(desk.box), desk.plan("2.0"), desk.payload, token="me", supply=broken)
    assert trainer(home) == before and len(facts_of(desk.box).environments) == 1
    assert not (home / ".mldesk/lock").exists()


@pytest.mark.parametrize(("seen", "said"), [
    (0, "torch 2.10.0 sees 0 graphics cards there, and the probe saw 2: Found no NVIDIA"), (1, "sees 1"), (2, "")])
def test_a_build_for_cards_must_see_every_card_or_is_refused(desk: Desk, seen: int, said: str) -> None:
    plan = desk.plan()
    install(desk.box, facts_of(desk.box), plan, desk.payload, token="me")
    training = Training(Source.UPLOAD, BUILDS[0], plan.training.lock, "")
    work = Steps(desk.box, "me", plan.build)
    with work.locked():
        if said:
            with pytest.raises(InstallFailed, match=said):
                install_training(work, training, desk.supply(cards=seen), 2, Progress([], None))
        else:
            _, tried = install_training(work, training, desk.supply(cards=seen), 2, Progress([], None))
            assert json.loads(tried)["cards"] == 2
    assert len(facts_of(desk.box).environments) == (0 if said else 1)


def test_pip_that_is_sent_fetches_the_packages_from_an_index_of_the_users_own(desk: Desk, home: Path) -> None:
    from mldesk.core.paths import Home
    from mldesk.runners.provision.desktop import Desktop

    index = desk.folder / "index"
    for path in (wheel(index / "tool", "tool"), torch(index / "torch", 0)):
        (path.parent / "index.html").write_text(f'<a href="{path.name}">{path.name}</a>')
    plan = desk.plan()
    lock = replace(plan.training.lock, packages=(("tool", "1.0"), ("torch", "2.10.0")))
    plan = replace(plan, training=replace(plan.training, source=Source.DOWNLOAD, lock=lock))
    desktop = Desktop(Home(desk.folder / "home"), index=f"file://{index}")
    supply = Supply(pip=desktop.pip(), index=desktop.index, modules=("tool", "torch"))
    done = install(desk.box, facts_of(desk.box), plan, desk.payload, token="me", supply=supply)
    assert json.loads(done.training)["torch"] == "2.10.0"
    assert uninstall(desk.box, data=True).left == ()
    assert files_below(home) == []
