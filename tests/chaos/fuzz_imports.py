"""Damaged files of every kind against the importer: no crash, no hang, nothing left, memory bounded.

    python -m tests.chaos.fuzz_imports --cases 20000 [--seed S] [--first N] [--workers N]

Each worker is a process of its own, so that a crash or a hang is one case and not the end; the case is named.
"""

from __future__ import annotations

import argparse
import collections
import queue
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.data.damaged_files import KINDS, check

HANG = 120.0                 # seconds for one case
MOST = 1536 * 1024           # kB of resident memory
_AT_ONCE = 250               # cases of one process


def work(first: int, count: int) -> int:
    """Check cases one by one, saying each."""
    with tempfile.TemporaryDirectory(prefix="mldesk-fuzz-") as folder:
        for seed in range(first, first + count):
            print(f"? {seed}", flush=True)
            try:
                said = check(seed, Path(folder))
            except BaseException as error:
                print(f"! {seed} {type(error).__module__}.{type(error).__name__}: {str(error)[:300]!r}", flush=True)
                continue
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            print(f"= {peak} {'taken' if said == 'taken' else 'refused'}", flush=True)
            if peak > MOST:
                return 0  # a fresh process, so that the next peak is another case's
    return 0


class Tally:
    """What came out, from all workers; by kind of file, and in all."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.counts: collections.Counter[str] = collections.Counter()
        self.kinds: collections.Counter[str] = collections.Counter()
        self.faults: list[str] = []
        self.peak = 0

    def fault(self, text: str) -> None:
        with self.lock:
            self.counts["faults"] += 1
            self.faults.append(text)
            print(text, flush=True)


def follow(jobs: queue.Queue[tuple[int, int]], tally: Tally) -> None:
    """Run worker processes until no cases are left; go on after the case that ended one."""
    while True:
        try:
            first, count = jobs.get_nowait()
        except queue.Empty:
            return
        while count > 0:
            done = _one_process(first, count, tally)
            first, count = first + done, count - done


def _one_process(first: int, count: int, tally: Tally) -> int:
    process = subprocess.Popen([sys.executable, "-m", "tests.chaos.fuzz_imports", "--work", str(first), str(count)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    timer = [time.monotonic()]
    hung = threading.Event()
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(1):
            if time.monotonic() - timer[0] > HANG:
                hung.set()
                process.kill()

    watcher = threading.Thread(target=watch)
    watcher.start()
    done, current = 0, first
    assert process.stdout is not None
    for line in process.stdout:
        timer[0] = time.monotonic()
        mark, _, rest = line.strip().partition(" ")
        if mark == "?":
            current = int(rest)
        elif mark == "!":
            done += 1
            tally.fault("fault: case " + rest)
        elif mark == "=":
            done += 1
            peak, _, outcome = rest.partition(" ")
            with tally.lock:
                tally.counts[outcome] += 1
                tally.kinds[KINDS[current % len(KINDS)]] += 1
                tally.peak = max(tally.peak, int(peak))
            if int(peak) > MOST:
                tally.fault(f"fault: case {current}: {int(peak) >> 10} MiB of memory")
    code = process.wait()
    stop.set()
    watcher.join()
    if hung.is_set() or code != 0:
        tally.fault(f"fault: case {current}: {'hung' if hung.is_set() else f'the process ended with {code}'}")
        done = current - first + 1
    return max(done, 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--first", type=int, default=0, help="the case of that seed to begin with")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=int, nargs=2)
    given = parser.parse_args()
    if given.work:
        return work(*given.work)
    began, tally = time.monotonic(), Tally()
    jobs: queue.Queue[tuple[int, int]] = queue.Queue()
    first = given.seed * 1_000_000 + given.first
    for start in range(0, given.cases, _AT_ONCE):
        jobs.put((first + start, min(_AT_ONCE, given.cases - start)))
    threads = [threading.Thread(target=follow, args=(jobs, tally)) for _ in range(given.workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"seed {given.seed}: {given.cases} damaged files in {time.monotonic() - began:.0f} s: "
          f"{tally.counts['taken']} taken, {tally.counts['refused']} refused, {tally.counts['faults']} faults; peak "
          f"{tally.peak >> 10} MiB; "
          + ", ".join(f"{kind} {count}" for kind, count in sorted(tally.kinds.items())))
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
