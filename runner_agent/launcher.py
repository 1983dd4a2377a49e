"""Starting supervisors, and the one that keeps a warm trainer."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mldesk.core import canonical

_FIRST_DELAY = 0.5         # seconds an agent waits before it warms a trainer: a job may be about to come
_BUSY_DELAY = 10.0         # seconds a job runs alone before a trainer is warmed beside it
_RETRY = 60.0              # seconds after a warm trainer that died of itself, doubled each time
_KEPT = 300.0              # seconds a warm trainer holds its memory though nothing can start soon
log = logging.getLogger("runner_agent")

Process = subprocess.Popen[bytes]


@dataclass(frozen=True, slots=True)
class Command:
    """How supervisors are started."""

    objects: Path
    trainer: tuple[str, ...]
    patience: tuple[float, float, float]

    def line(self, *first: str) -> list[str]:
        """Return the command line of a supervisor."""
        return [sys.executable, "-m", "runner_agent.supervisor", *first, "--objects", str(self.objects),
                "--trainer", json.dumps(self.trainer), "--patience", json.dumps(self.patience)]


def start(command: Command, job: Path) -> Process:
    """Start the supervisor of a job, in a session of its own. Raises OSError."""
    return subprocess.Popen(command.line(str(job)), stdin=subprocess.DEVNULL, start_new_session=True)


class WarmPair:
    """At most one supervisor whose trainer waits ready. Used by the dispatcher's thread only."""

    def __init__(self, command: Command, place: Path, *, enabled: bool,
                 clock: Callable[[], float] = time.monotonic) -> None:
        self._command, self._place, self._enabled, self._clock = command, place, enabled, clock
        self._process: Process | None = None
        self._not_before = clock() + _FIRST_DELAY
        self._of_use = clock()   # when something could last have started soon
        self._retry = _RETRY
        if place.is_dir():
            for left in place.glob("*.log"):  # of an agent that was killed
                left.unlink()

    def give(self, job: Path) -> Process | None:
        """Hand a job to the warm pair; None when there is none, and the job is to be started the slow way."""
        process, self._process = self._process, None
        if process is None:
            return None
        if process.poll() is not None:
            process.wait()
            return None
        assert process.stdin is not None  # noqa: S101 - for mypy: it was made with a pipe
        try:
            process.stdin.write(canonical.dumps({"job": str(job)}) + b"\n")
            process.stdin.close()
        except BrokenPipeError:
            process.wait()
            return None
        self._retry = _RETRY
        return process

    def tend(self, busy_since: float | None, *, soon: bool = True) -> None:
        """Make a pair if there is none and this is a good moment.

        ``busy_since``: when the last job started, if any. ``soon``: a job may start at any time. Where all that waits
        waits for hours, the pair is let go of after some minutes.
        """
        now = self._clock()
        self._of_use = now if soon else self._of_use
        if self._process is not None and self._process.poll() is not None:
            log.warning("the warm trainer ended with code %s; the next try is in %.0f s",
                        self._process.returncode, self._retry)
            self._drop()
            self._not_before, self._retry = now + self._retry, self._retry * 2
        if now - self._of_use > _KEPT:
            if self._process is not None:
                log.info("nothing starts soon: the warm trainer is let go of")
                self._drop()
            return
        if not self._enabled or self._process is not None or now < self._not_before:
            return
        if busy_since is not None and now - busy_since < _BUSY_DELAY:
            return
        polite = ["--polite"] if busy_since is not None else []
        self._process = subprocess.Popen(self._command.line("--warm", str(self._place), *polite),
                                         stdin=subprocess.PIPE, start_new_session=True)

    def close(self) -> None:
        """End it, and wait for that (bounded)."""
        if self._process is not None:
            self._drop()

    def _drop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
