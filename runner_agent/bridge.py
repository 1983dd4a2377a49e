"""``python -m runner_agent bridge --word W``: what an SSH channel runs to reach the agent of this machine.

It sees that an agent runs, says its banner (see mldesk.wire.banner), and then copies stdin to the agent's socket and
back, until either end is done, or the caller has been silent for so long that it must be gone: a caller pings.
"""

from __future__ import annotations

import argparse
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from mldesk.core.errors import MldeskError, RunnerUnreachable
from mldesk.wire.banner import banner, check_word
from mldesk.wire.link_sockets import dial
from runner_agent.place import Place, default_place, facts, settle
from runner_agent.shelter import sheltered

SILENCE = 90.0             # seconds without a byte from the caller
_START_SECONDS = 30.0      # an agent may take to listen
_PIECE = 256 * 1024        # bytes copied at once
_LOG_BYTES = 5_000_000     # agent.log is put aside above this
_BY_SIGNAL, _HAS_ONE = 128, 3  # exit codes of a starting agent, see runner_agent.__main__


def main(given: Sequence[str]) -> int:
    """Bridge until the end; return the exit code."""
    arguments = arguments_of(given)
    settle()
    place = Place(arguments.place)
    try:
        agent = reach(place)
    except (MldeskError, OSError) as error:
        return refuse(arguments.word, error)
    say(arguments.word)
    return _Copying(agent).run()


def arguments_of(given: Sequence[str]) -> argparse.Namespace:
    """Read the command line that bridge, receive and send share."""
    parser = argparse.ArgumentParser(prog="runner_agent")
    parser.add_argument("command", choices=["bridge", "receive", "send"])
    parser.add_argument("--word", type=check_word, required=True, help="what the banner is to be marked with")
    parser.add_argument("--place", type=lambda text: Path(text).expanduser().absolute(), default=default_place(),
                        help="folder of this runner (also: MLDESK_RUNNER)")
    return parser.parse_args(given)


def say(word: str) -> None:
    """Begin the talk with a banner that tells what is at this end."""
    _write(1, banner(word, facts()))


def refuse(word: str, error: Exception) -> int:
    """Say instead why there will be no talk; return the exit code."""
    known = isinstance(error, MldeskError)
    code, hint = (error.code, error.hint) if isinstance(error, MldeskError) else ("runner_failed", "")
    message = str(error) if known else f"The runner cannot use its folder: {error}"
    _write(1, banner(word, {**facts(), "error": {"code": code, "message": message, "hint": hint}}))
    return 1


def reach(place: Place) -> socket.socket:
    """Connect to the agent, starting it if need be. Raises RunnerUnreachable, OSError."""
    place.make()
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            return dial(place.socket, 5.0)
        except RunnerUnreachable:
            if time.monotonic() > deadline:
                raise
        start_agent(place)
        time.sleep(0.02)


def start_agent(place: Place) -> None:
    """Start an agent that outlives this process; returns once it, or another one, listens. Raises RunnerUnreachable."""
    if place.log.exists() and place.log.stat().st_size > _LOG_BYTES:
        place.log.replace(place.log.with_suffix(".log.1"))
    command = [sys.executable, "-m", "runner_agent", "serve", "--root", str(place.root),
               "--objects", str(place.objects), "--log", str(place.log), "--daemon"]
    shelter = sheltered(command)
    try:
        code = _run(place, *shelter) if shelter is not None else None
        if code is None or 0 < code < _BY_SIGNAL:  # where systemd does not want, the plain way says why
            code = _run(place, command)
    except subprocess.TimeoutExpired:
        return  # the caller looks again, and gives up in time
    if 0 < code < _BY_SIGNAL and code != _HAS_ONE:
        raise RunnerUnreachable(f"The runner's agent cannot be started (code {code}).",
                                hint=f"Its log on that machine says why: {place.log}.")


def _run(place: Place, command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    with open(place.log, "ab") as output:
        return subprocess.run(command, cwd=place.folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                              timeout=_START_SECONDS, start_new_session=True, check=False, env=environment).returncode


class _Copying:
    """stdin to the agent and the agent to stdout, each in a thread of its own so that neither waits for the other."""

    def __init__(self, agent: socket.socket) -> None:
        self._agent = agent

    def run(self) -> int:
        threading.Thread(target=self._answers, name="answers", daemon=True).start()
        try:
            while select.select([0], [], [], SILENCE)[0] and (data := os.read(0, _PIECE)):
                self._agent.sendall(data)
        except OSError as error:
            sys.stderr.write(f"the agent is gone: {error}\n")
        return 0

    def _answers(self) -> None:
        try:
            while data := self._agent.recv(_PIECE):
                _write(1, data)
        except OSError as error:
            sys.stderr.write(f"the caller is gone: {error}\n")
        finally:
            sys.stderr.flush()
            os._exit(0)  # the other thread sits in a read that nothing else ends


def _write(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view):]
