"""Take the cables of whole boxes out and put them back: several boxes, each in a network namespace of its own.

    python -m tests.chaos.unplugged --times 6 [--seed S]

Needs root and Linux. Nothing stands in for the network here: packets stop, TCP repeats them ever more rarely, nobody is
told. Jobs on every box say something all the time; measured is when new events reach the library after a cable is back.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from mldesk.runners.ssh.client import SshRunner
from tests.benchmarks._report import median, percentile
from tests.chaos._far import machine, options
from tests.chaos.reconnect import GOAL, Watched
from tests.runner_agent.bench import dense
from tests.runners.ssh.box import Account, Box, Person, Sshd

BOXES = 3
AWAY = (1.0, 30.0)         # seconds without a cable; the first time is the longest


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@contextlib.contextmanager
def cable(number: int) -> Iterator[tuple[str, str, str]]:
    """Make a namespace that a pair of interfaces ties to this one; give its name, our end's name, and its address."""
    space, ours, theirs = f"mlbox{number}", f"mlour{number}", f"mlbox{number}"
    _ip("netns", "add", space)
    try:
        _ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", space)
        _ip("address", "add", f"10.213.{number}.1/24", "dev", ours)
        _ip("link", "set", ours, "up")
        for words in (["address", "add", f"10.213.{number}.2/24", "dev", theirs], ["link", "set", theirs, "up"],
                      ["link", "set", "lo", "up"]):
            _ip("-n", space, *words)
        yield space, theirs, f"10.213.{number}.2"
    finally:
        _ip("netns", "delete", space)


class Plugged:
    """One box at the end of its cable, with a run that is followed."""

    def __init__(self, number: int, folder: Path, account: Account, stack: contextlib.ExitStack) -> None:
        self.space, self.device, address = stack.enter_context(cable(number))
        sshd = Sshd(account.folder / f"sshd{number}", account)
        sshd.stop()
        sshd.address, sshd.prefix = address, ["ip", "netns", "exec", self.space]
        sshd.start()
        stack.callback(sshd.stop)
        box = Box(account, f"place{number}")
        stack.callback(box.close)
        person = Person(folder / f"person{number}")
        sshd.allow(person.public)
        for key in sshd.keys.values():
            person.known.pin(address, sshd.port, key)
        runner = SshRunner("box", f"{account.name}@{address}:{sshd.port}", person.store, person.known,
                           installed=box.installed, ssh_folder=person.ssh)
        self.watched = Watched(runner, folder / f"library{number}")
        stack.callback(self.watched.close)
        self.watched.seconds_until_news()

    def unplug(self, seconds: float, results: list[float]) -> None:
        """Take the cable out for so long; add how long the library then waits for something new."""
        _ip("-n", self.space, "link", "set", self.device, "down")
        time.sleep(seconds)
        _ip("-n", self.space, "link", "set", self.device, "up")
        results.append(self.watched.seconds_until_news())


def main() -> int:
    given = options(__doc__, times=6)
    if os.getuid():
        print("not tried: this needs root")
        return 0
    chance, results = random.Random(given.seed), list[float]()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        account = Account()
        stack.callback(account.close)
        boxes = [Plugged(number, Path(name), account, stack) for number in range(1, BOXES + 1)]
        for turn in range(given.times):
            threads = [threading.Thread(target=box.unplug, args=(
                AWAY[1] if not turn else chance.uniform(*AWAY), results)) for box in boxes]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        whole = [dense(box.watched.library.runs.events(box.watched.run)) for box in boxes]
    print(f"{machine()}: {len(results)} cables out for up to {AWAY[1]:.0f} s: new events median "
          f"{median(results):.2f} s, p95 {percentile(results, 0.95):.2f} s, "
          f"longest {max(results):.2f} s after they were back; histories whole: {whole}")
    return int(not all(whole) or len(results) < given.times * BOXES or median(results) > GOAL)


if __name__ == "__main__":
    sys.exit(main())
