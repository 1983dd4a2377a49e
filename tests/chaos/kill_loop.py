"""Kill agents, supervisors, trainers and links at random, and hold what clients saw against what is allowed.

    python -m tests.chaos.kill_loop --kills 1000 [--seed S]

Jobs of a fake trainer report steps 1..N. Two clients follow every job. Allowed histories: numbers dense from 1, both
clients see the same, every step exactly once (points above a resumed attempt's start count as superseded, as they do
in the library), one "started" per attempt, "interrupted" only where a trainer was killed, and an end.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from mldesk.core.errors import Conflict, MldeskError
from mldesk.runners import LocalRunner
from mldesk.wire.events import TERMINAL, Event
from tests.runner_agent.bench import Bench

STEPS = 250
SLOTS = 2
JOBS_AHEAD = 3        # jobs kept queued or running
PAUSE = (0.02, 0.25)  # seconds between kills, uniformly


@dataclass
class Report:
    """What a loop did and found."""

    kills: dict[str, int] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)  # links cut, agents frozen for a moment
    jobs: int = 0
    events: int = 0
    attempts: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        done = ", ".join(f"{count} {name}" for name, count in sorted(self.others.items() | self.kills.items()))
        return (f"{sum(self.kills.values())} kills ({done}) in {self.seconds:.0f} s; {self.jobs} jobs, "
                f"{self.attempts} attempts, {self.events} events; faults: {len(self.faults)}")


class Follower(threading.Thread):
    """One client that follows one job to its final end, resuming it if ``resumes``."""

    def __init__(self, client: LocalRunner, job: str, *, resumes: bool) -> None:
        super().__init__(name=f"follow-{job[-4:]}", daemon=True)
        self.client, self.job, self.resumes = client, job, resumes
        self.events: list[Event] = []
        self.error = ""

    def run(self) -> None:
        try:
            while not (self.events and self.events[-1].kind in TERMINAL - {"interrupted"}):
                self.events += self.client.events(self.job, len(self.events), wait=0.3)
                if self.resumes and self.events and self.events[-1].kind == "interrupted":
                    with contextlib.suppress(Conflict):  # a repeated resume finds it queued already
                        self.client.resume(self.job)
        except MldeskError as error:
            self.error = f"{self.job}: {type(error).__name__}: {error}"


class Loop:
    """One run of the chaos."""

    def __init__(self, bench: Bench, seed: int) -> None:
        self.bench, self.random, self.report = bench, random.Random(seed), Report()
        self.clients = [bench.client(), bench.client()]
        self.followers: list[tuple[Follower, Follower]] = []
        self.trainers_killed: set[str] = set()
        self.weapons: list[tuple[str, Callable[[], bool]]] = [
            ("agent", self._kill_agent), ("supervisor", self._kill_supervisor), ("supervisor", self._kill_supervisor),
            ("agent and supervisor", self._kill_both), ("link", self._cut_link), ("trainer", self._kill_trainer),
            ("freeze", self._freeze_agent),
        ]

    def run(self, kills: int) -> Report:
        began = time.monotonic()
        while sum(self.report.kills.values()) < kills:
            while sum(f.is_alive() for f, _ in self.followers) < JOBS_AHEAD:
                self._submit()
            name, weapon = self.random.choice(self.weapons)
            if weapon():
                count = self.report.others if name in ("link", "freeze") else self.report.kills
                count[name] = count.get(name, 0) + 1
            time.sleep(self.random.uniform(*PAUSE))
        for pair in self.followers:
            for follower in pair:
                follower.join(120)
        for pair in self.followers:
            self._check(*pair)
        for client in self.clients:
            client.close()
        self.report.seconds = time.monotonic() - began
        return self.report

    def _submit(self) -> None:
        spec = self.bench.spec(steps=STEPS, delay=0.004, checkpoints=True)
        for _ in range(self.random.randint(1, 3)):
            self.random.choice(self.clients).submit(spec)
        pair = (Follower(self.clients[0], spec.id, resumes=True), Follower(self.clients[1], spec.id, resumes=False))
        for follower in pair:
            follower.start()
        self.followers.append(pair)

    # --- weapons: each says whether it hit something

    def _processes(self, word: str) -> list[psutil.Process]:
        found = []
        for process in self.bench.processes():
            with contextlib.suppress(psutil.Error):
                if word in process.cmdline():
                    found.append(process)
        return found

    def _kill(self, found: list[psutil.Process]) -> bool:
        if not found:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            self.random.choice(found).kill()
            return True
        return False

    def _kill_agent(self) -> bool:
        return self._kill(self._processes("serve"))

    def _kill_supervisor(self) -> bool:
        found = self._processes("runner_agent.supervisor")
        pids = {process.pid for process in found}
        real = []
        for process in found:  # a trainer at its gate still looks like the supervisor that forked it
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.ppid() not in pids:
                    real.append(process)
        return self._kill(real)

    def _kill_both(self) -> bool:
        return self._kill_agent() and self._kill_supervisor()

    def _cut_link(self) -> bool:
        link = self.random.choice(self.clients)._link
        if link is not None:
            link.close()
        return link is not None

    def _kill_trainer(self) -> bool:
        alive = [first.job for first, _ in self.followers if first.is_alive()]
        if not alive:
            return False
        job = self.random.choice(alive)
        record = self.bench.folder(job).record()
        if record is None or not record.trainer.alive:
            return False
        self.trainers_killed.add(job)
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(record.trainer.pid).kill()
        return True

    def _freeze_agent(self) -> bool:
        for agent in self._processes("serve"):
            with contextlib.suppress(psutil.NoSuchProcess):
                agent.send_signal(signal.SIGSTOP)
                time.sleep(self.random.uniform(0, 0.3))
                agent.send_signal(signal.SIGCONT)
                return True
        return False

    # --- the checker

    def _check(self, first: Follower, second: Follower) -> None:
        job, events = first.job, first.events
        self.report.jobs += 1
        self.report.events += len(events)
        faults = self.report.faults
        faults += [follower.error for follower in (first, second) if follower.error]
        if first.error or second.error:
            return
        if first.is_alive() or second.is_alive():
            faults.append(f"{job}: no end after {[event.kind for event in events[-3:]]}")
            return
        if events != second.events:
            faults.append(f"{job}: two clients saw different histories")
        if [event.seq for event in events] != list(range(1, len(events) + 1)):
            faults.append(f"{job}: a gap or a duplicate")
        kinds = [event.kind for event in events]
        if kinds[-1] != "succeeded":
            faults.append(f"{job}: ended as {events[-1]}")
        interruptions = kinds.count("interrupted")
        if interruptions and job not in self.trainers_killed:
            faults.append(f"{job}: interrupted though its trainer was left alone")
        if kinds.count("started") > kinds.count("queued"):
            faults.append(f"{job}: started more often than queued")
        starts = len((self.bench.folder(job).path / "starts").read_bytes())
        if job not in self.trainers_killed and starts != 1:
            faults.append(f"{job}: {starts} trainers worked on it")
        self.report.attempts += kinds.count("queued")
        if _steps(events) != list(range(1, STEPS + 1)):
            faults.append(f"{job}: steps {_steps(events)}")


def _steps(events: list[Event]) -> list[int]:
    steps: list[int] = []
    for event in events:
        if event.kind == "started":
            reached = event.payload["resumed_from"] or 0
            steps = [step for step in steps if step <= reached]
        elif event.kind == "metrics":
            steps.append(event.payload["step"])
    return steps


def run(kills: int, seed: int, root: Path) -> Report:
    """Run the loop with a runner below ``root``, and leave nothing running."""
    bench = Bench(root, "--slots", str(SLOTS))
    try:
        return Loop(bench, seed).run(kills)
    finally:
        bench.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        report = run(given.kills, given.seed, Path(folder))
        print(report)
        for fault in report.faults:
            print("FAULT", fault)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
