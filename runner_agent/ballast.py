"""A file that is kept only to be deleted: on a full disk its space lets a job's last event be written."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from mldesk.core.errors import DiskFull
from mldesk.core.sizes import size

DEFAULT_BYTES = 64 * 1024 * 1024
NEEDED_BYTES = 2 * 1024**3     # free space to start a job with,
NEEDED_SHARE = 0.05            # or this share of the disk where that is less


class Ballast:
    """The file ``ballast`` in a runner's folder. Zero bytes: none is kept."""

    def __init__(self, root: Path, reserved: int) -> None:
        self._path = root / "ballast"
        self._size = reserved

    def release(self) -> bool:
        """Give its space back; say whether there was any."""
        try:
            had = self._path.stat().st_size > 0
            self._path.unlink()
        except FileNotFoundError:
            return False
        return had

    def restore(self) -> None:
        """Make it again if it is not there and the disk has room for it twice over."""
        if self._size <= 0 or self._path.exists() or _free(self._path.parent) < 2 * self._size:
            return
        draft = self._path.with_name(".ballast.tmp")
        try:
            with open(draft, "wb") as file:
                _fill(file.fileno(), self._size)
            os.replace(draft, self._path)
        except OSError:
            # No room after all: the disk filled meanwhile, and this must not take what is left of it.
            with contextlib.suppress(OSError):
                draft.unlink()


def require_space(folder: Path) -> None:
    """Raise DiskFull when too little is free to start anything."""
    usage = shutil.disk_usage(folder)
    needed = min(NEEDED_BYTES, int(usage.total * NEEDED_SHARE))
    if usage.free < needed:
        raise DiskFull(
            f"The runner's disk is nearly full: {size(usage.free)} are free, a job needs {size(needed)} to start.",
            hint=f"Free some space on the disk that holds {folder}, then start it again.")


def require_room(folder: Path, coming: int) -> None:
    """Raise DiskFull when ``coming`` bytes that are to come would leave less than a job needs to start."""
    usage = shutil.disk_usage(folder)
    needed = min(NEEDED_BYTES, int(usage.total * NEEDED_SHARE))
    if usage.free - coming < needed:
        raise DiskFull(
            f"The runner's disk has no room for these data: {size(usage.free)} are free, {size(coming)} would come, "
            f"and {size(needed)} are kept for jobs.", hint=f"Free some space on the disk that holds {folder}.")


def nearly_full(folder: Path, least: int = 1024 * 1024) -> bool:
    """Say whether less than ``least`` bytes are free."""
    return _free(folder) < least


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _fill(handle: int, amount: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, amount)
        return
    block = b"\0" * (1024 * 1024)
    for _ in range(-(-amount // len(block))):
        os.write(handle, block)
