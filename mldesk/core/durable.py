"""Writing so that a crash or a full disk leaves the old file or the new one, never half of one.

Every durable write of MLDesk goes through here; tests inject faults at these few calls.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from mldesk.core import filelock
from mldesk.core.errors import DiskFull

ABANDONED = 60.0  # seconds after which a draft that nobody holds open is a dead process's litter


@contextlib.contextmanager
def disk_errors(doing: str) -> Iterator[None]:
    """Turn "no space" and "quota" from the system into one sentence that says what was being done."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            where = f" ({error.filename})" if error.filename else ""
            raise DiskFull(
                f"The disk is full: {doing} stopped, and nothing that was saved before is lost{where}.",
                hint="Free some space on that disk, then do it again.",
            ) from error
        raise


def sync_directory(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut. Does nothing where folders cannot be opened (Windows)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Draft:
    """A temporary file in the making; see ``draft``."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self.file = file

    def keep_as(self, path: Path, *, mode: int | None = None, sync: bool = True) -> None:
        """Give the draft its name: the data is on disk before the rename, the rename before the return.

        ``sync=False`` leaves both to the system's own time, for files that are checked again when they are read.
        Raises OSError, with whatever ``path`` named before as it was.
        """
        self.file.flush()
        if mode is not None:
            self.path.chmod(mode)
        if sync:
            os.fsync(self.file.fileno())
        self.file.close()  # Windows renames closed files only
        os.replace(self.path, path)
        if sync:
            sync_directory(path.parent)


@contextlib.contextmanager
def draft(folder: Path, name: str = "draft") -> Iterator[Draft]:
    """Open a temporary file in ``folder`` that is gone after the block unless ``keep_as`` named it.

    The file is locked while it is open, so that ``sweep_drafts`` tells one being written from a dead process's.
    """
    path = folder / f".{name[:80]}.{secrets.token_hex(6)}.tmp"
    try:
        with open(path, "xb") as file:
            if os.name != "nt":  # there the open handle itself forbids the removal, and a lock would forbid our writes
                filelock.acquire(file.fileno(), wait=False)
            yield Draft(path, file)
    except OSError as error:
        if error.filename == str(path):
            error.filename = str(folder / name)  # a temporary name says nothing to anybody
        raise
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside ``path`` that takes its name when the block ends well.

    The data is on disk before the rename and the rename before the return; on any error the temporary file is
    gone and ``path`` is as it was.
    """
    with draft(path.parent, path.name) as new:
        yield new.file
        new.keep_as(path)


def write_atomic(path: Path, data: bytes) -> None:
    """Replace the whole content of ``path`` durably. Raises OSError, with ``path`` as it was."""
    with replacing(path) as file:
        file.write(data)


def sweep_drafts(folder: Path, *, older_than: float = ABANDONED) -> int:
    """Remove the drafts in ``folder`` that a process left behind when it was killed; return how many there were.

    A draft that some process holds open, or that is younger than ``older_than`` seconds, stays.
    """
    removed = 0
    for path in folder.glob(".*.tmp"):
        with contextlib.suppress(OSError):  # another sweeper, or its writer, was quicker
            if time.time() - path.stat().st_mtime < older_than:
                continue
            with open(path, "rb") as file:
                free = os.name == "nt" or filelock.acquire(file.fileno(), wait=False)
            if free:
                path.unlink()
                removed += 1
    return removed
