"""A desk as a process of its own, to be killed at any moment: it makes runs on a box and follows them into its library.

    python -m tests.chaos._desk JSON

It keeps a few runs going until the file "enough" is there, follows every run that has not ended, and ends with the
last of them. Started again after a kill it knows nothing but what its library holds, as the application does.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from mldesk.core.clock import SystemClock
from mldesk.core.errors import RunnerUnreachable
from mldesk.core.ids import new_id
from mldesk.core.paths import Home
from mldesk.library import Library
from mldesk.runners.ssh.client import SshRunner
from mldesk.runners.ssh.known_hosts import KnownHosts
from mldesk.runners.ssh.programs import Installed
from mldesk.wire.jobs import JobSpec
from mldesk.wire.states import JobState
from mldesk.workbench.following import Follower
from mldesk.workbench.runners import RunnerService
from tests.chaos._far import hurry

AHEAD = 3                  # runs under way at once
STEPS, DELAY = 250, 0.01
SMALL, LARGE = 20_000, 9_000_000  # bytes of inputs and artifacts


class LeapingClock(SystemClock):
    """The machine's clock, its wall clock off by the seconds that a file names."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> float:
        return super().now() + float(self._file.read_text() or 0)


def runners(library: Library, client: SshRunner, clock: SystemClock) -> RunnerService:
    """Return the application's own service, with that one machine."""
    if not any(record.name == "box" for record in library.runners.list()):
        library.runners.add("box", "ssh", "user@box")
    return RunnerService(library, lambda _record: client, clock)


class Desk:
    """Makes runs and follows them."""

    def __init__(self, library: Library, runner: SshRunner, folder: Path, clock: SystemClock) -> None:
        self._library, self._runner, self._folder = library, runner, folder
        self._follower = Follower(library, runners(library, runner, clock))
        self._threads: dict[str, threading.Thread] = {}
        self._random = random.Random()

    def run(self) -> None:
        """Work until there is enough and all has ended."""
        while True:
            under_way = [run for run in self._library.runs.list() if not run.state.ended]
            for run in under_way:
                if run.id not in self._threads:
                    self._start(run.id)
            if (self._folder / "enough").exists():
                if not under_way:
                    return
            elif len(under_way) < AHEAD:
                self._make()
            time.sleep(0.05)

    def _make(self) -> None:
        """Begin one run as the workbench does: the row first, then the submit, from whoever follows it."""
        chance, objects, payload = self._random, self._library.objects, {"steps": STEPS, "delay": DELAY}
        inputs: tuple[str, ...] = ()
        if chance.random() < 0.3:
            size = LARGE if chance.random() < 0.2 else SMALL
            inputs = (objects.put_manifest({"data": objects.put_bytes(os.urandom(size))}),)
        if chance.random() < 0.3:
            payload["artifact"] = LARGE if chance.random() < 0.2 else SMALL
        self._library.runs.add(JobSpec(new_id(), "train", "a run", inputs, payload), "box")

    def _start(self, run: str) -> None:
        self._threads[run] = threading.Thread(target=self._follow, args=(run,), name=f"follow-{run[-4:]}", daemon=True)
        self._threads[run].start()

    def _follow(self, run: str) -> None:
        try:
            found = self._library.runs.get(run)
            if found.state is JobState.CREATED:
                self._submit(JobSpec.from_json(found.spec))
            for _ in self._follower.follow(run, found.last_seq, wait=5.0):
                pass
        except Exception:  # whatever it is, the loop is to hear of it
            with open(self._folder / "errors", "a") as file:
                file.write(f"{run}: {traceback.format_exc()}\n")

    def _submit(self, spec: JobSpec) -> None:
        for _ in range(self._random.randint(1, 2)):
            try:
                self._runner.submit(spec)
                self._library.runs.mark_submitted(spec.id)
            except RunnerUnreachable:
                return  # the follower does it again


def main() -> int:
    """Be a desk."""
    orders: dict[str, Any] = json.loads(sys.argv[1])
    hurry()
    folder = Path(orders["folder"])
    clock = LeapingClock(folder / "leap")
    with Library.open(Home(Path(orders["home"])), clock=clock) as library:
        runner = SshRunner(
            "box", orders["target"], library.objects, KnownHosts(Path(orders["known"])),
            installed=Installed(*orders["installed"]), ssh_folder=Path(orders["ssh"]), clock=clock)
        try:
            Desk(library, runner, folder, clock).run()
        finally:
            runner.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
