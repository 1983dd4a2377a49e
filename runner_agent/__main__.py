"""``python -m runner_agent serve --root DIR --objects DIR``: run the agent of one runner.

``bridge``, ``receive`` and ``send`` are what SSH channels run to reach it; see runner_agent.bridge and .bulk.
``start``, ``stop``, ``facts`` and ``selftest`` are for installers and for the start at boot; see runner_agent.upkeep.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from mldesk.core import filelock
from mldesk.wire.protocol import PROTOCOL
from runner_agent.ballast import DEFAULT_BYTES

ALREADY = 3                # exit code: another agent has this root


def main(given: Sequence[str] | None = None) -> int:
    """Run until it is not needed any more; return the exit code."""
    given = sys.argv[1:] if given is None else given
    if given and given[0] in ("bridge", "receive", "send"):
        # Imported here: an agent needs none of it, and a caller waits for what they import.
        from runner_agent import bridge, bulk
        return bridge.main(given) if given[0] == "bridge" else bulk.main(given)
    if given and given[0] in ("facts", "selftest", "start", "stop"):
        from runner_agent import upkeep  # for installers; likewise
        return upkeep.main(given)
    arguments = _arguments(given)
    arguments.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(arguments.root / "agent.lock", os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    tell = _detach() if arguments.daemon else None
    if not filelock.acquire(handle, wait=False):
        return _said(tell, ALREADY)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(name)s %(levelname)s %(message)s")
    return _serve(arguments, tell)


def _serve(arguments: argparse.Namespace, tell: int | None) -> int:
    # Imported here, since rpyc takes longer than the checks above, which often end it.
    from runner_agent.agent import Agent, Settings

    agent = Agent(Settings(
        arguments.root.absolute(), arguments.objects.absolute(), tuple(arguments.trainer), arguments.slots,
        arguments.idle_exit, not arguments.no_warm, arguments.ballast, tuple(arguments.patience), arguments.log,
        (int(arguments.protocol[0]), int(arguments.protocol[1]))))
    for number in ("SIGTERM", "SIGINT", "SIGHUP"):
        if hasattr(signal, number):
            signal.signal(getattr(signal, number), lambda *_: agent.stop())
    _said(tell, 0)
    agent.run()
    return 0


def _detach() -> int:
    """Become a process of its own session; the one that was started ends, once this one listens, with its code.

    Returns where to write that code. What starts an agent so has no child left, and knows when it can be reached.
    """
    reading, writing = os.pipe()
    if child := os.fork():
        os.close(writing)
        said = os.read(reading, 1)
        # Silent: it failed (and its code says so), or it was killed, which is no reason not to try again.
        os._exit(said[0] if said else _shell_code(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
    os.close(reading)
    os.setsid()
    return writing


def _shell_code(code: int) -> int:
    return 128 - code if code < 0 else code or 1


def _said(tell: int | None, code: int) -> int:
    if tell is not None:
        os.write(tell, bytes([code]))
        os.close(tell)
    return code


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    trainer = os.environ.get("MLDESK_TRAINER") or json.dumps([sys.executable, "-m", "mldesk.training.run"])
    parser = argparse.ArgumentParser(prog="runner_agent", description="The headless runner of MLDesk.")
    serve = parser.add_subparsers(dest="command", required=True).add_parser("serve", help="run the agent of one root")
    serve.add_argument("--root", type=Path, required=True, help="folder for jobs, journals and checkpoints")
    serve.add_argument("--objects", type=Path, required=True, help="the content-addressed store")
    serve.add_argument("--slots", type=int, default=1,
                       help="jobs at once on the processor, until the runner is configured (default 1)")
    serve.add_argument("--idle-exit", type=float, default=900.0, metavar="SECONDS",
                       help="end after so long without jobs and clients; 0 for never (default 900)")
    serve.add_argument("--no-warm", action="store_true", default=os.environ.get("MLDESK_NO_WARM", "") not in ("", "0"),
                       help="keep no trainer ready (also: MLDESK_NO_WARM=1)")
    serve.add_argument("--trainer", type=json.loads, default=json.loads(trainer), metavar="JSON",
                       help="the command that trains, as a JSON list (also: MLDESK_TRAINER)")
    serve.add_argument("--ballast", type=int, default=int(os.environ.get("MLDESK_BALLAST") or DEFAULT_BYTES),
                       metavar="BYTES", help="space kept back for the last words of a job on a full disk")
    serve.add_argument("--patience", type=json.loads, default=[3.0, 3.0, 3.0], metavar="JSON",
                       help="seconds after asking, after SIGTERM and after SIGKILL")
    serve.add_argument("--log", type=Path, help="the file that this agent's output goes to, for whoever asks for it")
    serve.add_argument("--protocol", type=json.loads, default=list(PROTOCOL), metavar="JSON",
                       help="speak these versions only, to try how others take an older agent")
    serve.add_argument("--daemon", action="store_true", help="detach, and return once the agent listens")
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(main())
