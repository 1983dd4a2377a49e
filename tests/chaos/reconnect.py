"""How long after the network has returned do new events reach the library?

    python -m tests.chaos.reconnect --cuts 50 [--seed S]

A job on the box says something all the time; a Follower brings it into a library, as the application does, with the
pauses and patience of the application. The line goes away for a random while and comes back, by turns as
    reset     every connection is reset, and new ones are refused meanwhile
    stalled   nothing passes meanwhile, and nothing is lost: a network whose packets are sent again
    moved     every connection is dead for ever without a word, new ones wait: a laptop in another network
"""

from __future__ import annotations

import random
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from mldesk.core.clock import SystemClock
from mldesk.core.ids import new_id
from mldesk.core.paths import Home
from mldesk.library import Library
from mldesk.runners.ssh.client import SshRunner
from mldesk.wire.jobs import JobSpec
from mldesk.workbench.following import Follower
from tests.benchmarks._report import median, percentile
from tests.chaos._desk import runners
from tests.chaos._far import Far, far_box, machine, options

LONGEST = 45.0             # seconds without a network; most are much shorter
GOAL = 2.0                 # seconds, median
PATIENCE = 120.0


@dataclass
class Report:
    """Seconds from the network's return to the first new event, by what had happened."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    away: float = 0.0          # seconds in all

    @property
    def all(self) -> list[float]:
        return [took for times in self.seconds.values() for took in times]

    def __str__(self) -> str:
        words = [f"{len(times)} {name}: median {median(times):.2f} s, p95 {percentile(times, 0.95):.2f} s, longest "
                 f"{max(times):.2f} s" for name, times in [*self.seconds.items(), ("in all", self.all)]]
        return f"{'; '.join(words)}; {self.away:.0f} s without a network"


class Watched:
    """A run on a box that never falls silent, followed into a library."""

    def __init__(self, runner: SshRunner, folder: Path) -> None:
        self.library = Library.open(Home(folder / "library"))
        self.runner = runner
        spec = JobSpec(new_id(), "train", "it goes on and on", (), {"steps": 10_000_000, "delay": 0.05})
        self.run = self.library.runs.add(spec, "box").id
        self.runner.submit(spec)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def _follow(self) -> None:
        follower = Follower(self.library, runners(self.library, self.runner, SystemClock()))
        for _ in follower.follow(self.run, wait=5.0, stop=self._stop.is_set):
            pass

    def seconds_until_news(self) -> float:
        """Wait for a further event. Raises TimeoutError."""
        began, seen = time.monotonic(), self.library.runs.get(self.run).last_seq
        while self.library.runs.get(self.run).last_seq == seen:
            if time.monotonic() - began > PATIENCE:
                raise TimeoutError(f"nothing came for {PATIENCE:.0f} s after the network was back")
            time.sleep(0.01)
        return time.monotonic() - began

    def close(self) -> None:
        """End the job and let go."""
        self._stop.set()
        self._thread.join()
        self.runner.cancel(self.run)
        self.runner.close()
        self.library.close()


def run(far: Far, folder: Path, cuts: int, seed: int, longest: float = LONGEST) -> Report:
    """Take the network away so often, for 0.05 to ``longest`` seconds each time. Raises TimeoutError."""
    report, chance, proxy = Report(), random.Random(seed), far.proxy
    watched = Watched(far.box.runner(far.person, far.proxy.port), folder)
    try:
        watched.seconds_until_news()
        for number in range(cuts):
            away = 0.05 * (longest / 0.05) ** chance.random()
            report.away += away
            how = ("reset", "stalled", "moved")[number % 3]
            if how == "reset":
                proxy.refuse()
                proxy.cut()
            else:
                proxy.stall()
            if how == "moved":
                proxy.half_open()
            time.sleep(away)
            proxy.refuse(False)
            proxy.stall(False)
            report.seconds.setdefault(how, []).append(watched.seconds_until_news())
            time.sleep(chance.uniform(0.0, 3.0))
    finally:
        watched.close()
    return report


def main() -> int:
    given = options(__doc__, cuts=50)
    with tempfile.TemporaryDirectory() as name, far_box(Path(name)) as far:
        report = run(far, Path(name), given.cuts, given.seed)
    print(f"{machine()}: {report}")
    return int(median(report.all) > GOAL)


if __name__ == "__main__":
    sys.exit(main())
