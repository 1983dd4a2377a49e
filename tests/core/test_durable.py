"""A file is the old one or the new one, whatever goes wrong and whenever."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mldesk.core import durable
from mldesk.core.errors import BadInput, DiskFull, NotFound
from mldesk.core.filelock import acquire, locked
from mldesk.core.targets import check_target
from tests.core.disk_faults import every_death, every_fault, litter, small_files

OLD, NEW = b"old " * 10_000, b"new " * 30_000


@pytest.mark.parametrize("lasting", [True, False])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path, lasting: bool, error: int) -> None:
    path = tmp_path / "file"
    durable.write_atomic(path, OLD)
    outcomes = []
    for outcome in every_fault(tmp_path, lambda: durable.write_atomic(path, NEW), lasting=lasting, error=error):
        outcomes.append(outcome)
        assert path.read_bytes() in (OLD, NEW)
        assert (path.read_bytes() == NEW) or outcome.error is not None
        assert not litter(tmp_path)
        path.write_bytes(OLD)
    assert {outcome.kind for outcome in outcomes} == {"open", "write", "fsync", "replace", ""}
    assert all(outcome.error is not None for outcome in outcomes[:-1])


def test_a_process_killed_at_any_moment_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    durable.write_atomic(path, OLD)
    for _ in every_death(tmp_path, lambda: durable.write_atomic(path, NEW)):
        assert path.read_bytes() in (OLD, NEW)
        path.write_bytes(OLD)
    assert litter(tmp_path)
    assert durable.sweep_drafts(tmp_path) == 0  # too young: someone may have just made them
    durable.sweep_drafts(tmp_path, older_than=0)
    assert not litter(tmp_path)


def test_a_draft_that_is_being_written_is_not_swept(tmp_path: Path) -> None:
    with durable.draft(tmp_path) as new:
        new.file.write(b"slow")
        new.file.flush()
        os.utime(new.path, (0, 0))
        code = (f"from mldesk.core.durable import sweep_drafts; from pathlib import Path; "
                f"print(sweep_drafts(Path({str(tmp_path)!r}), older_than=0))")
        swept = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
        assert swept.strip() == "0"
        new.keep_as(tmp_path / "kept", mode=0o444)
    assert (tmp_path / "kept").read_bytes() == b"slow"
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o444


def test_a_draft_that_is_not_kept_is_gone(tmp_path: Path) -> None:
    with durable.draft(tmp_path) as new:
        new.file.write(b"never mind")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told_in_one_sentence(tmp_path: Path) -> None:
    with (small_files(4096), pytest.raises(DiskFull, match="saving the picture stopped") as caught,
          durable.disk_errors("saving the picture")):
        durable.write_atomic(tmp_path / "file", NEW)
    assert caught.value.hint
    assert not litter(tmp_path)


def test_other_errors_of_the_disk_are_left_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), durable.disk_errors("saving"):
        durable.write_atomic(tmp_path / "no" / "folder", b"")


def test_a_lock_keeps_other_processes_out_until_its_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "lock"

    def free(*, shared: bool) -> bool:
        with open(path, "rb+") as file:
            return acquire(file.fileno(), shared=shared, wait=False)

    with locked(path):
        assert not free(shared=True)
    with locked(path, shared=True):
        assert free(shared=True)
        assert not free(shared=False)
    assert free(shared=False)


def test_an_error_names_the_file_that_was_to_be_written_not_the_temporary_one(tmp_path: Path) -> None:
    for write in (lambda: durable.write_atomic(tmp_path / "gone" / "file", NEW),
                  lambda: durable.write_atomic(tmp_path, NEW)):
        with pytest.raises(OSError) as caught:
            write()
        assert not str(caught.value.filename).endswith(".tmp")


def test_where_a_file_is_to_be_written_is_said_to_be_wrong_before_anything_is_made(tmp_path: Path) -> None:
    check_target(tmp_path / "file")
    for path in (Path(), Path("/"), tmp_path):
        with pytest.raises(BadInput, match="is a folder"):
            check_target(path)
    with pytest.raises(NotFound, match="no folder"):
        check_target(tmp_path / "gone" / "file")
