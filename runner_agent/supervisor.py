"""The process that watches over one job: ``python -m runner_agent.supervisor``. Standard library and our wire only.

    supervisor JOBDIR --objects DIR --trainer JSON      do that job, or take over from a supervisor that died
    supervisor --warm DIR --objects DIR --trainer JSON  keep a trainer ready in DIR; the job comes as a line on stdin

It has a session of its own: neither the agent's end nor a closed terminal touches it. A warm one ends with its agent
(end of stdin) as long as it has no job.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import select
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from mldesk.core.errors import MldeskError
from runner_agent.folder import JobFolder
from runner_agent.journal_view import JournalView
from runner_agent.ladder import Patience
from runner_agent.priority import be_polite
from runner_agent.processes import adopt_orphans
from runner_agent.supervision import Options, Supervision
from runner_agent.trainer import Held, spawn_warm

UNUSABLE = 4               # exit code: the job's folder cannot be worked with; starting another one is no use
_CLAIM_SECONDS = 10.0


def supervise(folder: JobFolder, options: Options, warm: Held | None = None) -> int:
    """Do what is left to do for a job; nothing when it has ended or another supervisor is on it."""
    with folder.claim(_CLAIM_SECONDS) as mine:
        if not mine:
            return 0
        view = JournalView(folder.journal).refresh()
        if view.state.ended:
            return 0
        Supervision(folder, folder.spec(), options, view).run(warm)
    return 0


def keep_warm(place: Path, options: Options) -> int:
    """Keep a trainer ready until a job comes on stdin, or its end."""
    token = secrets.token_hex(8)
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    output = place / f"{token}.log"
    held = spawn_warm([*options.trainer, "--warm"], output, token)
    try:
        line = _first_line(held)
        if line is None:
            return 3 if held.trainer.poll() is not None else 0
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # from here on as any other supervisor
        return supervise(JobFolder(Path(str(json.loads(line)["job"]))), options, held)
    finally:
        held.abandon()
        if output.exists():  # no job took it over
            held.trainer.signal(signal.SIGKILL)
            held.trainer.sweep()
            held.trainer.wait(5)
            output.unlink()
        held.trainer.close()


def _first_line(held: Held) -> bytes | None:
    """Return the line the agent writes; None when it ends first, or the trainer does."""
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([0], [], [], 1.0)
        if ready:
            more = os.read(0, 4096)
            if not more:
                return None
            line += more
        elif held.trainer.poll() is not None:
            return None
    return line


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="runner_agent.supervisor")
    parser.add_argument("job", nargs="?", type=Path)
    parser.add_argument("--warm", type=Path)
    parser.add_argument("--polite", action="store_true")
    parser.add_argument("--objects", type=Path, required=True)
    parser.add_argument("--trainer", type=json.loads, required=True)
    parser.add_argument("--patience", type=json.loads, default=[3.0, 3.0, 3.0])
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Run; return the exit code."""
    arguments = _arguments(given)
    for number in ("SIGINT", "SIGTERM", "SIGHUP"):  # its trainer decides when it is over
        if hasattr(signal, number) and not (number == "SIGTERM" and arguments.warm):
            signal.signal(getattr(signal, number), signal.SIG_IGN)
    adopt_orphans()
    options = Options(arguments.objects, tuple(arguments.trainer), Patience(*arguments.patience))
    try:
        if arguments.warm is None:
            return supervise(JobFolder(arguments.job), options)
        if arguments.polite:
            be_polite()
        return keep_warm(arguments.warm, options)
    except MldeskError as error:
        sys.stderr.write(f"supervisor of {arguments.job}: {error}\n")
        return UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
