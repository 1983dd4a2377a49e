"""Chunks go into their place in any order; what came is never asked for again; nothing unasked or damaged is kept."""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import random
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from mldesk.core.errors import BadInput, DiskFull, LibraryDamaged
from mldesk.wire import coming
from mldesk.wire.coming import ChunkAbsent, ChunksDamaged, Coming
from mldesk.wire.intake import Intake
from mldesk.wire.manifest import CHUNK, PART, Entry, pieces_of
from mldesk.wire.objects import ObjectStore
from tests.core.disk_faults import every_death, every_fault, litter

LARGE = random.Random(1).randbytes(2 * CHUNK + 12_345)
OTHER = LARGE[CHUNK:2 * CHUNK] + random.Random(2).randbytes(77)  # shares a chunk with LARGE


@pytest.fixture
def far(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "far")


@pytest.fixture
def here(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "here")


@pytest.fixture
def entries(far: ObjectStore, tmp_path: Path) -> tuple[Entry, ...]:
    files: dict[str, Path | str] = {"empty": far.put_bytes(b""), "small": far.put_bytes(b"small")}
    for name, data in (("large", LARGE), ("other", OTHER)):
        (tmp_path / name).write_bytes(data)
        files[name] = tmp_path / name
    return far.manifest(far.put_manifest(files)).entries


@pytest.fixture
def few(far: ObjectStore, tmp_path: Path) -> tuple[Entry, ...]:
    (tmp_path / "large").write_bytes(LARGE[:CHUNK + 10])
    return far.manifest(far.put_manifest({"large": tmp_path / "large", "small": far.put_bytes(b"small")})).entries


def bring(intake: Intake, far: ObjectStore, *, most: int = 1000, seed: int = 0) -> int:
    """Put what is wanted, in a random order, at most so many pieces; return how many."""
    wanted = intake.wanted[:]
    random.Random(seed).shuffle(wanted)
    for piece in wanted[:most]:
        intake.put(piece.digest, far.read_chunk(piece.entry, piece.index))
    return len(wanted[:most])


def whole(store: ObjectStore, entries: tuple[Entry, ...]) -> None:
    for entry in entries:
        store.verify(entry.sha256)
    assert not list(store.coming.iterdir())


def test_files_come_whole_from_pieces_in_any_order(
        far: ObjectStore, here: ObjectStore, entries: tuple[Entry, ...]) -> None:
    with Intake(here, entries) as intake:
        assert len(intake.wanted) == len(pieces_of(entries)) == 6
        assert intake.bitmap() == b"\xfc"
        bring(intake, far)
        intake.finish()
    whole(here, entries)
    with Intake(here, entries) as again:
        assert again.wanted == []
        assert again.bitmap() == b"\0"
        again.finish()


def test_what_came_before_an_interruption_is_not_asked_for_again(
        far: ObjectStore, here: ObjectStore, entries: tuple[Entry, ...]) -> None:
    brought = 0
    for seed in range(10):
        with Intake(here, entries) as intake:
            assert len(intake.wanted) == 6 - brought
            brought += bring(intake, far, most=1, seed=seed)
            if brought < 6:
                with pytest.raises(ChunkAbsent):
                    intake.finish()
            else:
                intake.finish()
                break
    assert brought == 6
    whole(here, entries)


@pytest.mark.parametrize("order", ["straight", "cut", "mixed", "refused"])
def test_large_files_may_go_past_the_systems_memory(
        far: ObjectStore, here: ObjectStore, entries: tuple[Entry, ...], order: str,
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coming, "_PAST", CHUNK)
    # A buffer that does not begin with a page is what disks refuse.
    page = memoryview(mmap.mmap(-1, 2 * CHUNK))[order == "refused":]
    for most in (2, 1000) if order == "cut" else (1000,):
        with Intake(here, entries, read_soon=False) as intake:
            for piece in intake.wanted[::-1 if order == "mixed" else 1][:most]:
                page[:piece.size] = far.read_chunk(piece.entry, piece.index)
                intake.put(piece.digest, page[:piece.size])
            if most == 1000:
                intake.finish()
    whole(here, entries)


def test_a_damaged_chunk_that_went_past_the_memory_is_asked_for_again(
        far: ObjectStore, here: ObjectStore, few: tuple[Entry, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coming, "_PAST", CHUNK)
    with Intake(here, few, read_soon=False) as intake:
        for piece in intake.wanted:
            data = far.read_chunk(piece.entry, piece.index)
            intake.put(piece.digest, bytes(len(data)) if piece.size == CHUNK else data)
        with pytest.raises(ChunksDamaged):
            intake.finish()
    with Intake(here, few, read_soon=False) as intake:
        assert [piece.size for piece in intake.wanted if piece.size > 10] == [CHUNK]
        bring(intake, far)
        intake.finish()
    whole(here, few)


def test_marks_of_another_boot_count_only_for_what_is_really_on_disk(
        far: ObjectStore, here: ObjectStore, entries: tuple[Entry, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    with Intake(here, entries, lead=False) as intake:
        bring(intake, far)
    large = next(entry for entry in entries if entry.size == len(LARGE))
    with open(here.coming / f"{large.sha256}.data", "r+b") as file:  # what a power cut left unwritten
        file.seek(CHUNK + 5)
        file.write(bytes(100))
    monkeypatch.setattr(coming, "boot_id", lambda: "after the power cut")
    with Intake(here, entries) as intake:
        assert [piece.digest for piece in intake.wanted] == [large.chunks[1]]
        bring(intake, far)
        intake.finish()
    whole(here, entries)


def test_pieces_that_are_damaged_or_were_not_asked_for_are_not_kept(
        far: ObjectStore, here: ObjectStore, entries: tuple[Entry, ...]) -> None:
    small = hashlib.sha256(b"small").hexdigest()
    with Intake(here, entries) as intake:
        for digest, data in ((hashlib.sha256(b"x").hexdigest(), b"x"), (small, b"smalx"), (small, b"longer"),
                             (entries[1].chunks[0], bytes(CHUNK - 1)), (entries[1].chunks[-1], bytes(CHUNK))):
            with pytest.raises(BadInput):
                intake.put(digest, data)
        bad = intake.wanted[1]
        intake.put(bad.digest, bytes(bad.size))
        bring(intake, far)  # a piece that is there is not written again
        with pytest.raises(ChunksDamaged):
            intake.finish()
    assert not here.has(bad.entry.sha256)
    with Intake(here, entries) as intake:
        assert bad.digest in [piece.digest for piece in intake.wanted]
        bring(intake, far)
        intake.finish()
    whole(here, entries)


def test_chunks_that_make_another_file_than_the_manifest_says_are_refused(here: ObjectStore) -> None:
    parts = [LARGE[:CHUNK], LARGE[CHUNK:2 * CHUNK]]
    liar = Entry("a", 2 * CHUNK, "0" * 64, tuple(hashlib.sha256(part).hexdigest() for part in parts))
    with Intake(here, [liar]) as intake:
        for piece, part in zip(intake.wanted, parts, strict=True):
            intake.put(piece.digest, part)
        with pytest.raises(LibraryDamaged):
            intake.finish()
    assert not list(here.digests())
    assert not list(here.coming.iterdir())


def test_several_intakes_share_the_work_and_one_names_the_files(
        far: ObjectStore, here: ObjectStore, entries: tuple[Entry, ...]) -> None:
    with Intake(here, entries) as lead, Intake(here, entries, lead=False) as help1, \
            Intake(here, entries, lead=False) as help2:
        for number, piece in enumerate(lead.wanted):
            (lead, help1, help2)[number % 3].put(piece.digest, far.read_chunk(piece.entry, piece.index))
        lead.finish()
        help1.put(entries[1].chunks[0], LARGE[:CHUNK])  # late: the file is named, and is not written to
    whole(here, entries)


def test_a_late_piece_of_a_file_that_was_named_changes_nothing(here: ObjectStore) -> None:
    data = bytes(CHUNK) + b"x"
    digest = hashlib.sha256(data).hexdigest()
    first, late = (Coming(here.coming, digest, len(data)) for _ in range(2))
    first.put(0, data[:CHUNK])
    first.put(1, data[CHUNK:])
    late.put(1, b"y")
    first.name(here)
    with pytest.raises(FileNotFoundError):
        late.put(0, b"z" * CHUNK)
    here.verify(digest)


def test_an_object_whose_chunks_nobody_knows_comes_whole_or_not_at_all(here: ObjectStore) -> None:
    digest = hashlib.sha256(LARGE).hexdigest()
    wrong = Coming(here.coming, digest, len(LARGE))
    for index in wrong.lacking():
        wrong.put(index, bytes(wrong.length(index)))
    with pytest.raises(ChunksDamaged):
        wrong.name(here)
    right = Coming(here.coming, digest, len(LARGE))
    for index in right.lacking():
        right.put(index, LARGE[index * CHUNK:(index + 1) * CHUNK])
    right.name(here)
    assert here.read(digest) == LARGE


MIDDLE = random.Random(3).randbytes(PART + PART // 2)  # of one chunk that comes in parts


@pytest.fixture
def parted(far: ObjectStore, tmp_path: Path) -> tuple[Entry, ...]:
    (tmp_path / "large").write_bytes(LARGE)
    files: dict[str, Path | str] = {"large": tmp_path / "large", "middle": far.put_bytes(MIDDLE)}
    return far.manifest(far.put_manifest(files)).entries


def test_a_piece_goes_on_where_its_last_part_ended(
        far: ObjectStore, here: ObjectStore, parted: tuple[Entry, ...]) -> None:
    for count in (1000, 2500):
        with Intake(here, parted) as intake:
            for number, piece in enumerate(intake.wanted):
                data, there = far.read_chunk(piece.entry, piece.index), intake.begun().get(number, 0)
                assert there == (0 if count == 1000 else 1000)
                intake.put_part(piece.digest, data[there:count], len(data) - count)
            assert intake.begun() == dict.fromkeys(range(4), count)
            assert len(intake.wanted) == 4
    with Intake(here, parted) as intake:
        for number, piece in enumerate(intake.wanted):
            data, there = far.read_chunk(piece.entry, piece.index), intake.begun()[number]
            assert there == 2500
            intake.put_part(piece.digest, data[there - 7:5000], len(data) - 5000)  # a little of it once more
            intake.put_part(piece.digest, data[5000:], 0)
        assert intake.wanted == []
        assert intake.begun() == {}
        intake.finish()
    whole(here, parted)


def test_parts_without_their_beginning_or_beyond_the_end_are_refused(
        far: ObjectStore, here: ObjectStore, parted: tuple[Entry, ...]) -> None:
    with Intake(here, parted) as intake:
        for piece in intake.wanted:
            data = far.read_chunk(piece.entry, piece.index)
            with pytest.raises(ChunkAbsent):
                intake.put_part(piece.digest, data[100:200], len(data) - 200)
            for left in (len(data) - 99, CHUNK * 9, -1):
                with pytest.raises(BadInput):
                    intake.put_part(piece.digest, data[:100], left)
        with pytest.raises(BadInput, match="nobody asked"):
            intake.put_part("0" * 64, b"x", 0)
        assert intake.begun() == {}


def test_beginnings_of_another_boot_do_not_count(
        far: ObjectStore, here: ObjectStore, parted: tuple[Entry, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    with Intake(here, parted) as intake:
        for piece in intake.wanted:
            intake.put_part(piece.digest, bytes(100), piece.size - 100)
        assert len(intake.begun()) == 4
    monkeypatch.setattr(coming, "boot_id", lambda: "after the power cut")
    with Intake(here, parted) as intake:
        assert intake.begun() == {}
        bring(intake, far)
        intake.finish()
    assert all(here.has(entry.sha256) for entry in parted)


def test_a_damaged_beginning_costs_the_piece_and_no_more(
        far: ObjectStore, here: ObjectStore, parted: tuple[Entry, ...]) -> None:
    with Intake(here, parted) as intake:
        for number, piece in enumerate(intake.wanted):
            data = far.read_chunk(piece.entry, piece.index)
            intake.put_part(piece.digest, bytes(100) if number in (0, 3) else data[:100], piece.size - 100)
            if number < 3:
                intake.put_part(piece.digest, data[100:], 0)
        with pytest.raises(ChunksDamaged):
            intake.put_part(piece.digest, data[100:], 0)
        with pytest.raises(ChunksDamaged):
            intake.finish()
    with Intake(here, parted) as intake:
        assert [piece.digest for piece in intake.wanted] == [parted[0].chunks[0], parted[1].sha256]
        assert intake.begun() == {}
        bring(intake, far)
        intake.finish()
    whole(here, parted)


def test_marks_of_a_version_that_knew_whole_chunks_only_still_count(
        far: ObjectStore, here: ObjectStore, parted: tuple[Entry, ...]) -> None:
    with Intake(here, parted, lead=False) as intake:
        intake.put(parted[0].chunks[1], LARGE[CHUNK:2 * CHUNK])
    marks = here.coming / f"{parted[0].sha256}.marks"
    marks.write_bytes(marks.read_bytes()[:coming._HEAD + 3])
    with Intake(here, parted) as intake:
        assert len(intake.wanted) == 3
        bring(intake, far)
        intake.finish()
    whole(here, parted)


def test_a_small_file_that_another_process_brought_meanwhile_is_left_to_it(
        here: ObjectStore, parted: tuple[Entry, ...]) -> None:
    digest, middle = parted[1].sha256, parted[1:]
    with Intake(here, middle, lead=False) as first, Intake(here, middle) as late:
        late.put_part(digest, MIDDLE[:PART], len(MIDDLE) - PART)
        first.put_part(digest, MIDDLE[:PART], len(MIDDLE) - PART)
        first.put_part(digest, MIDDLE[PART:], 0)
        late.put_part(digest, MIDDLE[PART:], 0)
        late.finish()
    whole(here, middle)


def test_data_for_which_there_is_no_room_is_refused_at_once(
        here: ObjectStore, entries: tuple[Entry, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    need = sum(piece.size for piece in pieces_of(entries))
    for free, fits in ((need - 1, False), (need, True)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _path, free=free: SimpleNamespace(free=free))
        with contextlib.nullcontext() if fits else pytest.raises(DiskFull, match="no room"):
            Intake(here, entries).close()


def fill(here: ObjectStore, far: ObjectStore, entries: tuple[Entry, ...]) -> None:
    with Intake(here, entries, lead=False) as intake:
        bring(intake, far)
    with Intake(here, entries) as intake:
        intake.finish()


def clear(here: ObjectStore) -> None:
    for digest in list(here.digests()):
        here.verify(digest)
        here.delete(digest)
    here.sweep_staging(0)
    assert not list(here.coming.iterdir())
    assert not litter(here.root)


@pytest.mark.parametrize("lasting", [True, False])
def test_a_full_disk_never_leaves_half_an_object(far: ObjectStore, here: ObjectStore, few: tuple[Entry, ...],
                                                 lasting: bool) -> None:
    for outcome in every_fault(here.root, lambda: fill(here, far, few), lasting=lasting):
        assert not litter(here.root)
        assert isinstance(outcome.error, DiskFull) or all(here.has(entry.sha256) for entry in few)
        clear(here)
    assert outcome.number > 20


def test_a_process_killed_at_any_moment_loses_at_most_the_piece_it_was_at(
        far: ObjectStore, here: ObjectStore, few: tuple[Entry, ...]) -> None:
    lacking = [len(pieces_of(few))]
    for _ in every_death(here.root, lambda: fill(here, far, few)):
        with Intake(here, few) as intake:
            lacking.append(bring(intake, far))
            intake.finish()
        for entry in few:
            here.verify(entry.sha256)
        clear(here)
    assert len(lacking) > 20
    assert all(0 <= before - after <= 1 for before, after in pairwise(lacking))
    assert lacking[-1] == 0


def test_what_nobody_brings_on_is_swept_and_what_somebody_does_stays(
        far: ObjectStore, here: ObjectStore, entries: tuple[Entry, ...]) -> None:
    with Intake(here, entries) as intake:
        bring(intake, far, most=4)
        here.sweep_staging(3600)
        assert len(intake.wanted) == 2
    with Intake(here, entries) as intake:
        assert len(intake.wanted) == 2
    here.sweep_staging(0)
    assert not list(here.coming.iterdir())


def test_many_small_files_are_named_together(far: ObjectStore, here: ObjectStore) -> None:
    names = {f"folder/{number}": far.put_bytes(b"%d" % number) for number in range(40)}
    entries = far.manifest(far.put_manifest(names)).entries
    with Intake(here, entries) as intake:
        bring(intake, far)
        assert not list(here.digests())
        intake.finish()
    assert set(here.digests()) == set(names.values())
    whole(here, entries)


def test_two_processes_that_bring_the_same_both_end_well(tmp_path: Path, far: ObjectStore, here: ObjectStore,
                                                         entries: tuple[Entry, ...]) -> None:
    manifest = far.put_manifest({entry.path: entry.sha256 for entry in entries})
    code = (f"from pathlib import Path; from mldesk.wire.objects import ObjectStore\n"
            f"from mldesk.wire.intake import Intake\n"
            f"far, here = ObjectStore(Path({str(far.root)!r})), ObjectStore(Path({str(here.root)!r}))\n"
            f"for _ in range(5):\n"
            f"    with Intake(here, far.manifest({manifest!r}).entries) as intake:\n"
            f"        for piece in intake.wanted:\n"
            f"            intake.put(piece.digest, far.read_chunk(piece.entry, piece.index))\n"
            f"        intake.finish()\n")
    both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    for entry in entries:
        here.verify(entry.sha256)
