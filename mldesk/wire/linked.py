"""Files that are objects of a store without having been copied: clones where the disk can, else second names.

A clone (reflink) is a file of its own that shares its blocks until one of the two is written to: as good as a copy. A
second name (hard link) is the same file: who writes to it changes the object. So a note beside the store says what the
file was when its digest was taken (``root/.linked/‹digest›``), and ``still`` compares: that is all the trust there is.
The store never touches the mode or the times of such a file, which are its owner's.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO, Literal

from mldesk.core import canonical, durable
from mldesk.core.errors import BadInput
from mldesk.wire.manifest import Entry, read_entry
from mldesk.wire.objects import ObjectStore

Way = Literal["cloned", "linked", "copied", "referenced"]
LINK_FROM = 64 * 1024 * 1024   # bytes from which a second name is worth its risk
FOLDER = ".linked"
_CLONE = 0x40049409            # FICLONE of Linux
_NO_LINK = {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS}


class FileChanged(BadInput):
    """A file was written to while it was read."""


def adopt(store: ObjectStore, source: Path, name: str, *, link_from: int = LINK_FROM,
          check: Callable[[], None] = lambda: None) -> tuple[Entry, Way]:
    """Make ``source`` an object in the cheapest way there is; return its entry as ``name`` and the way.

    ``check`` may raise to stop. Raises FileChanged, DiskFull, OSError.
    """
    with durable.disk_errors("bringing a file into the store"):
        with durable.draft(store.root / ".drafts") as new:
            if _clone(source, new.file):
                digest = store.put_file(new.path, move=True)
                return _entry(store.path(digest), name), "cloned"
        check()
        before = _facts(source)
        if before["size"] >= link_from:
            entry = _entry(source, name)
            check()
            if _facts(source) != before:
                raise FileChanged(f"{source.name[:100]!r} was written to while it was read.",
                                  hint="Wait until it is finished, then import it again.")
            if store.has(entry.sha256) or _link(store.root, source, entry.sha256, before):
                return entry, "linked" if _note(store.root, entry.sha256).exists() else "copied"
        return _entry(store.path(store.put_file(source)), name), "copied"


def still(root: Path, digest: str) -> bool:
    """Say whether an object is what it was when it became one; always so for those that are the store's own."""
    try:
        noted = dict(json.loads(_note(root, digest).read_bytes())["facts"])
        now = _facts(_object(root, digest))
        return now == noted or now["inode"] != noted["inode"]  # another file: the store has its own by now
    except FileNotFoundError:
        return True
    except (ValueError, TypeError, KeyError):  # a torn note: nothing is known of it
        return False


def changed(root: Path, digests: Iterable[str]) -> list[str]:
    """Return those of some objects that are not what they were."""
    if not (root / FOLDER).is_dir():
        return []
    return [digest for digest in digests if not still(root, digest)]


def source_of(root: Path, digest: str) -> str:
    """Return where the file of a linked object was; "" for other objects."""
    try:
        return str(json.loads(_note(root, digest).read_bytes())["path"])
    except (OSError, ValueError, TypeError, KeyError):
        return ""


def forget(root: Path, digest: str) -> None:
    """Remove the note of an object that is not there any more."""
    _note(root, digest).unlink(missing_ok=True)


def drop(root: Path, digest: str) -> None:
    """Take the second name away; the file itself stays where it was."""
    _object(root, digest).unlink(missing_ok=True)
    forget(root, digest)


def _link(root: Path, source: Path, digest: str, facts: dict[str, int]) -> bool:
    """Give the file its second name, after the note; False where that cannot be."""
    target = _object(root, digest)
    for folder in (target.parent, root / FOLDER):
        folder.mkdir(mode=0o700, exist_ok=True)
    # The note comes first: one without its object says nothing, an object without its note would be trusted.
    durable.write_atomic(_note(root, digest), canonical.dumps({"path": str(source), "facts": {**facts}}))
    try:
        os.link(source, target)
    except OSError as error:
        if not (isinstance(error, FileExistsError) and target.samefile(source)):
            forget(root, digest)  # another process was quicker, with a copy; or it cannot be
        if error.errno not in _NO_LINK and not isinstance(error, FileExistsError):
            raise
        return isinstance(error, FileExistsError)
    durable.sync_directory(target.parent)
    durable.sync_directory(root)
    return True


def _clone(source: Path, target: BinaryIO) -> bool:
    """Make ``target`` a clone that shares the source's blocks; False where the disk cannot."""
    if sys.platform != "linux":
        return False
    import fcntl  # not on Windows

    with open(source, "rb") as reading:
        try:
            fcntl.ioctl(target.fileno(), _CLONE, reading.fileno())
        except OSError:
            return False
        return True


def _entry(path: Path, name: str) -> Entry:
    with open(path, "rb") as file:
        return read_entry(file, name)


def _facts(path: Path) -> dict[str, int]:
    status = path.stat()
    return {"size": status.st_size, "mtime": status.st_mtime_ns, "inode": status.st_ino}


def _object(root: Path, digest: str) -> Path:
    return root / digest[:2] / digest[2:]


def _note(root: Path, digest: str) -> Path:
    return root / FOLDER / digest
