"""An object is whole or it is not there; nothing in use is ever collected."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mldesk.core.errors import BadInput, DiskFull, LibraryDamaged
from mldesk.wire.objects import CHUNK, Entry, ObjectMissing, ObjectStore
from tests.core.disk_faults import every_death, every_fault, litter

BIG = random.Random(1).randbytes(2 * CHUNK + 12_345)


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "objects")


@pytest.fixture
def big(tmp_path: Path) -> Path:
    path = tmp_path / "big"
    path.write_bytes(BIG)
    return path


def whole(store: ObjectStore) -> set[str]:
    """Verify every object there is; return their digests."""
    found = set(store.digests())
    for digest in found:
        store.verify(digest)
    return found


def age(store: ObjectStore, digest: str, seconds: float = 1e6) -> None:
    os.utime(store.path(digest), (time.time() - seconds,) * 2)


class TestPutting:
    def test_an_object_is_found_under_the_digest_of_its_content(self, store: ObjectStore) -> None:
        digest = store.put_bytes(b"abc")
        assert digest == hashlib.sha256(b"abc").hexdigest()
        assert store.put_bytes(b"abc") == digest
        assert (store.read(digest), store.size(digest), store.has(digest)) == (b"abc", 3, True)
        assert store.path(digest).stat().st_mode & 0o777 == 0o444
        assert list(store.digests()) == [digest]

    def test_a_file_is_copied_or_moved_in(self, store: ObjectStore, big: Path) -> None:
        digest = store.put_file(big)
        assert big.exists()
        assert store.put_file(big, move=True) == digest
        assert not big.exists()
        store.delete(digest)
        big.write_bytes(BIG)
        assert store.put_file(big, move=True) == digest
        assert not big.exists()
        assert store.read(digest) == BIG

    def test_a_file_moves_in_from_another_disk(self, store: ObjectStore, big: Path,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
        replace = os.replace

        def across(source: Path, target: Path) -> None:
            if Path(source) == big:
                raise OSError(errno.EXDEV, "another disk")
            replace(source, target)

        monkeypatch.setattr(os, "replace", across)
        assert store.read(store.put_file(big, move=True)) == BIG
        assert not big.exists()

    def test_a_manifest_names_files_and_objects(self, store: ObjectStore, big: Path) -> None:
        known = store.put_bytes(b"known")
        digest = store.put_manifest({"z": known, "a/big": big, "empty": store.put_bytes(b"")})
        manifest = store.manifest(digest)
        assert [entry.path for entry in manifest.entries] == ["a/big", "empty", "z"]
        assert [len(entry.chunks) for entry in manifest.entries] == [3, 1, 1]
        assert manifest.size == len(BIG) + 5
        store.verify_manifest(digest)
        assert store.put_manifest({"a/big": store.put_file(big), "empty": store.put_bytes(b""), "z": known}) == digest

    def test_a_name_that_cannot_be_is_refused_before_anything_is_stored(self, store: ObjectStore, big: Path) -> None:
        for names in (["fine", "../x"], ["A", "a"], ["a", "a/b"]):
            with pytest.raises(BadInput):
                store.put_manifest(dict.fromkeys(names, big))
        with pytest.raises(ObjectMissing):
            store.put_manifest({"a": "0" * 64})
        assert not list(store.digests())

    def test_a_shortened_object_is_mended_by_putting_it_again(self, store: ObjectStore) -> None:
        digest = store.put_bytes(b"content")
        store.path(digest).chmod(0o644)
        store.path(digest).write_bytes(b"con")
        store.put_bytes(b"content")
        store.verify(digest)

    @pytest.mark.parametrize("move", [False, True])
    def test_an_object_with_a_flipped_bit_is_mended_by_putting_it_again(self, store: ObjectStore, big: Path,
                                                                        move: bool) -> None:
        digests = [store.put_bytes(b"content"), store.put_stream([b"in ", b"pieces"]), store.put_file(big)]
        for digest in digests:
            data = bytearray(store.read(digest))
            data[len(data) // 2] ^= 1
            store.path(digest).chmod(0o644)
            store.path(digest).write_bytes(data)
        assert digests == [store.put_bytes(b"content"), store.put_stream([b"in pieces"]),
                           store.put_file(big, move=move)]
        assert whole(store) == set(digests)

    def test_writers_in_several_processes_make_one_object(self, tmp_path: Path, store: ObjectStore, big: Path) -> None:
        code = (f"from mldesk.wire.objects import ObjectStore; from pathlib import Path\n"
                f"s = ObjectStore(Path({str(store.root)!r}))\n"
                f"for i in range(20): s.put_bytes(b'%d' % i); d = s.put_manifest({{'big': Path({str(big)!r})}})\n"
                f"print(d)")
        writers = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)]
        digests = {writer.communicate()[0].strip() for writer in writers}
        assert [writer.returncode for writer in writers] == [0, 0, 0]
        assert len(digests) == 1
        assert len(whole(store)) == 22
        assert not litter(tmp_path)


class TestReading:
    def test_what_is_not_there_is_said_to_be_missing(self, store: ObjectStore) -> None:
        for question in (store.read, store.path, store.size, store.verify, store.manifest, store.missing):
            with pytest.raises(ObjectMissing):
                question("0" * 64)
        with pytest.raises(BadInput):
            store.path("../../etc/passwd")

    def test_a_changed_object_is_damage(self, store: ObjectStore, big: Path) -> None:
        digest = store.put_manifest({"big": big})
        entry = store.manifest(digest).entry("big")
        path = store.path(entry.sha256)
        path.chmod(0o644)
        path.write_bytes(BIG[:-1] + b"?")
        assert store.read_chunk(entry, 0) == BIG[:CHUNK]
        for question in (lambda: store.read(entry.sha256), lambda: store.verify(entry.sha256),
                         lambda: store.verify_manifest(digest), lambda: store.read_chunk(entry, 2)):
            with pytest.raises(LibraryDamaged) as caught:
                question()
            assert caught.value.hint

    def test_an_object_that_is_no_manifest_is_not_read_as_one(self, store: ObjectStore) -> None:
        with pytest.raises(LibraryDamaged):
            store.manifest(store.put_bytes(b"{}"))


class TestBringing:
    @pytest.fixture
    def there(self, tmp_path: Path) -> ObjectStore:
        return ObjectStore(tmp_path / "there")

    def test_only_what_is_missing_travels_and_an_interruption_costs_one_chunk(
            self, store: ObjectStore, there: ObjectStore, big: Path) -> None:
        digest = there.put_manifest({"big": big, "same": there.put_file(big), "small": there.put_bytes(b"s")})
        store.put_bytes(b"s")
        store.put_bytes(there.read(digest))
        entry = there.manifest(digest).entry("big")
        missing = store.missing(digest)
        assert missing.chunks == entry.chunks
        assert missing.entries == (entry,)
        store.put_chunk(entry.chunks[1], there.read_chunk(entry, 1))
        assert ObjectStore(store.root).missing(digest).chunks == (entry.chunks[0], entry.chunks[2])
        with pytest.raises(ObjectMissing):
            store.assemble(entry)
        for index in (0, 2):
            store.put_chunk(entry.chunks[index], there.read_chunk(entry, index))
        store.complete(digest)
        assert not store.missing(digest)
        store.verify_manifest(digest)
        assert not list((store.root / ".chunks").iterdir())

    def test_a_chunk_that_is_not_what_it_says_is_refused(self, store: ObjectStore) -> None:
        with pytest.raises(BadInput):
            store.put_chunk(hashlib.sha256(b"a").hexdigest(), b"b")
        large = bytes(CHUNK + 1)
        with pytest.raises(BadInput):
            store.put_chunk(hashlib.sha256(large).hexdigest(), large)
        with pytest.raises(BadInput):
            store.put_chunk("../x", b"b")

    def test_a_torn_chunk_is_asked_for_again(self, store: ObjectStore, there: ObjectStore, big: Path) -> None:
        digest = there.put_manifest({"big": big})
        entry = there.manifest(digest).entry("big")
        store.put_bytes(there.read(digest))
        for index, chunk in enumerate(entry.chunks):
            store.put_chunk(chunk, there.read_chunk(entry, index))
        staged = store.root / ".chunks" / entry.chunks[2]
        staged.write_bytes(bytes(staged.stat().st_size))  # what a power cut leaves of a file that was not synced
        with pytest.raises(ObjectMissing):
            store.assemble(entry)
        assert store.missing(digest).chunks == (entry.chunks[2],)

    def test_a_manifest_whose_chunks_make_another_file_is_refused(self, store: ObjectStore) -> None:
        data = bytes(CHUNK) + b"x"
        chunks = tuple(hashlib.sha256(piece).hexdigest() for piece in (data[:CHUNK], data[CHUNK:]))
        for chunk, piece in zip(chunks, (data[:CHUNK], data[CHUNK:]), strict=True):
            store.put_chunk(chunk, piece)
        with pytest.raises(LibraryDamaged):
            store.assemble(Entry("a", len(data), "0" * 64, chunks))
        assert not list(store.digests())


class TestSweeping:
    def test_what_is_kept_keeps_its_files_and_the_rest_goes_once_it_is_old(self, store: ObjectStore, big: Path) -> None:
        kept = store.put_manifest({"big": big})
        alone, fresh, stale = (store.put_bytes(data) for data in (b"alone", b"fresh", b"stale"))
        for digest in (kept, store.manifest(kept).entries[0].sha256, alone, stale):
            age(store, digest)
        assert store.sweep({kept, alone}, 3600) == [stale]
        assert whole(store) == {kept, store.manifest(kept).entries[0].sha256, alone, fresh}

    def test_an_object_that_is_put_again_begins_its_grace_anew(self, store: ObjectStore, big: Path) -> None:
        manifest = store.put_manifest({"big": big})
        entry = store.manifest(manifest).entries[0]
        for again in (lambda: store.put_file(big), lambda: store.put_manifest({"x": entry.sha256}),
                      lambda: store.missing(manifest), lambda: store.put_file(big, move=True)):
            age(store, entry.sha256)
            again()
            assert entry.sha256 not in store.sweep({manifest} - {manifest}, 3600)

    def test_nothing_is_removed_when_a_kept_manifest_cannot_be_read(self, store: ObjectStore, big: Path) -> None:
        kept = store.put_manifest({"big": big})
        path = store.path(kept)
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:-2])
        age(store, kept)
        with pytest.raises(LibraryDamaged):
            store.sweep({kept}, 0)
        assert len(list(store.digests())) == 2

    def test_a_sweep_beside_a_writer_takes_nothing_that_was_just_put(self, store: ObjectStore) -> None:
        old = [store.put_bytes(b"%d" % number) for number in range(60)]
        for digest in old:
            age(store, digest)
        code = (f"from mldesk.wire.objects import ObjectStore; from pathlib import Path\n"
                f"s = ObjectStore(Path({str(store.root)!r})); print('ready', flush=True)\n"
                f"for i in range(60): s.put_bytes(b'%d' % i)")
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            while writer.poll() is None:
                store.sweep(set(), 3600)
        assert writer.returncode == 0
        assert set(old) <= whole(store)

    def test_drafts_of_the_dead_and_forgotten_chunks_are_swept(self, store: ObjectStore) -> None:
        store.put_chunk(hashlib.sha256(b"c").hexdigest(), b"c")
        for _ in every_death(store.root, lambda: store.put_bytes(b"x")):
            store.delete(hashlib.sha256(b"x").hexdigest())
        assert litter(store.root)
        store.sweep_staging(0)
        assert not litter(store.root)
        assert not list((store.root / ".chunks").iterdir())


class TestFaults:
    """A disk that fills up, or a process that dies, at every single write, sync and rename."""

    @pytest.mark.parametrize("lasting", [True, False])
    def test_a_full_disk_never_leaves_half_an_object(self, store: ObjectStore, big: Path, lasting: bool) -> None:
        before = store.put_bytes(b"before")
        named: list[str] = []
        work = lambda: named.append(store.put_manifest({"big": big, "b": before}))
        for outcome in every_fault(store.root, work, lasting=lasting):
            assert before in whole(store)
            assert not litter(store.root)
            assert outcome.error is None or isinstance(outcome.error, DiskFull)
            assert (outcome.error is None) == bool(named)
            for digest in named:
                store.verify_manifest(digest)
            for digest in set(store.digests()) - {before}:
                store.delete(digest)
            named.clear()
        assert outcome.number > 8

    @pytest.mark.parametrize("lasting", [True, False])
    def test_a_file_that_cannot_be_moved_in_stays_where_it_was(self, store: ObjectStore, big: Path,
                                                               lasting: bool) -> None:
        digest = hashlib.sha256(BIG).hexdigest()
        mode = big.stat().st_mode
        for outcome in every_fault(store.root.parent, lambda: store.put_file(big, move=True), lasting=lasting):
            whole(store)
            assert store.has(digest) or (outcome.error is not None and big.read_bytes() == BIG)
            assert not big.exists() or big.stat().st_mode == mode
            store.delete(digest)
            if not big.exists():
                big.write_bytes(BIG)
        assert outcome.number > 2

    def test_a_full_disk_never_leaves_half_a_transfer(self, store: ObjectStore, tmp_path: Path, big: Path) -> None:
        there = ObjectStore(tmp_path / "there")
        digest = there.put_manifest({"big": big})
        entry = there.manifest(digest).entry("big")

        def work() -> None:
            store.put_bytes(there.read(digest))
            for index, chunk in enumerate(entry.chunks):
                store.put_chunk(chunk, there.read_chunk(entry, index))
            store.complete(digest)

        for outcome in every_fault(store.root, work):
            whole(store)
            assert not litter(store.root)
            assert isinstance(outcome.error, DiskFull) or store.missing(digest).chunks == ()
            store.delete(entry.sha256)
            store.sweep_staging(0)

    def test_a_writer_killed_at_any_moment_leaves_only_whole_objects(self, store: ObjectStore, big: Path) -> None:
        before = store.put_bytes(b"before")
        deaths = 0
        for _ in every_death(store.root, lambda: store.put_manifest({"big": big, "b": before})):
            deaths += 1
            assert before in whole(store)
            for digest in set(store.digests()) - {before}:
                store.delete(digest)
            store.sweep_staging(0)
            assert not litter(store.root)
        assert deaths > 8
