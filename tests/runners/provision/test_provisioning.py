"""Provisioning as its callers use it, with a desktop that has a handful of tiny packages; and what a desktop has."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from mldesk.core.paths import Home
from mldesk.runners.provision import desktop, provisioning
from mldesk.runners.provision.boot import AtBoot
from mldesk.runners.provision.desktop import Desktop, NoWheels
from mldesk.runners.provision.execution import Exec
from mldesk.runners.provision.own_wheels import own_platform, own_python
from mldesk.runners.provision.plan import Way
from mldesk.runners.provision.torch_builds import BUILDS, CPU
from mldesk.runners.provision.training_plan import Source
from mldesk.runners.provision.wheelhouse import lock_for
from tests.runners.provision.boxes import program
from tests.runners.provision.test_install import box, files_below, home
from tests.runners.provision.wheels import torch, wheel

__all__ = ["box", "home"]  # fixtures
PACKAGES = (("tool", "1.0"), ("torch", "2.10.0"))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A library whose MLDesk trains with two packages, and has wheels of both."""
    place = Home(tmp_path / "desk").make()
    wheel(place.wheels, "tool")
    torch(place.wheels, 0).rename(place.wheels / "torch-2.10.0+cpu-py3-none-any.whl")
    monkeypatch.setattr(desktop, "own_packages", lambda: PACKAGES)
    monkeypatch.setattr(Desktop, "python", lambda _self: None)  # packing it takes long, and has tests of its own
    monkeypatch.setattr(Desktop, "_online", lambda _self: False)  # whatever this machine is
    monkeypatch.setattr(provisioning, "supply_of", partial(provisioning.supply_of, modules=("tool", "torch")))
    return place


def test_a_box_is_looked_at_made_a_runner_and_left_as_it_was(box: Exec, home: Path, desk: Home) -> None:
    before = files_below(home)
    prepared = provisioning.prepare(box, desk, internet_url="")
    assert prepared.new and prepared.plan.way is Way.SYSTEM and prepared.plan.training.source is Source.UPLOAD
    assert prepared.words[-1] == AtBoot.NEXT_CONNECT.value and any("For training" in line for line in prepared.words)
    assert files_below(home) == before

    told: list[tuple[float, str]] = []
    done = provisioning.carry_out(box, desk, prepared, report=lambda what, part: told.append((part, what)))
    assert done.trains and done.uploaded > 0 and done.at_boot is AtBoot.NEXT_CONNECT and not done.at_boot_problem
    assert {"Gathering the training packages", "Sending the training packages"} <= {what for _, what in told}
    assert [part for part, _ in told] == sorted(part for part, _ in told) and told[-1] == (1.0, "Done")

    again = provisioning.prepare(box, desk, upgrade=True, internet_url="")
    assert not again.new and again.plan.way is Way.EXISTING and again.plan.training.source is Source.THERE
    assert provisioning.carry_out(box, desk, again).uploaded == 0

    assert provisioning.take_away(box).left == ()
    assert files_below(home) == before


def test_an_agent_that_is_there_gets_what_it_trains_with_later(box: Exec, home: Path, desk: Home) -> None:
    (held := desk.wheels / "tool-1.0-py3-none-any.whl").rename(desk.root / "away")
    prepared = provisioning.prepare(box, desk, internet_url="")
    assert "cannot train yet" in prepared.plan.words
    assert not provisioning.carry_out(box, desk, prepared).trains
    (desk.root / "away").rename(held)
    prepared = provisioning.prepare(box, desk, internet_url="")
    assert prepared.plan.way is Way.EXISTING and prepared.plan.training.source is Source.UPLOAD
    assert provisioning.carry_out(box, desk, prepared).trains
    assert provisioning.take_away(box).left == ()
    assert files_below(home) == []


def test_a_box_whose_uv_finds_no_python_gets_one_in_another_way(
        box: Exec, home: Path, desk: Home, tmp_path: Path) -> None:
    program(tmp_path / "tools", "uv", 'mkdir -p "$UV_PYTHON_INSTALL_DIR/.temp"; echo no way >&2; exit 2')
    prepared = provisioning.prepare(box, desk, internet_url="")
    prepared = replace(prepared, plan=replace(prepared.plan, way=Way.UV))
    assert provisioning.carry_out(box, desk, prepared).trains
    assert "uv cannot fetch Python" in (home / ".mldesk/install.log").read_text()
    provisioning.take_away(box)
    assert files_below(home) == []


def test_what_a_removal_keeps_is_there_for_the_next_installation(box: Exec, home: Path, desk: Home) -> None:
    provisioning.carry_out(box, desk, provisioning.prepare(box, desk, internet_url=""))
    job = home / ".local/share/mldesk-runner/runner/jobs"
    assert job.is_dir()
    (job / "kept").touch()
    provisioning.take_away(box, keep_data=True)
    assert (job / "kept").exists() and not (home / ".mldesk").exists()


def test_wheels_that_are_not_there_are_downloaded_from_an_index_of_the_users_own(tmp_path: Path, desk: Home) -> None:
    index = tmp_path / "index"
    made = wheel(index / "other", "other", "1.0")
    (made.parent / "index.html").write_text(f'<a href="{made.name}">{made.name}</a>')
    lock = lock_for((("other", "1.0"), ("tool", "1.0")), CPU, (3, 12), "x86_64-glibc")
    here = Desktop(desk, index=f"file://{index}")
    assert [path.name for path in sorted(here.wheels(lock, lambda _part: None))] == [made.name,
                                                                                     "tool-1.0-py3-none-any.whl"]
    lock = lock_for((("absent", "1.0"),), CPU, (3, 12), "x86_64-glibc")
    with pytest.raises(NoWheels, match="absent"):
        here.wheels(lock, lambda _part: None)


def test_a_uv_on_the_path_is_offered_by_its_hash_and_a_script_of_that_name_is_not(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, desk: Home) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    program(tmp_path / "bin", "uv", "exec somewhere/else")
    assert Desktop(desk).uv() is None
    (tmp_path / "bin/uv").write_bytes(b"\x7fELF and more")
    found = Desktop(desk).uv()
    assert found is not None and found.digest == hashlib.sha256(b"\x7fELF and more").hexdigest()
    assert Desktop(desk).offer().uv == {own_platform(): found.size}


def test_what_this_desktop_would_download_first_is_offered_to_a_box_that_cannot(
        desk: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    cards = lock_for(PACKAGES, BUILDS[0], tuple(map(int, own_python().split("."))), own_platform()).key
    monkeypatch.setattr(Desktop, "_online", lambda _self: True)
    assert Desktop(desk).offer(fetches=True).training.wheels[cards].fetched
    assert cards not in Desktop(desk).offer().training.wheels
    monkeypatch.setattr(Desktop, "_online", lambda _self: False)
    assert cards not in Desktop(desk).offer(fetches=True).training.wheels


def test_the_desktops_python_is_packed_once(tmp_path: Path) -> None:
    place = Home(tmp_path)
    first = Desktop(place).python()
    assert first is not None
    before = first.archive.path.stat()
    second = Desktop(place).python()
    assert second == first and os.stat(first.archive.path).st_ino == before.st_ino
    assert second.archive.digest == hashlib.sha256(first.archive.path.read_bytes()).hexdigest()
