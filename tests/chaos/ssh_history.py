"""Break everything between a library and a trainer on another machine, and hold the library against what was said.

    python -m tests.chaos.ssh_history --faults 1000 [--seed S]

The whole chain is real: a desk (a process with the library) - SSH - a proxy - sshd - agent - supervisor - trainers that
report steps 1..N. Killed with SIGKILL and started again: the desk, the agent, supervisors. Stopped with SIGSTOP and
continued: the desk, the agent. The line is cut, cut in the middle of what goes either way, half-opened, silenced,
refused, delayed. The wall clocks of both ends leap. In the end every run must have succeeded, and the library must hold
exactly what the journal on the box says: 1..N, each once; every job one start.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from mldesk.core.paths import Home
from mldesk.library import Library
from mldesk.library.records import Run
from mldesk.wire.events import Event
from mldesk.wire.journal import JournalReader
from tests.chaos import _desk
from tests.chaos._far import Far, far_box, machine, options
from tests.runner_agent.bench import command_of
from tests.runners.ssh.box import REPOSITORY

PAUSE = (0.02, 0.4)        # seconds between faults, uniformly
RECOVERY = 3.0             # seconds given, before every other fault, to bring something new into the library
PATIENCE = 240.0           # seconds for everything to end once the faults have
LEAPS = (-86_400.0, -30.0, -2.0, 0.0, 3.0, 30.0, 7200.0, 400_000.0)  # seconds a wall clock may be off by
HOPELESS = 5               # things wrong after which the loop ends early
ENVIRONMENT = {"MLDESK_TEST_LEAP": "{place}/leap"}
ORDINARY = {"queued", "staged", "started", "metrics", "artifact", "succeeded"}


@dataclass
class Report:
    """What a loop did and found."""

    faults: dict[str, int] = field(default_factory=dict)
    moved: int = 0             # times that new events had come in between two faults
    desks: int = 0
    connections: int = 0
    runs: int = 0
    events: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        done = ", ".join(f"{count} {name}" for name, count in sorted(self.faults.items()))
        return (f"{sum(self.faults.values())} faults ({done}) in {self.seconds:.0f} s; {self.moved} times new events "
                f"between two of them; {self.desks} desks, {self.connections} connections, {self.runs} runs, "
                f"{self.events} events; wrong: {len(self.wrong)}")


class Desk:
    """The process at the near end, as often as it takes."""

    def __init__(self, far: Far, folder: Path) -> None:
        self.folder, self.home = folder, Home(folder / "library")
        (folder / "leap").write_text("0")
        self._orders = json.dumps({
            "folder": str(folder), "home": str(self.home.root), "known": str(far.person.home.root / "known_hosts"),
            "target": f"{far.account.name}@127.0.0.1:{far.proxy.port}", "ssh": str(far.person.ssh),
            "installed": [far.box.installed.command, far.box.installed.place]})
        self.started = 0
        self.start()

    def start(self) -> None:
        self.started += 1
        with open(self.folder / "desk.log", "ab") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "tests.chaos._desk", self._orders], cwd=REPOSITORY,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def events(self) -> int:
        """How many events its library holds; 0 while there is no library."""
        with contextlib.suppress(sqlite3.Error), contextlib.closing(
                sqlite3.connect(f"file:{self.home.database}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM events").fetchone()[0])
        return 0

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Loop:
    """One run of the chaos."""

    def __init__(self, far: Far, folder: Path, seed: int) -> None:
        self.far, self.random, self.report = far, random.Random(seed), Report()
        self.desk = Desk(far, folder)
        far.proxy.linger = 2.0
        self.weapons: list[tuple[str, Callable[[], bool]]] = [
            ("desk killed", self._kill_desk), ("agent killed", self._kill_agent), ("agent killed", self._kill_agent),
            ("supervisor killed", self._kill_supervisor), ("desk stopped", self._stop_desk),
            ("agent stopped", self._stop_agent), ("cut", self._cut), ("cut", self._cut),
            ("cut within what goes up", self._truncate_up), ("cut within what comes down", self._truncate_down),
            ("half-open", self._half_open), ("silence", self._silence), ("refusal", self._refuse),
            ("delay", self._delay), ("desk's clock", self._leap_here), ("box's clock", self._leap_there)]

    def run(self, faults: int) -> Report:
        """Do so many things that hit, then let everything end and check it."""
        began, seen = time.monotonic(), 0
        try:
            while sum(self.report.faults.values()) < faults and len(self.report.wrong) < HOPELESS:
                if (self.desk.folder / "errors").exists():
                    break
                time.sleep(self.random.uniform(*PAUSE))
                if self.random.random() < 0.5:
                    self._await_news(seen)
                now = self.desk.events()
                self.report.moved += now > seen
                seen = now
                name, weapon = self.random.choice(self.weapons)
                if weapon():
                    self.report.faults[name] = self.report.faults.get(name, 0) + 1
                if self.desk.process.poll() is not None:
                    self.report.wrong.append(f"the desk ended by itself with code {self.desk.process.returncode}")
                    self.desk.start()
            self._calm()
            self._await_end()
        finally:
            self.desk.kill()
        self.report.desks, self.report.connections = self.desk.started, self.far.proxy.connections
        self._check()
        self.report.seconds = time.monotonic() - began
        return self.report

    def _await_news(self, seen: int) -> None:
        deadline = time.monotonic() + RECOVERY
        while self.desk.events() <= seen and time.monotonic() < deadline:
            time.sleep(0.05)

    def _calm(self) -> None:
        self.far.proxy.delay, self.far.proxy.budget, self.far.proxy.budget_back = (0.0, 0.0), None, None
        (self.desk.folder / "enough").touch()

    def _await_end(self) -> None:
        try:
            code = self.desk.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.report.wrong.append(f"not everything had ended {PATIENCE:.0f} s after the last fault")
        else:
            if code:
                self.report.wrong.append(f"the desk ended with code {code}")

    # --- weapons: each says whether it hit something

    def _processes(self, word: str) -> list[psutil.Process]:
        return [process for process in self.far.box.processes() if word in command_of(process)]

    def _signal(self, found: list[psutil.Process], number: int) -> bool:
        if not found:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            self.random.choice(found).send_signal(number)
            return True
        return False

    def _kill_desk(self) -> bool:
        self.desk.kill()
        time.sleep(self.random.uniform(0.0, 0.3))
        self.desk.start()
        return True

    def _kill_agent(self) -> bool:
        return self._signal(self._processes(" serve "), signal.SIGKILL)

    def _kill_supervisor(self) -> bool:
        found = self._processes("runner_agent.supervisor")
        pids = {process.pid for process in found}
        real = []
        for process in found:  # a trainer at its gate still looks like the supervisor that forked it
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.ppid() not in pids:
                    real.append(process)
        return self._signal(real, signal.SIGKILL)

    def _stop_desk(self) -> bool:
        self.desk.process.send_signal(signal.SIGSTOP)
        time.sleep(self.random.uniform(0.05, 1.5))
        self.desk.process.send_signal(signal.SIGCONT)
        return True

    def _stop_agent(self) -> bool:
        found = self._processes(" serve ")[:1]
        hit = self._signal(found, signal.SIGSTOP)
        time.sleep(self.random.uniform(0.05, 2.5) if hit else 0.0)
        self._signal(found, signal.SIGCONT)
        return hit

    def _cut(self) -> bool:
        hit = self.far.proxy.live > 0
        self.far.proxy.cut()
        return hit

    def _truncate_up(self) -> bool:
        self.far.proxy.budget = int(10 ** self.random.uniform(0, 5))
        return self.far.proxy.live > 0

    def _truncate_down(self) -> bool:
        self.far.proxy.budget_back = int(10 ** self.random.uniform(0, 5))
        return self.far.proxy.live > 0

    def _half_open(self) -> bool:
        hit = self.far.proxy.live > 0
        self.far.proxy.half_open()
        return hit

    def _silence(self) -> bool:
        hit = self.far.proxy.live > 0
        self.far.proxy.silent = True
        time.sleep(self.random.uniform(0.05, 1.5))
        self.far.proxy.silent = False
        return hit

    def _refuse(self) -> bool:
        hit = self._cut()
        self.far.proxy.refuse()
        time.sleep(self.random.uniform(0.05, 1.0))
        self.far.proxy.refuse(False)
        return hit

    def _delay(self) -> bool:
        self.far.proxy.delay = (0.0, self.random.choice([0.0, 0.02, 0.1, 0.3]))
        return self.far.proxy.delay[1] > 0 and self.far.proxy.live > 0

    def _leap_here(self) -> bool:
        return self._leap(self.desk.folder / "leap")

    def _leap_there(self) -> bool:
        return self._leap(self.far.box.place / "leap")

    def _leap(self, file: Path) -> bool:
        draft = file.with_suffix(".new")
        draft.write_text(str(self.random.choice(LEAPS)))
        draft.chmod(0o644)
        os.replace(draft, file)
        return True

    # --- the checker

    def _check(self) -> None:
        wrong, jobs = self.report.wrong, self.far.box.place / "runner/jobs"
        errors = self.desk.folder / "errors"
        if errors.exists():
            wrong.append(errors.read_text()[:5000])
        with Library.open(self.desk.home) as library:
            runs = library.runs.list()
            self.report.runs = len(runs)
            there = {path.name for path in jobs.iterdir()} if jobs.exists() else set()
            if there != {run.id for run in runs}:
                wrong.append(f"jobs on the box and runs in the library differ: {there ^ {run.id for run in runs}}")
            for run in runs:
                events = library.runs.events(run.id)
                self.report.events += len(events)
                wrong += [f"{run.id}: {text}" for text in
                          _faults(run, events, _journal(jobs / run.id), _starts(jobs / run.id))]
                if [point.step for point in library.runs.metrics(run.id)] != list(range(1, _desk.STEPS + 1)):
                    wrong.append(f"{run.id}: the curve has not every step once")
                for artifact in library.runs.artifacts(run.id).values():
                    library.objects.verify(str(artifact["digest"]))


def _faults(run: Run, events: list[Event], journal: list[Event], starts: int) -> list[str]:
    found = []
    if run.state.value != "succeeded":
        found.append(f"is {run.state.value} ({run.message})")
    if [event.seq for event in events] != list(range(1, len(events) + 1)):
        found.append("a gap or a duplicate")
    if events != journal:
        found.append(f"the library holds {len(events)} events, the journal {len(journal)}, or they differ")
    kinds = [event.kind for event in events]
    if set(kinds) - ORDINARY or any(kinds.count(once) != 1 for once in ("queued", "staged", "started", "succeeded")):
        found.append(f"an unlikely history: {[kind for kind in kinds if kind != 'metrics']}")
    if [event.payload["step"] for event in events if event.kind == "metrics"] != list(range(1, _desk.STEPS + 1)):
        found.append("not every step once")
    if starts != 1:
        found.append(f"{starts} trainers worked on it")
    return found


def _journal(job: Path) -> list[Event]:
    reader, events = JournalReader(job / "journal"), []
    while batch := reader.read(1000):
        events += batch
    return events


def _starts(job: Path) -> int:
    return len((job / "starts").read_bytes()) if (job / "starts").exists() else 0


def run(far: Far, folder: Path, faults: int, seed: int) -> Report:
    """Run the loop against a box with the ENVIRONMENT."""
    folder.mkdir(parents=True, exist_ok=True)
    return Loop(far, folder, seed).run(faults)


def main() -> int:
    given = options(__doc__, faults=1000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with far_box(folder, **ENVIRONMENT) as far:
            report = run(far, folder / "desk", given.faults, given.seed)
    print(f"{machine()}: {report}")
    for fault in report.wrong:
        print("WRONG", fault)
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
