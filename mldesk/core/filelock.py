"""Locks between processes, on files. They end with the process that holds them, however it dies."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


def acquire(handle: int, *, shared: bool = False, wait: bool = True) -> bool:
    """Lock the open file ``handle`` until it is closed; say whether that worked.

    False only without ``wait``, when another handle holds a lock that forbids this one. A file system without locks
    (some network mounts) answers True: the callers' grace times then carry alone. Windows knows no shared lock
    here and takes an exclusive one.
    """
    if sys.platform == "win32":
        try:
            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(handle, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def release(handle: int) -> None:
    """Let a lock of ``acquire`` go without closing the file."""
    if sys.platform == "win32":
        with contextlib.suppress(OSError):
            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
        return
    with contextlib.suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_UN)


@contextlib.contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold the lock file ``path`` (made if need be, never removed) for the block; waits as long as it takes."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        acquire(handle, shared=shared)
        yield
    finally:
        os.close(handle)  # lets the lock go
