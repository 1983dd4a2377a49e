"""Running one POSIX shell script at a time on a box, however it is reached."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mldesk.core.errors import RunnerUnreachable

MAX_OUTPUT = 4 * 1024 * 1024  # bytes of one script's stdout that are kept


@dataclass(frozen=True, slots=True)
class Ran:
    """How a script ended."""

    status: int               # exit code of the shell
    stdout: bytes             # at most MAX_OUTPUT bytes
    stderr: str               # the last of it, as plain text


class Exec(Protocol):
    """One box on which the user's own account runs scripts, one after the other."""

    def run(self, script: str, stdin: bytes | None = None, timeout: float = 60.0) -> Ran:
        """Run ``script`` by the box's ``sh``, in the home folder; ``stdin`` is all that it can read.

        Raises RunnerUnreachable when it gives no answer within ``timeout`` seconds, or the way to the box is lost;
        whether the script was run is unknown then.
        """
        ...


class LocalExec:
    """Scripts on this machine under another home, with nothing of this process's environment. For tests, and for
    boxes that are a folder (``prefix=["chroot", ...]``)."""

    def __init__(self, home: Path | str, *, prefix: Sequence[str] = (), shell: Sequence[str] = ("sh",),
                 path: str = "/usr/local/bin:/usr/bin:/bin", user: int | None = None,
                 environment: Mapping[str, str] | None = None) -> None:
        """``user``: a numeric user and group id to run as, for which this process must be root."""
        first, *rest = [*prefix, *shell]
        self._line = [shutil.which(first) or first, *rest, "-c"]  # found by our PATH, which the box's may not resemble
        self._user = user
        self._environment = {"HOME": str(home), "PATH": path, "LC_ALL": "C", **(environment or {})}

    def run(self, script: str, stdin: bytes | None = None, timeout: float = 60.0) -> Ran:
        process = subprocess.Popen(
            [*self._line, f'cd "$HOME" || exit 125\n{script}'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=self._environment, start_new_session=True, cwd="/",
            user=self._user, group=self._user, extra_groups=None if self._user is None else [])
        try:
            out, err = process.communicate(stdin, timeout)
        except subprocess.TimeoutExpired as error:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise RunnerUnreachable(f"The machine did not finish within {timeout:.0f} seconds.") from error
        return Ran(process.returncode, out[:MAX_OUTPUT], plain(err[-4000:]))


def plain(data: bytes) -> str:
    """Return bytes from a box as text that no terminal or widget takes for anything but text."""
    return "".join(letter for letter in data.decode("utf-8", "replace")
                   if letter == "\n" or letter.isprintable()).strip()
