"""The ladder as a table: what is decided for which box, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mldesk.runners.provision.plan import CannotProvision, Offer, Plan, Way, make_plan
from mldesk.runners.provision.probe import Folder, Gpu, HostFacts, Install, Python
from mldesk.runners.provision.torch_builds import UnknownDriver, torch_build
from tests.runners.provision.boxes import BOX, GB, H200, OFFER, PYTHON, RUNTIME, box

SENDS = replace(OFFER, runtimes={"x86_64-glibc": RUNTIME})
HAS_UV = BOX.tools | {"uv"}


@pytest.mark.parametrize(("facts", "offer", "way"), [
    (box(installs=(Install("0.2.0-abc", (1, 1), "3.12.3"),), current="0.2.0-abc"), OFFER, Way.EXISTING),
    (box(installs=(Install("0.2.0-abc", (1, 1), "3.12.3"),), pythons=(PYTHON,)), OFFER, Way.SYSTEM),
    (box(installs=(Install("old", (1, 1), "3.12.3"),), current="old", pythons=(PYTHON,)), OFFER, Way.EXISTING),
    (box(installs=(Install("old", (9, 9), "3.12.3"),), current="old", pythons=(PYTHON,)), OFFER, Way.SYSTEM),
    (box(internet=True, tools=HAS_UV, pythons=(PYTHON,)), SENDS, Way.UV),
    (box(internet=True), replace(SENDS, uv={"x86_64-glibc": 17_000_000}), Way.UV),
    (box(internet=True), SENDS, Way.UPLOAD),
    (box(internet=False, tools=HAS_UV), SENDS, Way.UPLOAD),
    (box(pythons=(PYTHON,)), SENDS, Way.UPLOAD),
    (box(pythons=(PYTHON,)), OFFER, Way.SYSTEM),
    (box(pythons=(PYTHON,), libc_version=(2, 12)), SENDS, Way.SYSTEM),
    (box(pythons=(PYTHON,), arch="aarch64"), SENDS, Way.SYSTEM),
    (box(pythons=(PYTHON,), libc="musl", libc_version=()), SENDS, Way.SYSTEM),
    (box(pythons=(PYTHON,), tools=frozenset()), SENDS, Way.SYSTEM),
])
def test_the_highest_rung_that_holds_is_taken(facts: HostFacts, offer: Offer, way: Way) -> None:
    assert make_plan(facts, offer).way is way


@pytest.mark.parametrize(("facts", "said"), [
    (box(os="Darwin"), "Darwin"),
    (box(arch="riscv64"), "riscv64"),
    (box(gpu_problem="its driver does not work: NVML mismatch"), "NVML mismatch"),
    (box(pythons=(PYTHON,), home=Folder("/home/user", GB, "nfs", "noexec")), "noexec"),
    (box(pythons=(PYTHON,), home=Folder("/home/user", GB, "nfs", "unwritable")), "unwritable"),
    (box(pythons=(PYTHON,), home=Folder("/home/user", 10_000_000, "ext4", "ok")), "10.0 MB are free"),
    (box(), "no Python"),
    (box(pythons=(replace(PYTHON, version=(3, 9, 2)),)), "3.9.2"),
    (box(pythons=(replace(PYTHON, venv=False),)), "without venv"),
    (box(pythons=(replace(PYTHON, version=(3, 14, 0)),)), "3.14.0"),
    (box(pythons=(Python((3, 11, 2), "/usr/bin/pypy3", True, 64, "pypy"),)), "Python"),
])
def test_a_box_that_cannot_be_one_is_refused_with_the_reason_and_what_to_do(facts: HostFacts, said: str) -> None:
    with pytest.raises(CannotProvision) as refused:
        make_plan(facts, OFFER)
    assert said in str(refused.value)
    assert refused.value.hint.endswith(".")


def test_a_refusal_names_every_way_that_was_tried() -> None:
    with pytest.raises(CannotProvision) as refused:
        make_plan(box(libc_version=(2, 12)), SENDS)
    assert len(refused.value.reasons) == 4
    assert any("glibc 2.12 is older than the 2.17" in reason for reason in refused.value.reasons)


def test_a_box_with_a_broken_card_is_taken_without_it_when_the_user_says_so() -> None:
    plan = make_plan(box(gpu_problem="NVML mismatch", pythons=(PYTHON,), internet=True), OFFER, processor_only=True)
    assert plan.training.torch.name == "cpu"
    assert "Its graphics cards are left alone, as you asked." in plan.notes


@pytest.mark.parametrize(("driver", "name"), [
    ("580.65.06", "cu130"), ("590.1", "cu130"), ("575.57.08", "cu128"), ("570.0", "cu128"), ("535.129.03", "cu126")])
def test_the_build_of_torch_follows_from_the_driver(driver: str, name: str) -> None:
    assert torch_build((replace(H200, driver=driver),)).name == name


@pytest.mark.parametrize("driver", ["470.82.01", "unknown", "[N/A]", "5800", "580", "580.65; rm"])
def test_a_driver_that_says_nothing_useful_is_not_guessed_about(driver: str) -> None:
    with pytest.raises(UnknownDriver):
        torch_build((replace(H200, driver=driver),))
    with pytest.raises(UnknownDriver):
        torch_build((H200, Gpu("other", 1, driver)))


def test_a_box_with_another_agent_is_upgraded_only_when_asked() -> None:
    facts = box(installs=(Install("old", (1, 1), "3.12.3"),), current="old", pythons=(PYTHON,))
    assert make_plan(facts, OFFER).way is Way.EXISTING
    assert make_plan(facts, OFFER, upgrade=True).way is Way.SYSTEM
    own = replace(facts, installs=(Install(OFFER.build, (1, 1), "3.12.3"),), current=OFFER.build)
    assert make_plan(own, OFFER, upgrade=True).way is Way.EXISTING


def test_the_plan_reads_as_sentences_with_sizes() -> None:
    plan: Plan = make_plan(box(), SENDS)
    assert plan.words.splitlines()[:2] == [
        "Install MLDesk 0.2.0-abc with Python 3.12.11, both sent from here; the machine needs no internet.",
        "This will upload 35.4 MB, and take 112 MB of its disk in ~/.mldesk."]
    again = make_plan(box(runtimes=frozenset({RUNTIME.digest[:16]})), SENDS)
    assert again.upload == OFFER.payload


@pytest.mark.parametrize(("facts", "said"), [
    ({"logout_kills": True}, True), ({"logout_kills": True, "linger": True}, False), ({}, False)])
def test_a_machine_that_ends_what_a_user_runs_at_logout_is_named(facts: dict[str, Any], said: bool) -> None:
    plan = make_plan(box(pythons=(PYTHON,), **facts), OFFER)
    assert any("loginctl enable-linger" in note for note in plan.notes) is said


def test_a_home_on_a_network_disk_is_mentioned() -> None:
    plan = make_plan(box(pythons=(PYTHON,), home=Folder("/nfs/user", 99 * GB, "nfs4", "ok")), OFFER)
    assert any("network file system" in note for note in plan.notes)
