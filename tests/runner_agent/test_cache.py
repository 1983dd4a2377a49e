"""The cache of a runner: what stays, what goes and when, and that the library's store is never touched."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from mldesk.core.errors import Conflict
from mldesk.core.ids import new_id
from mldesk.wire.jobs import JobSpec
from mldesk.wire.objects import ObjectStore
from runner_agent.cache import CacheMethods
from runner_agent.collecting import MARKS, Collector
from runner_agent.folder import JobFolder
from runner_agent.jobs import Jobs
from runner_agent.objects import DataMissing, ObjectMethods
from runner_agent.ownership import is_own
from runner_agent.pins import hold
from runner_agent.place import Place
from tests.runner_agent.bench import Bench

NO_BOUND: Callable[[int], int] = lambda _total: 0


class Cached:
    """A runner's place with its store, and a cache whose grace is over at once unless it is said otherwise."""

    def __init__(self, folder: Path) -> None:
        self.place = Place(folder).make()
        self.store = ObjectStore(self.place.objects)
        self.jobs = Jobs(self.place.root)

    def cache(self, quota: int = 0, grace: float = 0.0, **options: Any) -> CacheMethods:
        return CacheMethods(self.place.objects, self.jobs, lambda: quota, grace=grace,
                            **{"least_free": NO_BOUND, **options})

    def table(self, size: int, age: float, parts: int = 1) -> str:
        """Put a manifest of some parts, last used ``age`` seconds ago; return its digest."""
        digest = self.store.put_manifest({f"parts/{number}": self._file(size) for number in range(parts)})
        self.age(age, digest, *(entry.sha256 for entry in self.store.manifest(digest).entries))
        return digest

    def age(self, seconds: float, *digests: str) -> None:
        then = time.time() - seconds
        for digest in digests:
            os.utime(self.store.path(digest), (then, then))

    def job(self, *events: tuple[str, Mapping[str, Any]], inputs: tuple[str, ...] = (),
            kind: str = "train") -> JobFolder:
        folder = JobFolder.create(self.jobs.folder, JobSpec(new_id(), kind, "a job", inputs, {}))
        with folder.writing() as journal:
            for name, payload in events:
                journal.append(name, payload)
        self.jobs.add(folder)
        return folder

    def whole(self, digest: str) -> bool:
        return self.store.has(digest) and not self.store.missing(digest)

    def there(self) -> set[str]:
        return set(self.store.digests())

    def _file(self, size: int) -> Path:
        path = self.place.folder / f"file-{new_id()}"
        path.write_bytes(os.urandom(size))
        return path


@pytest.fixture
def box(tmp_path: Path) -> Cached:
    return Cached(tmp_path / "runner")


def answer(cache: CacheMethods) -> dict[str, Any]:
    found = cache.cache()
    assert isinstance(found, dict)
    return found


def test_what_is_used_least_goes_first_until_the_quota_is_met(box: Cached) -> None:
    old, middle, new = (box.table(10_000, age, parts=2) for age in (3000.0, 2000.0, 1000.0))
    cache = box.cache(quota=45_000)
    freed = cache.tend()
    assert 20_000 < freed < 22_000
    assert not box.store.has(old) and box.whole(middle) and box.whole(new)
    assert answer(cache)["used"] <= 45_000
    assert cache.tend() == 0


def test_a_table_is_as_young_as_its_youngest_part(box: Cached) -> None:
    old, young = box.table(10_000, 3000.0, parts=4), box.table(10_000, 1000.0, parts=4)
    one = box.store.manifest(old).entries[2].sha256
    box.age(5.0, one)  # somebody asked for a part of it: then all of it is in use
    assert box.cache(quota=60_000).tend() > 20_000
    assert box.whole(old) and not box.store.has(young)


def test_without_a_quota_the_disk_alone_is_the_bound(box: Cached) -> None:
    digest = box.table(10_000, 3000.0)
    assert box.cache().tend() == 0
    free = shutil.disk_usage(box.place.folder).free
    assert box.cache(least_free=lambda _: 0).tend() == 0 and box.store.has(digest)
    assert box.cache(least_free=lambda _: 2 * free + 1).tend() > 10_000
    assert not box.there()


@pytest.mark.parametrize(("events", "stays"), [
    ((), True),                                                                     # queued
    ((("staged", {}), ("started", {"attempt": 1})), True),                          # running
    ((("interrupted", {"cause": "node_reboot", "message": "", "hint": ""}),), True),
    ((("interrupted", {"cause": "moved", "message": "", "hint": ""}),), False),
    ((("failed", {"cause": "internal", "message": "", "hint": ""}),), False),
    ((("succeeded", {"result": {}}),), False),
])
def test_the_inputs_of_jobs_that_go_on_or_may_go_on_stay(box: Cached, events: Any, stays: bool) -> None:
    digest = box.table(10_000, 3000.0, parts=2)
    box.job(*events, inputs=(digest,))
    cache = box.cache(quota=1)
    assert (answer(cache)["pinned"] > 20_000) is stays
    cache.tend()
    assert box.store.has(digest) is stays


def test_what_a_job_made_stays_until_it_could_be_fetched(box: Cached) -> None:
    model, other = box.table(10_000, 3000.0), box.table(10_000, 3000.0)
    folder = box.job(("artifact", {"name": "model", "digest": model, "size": 1, "type": "manifest"}),
                     ("succeeded", {"result": {"model": model}}))
    box.cache(quota=1).tend()
    assert box.whole(model) and not box.store.has(other)
    then = time.time() - 31 * 86_400
    os.utime(folder.journal, (then, then))
    box.cache(quota=1).tend()
    assert not box.there()


def test_what_an_import_made_stays_until_its_job_is_forgotten(box: Cached) -> None:
    table = box.table(10_000, 3000.0)
    folder = box.job(("succeeded", {"result": {"manifest": table}}), kind="import")
    then = time.time() - 400 * 86_400
    os.utime(folder.journal, (then, then))
    box.cache(quota=1).tend()
    assert box.whole(table)
    shutil.rmtree(folder.path)
    box.jobs = Jobs(box.place.root)
    box.cache(quota=1).tend()
    assert not box.there()


def test_what_an_import_is_putting_there_stays(box: Cached) -> None:
    folder = box.job(("started", {"attempt": 1}), kind="import")
    part = box.store.put_bytes(os.urandom(5000))
    before = box.store.put_bytes(os.urandom(5000))
    box.age(5000.0, before)
    from runner_agent.folder import Record
    from runner_agent.processes import Identity

    folder.keep_record(Record(1, time.time() - 3600, 1, Identity(1, "x", "x"), Identity(1, "x", "x"), "t", None))
    box.age(3000.0, part)
    box.cache(quota=1).tend()
    assert box.there() == {part}


def test_a_checkpoint_that_is_about_to_be_fetched_stays(box: Cached) -> None:
    digest = box.table(10_000, 3000.0)
    folder = box.job(("interrupted", {"cause": "moved", "message": "", "hint": ""}))
    hold(folder.path, digest)
    hold(folder.path, digest)
    box.cache(quota=1).tend()
    assert box.whole(digest)


def test_a_table_that_is_being_sent_here_stays(box: Cached) -> None:
    coming, stuck = box.table(10_000, 7200.0, parts=3), box.table(10_000, 200_000.0, parts=3)
    for digest in (coming, stuck):
        box.store.delete(box.store.manifest(digest).entries[0].sha256)
    box.cache(quota=1).tend()
    assert box.store.has(coming) and not box.store.has(stuck)
    assert len(box.there()) == 3  # its manifest and the two parts that have come


def test_nothing_is_removed_before_the_grace_is_over(box: Cached) -> None:
    digest = box.table(10_000, 3000.0)
    now = [1000.0]
    collector = Collector(box.store, grace=600.0, clock=lambda: now[0])
    removed = []
    for now[0] in (1000.0, 1300.0, 1599.0, 1600.0):
        holding = collector.look()
        collector.mark(holding)
        removed.append(collector.remove(holding) > 0)
    assert removed == [False, False, False, True]
    assert not box.store.has(digest)


@pytest.mark.parametrize("use", ["have", "require", "put", "missing"])
def test_using_an_object_takes_its_mark_away(box: Cached, use: str) -> None:
    digest = box.table(10_000, 3000.0)
    part = box.store.manifest(digest).entries[0].sha256
    now = [1000.0]
    collector = Collector(box.store, grace=600.0, clock=lambda: now[0])
    holding = collector.look()
    collector.mark(holding)
    agent = ObjectMethods(box.place.objects)
    if use == "have":
        assert agent.have((digest, part)) == {"missing": []}
    elif use == "require":
        agent.require([digest])
    elif use == "put":
        box.store.put_bytes(box.store.read(digest))
        box.store.put_bytes(box.store.read(part))
    else:
        agent.have((digest,))
        assert not box.store.missing(digest)
    now[0] = 2000.0
    assert collector.remove(holding) == 0         # with what was seen before it was used,
    holding = collector.look()
    collector.mark(holding)
    assert collector.remove(holding) == 0         # and with what is seen now
    assert box.whole(digest)


def test_marks_that_cannot_be_read_begin_the_grace_anew(box: Cached) -> None:
    box.table(10_000, 3000.0)
    now = [1000.0]
    collector = Collector(box.store, grace=600.0, clock=lambda: now[0])
    collector.mark(collector.look())
    (box.store.root / MARKS).write_bytes(b'{"torn')
    now[0] = 5000.0
    holding = collector.look()
    assert collector.remove(holding) == 0
    collector.mark(holding)
    now[0] = 6000.0
    assert collector.remove(holding) > 0


_COLLECT = """
import sys
from pathlib import Path
from runner_agent.cache import CacheMethods
from runner_agent.jobs import Jobs
from runner_agent.place import Place
place = Place(Path(sys.argv[1]))
cache = CacheMethods(place.objects, Jobs(place.root), lambda: 1, grace=0.0)
print("begun", flush=True)
while True:
    cache.tend()
"""


def test_a_kill_in_the_middle_leaves_whole_objects_and_what_was_needed(box: Cached) -> None:
    needed = box.table(2000, 3000.0, parts=5)
    box.job(inputs=(needed,))
    for _ in range(4):
        for _ in range(20):
            box.table(500, 3000.0, parts=3)
        process = subprocess.Popen([sys.executable, "-c", _COLLECT, str(box.place.folder)], stdout=subprocess.PIPE)
        assert process.stdout is not None and process.stdout.readline()
        while len(box.there()) > 50:  # somewhere in the middle
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        for digest in box.there():
            box.store.verify(digest)
    box.cache(quota=1).tend()
    assert box.whole(needed) and len(box.there()) == 6


def test_a_store_that_the_library_uses_is_never_collected(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    try:
        job = bench.submit(steps=1)
        bench.follow(job)
        store = ObjectStore(bench.home.objects)
        digest = store.put_bytes(b"a dataset that no job knows of")
        os.utime(store.path(digest), (0, 0))
        with pytest.raises(Conflict, match="library"):
            bench.runner.collect()
        view = bench.runner.cache()
        assert (view.pinned, view.quota) == (view.used, 0)
        assert store.has(digest)
    finally:
        bench.close()
    cache = CacheMethods(bench.home.objects, Jobs(bench.home.runner), lambda: 1, grace=0.0)
    cache.start()
    assert cache.tend() == 0 and cache._thread is None
    assert store.has(digest) and not is_own(bench.home.objects)


def test_a_place_laid_over_a_library_does_not_make_it_its_own(tmp_path: Path) -> None:
    place = Place(tmp_path).make()
    assert is_own(place.objects)
    (tmp_path / "library.db").touch()      # found afterwards, it counts as well
    assert not is_own(place.objects)
    assert not is_own(Place(tmp_path).make().objects)


def test_collecting_on_request_frees_what_nobody_needs(box: Cached) -> None:
    kept, gone = box.table(10_000, 3000.0), box.table(10_000, 3000.0)
    box.job(inputs=(kept,))
    cache = box.cache()
    freed = cache.collect()
    assert isinstance(freed, dict) and freed["freed"] > 10_000
    assert box.whole(kept) and not box.store.has(gone)
    assert answer(cache)["objects"] == 2


def test_the_cache_is_looked_after_without_being_asked(box: Cached, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner_agent.cache._LOOK", 0.01)
    box.table(10_000, 3000.0)
    cache = box.cache(quota=1)
    cache.start()
    deadline = time.monotonic() + 20
    while box.there() and time.monotonic() < deadline:
        time.sleep(0.01)
    cache.close()
    assert not box.there()


def test_data_of_the_machine_that_were_written_to_are_not_trained_on(box: Cached, tmp_path: Path) -> None:
    from mldesk.wire import linked
    from mldesk.wire.manifest import Manifest

    source = tmp_path / "source.bin"
    source.write_bytes(os.urandom(5000))
    entry, way = linked.adopt(box.store, source, "parts/0", link_from=1)
    if way != "linked":
        pytest.skip(f"this disk has them {way}")
    manifest = box.store.put_bytes(Manifest((entry,)).to_bytes())
    agent, before = ObjectMethods(box.place.objects), source.stat()
    agent.require([manifest])
    agent.have((entry.sha256,))
    assert (source.stat().st_mtime_ns, source.stat().st_mode) == (before.st_mtime_ns, before.st_mode)
    with open(source, "r+b") as file:
        file.write(b"other")
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000))
    with pytest.raises(DataMissing, match=r"source\.bin on the runner has changed"):
        agent.require([manifest])
    assert source.exists() and not box.store.has(entry.sha256)


def test_an_own_copy_that_took_the_place_of_a_link_is_trusted(box: Cached, tmp_path: Path) -> None:
    from mldesk.wire import linked

    source = tmp_path / "source.bin"
    data = os.urandom(5000)
    source.write_bytes(data)
    entry, way = linked.adopt(box.store, source, "parts/0", link_from=1)
    if way != "linked":
        pytest.skip(f"this disk has them {way}")
    source.write_bytes(b"other")
    assert linked.changed(box.store.root, [entry.sha256]) == [entry.sha256]
    assert box.store.put_bytes(data) == entry.sha256  # somebody sends it
    assert linked.changed(box.store.root, [entry.sha256]) == []
    box.store.verify(entry.sha256)
    assert source.read_bytes() == b"other"
