"""The bin: purging frees what nobody needs, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mldesk.core.errors import BadInput, Conflict, LibraryDamaged, NotFound
from mldesk.library import Library
from mldesk.library.bin import SETTLED, costs
from mldesk.library.dataset_words import Words
from tests.library.conftest import add_run, add_table, journal, succeeded


def grow_old(library: Library) -> None:
    """Let every object be older than a writer could be busy with."""
    for digest in list(library.objects.digests()):
        path = library.objects.path(digest)
        os.utime(path, (path.stat().st_mtime - 2 * SETTLED,) * 2)


def test_a_purge_frees_what_only_the_dataset_held(library: Library) -> None:
    gone, stays = add_table(library, "gone", b"x" * 1000), add_table(library, "stays", b"y" * 1000)
    add_table(library, "gone", b"y" * 1000, parent=1)  # shared with the other
    library.datasets.remove("gone")
    binned = library.bin.list()
    assert [(item.name, item.versions) for item in binned] == [("gone", 2)]
    assert 1000 < binned[0].size < 2000
    grow_old(library)
    purged = library.bin.purge(["GONE"])
    assert (purged.datasets, purged.freed, purged.later) == (("gone",), binned[0].size, 0)
    assert purged.kept == purged.shared >= 1000
    assert not library.objects.has(gone.manifest)
    library.objects.verify_manifest(stays.manifest)
    assert library.bin.list() == []
    with pytest.raises(NotFound):
        library.datasets.restore("gone")


def test_what_was_written_just_now_is_freed_later(library: Library) -> None:
    version = add_table(library, "gone", b"x" * 1000)
    library.datasets.remove("gone")
    purged = library.bin.purge()
    assert purged.freed == 0
    assert purged.later > 1000
    assert library.objects.has(version.manifest)
    for digest in list(library.objects.digests()):
        os.utime(library.objects.path(digest), (1.0, 1.0))
    assert library.bin.purge().freed == purged.later
    assert not library.objects.has(version.manifest)


def test_a_model_keeps_its_files_when_its_dataset_is_purged(library: Library) -> None:
    made = add_table(library, "files-of-a-model", b"z" * 500)
    add_table(library, "penguins", b"x" * 1000)
    run = add_run(library, "penguins@1")
    library.runs.apply(run.id, journal(("started", {"attempt": 1}), *succeeded(made.manifest)))
    for name in ("penguins", "files-of-a-model"):
        library.datasets.remove(name)
    grow_old(library)
    library.bin.purge()
    library.objects.verify_manifest(made.manifest)
    assert library.models.list()[0].head.dataset == "penguins@1"


def test_a_dataset_that_a_recipe_brought_in_stays_as_long_as_the_recipe(library: Library) -> None:
    other = add_table(library, "other", b"o" * 800)
    add_table(library, "table")
    add_table(library, "table", b"joined", parent=1, recipe=[{"step": "join", "dataset": "other@1",
                                                               "digest": other.manifest}])
    library.datasets.remove("other")
    assert library.bin.list()[0].size == 0
    grow_old(library)
    assert library.bin.purge().freed == 0
    library.objects.verify_manifest(other.manifest)


def test_what_is_not_in_the_bin_is_not_purged(library: Library) -> None:
    add_table(library, "here")
    add_table(library, "binned", b"1")
    library.datasets.remove("binned")
    with pytest.raises(NotFound):
        library.bin.purge(["here", "binned"])
    assert [item.name for item in library.bin.list()] == ["binned"]
    assert library.datasets.get("here").versions == 1


def test_an_unreadable_manifest_lets_nothing_go(library: Library) -> None:
    kept = add_table(library, "kept", b"k" * 100)
    add_table(library, "gone", b"x" * 1000)
    library.datasets.remove("gone")
    grow_old(library)
    path: Path = library.objects.path(kept.manifest)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-3])
    before = sorted(library.objects.digests())
    with pytest.raises(LibraryDamaged):
        library.bin.purge()
    assert sorted(library.objects.digests()) == before
    assert [item.name for item in library.datasets.list(removed=True)] == ["gone"]


def test_a_version_costs_what_it_alone_holds(library: Library) -> None:
    add_table(library, "table", b"a" * 100)
    add_table(library, "table", b"b" * 200, parent=1)
    add_table(library, "copy", b"a" * 100)
    assert costs(library.datasets, library.objects, "table") == {1: (0, 100), 2: (200, 200)}


def test_notes_and_tags_belong_to_a_dataset_or_a_version_and_follow_its_name(library: Library) -> None:
    add_table(library, "table")
    library.words.set("table", 0, note="All of it.", tags=["team", "team", " "])
    library.words.set("Table", 1, tags=["gold"])
    library.words.set("table", 1, note="The good one.")
    library.datasets.rename("table", "renamed")
    assert library.words.get("renamed") == {0: Words("All of it.", ("team",)), 1: Words("The good one.", ("gold",))}
    assert library.words.all_tags() == {"renamed": ("team", "gold")}
    for wrong in (lambda: library.words.set("renamed", 2, note="x"), lambda: library.words.get("table")):
        with pytest.raises(NotFound):
            wrong()
    with pytest.raises(BadInput):
        library.words.set("renamed", 0, tags=[str(number) for number in range(60)])


def test_an_old_version_loses_its_rows_unless_a_run_or_a_model_needs_them(library: Library) -> None:
    first = add_table(library, "t", b"1" * 3000)
    add_table(library, "t", b"2" * 400, parent=1)
    add_table(library, "t", b"3" * 500)
    run = add_run(library, "t@2")
    library.runs.apply(run.id, journal(("started", {"attempt": 1}), *succeeded(first.manifest)))
    grow_old(library)
    with pytest.raises(Conflict, match="current version"):
        library.bin.purge_version("t", 3)
    with pytest.raises(Conflict, match=f"the run {run.name} learned from them"):
        library.bin.purge_version("t", 2)
    with pytest.raises(NotFound):
        library.bin.purge_version("t", 9)
    add_table(library, "u", b"1" * 3000)     # the same rows
    done = library.bin.purge_version("T", 1)
    assert (done.datasets, done.freed) == (("T@1",), 0)
    assert done.shared > 3000
    assert library.datasets.version("t", 1).purged is not None
    with pytest.raises(Conflict, match="purged before"):
        library.bin.purge_version("t", 1)
    with pytest.raises(Conflict, match="were purged"):
        library.datasets.set_head("t", 1)
    library.datasets.set_head("t", 2)
    assert library.bin.purge_version("t", 3).freed > 500
    assert add_table(library, "t", b"4").number == 4
