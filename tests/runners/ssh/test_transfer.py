"""Data to the box and artifacts back, over a line that breaks at any byte."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mldesk.core.errors import LibraryDamaged, NotFound, RunnerUnreachable
from mldesk.core.ids import new_id
from mldesk.runners import answers
from mldesk.runners.ssh.client import SshRunner
from mldesk.runners.ssh.download import take_files, take_object
from mldesk.runners.ssh.programs import Opened
from mldesk.runners.ssh.session import SshSession
from mldesk.runners.ssh.transfer import Cut
from mldesk.runners.ssh.upload import bring
from mldesk.wire.bulk import HEADER, Frame, Received, frame, header, read_lack
from mldesk.wire.jobs import JobSpec
from mldesk.wire.manifest import CHUNK, PART, pieces_of
from mldesk.wire.objects import ObjectStore
from runner_agent.bulk import Taking
from tests.runners.ssh.box import Box, Person, Sshd
from tests.runners.ssh.proxy import Proxy

LOGIN = 40_000             # bytes that a new connection takes by itself
BOTH = pytest.mark.parametrize("system", [False, True], ids=["paramiko", "system ssh"])


@pytest.fixture
def runner(box: Box, person: Person, sshd: Sshd, proxy: Proxy) -> Iterator[SshRunner]:
    person.pin(sshd, proxy.port)
    runner = box.runner(person, proxy.port)
    yield runner
    runner.close()


def data_set(store: ObjectStore, *sizes: int, seed: int = 1) -> str:
    chance = random.Random(seed)
    return store.put_manifest({f"part{number}": store.put_bytes(chance.randbytes(size))
                               for number, size in enumerate(sizes)})


@BOTH
def test_a_jobs_data_goes_there_first_and_only_once(
        box: Box, person: Person, sshd: Sshd, proxy: Proxy, system: bool) -> None:
    person.pin(sshd, proxy.port)
    if system:
        person.by_system()
    moved: list[tuple[str, int, int]] = []
    runner = box.runner(person, proxy.port, on_transfer=lambda *facts: moved.append(facts))
    try:
        digest = data_set(person.store, 2 * CHUNK + 17, 100, 0, CHUNK)
        runner.submit(JobSpec(new_id(), "train", "a job", (digest,), {"steps": 1}))
        box.store.verify_manifest(digest)
        assert moved[-1][0] == "up"
        assert moved[-1][1] == moved[-1][2]
        before = proxy.passed
        runner.submit(JobSpec(new_id(), "train", "another", (digest,), {"steps": 1}))
        assert runner.bring(digest) == 0
        assert proxy.passed - before < 100_000
    finally:
        runner.close()


def test_an_upload_that_is_cut_again_and_again_sends_at_most_one_chunk_twice_per_cut(
        runner: SshRunner, box: Box, person: Person, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mldesk.runners.ssh.lifeline.FIRST_PAUSE", 0.05)
    monkeypatch.setattr("mldesk.runners.ssh.lifeline.LONGEST_PAUSE", 0.2)
    runner.hello()
    digest = data_set(person.store, 6 * CHUNK + 5)
    chance, cuts = random.Random(3), 0
    proxy.passed = 0

    def cut_later(_way: str, done: int, total: int) -> None:
        nonlocal cuts
        if cuts < 4 and proxy.budget is None:
            cuts += 1
            proxy.budget = chance.randrange(CHUNK // 2, 2 * CHUNK)

    runner._on_transfer = cut_later
    runner.bring(digest)
    box.store.verify_manifest(digest)
    assert cuts >= 2
    assert proxy.passed < person.store.manifest(digest).size * 1.004 + cuts * CHUNK + (cuts + 1) * LOGIN


@pytest.mark.parametrize("size", [CHUNK + CHUNK // 2, 3 * PART])
def test_what_came_over_a_line_that_fell_silent_is_not_sent_again(
        runner: SshRunner, box: Box, person: Person, proxy: Proxy, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("PING_EVERY", 0.3), ("SUSPECT", 0.4), ("SILENCE", 2.0)):
        monkeypatch.setattr(f"mldesk.runners.ssh.lifeline.{name}", seconds)
    digest = data_set(person.store, size)
    name = person.store.manifest(digest).entries[0].sha256
    runner.hello()

    def forget(_way: str, done: int, _total: int) -> None:  # the runner writes what came before the line is lost
        if done >= 2 * PART and proxy.live:
            runner._on_transfer = None
            until_there(box, name, PART)
            proxy.half_open()

    proxy.passed = 0
    runner._on_transfer = forget
    runner.bring(digest)
    box.store.verify_manifest(digest)
    assert proxy.passed < size * 1.004 + 2 * PART + 4 * LOGIN


def until_there(box: Box, digest: str, least: int) -> None:
    """Wait until so many bytes of an object's first chunk are on the box's disk."""
    deadline, data = time.monotonic() + 30, box.place / f"objects/.coming/{digest}.data"
    while not (data.exists() and any(data.read_bytes()[least - 8:least])):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_plan_is_answered_once_the_receiver_before_has_written_everything(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner_agent.bulk._PATIENCE", 60.0)
    near, far = ObjectStore(tmp_path / "near"), ObjectStore(tmp_path / "far")
    digest = data_set(near, 2 * CHUNK)
    far.put_bytes(near.read(digest))
    plan = Received(Frame.PLAN, "", frame(Frame.PLAN, {"manifest": digest, "lead": True, "begun": True})[HEADER.size:])
    first, second, third = Taking(far), Taking(far), Taking(far)
    first.answer(plan)
    asking = threading.Thread(target=second.answer, args=(plan,))
    asking.start()
    piece = pieces_of(near.manifest(digest).entries)[0]
    first.answer(Received(Frame.CHUNK, piece.digest, near.read_chunk(piece.entry, 0)[:PART], piece.size - PART))
    first.close()
    asking.join()
    assert second._intake is not None
    assert second._intake.begun() == {0: PART}
    monkeypatch.setattr("runner_agent.bulk._PATIENCE", 0.05)
    _, body = third.answer(plan)  # while the second goes on: nobody waits for ever
    assert read_lack(bytes(body), pieces_of(near.manifest(digest).entries)) == {0: PART, 1: 0}
    monkeypatch.setattr("runner_agent.bulk._PATIENCE", 60.0)
    second.rest()
    third.rest()
    fourth = Taking(far)
    fourth.answer(plan)  # at once: nothing comes to the others, who go on when something does
    fourth.rest()
    second.answer(Received(Frame.CHUNK, piece.digest, near.read_chunk(piece.entry, 0)[PART:], 0))
    for taking in (second, third, fourth):
        taking.close()


def test_artifacts_come_back_whole_large_or_small(
        runner: SshRunner, box: Box, tmp_path: Path) -> None:
    runner.hello()
    far, here = box.store, ObjectStore(tmp_path / "here")
    small, large = far.put_bytes(b"metrics"), far.put_bytes(random.Random(5).randbytes(CHUNK + 3))
    model = data_set(far, 3 * CHUNK, 12, seed=9)
    box.hand_over()
    for digest in (small, large, model):
        runner.fetch(digest, here)
        here.verify(digest)
    here.verify_manifest(model)
    runner.fetch(model, here)  # a second time nothing travels, and nothing goes wrong
    with pytest.raises(NotFound):
        runner.fetch("0" * 64, here)


def test_a_download_that_is_cut_goes_on_with_what_is_there(
        runner: SshRunner, box: Box, tmp_path: Path, proxy: Proxy) -> None:
    runner.hello()
    here = ObjectStore(tmp_path / "here")
    model = data_set(box.store, 5 * CHUNK + 1, seed=11)
    box.hand_over()
    cuts, seen = [2, 4], []

    def cut(_way: str, done: int, _total: int) -> None:
        seen.append(done)
        if cuts and done >= cuts[0] * CHUNK:
            del cuts[0]
            proxy.cut()

    runner._on_transfer = cut
    runner.fetch(model, here)
    here.verify_manifest(model)
    assert len(seen) <= 6 + 2


def test_a_long_line_is_filled_by_several_channels(
        runner: SshRunner, box: Box, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mldesk.runners.ssh.session._LANES", ((float("inf"), 3),))
    monkeypatch.setattr("mldesk.runners.ssh.session._WORTH", CHUNK)
    opened, told = [], []
    open_one = SshSession.open
    monkeypatch.setattr(SshSession, "open", lambda *given: opened.append(given[1]) or open_one(*given))
    digest = data_set(person.store, 5 * CHUNK + 7, CHUNK + 1, 100, 0)
    size = person.store.manifest(digest).size
    assert runner.bring(digest, lambda *facts: told.append(facts)) == size
    box.store.verify_manifest(digest)
    assert opened == ["receive"] * 3
    assert told == sorted(told)
    assert told[-1] == (size, size)


@pytest.mark.parametrize("newest", [1, 2])
def test_a_runner_of_a_version_before_gets_its_data_too(
        runner: SshRunner, box: Box, person: Person, newest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    open_one = SshSession.open

    def old(session: SshSession, program: Any) -> Opened:
        opened = open_one(session, program)
        facts = {name: fact for name, fact in opened.facts.items() if name != "bulk_newest"}
        return Opened(opened.stream, {**facts, "bulk_newest": newest} if newest > 1 else facts, opened.first)

    monkeypatch.setattr(SshSession, "open", old)
    digest = data_set(person.store, 2 * CHUNK + 17, 100, 0, CHUNK)
    assert runner.bring(digest) > 3 * CHUNK
    box.store.verify_manifest(digest)
    assert runner.bring(digest) == 0


def test_many_small_files_go_and_come_back_in_few_round_trips(
        runner: SshRunner, box: Box, person: Person, tmp_path: Path, proxy: Proxy) -> None:
    runner.hello()
    proxy.delay = (0.01, 0.02)  # seconds for every piece of the line: thousands of turns would take minutes
    digest = data_set(person.store, *range(300))
    runner.bring(digest)
    box.store.verify_manifest(digest)
    here = ObjectStore(tmp_path / "here")
    runner.fetch(digest, here)
    here.verify_manifest(digest)


def test_a_file_that_changed_on_our_own_disk_is_not_taken_for_the_runners_fault(
        runner: SshRunner, box: Box, person: Person) -> None:
    digest = data_set(person.store, 2 * CHUNK, 100)
    for entry in person.store.manifest(digest).entries:
        path = person.store.path(entry.sha256)
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.chmod(0o644)
        path.write_bytes(data)
        with pytest.raises(LibraryDamaged):
            runner.bring(digest)
        assert not box.store.has(entry.sha256)
        until_nobody_receives(box)  # nobody sweeps below one that is at work: only what is a day old goes
        box.store.sweep_staging(0)  # what came beside it would not be sent again
        data[-1] ^= 1
        path.write_bytes(data)
    runner.bring(digest)
    box.store.verify_manifest(digest)


def until_nobody_receives(box: Box) -> None:
    deadline = time.monotonic() + 30
    while left := box.receivers():
        assert time.monotonic() < deadline, left
        time.sleep(0.02)


def test_a_full_disk_over_there_is_told_as_such(
        runner: SshRunner, box: Box, person: Person, account: Any) -> None:
    runner.hello()
    (box.place / "objects/.drafts").chmod(0o500)  # the nearest thing to a disk that takes nothing
    try:
        with pytest.raises(RunnerUnreachable, match=r"disk refused.*Permission denied"):
            runner.bring(data_set(person.store, 10))
    finally:
        (box.place / "objects/.drafts").chmod(0o700)


# --- against a far end that lies


class Script:
    """A ByteStream whose far end has its words prepared."""

    def __init__(self, words: bytes) -> None:
        self.words = words
        self.heard = b""

    def read(self, most: int) -> bytes:
        data, self.words = self.words[:most], self.words[most:]
        return data

    def write(self, data: bytes | memoryview) -> None:
        self.heard += bytes(data)

    def finish(self) -> None: ...
    def close(self) -> None: ...
    def release(self) -> None: ...
    def wait(self, _seconds: float) -> int | None:
        return 0

    complaint = ""


def says(*frames: tuple[Frame, bytes]) -> Opened:
    return Opened(Script(b"".join(header(kind, body) + body for kind, body in frames)), {}, b"")


def test_other_bytes_than_were_asked_for_are_never_kept(tmp_path: Path) -> None:
    here, far = ObjectStore(tmp_path / "here"), ObjectStore(tmp_path / "far")
    model = data_set(far, 100)
    here.put_bytes(far.read(model))
    wanted = far.manifest(model).entries[0].sha256
    for words in ([(Frame.DATA, b"x" * 100)], [(Frame.DATA, b"x")], [(Frame.DONE, b"")]):
        with pytest.raises(answers.BadAnswer):
            take_files(says(*words), model, here)
        with pytest.raises(answers.BadAnswer):
            take_object(says(*words), wanted, 100, here)
    large = [(Frame.DATA, b"x" * CHUNK), (Frame.DATA, b"y")]
    with pytest.raises(answers.BadAnswer):
        take_object(says(*large), wanted, CHUNK + 1, here)
    assert not here.has(wanted)


def test_a_far_end_that_breaks_off_or_babbles_is_a_cut(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path / "here")
    model = data_set(store, 10)
    for words in (b"", b"\x08", b"\xff" * 100, header(Frame.DATA, b"abc") + b"abd", header(Frame.DONE, b"")):
        with pytest.raises(Cut):
            bring(Opened(Script(words), {}, b""), model, store, set)
    for words in (b"", b"garbage" * 20):
        with pytest.raises(Cut):
            take_object(Opened(Script(words), {}, b""), hashlib.sha256(b"").hexdigest(), 5, store)
