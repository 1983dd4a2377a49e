"""Cancel jobs of every temper over SSH: how long until it is acknowledged, until it is done, and what is left behind.

    python -m tests.chaos.ssh_cancel --jobs 40 [--seed S]
"""

from __future__ import annotations

import random
import re
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mldesk.core.ids import new_id
from mldesk.runners.ssh.client import SshRunner
from mldesk.wire.events import TERMINAL
from mldesk.wire.jobs import JobSpec
from tests.benchmarks._report import median, percentile
from tests.chaos._far import Far, far_box, machine, options
from tests.runner_agent.bench import command_of

ACKNOWLEDGED, DONE = 1.0, 10.0   # seconds, the goals
TEMPERS: Mapping[str, Mapping[str, Any]] = {
    "obedient": {}, "with a family": {"family": True}, "deaf to words": {"deaf": ["cancel"]},
    "deaf to SIGTERM too": {"deaf": ["cancel", "SIGTERM"], "family": True}}
PATIENCE = 60.0
_OURS = re.compile(r" serve | bridge | -m runner_agent|^sshd")  # what is to be there after a job


@dataclass
class Report:
    """Seconds, by temper."""

    acknowledged: list[float] = field(default_factory=list)
    done: dict[str, list[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def slowest(self) -> float:
        return max(took for times in self.done.values() for took in times)

    def __str__(self) -> str:
        done = "; ".join(f"{name} median {median(times):.2f} s, longest {max(times):.2f} s"
                         for name, times in self.done.items())
        return (f"{len(self.acknowledged)} cancels: acknowledged median {median(self.acknowledged) * 1000:.0f} ms, p95 "
                f"{percentile(self.acknowledged, 0.95) * 1000:.0f} ms, longest {max(self.acknowledged) * 1000:.0f} ms; "
                f"done: {done}; wrong: {len(self.wrong)}")


def run(far: Far, jobs: int, seed: int) -> Report:
    """Start and cancel so many jobs, one after another, each temper as often as the others."""
    report, chance = Report(), random.Random(seed)
    runner = far.box.runner(far.person, far.proxy.port)
    try:
        for number in range(jobs):
            name = list(TEMPERS)[number % len(TEMPERS)]
            _one(far, runner, name, chance.uniform(0.0, 0.5), report)
    finally:
        runner.close()
    return report


def _one(far: Far, runner: SshRunner, temper: str, after: float, report: Report) -> None:
    spec = JobSpec(new_id(), "train", temper, (), {"steps": 100_000, "delay": 0.02, **TEMPERS[temper]})
    runner.submit(spec)
    seen = 0
    kinds: list[str] = []
    while "metrics" not in kinds:
        kinds += [event.kind for event in runner.events(spec.id, len(kinds), wait=5.0)]
    seen = len(kinds)
    time.sleep(after)
    began = time.monotonic()
    runner.cancel(spec.id)
    report.acknowledged.append(time.monotonic() - began)
    last = None
    while last is None and time.monotonic() - began < PATIENCE:
        for event in runner.events(spec.id, seen, wait=5.0):
            seen, last = event.seq, event if event.kind in TERMINAL else None
    report.done.setdefault(temper, []).append(time.monotonic() - began)
    time.sleep(0.5)  # for its supervisor, which says goodbye after the last word
    left = [words for process in far.box.loose() if (words := command_of(process)) and not _OURS.search(words)]
    if last is None:
        report.wrong.append(f"{temper}: no end")
    elif last.kind == "cancelled" and left:
        report.wrong.append(f"{temper}: left behind {left}")
    elif last.kind != "cancelled" and not (last.payload.get("cause") == "unkillable" and last.payload.get("message")):
        report.wrong.append(f"{temper}: ended as {last}")


def main() -> int:
    given = options(__doc__, jobs=40)
    with tempfile.TemporaryDirectory() as name, far_box(Path(name)) as far:
        report = run(far, given.jobs, given.seed)
    print(f"{machine()}: {report}")
    for fault in report.wrong:
        print("WRONG", fault)
    return int(bool(report.wrong) or percentile(report.acknowledged, 0.95) > ACKNOWLEDGED or report.slowest > DONE)


if __name__ == "__main__":
    sys.exit(main())
