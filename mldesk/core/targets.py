"""Where a file is to be written: said to be wrong before anything is made. Standard library only."""

from __future__ import annotations

from pathlib import Path

from mldesk.core.errors import BadInput, NotFound


def check_target(path: Path) -> None:
    """Raise BadInput for a path that names no file ("", ".", a folder), NotFound for one whose folder is not there."""
    if not path.name or path.is_dir():
        raise BadInput(f"{str(path)!r} is a folder, and one file is to be written.", hint="Give the name of a file.")
    folder = path.absolute().parent
    if not folder.is_dir():
        raise NotFound(f"There is no folder {str(folder)!r} to write {path.name} into.")
