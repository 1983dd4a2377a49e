"""Looking at the files of an object store: what they are, how old, and whether they are whole."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from pathlib import Path

from mldesk.core import durable
from mldesk.core.errors import LibraryDamaged, NotFound


class ObjectMissing(NotFound):
    """The store does not hold an object."""

    code = "object_missing"

    def __init__(self, digest: str, message: str = "", *, hint: str = "") -> None:
        super().__init__(message or f"The file {digest[:12]}… is not in the object store.", hint=hint)
        self.digest = digest


def is_whole(path: Path, digest: str) -> bool:
    """Say whether a file has this content. What the disk cannot read any more is damaged as well."""
    try:
        with open(path, "rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == digest:
                return True
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno != errno.EIO:
            raise
    if os.name == "nt":
        path.chmod(0o600)  # Windows does not replace read-only files
    return False


def moved_in(path: Path, target: Path) -> bool:
    """Make a synced file an object, durably; False, with nothing changed, where it lies on another disk."""
    mode = path.stat().st_mode
    try:
        path.chmod(0o444)
        os.utime(path)  # its grace time begins
        os.replace(path, target)
    except OSError as error:
        path.chmod(mode)
        if error.errno != errno.EXDEV:
            raise
        return False
    durable.sync_directory(target.parent)
    return True


def size_of(path: Path) -> int:
    """Return its bytes; minus one if it is gone."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1


def touched(path: Path) -> bool:
    """Begin the grace time of an object anew; say whether it is still there."""
    try:
        if path.is_symlink():          # see wire.referenced
            os.utime(path, follow_symlinks=False)
        elif path.stat().st_nlink == 1:  # else it is a file of this machine's user as well, see wire.linked
            os.utime(path)
    except FileNotFoundError:
        return False
    except PermissionError:  # another user's store, mounted read-only: no sweep of ours can reach it
        return True
    return True


def age_of(path: Path) -> float:
    """Return the seconds since a file was put or asked for; minus one if it is gone."""
    try:
        return max(0.0, time.time() - path.lstat().st_mtime)
    except FileNotFoundError:
        return -1.0


def damaged(digest: str) -> LibraryDamaged:
    """Return the error for an object whose content is not what its name says."""
    return LibraryDamaged(
        f"The object {digest[:12]}… has changed on disk since it was written.",
        hint="Check the disk. Bring the object back from a copy of the library, or import the file again.")
