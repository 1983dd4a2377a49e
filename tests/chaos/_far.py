"""A box behind a bad line, for the loops: an account, an sshd, the runner's place there, somebody who uses it."""

from __future__ import annotations

import argparse
import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mldesk.runners.ssh import lifeline
from tests.runners.ssh.box import Account, Box, Person, Sshd
from tests.runners.ssh.proxy import Proxy


@dataclass
class Far:
    """Everything between a desk and a trainer."""

    account: Account
    sshd: Sshd
    person: Person
    box: Box
    proxy: Proxy


@contextlib.contextmanager
def far_box(folder: Path, **environment: str) -> Iterator[Far]:
    """Make a box that is reached through a proxy, with a person whose key it knows, and leave nothing of it.

    ``environment``: variables of everything that runs there.
    """
    with contextlib.ExitStack() as stack:
        account = Account()
        stack.callback(account.close)
        sshd = Sshd(account.folder / "sshd", account)
        stack.callback(sshd.stop)
        box = Box(account, "place", **environment)
        stack.callback(box.close)
        proxy = Proxy(("127.0.0.1", sshd.port))
        stack.callback(proxy.close)
        person = Person(folder / "person")
        sshd.allow(person.public)
        person.pin(sshd, proxy.port)
        yield Far(account, sshd, person, box, proxy)


def hurry() -> None:
    """Let this process find dead links within seconds and dial again at once, so that loops see many faults."""
    lifeline.PING_EVERY, lifeline.SUSPECT, lifeline.SILENCE = 0.3, 0.4, 3.0
    lifeline.FIRST_PAUSE, lifeline.LONGEST_PAUSE, lifeline.DIAL_PAUSE = 0.05, 0.5, 0.3


def options(description: str | None, **defaults: int) -> argparse.Namespace:
    """Read the command line of a loop: numbers with these defaults, and ``--seed``."""
    parser = argparse.ArgumentParser(description=description)
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    return given


def machine() -> str:
    """Say what this ran on, for RESULTS.md."""
    with open("/proc/loadavg") as file:
        load = file.read().split()[0]
    return f"{os.cpu_count()} cores, load {load}, {time.strftime('%Y-%m-%d')}"
