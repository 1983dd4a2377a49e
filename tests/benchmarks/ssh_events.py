"""How late an event of a far trainer is in the library: one run alone, and 50 runs at once over one connection.

The time is the wall clock when the event can be read from the library, less the event's own: both ends are one machine.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
import threading
import time
from pathlib import Path

from mldesk.core.clock import SystemClock
from mldesk.core.ids import new_id
from mldesk.core.paths import Home
from mldesk.library import Library
from mldesk.runners.ssh.client import SshRunner
from mldesk.wire.jobs import JobSpec
from mldesk.workbench.following import Follower
from mldesk.workbench.runners import RunnerService
from tests.benchmarks._report import percentile, report
from tests.chaos._desk import runners
from tests.chaos._far import far_box

MANY, STEPS = 50, 90
PACE_ALONE, PACE_MANY = 0.05, 1.0  # seconds between the events of one run


def latencies(library: Library, runner: SshRunner, service: RunnerService, count: int, pace: float) -> list[float]:
    """Stream so many runs at once, each followed by a thread of its own.

    Return the seconds of every event that was said once all of them streamed.
    """
    late: list[tuple[float, float]] = []  # when it was said, and how long it took
    streaming: list[float] = []           # when each run's first event came
    ids = [library.runs.add(JobSpec(new_id(), "train", f"run {number}", (), {"steps": STEPS, "delay": pace}), "box").id
           for number in range(count)]

    def follow(run: str) -> None:
        runner.submit(JobSpec.from_json(library.runs.get(run).spec))
        first = True
        for event in Follower(library, service).follow(run, wait=10.0):
            if event.kind == "metrics":
                if first:
                    streaming.append(time.time())
                    first = False
                late.append((event.time, time.time() - event.time))

    threads = [threading.Thread(target=follow, args=(run,)) for run in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [took for said, took in late if said > max(streaming)]


def main() -> None:
    """Print the percentiles."""
    many = int(sys.argv[sys.argv.index("--runs") + 1]) if "--runs" in sys.argv else MANY
    with tempfile.TemporaryDirectory() as name, far_box(Path(name)) as far:
        far.person.pin(far.sshd)
        runner = far.box.runner(far.person, far.sshd.port)
        with Library.open(Home(Path(name) / "library")) as library:
            service = runners(library, runner, SystemClock())
            runner.connect()
            runner.configure(dataclasses.replace(runner.settings(), cpu_slots=many))
            alone = latencies(library, runner, service, 1, PACE_ALONE)
            crowd = latencies(library, runner, service, many, PACE_MANY)
            runner.close()
    report("ssh_events", [
        ("one run, median", percentile(alone, 0.5) * 1000, "ms"),
        ("one run, p95", percentile(alone, 0.95) * 1000, "ms"),
        (f"{many} runs at once, median", percentile(crowd, 0.5) * 1000, "ms"),
        (f"{many} runs at once, p95", percentile(crowd, 0.95) * 1000, "ms"),
        (f"events of {many} runs", len(crowd), "")],
        {"goal": "p95 below 150 ms on loopback", "pace": f"one run {1 / PACE_ALONE:.0f} events/s, {many} runs "
                                                         f"{many / PACE_MANY:.0f} events/s in all"})


if __name__ == "__main__":
    main()
