"""Writing so that a crash or a full disk leaves the old file or the new one, never half of one.

Every durable write of MLDesk goes through here; tests inject faults at these few calls.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from mldesk.core.errors import DiskFull


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


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside ``path`` that takes its name when the block ends well.

    The data is on disk before the rename and the rename before the return; on any error the temporary file is
    gone and ``path`` is as it was.
    """
    temporary = path.with_name(f".{path.name[:80]}.{secrets.token_hex(6)}.tmp")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_directory(path.parent)


def write_atomic(path: Path, data: bytes) -> None:
    """Replace the whole content of ``path`` durably. Raises OSError, with ``path`` as it was."""
    with replacing(path) as file:
        file.write(data)
