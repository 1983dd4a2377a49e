"""One installation under its lock: the steps of install.sh on a box, and uploads that go on where they were cut."""

from __future__ import annotations

import contextlib
import logging
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mldesk.core.errors import Conflict, MldeskError, WorkFailed
from mldesk.runners.provision.execution import Exec, Ran
from mldesk.runners.provision.scripts import script

PIECE = 16 * 1024 * 1024    # bytes of one upload's piece; a cut costs at most one
STEP, LONG_STEP = 60.0, 840.0  # seconds; unpacking and compiling on a slow disk take long. The lock is stale at 900.
HINT = "What was done so far is noted there in ~/.mldesk/install.log; try again, and it goes on from there."
_BUSY, _LOST, _DAMAGED, _IN_USE, _ELSEWHERE, _NEWER, _NO_PYTHON = 3, 4, 5, 6, 8, 10, 11  # exit codes of install.sh
_WAIT = "Wait until it is done there, then try again."
_NEXT = {_IN_USE: "Wait for the jobs to end, or end them.", _NEWER: "Wait for the jobs to end, or upgrade MLDesk here."}

Report = Callable[[str, float], None]  # what is being done, and how much of all of it is done, 0 to 1
Moved = Callable[[int], None]          # bytes of an upload that have arrived
log = logging.getLogger("mldesk.provision")


class InstallFailed(WorkFailed):
    """A step did not work; what ran on the box before still does."""

    code = "install_failed"


class PythonNotFetched(InstallFailed):
    """uv found no Python for the box: its way to the internet ends before where uv gets them. Another way may do."""

    code = "python_not_fetched"


class InstallBusy(Conflict):
    """Somebody else installs there now, or jobs run from what is to be removed."""

    code = "install_busy"


@dataclass(frozen=True, slots=True)
class Archive:
    """A file of this desktop that is sent whole: a Python, or uv."""

    path: Path
    digest: str               # SHA-256

    @property
    def size(self) -> int:
        return self.path.stat().st_size


class Steps:
    """One installation under its lock."""

    def __init__(self, box: Exec, token: str, build: str, previous: str = "") -> None:
        self._box = box
        self.unlocked = False
        self.values = {"token": token, "build": build, "previous": previous, "python": ""}

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        self.step("lock")
        try:
            yield
        except BaseException:
            with contextlib.suppress(MldeskError):  # what went wrong first is what is told
                self.step("unlock")
            raise
        if not self.unlocked:
            self.step("unlock")

    def step(self, name: str, *words: str, stdin: bytes | None = None, timeout: float = STEP) -> Ran:
        """Run one function of install.sh. Raises InstallBusy, InstallFailed, RunnerUnreachable."""
        ran = self._run(name, words, stdin, timeout)
        if ran.status in (_BUSY, _LOST, *_NEXT):
            raise InstallBusy(f"Nothing was changed: {said(ran)}.", hint=_NEXT.get(ran.status, _WAIT))
        if ran.status:
            kind = PythonNotFetched if ran.status == _NO_PYTHON else InstallFailed
            raise kind(f"The installation stopped: {said(ran)}.", hint=HINT)
        log.info("%s %s", name, " ".join(words))
        return ran

    def upload(self, digest: str, file: BinaryIO, size: int, moved: Moved | None = None) -> int:
        """Send a file, from where an earlier try ended; return the bytes that went over. Raises as ``step``."""
        sent = 0
        for last in (False, True):
            sent += self._send(digest, file, size, moved or _nobody)
            ran = self._run("seal", (digest,), None, STEP)
            if not ran.status:
                return sent
            if ran.status != _DAMAGED or last:
                raise InstallFailed(f"The upload failed: {said(ran)}.", hint=HINT)
        return sent

    def send(self, archive: Archive, moved: Moved | None = None) -> int:
        """Send a file of this desktop; return the bytes that went over. Raises as ``step``, and OSError."""
        with open(archive.path, "rb") as file:
            return self.upload(archive.digest, file, archive.size, moved)

    def _send(self, digest: str, file: BinaryIO, size: int, moved: Moved) -> int:
        answer, sent = last_line(self.step("arrived", digest)), 0
        while answer != "whole" and answer.isdigit() and int(answer) < size:
            offset = int(answer)
            file.seek(offset)
            data = file.read(PIECE)
            ran = self._run("receive", (digest, str(offset)), data, LONG_STEP)
            if ran.status == _ELSEWHERE:  # an earlier try's last piece came late
                answer = last_line(self.step("arrived", digest))
                continue
            if ran.status:
                raise InstallFailed(f"The upload failed: {said(ran)}.", hint=HINT)
            sent += len(data)
            answer = last_line(ran)
            moved(offset + len(data))
        return sent

    def _run(self, name: str, words: tuple[str, ...], stdin: bytes | None, timeout: float) -> Ran:
        call = " ".join([name, *map(shlex.quote, words)])
        return self._box.run(f"{_assignments(self.values)}\n{script('install')}\n{call}", stdin, timeout)


def _nobody(_bytes: int) -> None:
    return None


def _assignments(values: Mapping[str, str]) -> str:
    return "\n".join(f"{name}={shlex.quote(value)}" for name, value in values.items())


def said(ran: Ran) -> str:
    """Return why a step failed, as a clause."""
    return (ran.stderr.splitlines() or [f"code {ran.status}"])[-1][:500].rstrip(".")


def last_line(ran: Ran) -> str:
    """Return the last line of what a step printed."""
    return (ran.stdout.decode("utf-8", "replace").split("\n") or [""])[-2 if ran.stdout.endswith(b"\n") else -1].strip()
