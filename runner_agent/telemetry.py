"""The agent's side of telemetry: a helper that measures (see runner_agent.load), watched, and the ring of its samples.

The helper runs only while somebody asks or a job runs. It may die or hang without harm: what is silent is killed and
never waited for, since a process that sits in a driver does not die, and the next one is started after a pause that
grows. One that was silent may have asked a hung driver, so the next ones leave the cards alone for a while.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # rpyc loads with it, and the helper does without
    from mldesk.wire.link_server import Answer

KEPT = 600                 # samples
_ANSWER = 4 * 1024 * 1024  # bytes of one answer; older samples are left out of a longer one
_LINE = 1024 * 1024        # bytes; a longer line is none of the helper's
_LOOK = 0.25               # seconds between looks at whether the helper is still wanted
_SOUND = 10                # samples after which a helper counts as sound
_LAST_WAIT = 1.0           # seconds a killed helper is given to end when the agent does
log = logging.getLogger("runner_agent")


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds."""

    silence: float = 5.0                       # without a sample, after which a helper is given up
    unwanted: float = 60.0                     # without jobs or questions, after which it is ended
    pause: float = 1.0                         # before a helper that died or hung is started anew, doubled each time
    longest_pause: float = 60.0
    without_cards: float = 60.0                # in which cards are left alone after silence, doubled each time
    longest_without_cards: float = 3600.0


class TelemetryMethods:
    """Answers ``telemetry``. ``groups`` gives the process group of every job that runs, by the job's id."""

    def __init__(self, root: Path, groups: Callable[[], Mapping[str, int]] = dict, *,
                 command: Sequence[str] = (sys.executable, "-m", "runner_agent.telemetry"),
                 timing: Timing | None = None) -> None:
        self._command = [*command, "--root", str(root), "--parent", str(os.getpid())]
        self._groups, self._timing = groups, timing or Timing()
        self._changed = threading.Condition()      # over all below
        self._ring: deque[tuple[int, dict[str, Any]]] = deque(maxlen=KEPT)   # bytes as JSON, sample
        self._seq = 0
        self._wanted = 0.0
        self._closed = False
        self._thread: threading.Thread | None = None
        self._last: threading.Thread | None = None   # the same, or the one that is about to end

    def methods(self) -> dict[str, Callable[..., Answer]]:
        return {"telemetry": self.telemetry}

    def telemetry(self, after: int, wait: float) -> Answer:
        """Answer with the samples after a number, waiting for the first; a number that never was counts as none."""
        self.need()
        until = time.monotonic() + wait
        with self._changed:
            after = after if after <= self._seq else 0
            while not self._closed and self._seq <= after and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            self._wanted = time.monotonic()
            return {"samples": self._since(after)}

    def need(self) -> None:
        """See that samples are taken: somebody asks, or a job runs."""
        with self._changed:
            self._wanted = time.monotonic()
            if self._thread is None and not self._closed:
                # The kernel kills the helper when the thread that started it ends, so that thread lives as long.
                self._thread = self._last = threading.Thread(target=self._work, name="telemetry", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End the helper. Long polls return."""
        with self._changed:
            self._closed = True
            thread = self._last
            self._changed.notify_all()
        if thread is not None:
            thread.join(self._timing.silence)

    def _since(self, after: int) -> list[dict[str, Any]]:
        found, size = [], 0
        for length, sample in reversed(self._ring):
            size += length
            if sample["seq"] <= after or size > _ANSWER:
                break
            found.append(sample)
        return found[::-1]

    def _work(self) -> None:
        watch = _Watch(self._command, self._timing)
        try:
            while self._is_wanted():
                for line in watch.step(self._groups()):
                    self._take(line)
        finally:
            watch.close()
            with self._changed:
                if self._thread is threading.current_thread():  # after an error: the next question begins anew
                    self._thread = None

    def _is_wanted(self) -> bool:
        with self._changed:
            wanted = not self._closed and time.monotonic() - self._wanted < self._timing.unwanted
            if not wanted:
                self._thread = None
            return wanted

    def _take(self, line: bytes) -> None:
        try:
            sample = dict(json.loads(line))
        except (ValueError, TypeError):  # something else that writes to standard output
            log.warning("the telemetry helper said %r", line[:200])
            return
        with self._changed:
            self._seq += 1
            sample["seq"] = self._seq
            self._ring.append((len(line), sample))
            self._changed.notify_all()


class _Watch:
    """One helper at a time. Used by one thread."""

    def __init__(self, command: list[str], timing: Timing) -> None:
        self._command, self._timing = command, timing
        self._helper: subprocess.Popen[bytes] | None = None
        self._given_up: list[subprocess.Popen[bytes]] = []  # killed, and not gone yet
        self._begun = b""
        self._heard = self._not_before = 0.0
        self._pause = timing.pause
        self._cards_again = 0.0           # when the cards may be asked again
        self._without_cards = timing.without_cards
        self._said: Mapping[str, int] = {}
        self._samples = 0                 # of this helper

    def step(self, groups: Mapping[str, int]) -> list[bytes]:
        """Look after the helper for a moment; return the samples that came."""
        self._given_up = [process for process in self._given_up if process.poll() is None]
        if self._helper is None:
            if time.monotonic() < self._not_before:
                time.sleep(_LOOK)
                return []
            self._start()
        self._say(groups)
        lines = self._hear()
        if lines:
            self._heard, self._samples = time.monotonic(), self._samples + len(lines)
            if self._samples >= _SOUND:
                self._pause = self._timing.pause
        elif self._helper is not None and time.monotonic() - self._heard > self._timing.silence:
            self._silent()
        if self._helper is not None and 0 < self._cards_again < time.monotonic():
            self._cards_again = 0.0
            self._end()  # the next one asks the driver again
        return lines

    def close(self) -> None:
        """End the helper and wait a moment for it, no longer."""
        self._end()
        deadline = time.monotonic() + _LAST_WAIT
        while self._given_up and time.monotonic() < deadline:
            self._given_up = [process for process in self._given_up if process.poll() is None]
            time.sleep(0.01)
        for process in self._given_up:
            log.warning("the telemetry helper %d does not end, even when killed", process.pid)
            process.returncode = 0  # nobody will wait for it; without this, Popen complains about that

    def _start(self) -> None:
        command = [*self._command, *(["--no-cards"] if self._cards_again else [])]
        self._helper = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        start_new_session=True)
        assert self._helper.stdin is not None  # noqa: S101 - for mypy: both are pipes
        os.set_blocking(self._helper.stdin.fileno(), False)  # one that hangs must not hold us
        self._heard, self._begun, self._said, self._samples = time.monotonic(), b"", {}, 0

    def _say(self, groups: Mapping[str, int]) -> None:
        if self._helper is None or groups == self._said:
            return
        assert self._helper.stdin is not None  # noqa: S101
        with contextlib.suppress(BlockingIOError, BrokenPipeError):  # a torn line is followed by none: it is silent
            os.write(self._helper.stdin.fileno(), json.dumps(dict(groups)).encode() + b"\n")
        self._said = dict(groups)

    def _hear(self) -> list[bytes]:
        if self._helper is None:
            return []
        assert self._helper.stdout is not None  # noqa: S101
        if not select.select([self._helper.stdout], [], [], _LOOK)[0]:
            return []
        data = os.read(self._helper.stdout.fileno(), 65536)
        if not data or len(self._begun) > _LINE:
            self._end()
            self._not_before = time.monotonic() + self._pause
            self._pause = min(self._pause * 2, self._timing.longest_pause)
            return []
        *lines, self._begun = (self._begun + data).split(b"\n")
        return lines

    def _silent(self) -> None:
        log.warning("the telemetry helper says nothing any more and is given up; graphics cards are left alone for %.0f"
                    " s", self._without_cards)
        self._end()
        self._not_before = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, self._timing.longest_pause)
        self._cards_again = self._not_before + self._without_cards
        self._without_cards = min(self._without_cards * 2, self._timing.longest_without_cards)

    def _end(self) -> None:
        """Kill the helper without waiting for it."""
        helper, self._helper = self._helper, None
        if helper is None:
            return
        helper.kill()
        for pipe in (helper.stdin, helper.stdout):
            if pipe is not None:
                pipe.close()
        if helper.poll() is None:
            self._given_up.append(helper)


if __name__ == "__main__":
    from runner_agent.load import main  # the helper; the agent has no use for it

    sys.exit(main())
