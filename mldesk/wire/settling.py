"""Giving many written files their names at once: the disk is waited for together, and each folder is synced once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from mldesk.core import durable

_AT_ONCE = 16              # syncs under way together, which a journaling file system serves in one go
Item = TypeVar("Item")


def settle(files: Sequence[tuple[Path, Path]], mode: int = 0o444) -> None:
    """Rename each first path to its second: the data is on disk before any rename, the renames before the return.

    The folders of the second paths exist. A first path that is gone was renamed by another process, which is as good
    where its second path is there. Raises OSError; then some have their names and the others are where they were.
    """
    _all(_sync, [staged for staged, _ in files])
    for staged, path in files:
        try:
            staged.chmod(mode)
            os.replace(staged, path)
        except FileNotFoundError:
            if not path.is_file():
                raise
        except PermissionError:
            if os.name != "nt" or not path.is_file():
                raise
            staged.chmod(0o600)  # Windows replaces no read-only or open file: another writer of the same was first
            staged.unlink()
    _all(durable.sync_directory, sorted({path.parent for _, path in files}))


def sync_directories(folders: Iterable[Path]) -> None:
    """Make the renames in these folders survive a power cut."""
    _all(durable.sync_directory, sorted(set(folders)))


def _sync(path: Path) -> None:
    try:
        with open(path, "rb+" if os.name == "nt" else "rb") as file:  # only Windows wants that for a sync
            os.fsync(file.fileno())
    except FileNotFoundError:
        return  # renamed by another process, which is looked at next


def _all(work: Callable[[Item], None], items: Sequence[Item]) -> None:
    if len(items) < 4:
        for item in items:
            work(item)
        return
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="mldesk-sync") as pool:
        for _ in pool.map(work, items):
            pass
