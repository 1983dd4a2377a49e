"""Files of the user's that are objects where they lie: a symbolic link in the store, and a note of what the file was.

Nothing of ours ever writes to such a file, touches its times or removes it; taking the object away takes the link. Its
size and time of change are compared whenever it is used, its digest when reading it fails.

    root/3f/9a61…              link to the file
    root/.referenced/3f9a61…   {"path", "size", "mtime"}
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from mldesk.core import canonical, durable
from mldesk.core.errors import BadInput, LibraryDamaged
from mldesk.wire.object_files import ObjectMissing

FOLDER = ".referenced"


class SourceChanged(LibraryDamaged):
    """A registered file was written to after it was registered."""


class SourceGone(ObjectMissing):
    """A registered file is not where it was."""


def facts_of(path: Path) -> dict[str, int]:
    """Return what a file is known by: its size in bytes, its time of change in nanoseconds."""
    status = path.stat()
    return {"size": status.st_size, "mtime": status.st_mtime_ns}


def refer(root: Path, source: Path, digest: str, facts: dict[str, int]) -> None:
    """Make ``source`` the object ``digest`` where it lies; one that the store has of its own stays. Raises BadInput."""
    target = root / digest[:2] / digest[2:]
    if target.is_file() and not target.is_symlink():
        return
    for folder in (target.parent, root / FOLDER):
        folder.mkdir(mode=0o700, exist_ok=True)
    source = source.resolve()
    # The note comes first: a link without its note is not trusted.
    durable.write_atomic(root / FOLDER / digest, canonical.dumps({"path": str(source), **facts}))
    new = root / ".drafts" / f"{digest}.{os.getpid()}.link"
    try:
        new.unlink(missing_ok=True)
        new.symlink_to(source)
        os.replace(new, target)
    except (NotImplementedError, PermissionError) as error:  # Windows, without the right to make links
        raise BadInput("This system lets MLDesk make no links to files, so they cannot stay where they are.",
                       hint="Import them instead: that makes a copy.") from error
    durable.sync_directory(target.parent)
    durable.sync_directory(root)


def check(root: Path, digest: str, path: Path) -> None:
    """See that a linked file is what it was. Raises SourceGone, SourceChanged."""
    try:
        noted = json.loads((root / FOLDER / digest).read_bytes())
        was, source = {"size": noted["size"], "mtime": noted["mtime"]}, str(noted["path"])
    except (OSError, ValueError, TypeError, KeyError):
        was, source = {}, str(path.readlink())
    try:
        now = facts_of(path)
    except OSError as error:
        raise SourceGone(digest, f"The registered file {source} is not there any more, or cannot be read.",
                         hint="Put it back, or register the folder where it is now, as the next version.") from error
    if now != was:
        raise SourceChanged(f"The registered file {source} has changed since it was registered.",
                            hint="Put back what it was, or register it again, as the next version.")


def forget(root: Path, digest: str) -> None:
    """Remove the note of an object that is not there any more."""
    with contextlib.suppress(OSError):
        (root / FOLDER / digest).unlink(missing_ok=True)
