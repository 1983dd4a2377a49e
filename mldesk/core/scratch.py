"""Folders for files in the making that say whose they are, so that what a killed process left is found and removed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_MARK = "~"   # between what a folder is for, its owner, and what makes its name new


def working_folder_in(scratch: Path | None, what: str) -> Path:
    """Make a new folder in ``scratch``, else in the system's; ``what`` begins its name. Raises OSError."""
    return Path(tempfile.mkdtemp(prefix=f"{what}{_MARK}{owner(os.getpid()) or 'unknown'}{_MARK}", dir=scratch))


@contextlib.contextmanager
def working_folder(scratch: Path | None, what: str = "import") -> Iterator[Path]:
    """Give such a folder, which is gone afterwards, whatever happens; ``scratch`` is made where it is not there."""
    if scratch is not None:
        scratch.mkdir(parents=True, exist_ok=True)
    folder = working_folder_in(scratch, what)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(scratch: Path) -> list[Path]:
    """Remove the folders of processes of this machine that are gone; return them. Others' are left alone."""
    gone = []
    with contextlib.suppress(OSError):
        for folder in list(scratch.iterdir()):
            if _abandoned(folder.name):
                shutil.rmtree(folder, ignore_errors=True)
                gone.append(folder)
    return gone


def owner(pid: int) -> str | None:
    """Return a name for a process that no other one has, on any machine or after any boot; None if it is gone.

    Only Linux tells; elsewhere nobody has one.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    return f"{_machine()}.{pid}.{fields[19]}.{_boot()}"  # 22nd of all: when it began, in ticks since the boot


def _abandoned(name: str) -> bool:
    parts = name.split(_MARK)
    said = parts[1].split(".") if len(parts) == 3 else []
    return len(said) == 4 and said[0] == _machine() and said[1].isdigit() and owner(int(said[1])) != parts[1]


@cache
def _machine() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


@cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()[:8]
