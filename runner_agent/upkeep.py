"""What is done to a runner from its own machine: ``start`` at boot, ``stop``, ``facts``, and a ``selftest``.

Run by the installer of mldesk.runners.provision as ``mldesk-agent start`` and so on. Prints one line of JSON; the exit
code is 1, and the JSON holds ``error``, when it could not be done.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mldesk
from mldesk.core import filelock
from mldesk.core.errors import MldeskError, RunnerUnreachable
from mldesk.wire.journal import JournalWriter, read_events
from mldesk.wire.protocol import METHODS, PROTOCOL
from runner_agent import bridge
from runner_agent.place import Place, default_place, settle

LOCK = "agent.lock"        # held by an agent as long as it lives
_STOP_SECONDS = 20.0


def main(given: Sequence[str]) -> int:
    """Do one thing and say how it went; return the exit code."""
    parser = argparse.ArgumentParser(prog="runner_agent")
    parser.add_argument("command", choices=list(_WORK))
    parser.add_argument("--place", type=lambda text: Path(text).expanduser().absolute(), default=default_place(),
                        help="folder of this runner (also: MLDESK_RUNNER)")
    parser.add_argument("--gpus", type=int, default=None, help="as many cards must be seen by the selftest")
    parser.add_argument("--kill-jobs", action="store_true", help="stop ends the jobs too")
    arguments = parser.parse_args(given)
    settle()
    try:
        answer = _WORK[arguments.command](arguments)
    except (MldeskError, OSError, subprocess.SubprocessError) as error:
        answer = {"error": str(error), "hint": getattr(error, "hint", "")}
    sys.stdout.write(json.dumps(answer) + "\n")
    return 1 if "error" in answer else 0


def facts(_arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what an installer notes about this version."""
    return {"build": mldesk.__version__, "protocol": list(PROTOCOL), "python": platform.python_version()}


def start(arguments: argparse.Namespace) -> dict[str, Any]:
    """See that an agent runs; it finds its jobs again. Raises RunnerUnreachable, OSError."""
    bridge.reach(Place(arguments.place)).close()
    return {"running": True}


def stop(arguments: argparse.Namespace) -> dict[str, Any]:
    """End the agent, if one runs; its jobs go on unless they are to be killed. Raises RunnerUnreachable, OSError."""
    place = Place(arguments.place)
    ran = _shut_down(place, kill_jobs=arguments.kill_jobs)
    for folder in (place.socket.parent, place.socket.parent.parent):
        with contextlib.suppress(OSError):  # another runner of this user has its socket there
            folder.rmdir()
    return {"stopped": ran}


def selftest(arguments: argparse.Namespace) -> dict[str, Any]:
    """Try what an agent needs, in a folder that is gone afterwards. Raises RunnerUnreachable, OSError."""
    arguments.place.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix="selftest-", dir=arguments.place) as name:
        folder = Path(name)
        _journal(folder / "journal")
        _spawn()
        hello = _hello(Place(folder))
    seen = len(hello["devices"])
    if arguments.gpus is not None and seen != arguments.gpus:
        raise RunnerUnreachable(f"The agent sees {seen} graphics cards there, and the probe saw {arguments.gpus}.",
                                hint="Look whether nvidia-smi works each time it is called.")
    return {"agent": hello["agent"], "protocol": hello["protocol"], "cores": hello["cores"], "devices": seen}


def _journal(path: Path) -> None:
    writer = JournalWriter.open(path)
    writer.append("queued", {"attempt": 1})
    writer.close()
    if [event.kind for event in read_events(path, 0, 10)] != ["queued"]:
        raise RunnerUnreachable("A journal that was written cannot be read back.", hint="Is its disk sound?")


def _spawn() -> None:
    done = subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, timeout=30, check=True,
                          start_new_session=True, stdin=subprocess.DEVNULL)
    if done.stdout.strip() != b"42":
        raise RunnerUnreachable("A process that was started does not say what it should.")


def _hello(place: Place) -> dict[str, Any]:
    # Imported here: rpyc is slow, and most of this module does without.
    from mldesk.wire.link_client import connect

    bridge.reach(place).close()
    try:
        link = connect(place.socket)
        try:
            return link.call("hello", {"protocol": list(PROTOCOL), "build": mldesk.__version__},
                             METHODS["hello"].seconds)
        finally:
            link.close()
    finally:
        _shut_down(place, kill_jobs=True)
        with contextlib.suppress(OSError):
            place.socket.parent.rmdir()


def _shut_down(place: Place, *, kill_jobs: bool) -> bool:
    from mldesk.wire.link_client import LinkLost, connect
    try:
        link = connect(place.socket)
    except RunnerUnreachable:
        return False
    try:
        with contextlib.suppress(LinkLost):  # it ended before it answered
            link.call("shutdown", {"kill_jobs": kill_jobs}, METHODS["shutdown"].seconds)
    finally:
        link.close()
    deadline = time.monotonic() + _STOP_SECONDS
    while os.path.lexists(place.socket) or not _lock_is_free(place.root / LOCK):
        if time.monotonic() > deadline:
            raise RunnerUnreachable("The agent there does not end.", hint="Its log is agent.log in its folder.")
        time.sleep(0.02)
    return True


def _lock_is_free(path: Path) -> bool:
    """Say whether the agent's process is gone, and not its socket only."""
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        return filelock.acquire(handle, wait=False)
    finally:
        os.close(handle)


_WORK: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "facts": facts, "start": start, "stop": stop, "selftest": selftest,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
