"""Whose an object store is. Only one that belongs to a runner alone may ever lose objects.

The runner of the desktop's own machine shares the library's store, where objects are needed that no job knows of. So a
store is a runner's own only if it bears the mark that ``own`` makes, which Place.make calls and nothing else, and only
as long as no library lies beside it.
"""

from __future__ import annotations

from pathlib import Path

_MARK = ".runner-cache"


def own(objects: Path) -> None:
    """Mark a store as a runner's own cache, unless it is a library's. Raises OSError."""
    if not _is_librarys(objects):
        (objects / _MARK).touch(mode=0o600)


def is_own(objects: Path) -> bool:
    """Say whether a store is a runner's own, so that what no job needs may be removed."""
    return (objects / _MARK).exists() and not _is_librarys(objects)


def _is_librarys(objects: Path) -> bool:
    return any(objects.absolute().parent.glob("library*.db"))
