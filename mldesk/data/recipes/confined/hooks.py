"""Audit hooks: what a function tries that it may not, in words. They end the process; the kernel holds it anyway."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

_NETWORK = ("socket.", "urllib.", "ftplib.", "http.", "imaplib.", "nntplib.", "poplib.", "smtplib.", "telnetlib.")
_PROCESS = ("subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "os.startfile", "pty.",
            "os.kill", "signal.pthread_kill")
_FILES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.chmod", "os.chown", "os.link", "os.symlink",
          "os.truncate", "os.utime", "os.setxattr", "os.removexattr", "shutil.", "tempfile.", "sqlite3.connect", "dbm.",
          "os.chflags", "os.lockf", "os.mkfifo", "os.mknod")
_INWARD = ("ctypes.", "sys.addaudithook", "winreg.", "_winapi.", "msvcrt.", "syslog.", "fcntl.", "resource.")
_LOOKS = ("os.listdir", "os.scandir", "os.walk", "os.chdir", "glob.")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def install(roots: Sequence[str], stop: Callable[[str], NoReturn]) -> None:
    """Watch this process from now on. ``stop`` is told what was tried ("open a network connection") and ends it."""
    folders = tuple(os.path.realpath(root) for root in roots)

    def inside(path: Any) -> bool:
        if isinstance(path, int):
            return True
        full = os.path.realpath(os.fsdecode(path)) if path is not None else os.getcwd()  # noqa: PTH109
        return any(full == folder or full.startswith(folder + os.sep) for folder in folders)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = (*arguments, None, None, None)[:3]
            if any(letter in str(mode or "") for letter in "wax+") or int(flags or 0) & _WRITES:
                stop(f"write the file {str(path)[:80]!r}")
            if not inside(path):
                raise PermissionError(f"a recipe's Python may not read the file {str(path)[:80]!r}")
        elif event.startswith(_NETWORK):
            stop("open a network connection")
        elif event.startswith(_PROCESS):
            stop("start or end a process")
        elif event.startswith(_FILES):
            stop("change files")
        elif event.startswith(_INWARD):
            raise PermissionError("a recipe's Python may not reach into the system")
        elif event.startswith(_LOOKS) and not inside((*arguments, None)[0]):
            raise PermissionError("a recipe's Python may not look into folders")

    sys.addaudithook(hook)
