"""Where the packages that train come from, as a table: which source for which box, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mldesk.runners.provision.plan import Plan, make_plan
from mldesk.runners.provision.probe import Environment, Folder, Gpu, HostFacts, Install
from mldesk.runners.provision.torch_builds import BUILDS, CPU, TorchBuild
from mldesk.runners.provision.training_plan import Source, TrainingOffer, Wheels
from mldesk.runners.provision.wheelhouse import lock_for
from tests.runners.provision.boxes import GB, H200, OFFER, PACKAGES, PYTHON, box

OLD_CARD = Gpu("Tesla", 16 * GB, "535.129.03")


def key(torch: TorchBuild = CPU) -> str:
    return lock_for(PACKAGES, torch, (3, 12), "x86_64-glibc").key


HELD = TrainingOffer(PACKAGES, {key(): Wheels(300_000_000, 980_000_000, exact=True)}, pip=1_000_000)
CUDA = replace(HELD, wheels={key(BUILDS[0]): Wheels(2_500_000_000, 5_000_000_000, exact=False)})
LACKS = replace(HELD, wheels={})
INSTALLED = {"installs": (Install("0.2.0-abc", (1, 1), "3.12.3"),), "current": "0.2.0-abc", "pythons": (PYTHON,)}


def planned(facts: HostFacts, offer: TrainingOffer, *, processor_only: bool = False, upgrade: bool = False) -> Plan:
    return make_plan(facts, replace(OFFER, training=offer), processor_only=processor_only, upgrade=upgrade)


@pytest.mark.parametrize(("facts", "offer", "source", "said"), [
    (box(pythons=(PYTHON,)), HELD, Source.UPLOAD, "upload 300 MB, 980 MB of its disk"),
    (box(pythons=(PYTHON,), internet=True), HELD, Source.UPLOAD, "upload 300 MB"),
    (box(pythons=(PYTHON,), internet=True), LACKS, Source.DOWNLOAD, "about 2.4 GB"),
    (box(pythons=(PYTHON,), internet=True), replace(HELD, index=True), Source.DOWNLOAD, "about 550 MB"),
    (box(pythons=(PYTHON,), internet=True, gpus=(H200,)), CUDA, Source.DOWNLOAD, "torch for CUDA 13.0"),
    (box(pythons=(PYTHON,), gpus=(H200,)), CUDA, Source.UPLOAD, "upload about 2.5 GB"),
    (box(pythons=(PYTHON,), internet=True, gpus=(OLD_CARD,)), LACKS, Source.NONE, "no torch for CUDA 12.6"),
    (box(pythons=(PYTHON,), internet=True, gpus=(OLD_CARD,)), replace(LACKS, index=True), Source.DOWNLOAD, "12.6"),
    (box(pythons=(PYTHON,)), LACKS, Source.NONE, "holds no wheels of torch for the processor"),
    (box(pythons=(PYTHON,), gpus=(H200,)), HELD, Source.NONE, "holds no wheels of torch for CUDA 13.0"),
    (box(pythons=(PYTHON,), internet=True), TrainingOffer(PACKAGES), Source.NONE, "uv or pip"),
    (box(pythons=(PYTHON,), libc="musl", libc_version=()), HELD, Source.NONE, "not built for musl"),
    (box(pythons=(PYTHON,), libc_version=(2, 17)), HELD, Source.NONE, "older than the 2.28"),
    (box(pythons=(PYTHON,), home=Folder("/h", GB, "ext4", "ok")), HELD, Source.NONE, "need 1.3 GB of disk, 498 MB"),
])
def test_where_the_packages_come_from_and_what_is_said(facts: HostFacts, offer: TrainingOffer, source: Source,
                                                       said: str) -> None:
    plan = planned(facts, offer)
    assert plan.training.source is source
    assert said in plan.training.words and plan.training.words in plan.words


def test_a_box_with_a_card_that_is_to_be_left_alone_trains_on_its_processor() -> None:
    plan = planned(box(pythons=(PYTHON,), gpus=(H200,)), HELD, processor_only=True)
    assert plan.training.source is Source.UPLOAD and plan.training.torch is CPU


def test_an_environment_that_is_there_is_used() -> None:
    facts = box(**INSTALLED, environments=(Environment(key()[:16], "cpu"),), trainer=key()[:16])
    assert planned(facts, LACKS).training.source is Source.THERE


def test_an_older_environment_is_kept_until_an_upgrade_and_never_for_another_device() -> None:
    facts = box(**INSTALLED, environments=(Environment("0" * 16, "cpu"),), trainer="0" * 16)
    kept = planned(facts, HELD).training
    assert kept.source is Source.THERE and kept.key == "0" * 16 and "other versions" in kept.words
    assert planned(facts, HELD, upgrade=True).training.source is Source.UPLOAD
    assert planned(replace(facts, gpus=(H200,)), CUDA).training.source is Source.UPLOAD


def test_a_python_that_brings_its_own_libraries_trains_where_the_boxes_are_too_old() -> None:
    from tests.runners.provision.test_plan import SENDS

    facts = box(libc_version=(2, 17))
    sent = make_plan(facts, replace(SENDS, runtimes={"x86_64-glibc": replace(SENDS.runtimes["x86_64-glibc"], glibc=())},
                                    training=HELD))
    assert sent.training.source is Source.UPLOAD
