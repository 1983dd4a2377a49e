"""Where a file is to be written: said to be wrong before anything is made. Standard library only."""

from __future__ import annotations

from pathlib import Path

from mldesk.core.errors import BadInput, Conflict, NotFound


def check_target(path: Path) -> None:
    """Raise BadInput for a path that names no file ("", ".", a folder), NotFound for one whose folder is not there."""
    if not path.name or path.is_dir():
        raise BadInput(f"{str(path)!r} is a folder, and one file is to be written.", hint="Give the name of a file.")
    folder = path.absolute().parent
    if not folder.is_dir():
        raise NotFound(f"There is no folder {str(folder)!r} to write {path.name} into.")


def refuse_library(path: Path, root: Path) -> None:
    """Raise BadInput for a path in the library's own folder ``root``, whatever links lead there."""
    if path.name and path.absolute().parent.resolve().joinpath(path.name).is_relative_to(root.resolve()):
        raise BadInput(f"{path.name[-60:]!r} would lie in the library's own folder, {str(root)!r:.300}.",
                       hint="Write it elsewhere: what is in there is the library's.")


def loses(path: Path) -> bool:
    """Say whether something is lost where ``path`` is replaced: a file is there that is not empty."""
    return path.is_file() and path.stat().st_size > 0


def would_be_lost(path: Path) -> Conflict:
    """Return what is said of a file that is there and may not be replaced."""
    return Conflict(f"There is a file {str(path)!r:.300} already, which would be lost.",
                    hint="Name another one, or say that it may be replaced (--force).")
