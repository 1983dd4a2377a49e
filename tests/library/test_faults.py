"""The library under a disk that fills up and processes that die: what was named before is whole, nothing half is."""

from __future__ import annotations

import errno
import math
import os
import sqlite3
from pathlib import Path

import pytest

from mldesk.core.errors import BadInput, DiskFull, LibraryDamaged, MldeskError
from mldesk.core.paths import Home
from mldesk.library import Library, database
from tests.core.disk_faults import every_death, every_fault, litter, small_files
from tests.library.conftest import STARTED, add_run, add_table, journal, loss, succeeded


def check(home: Home) -> list[str]:
    """Open the library, verify everything it names; return the labels of the dataset versions."""
    with Library.open(home) as library:
        labels = []
        for dataset in library.datasets.list():
            for version in library.datasets.versions(dataset.name):
                library.objects.verify_manifest(version.manifest)
                labels.append(version.label)
        for digest in library.objects.digests():
            library.objects.verify(digest)
        for run in library.runs.list():
            assert len(library.runs.events(run.id)) == run.last_seq
        library.maintain()
        return labels


def import_table(home: Home) -> None:
    with Library.open(home) as library:
        add_table(library, content=b"x" * 10_000, problems=[{"message": "y" * 20_000}])


@pytest.fixture
def filled(home: Home) -> Home:
    with Library.open(home) as library:
        add_table(library, "before")
        add_run(library, "before@1")
        library.maintain()
    return home


@pytest.mark.parametrize("lasting", [True, False])
def test_a_full_disk_at_any_step_of_adding_a_dataset(filled: Home, lasting: bool) -> None:
    for outcome in every_fault(filled.root, lambda: import_table(filled), lasting=lasting):
        labels = check(filled)
        assert "before@1" in labels
        assert outcome.error is None or isinstance(outcome.error, DiskFull)
        assert (len(labels) == 2) == (outcome.error is None)
        assert not litter(filled.root)
        with Library.open(filled) as library:
            if len(labels) == 2:
                library.datasets.remove("penguins")
    assert outcome.number > 8


def test_a_process_killed_at_any_step_of_adding_a_dataset(filled: Home) -> None:
    count = 0
    for outcome in every_death(filled.root, lambda: import_table(filled)):
        count += 1
        labels = check(filled)
        assert labels == ["before@1"] if outcome.spoiled else ["before@1", "penguins@1"]
        with Library.open(filled) as library:
            library.objects.sweep_staging(0)
        assert not litter(filled.objects)
    assert count > 8


def pages(home: Home) -> int:
    with sqlite3.connect(home.database) as connection:
        count = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.close()
    return int(count)


@pytest.mark.parametrize("step", ["dataset", "events"])
def test_a_database_that_cannot_grow_by_another_page(filled: Home, step: str) -> None:
    first, done = pages(filled), False
    with Library.open(filled) as library:
        run = library.runs.list()[0]
        manifest = library.datasets.version("before").manifest
    events = journal(STARTED, *[loss(number, math.sin(number)) for number in range(3000)], *succeeded(manifest))
    for allowed in range(first, first + 100):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(database, "_PRAGMAS", (*database._PRAGMAS, f"PRAGMA max_page_count={allowed}"))
            try:
                if step == "dataset":
                    import_table(filled)
                else:
                    with Library.open(filled) as library:
                        library.runs.apply(run.id, events)
                done = True
            except DiskFull as error:
                assert error.hint
        labels = check(filled)
        with Library.open(filled) as library:
            assert library.runs.get(run.id).last_seq == (len(events) if done and step == "events" else 0)
            assert len(library.models.list()) == (1 if done and step == "events" else 0)
        assert len(labels) == (2 if done and step == "dataset" else 1)
        if done:
            break
    assert done
    assert allowed > first


def test_a_log_that_cannot_be_written_is_told_in_a_sentence(filled: Home) -> None:
    refused = 0
    for size in range(0, 120_000, 12_000):
        try:
            with small_files(size):
                import_table(filled)
        except MldeskError as error:
            refused += 1
            assert error.hint
            assert check(filled) == ["before@1"]
        else:
            assert "penguins@1" in check(filled)
            break
    assert refused > 2


def test_a_backup_that_does_not_fit_leaves_the_last_one(filled: Home) -> None:
    backup = next(filled.backups.iterdir())
    before = backup.read_bytes()
    backup.rename(filled.backups / "library-2001-01-01.db")
    with Library.open(filled) as library:
        add_table(library, "large", problems=[{"message": "y" * 200_000}])
        os.utime(filled.backups / "library-2001-01-01.db", (1, 1))
        with small_files(100_000), pytest.raises(MldeskError):
            library.maintain()
    assert [path.read_bytes() for path in filled.backups.iterdir()] == [before]


def test_a_home_that_cannot_be_written_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "library.db").mkdir()  # as good as forbidden, for root too
    with pytest.raises(MldeskError, match="cannot be opened") as caught:
        Library.open(Home(tmp_path / "home"))
    assert caught.value.hint


def test_a_home_that_is_a_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    for place in (tmp_path / "home", tmp_path / "home" / "below"):
        with pytest.raises(BadInput, match="home is a file, not a folder"):
            Library.open(Home(place))


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_home_that_is_read_only_is_refused_in_a_sentence(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refused(home: Home) -> None:
        raise OSError(number, os.strerror(number), str(home.root))

    monkeypatch.setattr(Home, "make", refused)  # root may write anywhere, and the tests may run as root
    with pytest.raises(MldeskError, match="cannot be written to") as caught:
        Library.open(Home(tmp_path / "home"))
    assert "--home" in caught.value.hint


def test_an_io_error_of_a_full_disk_is_told_as_a_full_disk(
        filled: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with small_files(0), pytest.raises(MldeskError) as caught:
        import_table(filled)
    assert not isinstance(caught.value, DiskFull)
    monkeypatch.setattr(database, "NO_ROOM", 1 << 62)
    with small_files(0), pytest.raises(DiskFull):
        import_table(filled)


def test_what_is_kept_can_be_read_on_a_full_disk_and_nothing_is_written(
        filled: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    (filled.root / ".checked").unlink()   # so that a backup is due, which finds no room
    for backup in filled.backups.iterdir():
        backup.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(database, "NO_ROOM", 1 << 62)
        with small_files(0), Library.open(filled) as library:
            assert [dataset.name for dataset in library.datasets.list()] == ["before"]
            assert library.change_token() == library.change_token()
            run = library.runs.list()[0]
            with pytest.raises(DiskFull):
                library.runs.apply(run.id, journal(STARTED, loss(1, 0.5)))
            assert library.runs.get(run.id).last_seq == 0
            assert not list(filled.backups.iterdir())
    with Library.open(filled) as library:   # there is room again: what was missed is made up for
        library.runs.apply(run.id, journal(STARTED, loss(1, 0.5)))
        assert library.runs.get(run.id).last_seq == 2
    assert len(list(filled.backups.iterdir())) == 1


def test_a_full_disk_hides_no_work_that_is_still_in_the_log(filled: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    log = filled.database.with_name("library.db-wal")
    with Library.open(filled) as library:
        add_table(library, "later")
        kept = log.read_bytes()
    log.write_bytes(kept)                  # as after a kill: the file alone is the state before
    monkeypatch.setattr(database, "NO_ROOM", 1 << 62)
    with small_files(0), pytest.raises(DiskFull):
        Library.open(filled)


def test_an_emptied_database_beside_objects_is_damage_and_the_hint_names_the_backup(filled: Home) -> None:
    for path in filled.root.glob("library.db*"):
        path.unlink()
    filled.database.touch()
    with pytest.raises(LibraryDamaged, match="it is empty") as caught:
        Library.open(filled)
    assert str(next(filled.backups.iterdir())) in caught.value.hint
    assert filled.database.stat().st_size == 0
