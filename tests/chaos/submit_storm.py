"""Many jobs, each sent one to five times by several desks at once over a line that is cut: each must start once.

    python -m tests.chaos.submit_storm --jobs 1000 [--seed S]
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from mldesk.core.errors import RunnerUnreachable
from mldesk.core.ids import new_id
from mldesk.runners.ssh.client import SshRunner
from mldesk.wire.jobs import JobSpec
from mldesk.wire.states import JobState
from tests.chaos._far import Far, far_box, hurry, machine, options

# $0 is the job's folder; it ends without a word, which takes the least time.
ENVIRONMENT = {"MLDESK_TRAINER": '["sh", "-c", "echo x >> \\"$0/starts\\""]'}
SLOTS = 4
SENDERS = 3
PATIENCE = 900.0           # seconds for the last job to end after the last submit


@dataclass
class Report:
    """What a storm did and found."""

    jobs: int
    letters: int               # submits that were to be made
    again: int = 0             # submits made again because the runner could not be reached for long
    cuts: int = 0
    connections: int = 0
    starts: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (f"{self.jobs} jobs in {self.letters} submits ({self.again} more when nothing answered for long), "
                f"{self.cuts} cuts, {self.connections} connections, {self.seconds:.0f} s: {self.starts} starts; "
                f"wrong: {len(self.wrong)}")


class Storm:
    """One storm over one line."""

    def __init__(self, far: Far, jobs: int, seed: int) -> None:
        self.far, self.random = far, random.Random(seed)
        self.specs = [JobSpec(new_id(), "train", "a job", (), {"steps": 1}) for _ in range(jobs)]
        letters = [spec for spec in self.specs for _ in range(self.random.randint(1, 5))]
        self.random.shuffle(letters)
        self.piles = [letters[number::SENDERS] for number in range(SENDERS)]
        self.report = Report(jobs, len(letters))
        self._sent, self._cut_at = 0, 5
        self._lock = threading.Lock()

    def run(self) -> Report:
        """Send everything while the line is cut, wait for the last job, and count."""
        began = time.monotonic()
        _start_agent(self.far)
        runners = [self.far.box.runner(self.far.person, self.far.proxy.port) for _ in self.piles]
        threads = [threading.Thread(target=self._send, args=pair) for pair in zip(runners, self.piles, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.far.proxy.budget = self.far.proxy.budget_back = None
        self._await_end(runners[0])
        for runner in runners:
            runner.close()
        self._count()
        self.report.connections = self.far.proxy.connections
        self.report.seconds = time.monotonic() - began
        return self.report

    def _send(self, runner: SshRunner, pile: list[JobSpec]) -> None:
        for spec in pile:
            self._cut_now_and_then()
            while True:
                try:
                    if runner.submit(spec) not in JobState:
                        self.report.wrong.append(f"{spec.id}: no state")
                    break
                except RunnerUnreachable:
                    self.report.again += 1

    def _cut_now_and_then(self) -> None:
        """Do something to the line, under the submits of the other senders, after so and so many of all."""
        proxy, chance = self.far.proxy, self.random
        with self._lock:
            self._sent += 1
            if self._sent < self._cut_at:
                return
            self._cut_at += chance.randint(4, 30)
            self.report.cuts += 1
            how = chance.randrange(4)
            if how == 0:
                proxy.cut()
            elif how == 1:
                proxy.budget = chance.randrange(1, 20_000)
            elif how == 2:
                proxy.budget_back = chance.randrange(1, 20_000)
            else:
                proxy.half_open()

    def _await_end(self, runner: SshRunner) -> None:
        deadline = time.monotonic() + PATIENCE
        while any(not JobState(str(job["state"])).ended for job in runner.jobs()):
            if time.monotonic() > deadline:
                self.report.wrong.append("not every job has ended")
                return
            time.sleep(0.5)

    def _count(self) -> None:
        jobs = self.far.box.place / "runner/jobs"
        there = {path.name for path in jobs.iterdir()}
        if there != {spec.id for spec in self.specs}:
            self.report.wrong.append(f"{len(there)} jobs there instead of {len(self.specs)}")
        for name in sorted(there):
            starts = jobs / name / "starts"
            count = len(starts.read_text().split()) if starts.exists() else 0
            self.report.starts += count
            if count != 1:
                self.report.wrong.append(f"{name}: started {count} times")


def _start_agent(far: Far) -> None:
    """Start the agent with several slots; one that a bridge starts has as many as its settings say."""
    place = far.box.place
    line = (f"cd {place} && exec env -u XDG_RUNTIME_DIR -u TMPDIR HOME={far.account.home} {far.box.installed.command} "
            f"serve --root {place}/runner --objects {place}/objects --slots {SLOTS} --daemon >>{place}/agent.log 2>&1")
    user = ["runuser", "-u", far.account.name, "--"] if far.account.own else []
    subprocess.run([*user, "sh", "-c", line], check=True, stdin=subprocess.DEVNULL)


def run(far: Far, jobs: int, seed: int) -> Report:
    """Run a storm against a box with the ENVIRONMENT."""
    return Storm(far, jobs, seed).run()


def main() -> int:
    given = options(__doc__, jobs=1000)
    hurry()
    with tempfile.TemporaryDirectory() as name, far_box(Path(name), **ENVIRONMENT) as far:
        report = run(far, given.jobs, given.seed)
    print(f"{machine()}: {report}")
    for fault in report.wrong:
        print("WRONG", fault)
    return 1 if report.wrong or report.starts != given.jobs else 0


if __name__ == "__main__":
    sys.exit(main())
