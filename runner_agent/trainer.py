"""The trainer as a process: held back until it is written down, watched, signalled, and swept up after.

A trainer is started in two steps. ``spawn`` makes a process that waits at a gate; only after ``processes.json`` names
it does ``Held.release`` let it go. If the supervisor is killed between the two, the gate closes and the process
ends without having done anything. So no trainer ever runs that nobody knows of, and none is started twice.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from runner_agent.priority import let_session_be_polite
from runner_agent.processes import TOKEN, Identity, kill_all, members, signal_trainer
from runner_agent.verdict import Exit

_NOT_FOUND = 127
_BY_SIGNAL = 128
_STOPS = (signal.SIGTERM, signal.SIGINT, getattr(signal, "SIGHUP", signal.SIGTERM))


class Trainer:
    """A trainer process, our child or adopted from a supervisor that died."""

    def __init__(self, identity: Identity, token: str, *, child: bool) -> None:
        self.identity = identity
        self.token = token
        self.child = child
        self._exit: Exit | None = None
        self._handle = _open_handle(identity)

    def poll(self) -> Exit | None:
        """Return how it ended, or None while it runs. An adopted one ends in a way that nobody saw."""
        if self._exit is None:
            self._exit = self._reap() if self.child else None if self.identity.alive else Exit()
        return self._exit

    def wait(self, seconds: float) -> Exit | None:
        """Wait until it ends, at most ``seconds``; return as ``poll``."""
        deadline = time.monotonic() + seconds
        while self.poll() is None and (left := deadline - time.monotonic()) > 0:
            if self._handle is None:
                time.sleep(min(left, 0.02))
            else:
                poller = select.poll()
                poller.register(self._handle, select.POLLIN)
                poller.poll(left * 1000)
        return self._exit

    def signal(self, number: int) -> None:
        """Send a signal to it and its group, while it is there."""
        if self.poll() is None:
            signal_trainer(self.identity.pid, number)

    def others(self) -> list[int]:
        """Return the pids of everything it started that still lives, itself included while it does."""
        roots = {os.getpid()} if self.child else set()  # orphans come to us, see processes.adopt_orphans
        if self.identity.alive:
            roots.add(self.identity.pid)
        return members(self.identity.pid, self.token, roots)

    def sweep(self, seconds: float = 1.0) -> list[int]:
        """Kill it and whatever it started, again and again, since some fork meanwhile; return what does not die."""
        deadline = time.monotonic() + seconds
        while left := self.others():
            kill_all(left)
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)
        self.poll()
        return left

    def close(self) -> None:
        """Let go of it; it is not ended by this."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _reap(self) -> Exit | None:
        try:
            pid, status = os.waitpid(self.identity.pid, os.WNOHANG)
        except ChildProcessError:
            return None if self.identity.alive else Exit()
        if not pid:
            return None
        code = os.waitstatus_to_exitcode(status)
        if code - _BY_SIGNAL in _STOPS:  # it caught the signal, tidied up and says so the shells' way
            return Exit(signal=code - _BY_SIGNAL)
        return Exit(code=code) if code >= 0 else Exit(signal=-code)


class Held:
    """A trainer at its gate."""

    def __init__(self, trainer: Trainer, gate: int, output: Path, *, warm: bool) -> None:
        self.trainer = trainer
        self.output = output  # the file it prints into
        self.warm = warm
        self._gate = gate

    def release(self, word: bytes) -> None:
        """Let it begin. A trainer that is dead already is found so by ``Trainer.poll``."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._gate, word)
        self.abandon()

    def abandon(self) -> None:
        """Shut the gate: a trainer that still waits there ends by itself."""
        if self._gate >= 0:
            os.close(self._gate)
            self._gate = -1


def spawn(command: Sequence[str], output: Path, token: str, extra: Mapping[str, str]) -> Held:
    """Start ``command`` held back before its first instruction; ``release(b"g")`` lets it begin."""
    return _start(command, output, {TOKEN: token, **extra}, token, gated=True)


def spawn_warm(command: Sequence[str], output: Path, token: str) -> Held:
    """Start a trainer that makes itself ready and then reads what to do from its gate; see ``job_line``."""
    return _start(command, output, {TOKEN: token}, token, gated=False)


def job_line(folder: Path, objects: Path, attempt: int, environment: Mapping[str, str]) -> bytes:
    """Return the line that tells a warm trainer its job; ``environment``: which cards it may see."""
    return json.dumps({"job": str(folder), "objects": str(objects), "attempt": attempt,
                       "environment": dict(environment)}).encode() + b"\n"


def _start(command: Sequence[str], output: Path, extra: Mapping[str, str], token: str, *, gated: bool) -> Held:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **extra}
    reading, writing = os.pipe()
    log = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        if hasattr(os, "fork"):
            pid = os.fork()  # the supervisor has one thread, so this is safe
            if not pid:
                _become(command, environment, reading, writing, log, gated=gated)
        else:  # Windows, untried: no gate, so a kill at this very moment could start the job twice
            pid = subprocess.Popen(command, env=environment, stdin=reading, stdout=log, stderr=log).pid
    finally:
        os.close(reading)
        os.close(log)
    identity = Identity.of(pid) or Identity(pid, "gone", "gone")
    return Held(Trainer(identity, token, child=True), writing, output, warm=not gated)


def _become(command: Sequence[str], environment: Mapping[str, str], reading: int, writing: int, log: int, *,
            gated: bool) -> NoReturn:
    """Turn the forked child into the trainer. Never returns, whatever happens."""
    try:
        os.setsid()
        if not gated:
            let_session_be_polite()
        os.close(writing)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        if gated and os.read(reading, 1) != b"g":
            os._exit(0)
        os.dup2(os.open(os.devnull, os.O_RDONLY) if gated else reading, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.execvpe(command[0], list(command), dict(environment))  # noqa: S606 - no shell is the point
    except OSError as error:
        os.write(log, f"{command[0]} cannot be started: {error}\n".encode())
    finally:
        os._exit(_NOT_FOUND)


def _open_handle(identity: Identity) -> int | None:
    """Return something to wait on for the end of a process, where the system has that."""
    if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        return None
    try:
        handle = os.pidfd_open(identity.pid)
    except OSError:
        return None
    if identity.alive:
        return handle
    os.close(handle)
    return None
