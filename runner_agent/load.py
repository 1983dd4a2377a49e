"""The load of this machine, once a second: the process ``python -m runner_agent.telemetry``. Standard library only.

It prints one line of JSON per sample and reads, a line whenever that changes, which process groups belong to which
jobs. Whoever started it may kill it at any moment: a driver or a network disk that hangs takes this process and no
other with it. It ends with its parent.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mldesk.wire.nvml import Card, NoCards, Nvml
from mldesk.wire.runner_view import GpuSample, JobSample, Sample

EVERY = 1.0                # seconds
_PROC = Path("/proc")
_SET_DEATH_SIGNAL = 1      # PR_SET_PDEATHSIG
_LOOK_AGAIN = 30.0         # seconds between tries to reach a driver that is there and does not work


def main(given: Sequence[str] | None = None) -> int:
    """Report until the parent is gone or shuts stdin; return the exit code."""
    parser = argparse.ArgumentParser(prog="runner_agent.telemetry")
    parser.add_argument("--root", type=Path, required=True, help="a folder on the disk that is looked at")
    parser.add_argument("--parent", type=int, required=True, help="the process to end with")
    parser.add_argument("--no-cards", action="store_true", help="leave the graphics cards alone")
    arguments = parser.parse_args(given)
    if not die_with(arguments.parent):
        return 0
    for number in ("SIGINT", "SIGHUP"):  # of a terminal; the parent decides
        if hasattr(signal, number):
            signal.signal(getattr(signal, number), signal.SIG_IGN)
    sampler = Sampler(arguments.root, Cards() if not arguments.no_cards else None)
    groups = Groups()
    due = time.monotonic()
    while groups.wait(max(0.0, due - time.monotonic())):
        line = json.dumps(sampler.sample(groups.current).to_json(), separators=(",", ":")) + "\n"
        try:
            os.write(1, line.encode())
        except BrokenPipeError:
            return 0
        due = max(due + EVERY, time.monotonic())
    return 0


def die_with(parent: int) -> bool:
    """Have the kernel kill this process as soon as the thread that started it ends; False if that is so already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    return os.name == "nt" or os.getppid() == parent  # it may have died before the line above


class Groups:
    """Which process group is which job's, as stdin says."""

    def __init__(self) -> None:
        self.current: dict[str, int] = {}
        self._begun = b""

    def wait(self, seconds: float) -> bool:
        """Wait, hearing what comes meanwhile; False once stdin is shut."""
        until = time.monotonic() + seconds
        while True:
            ready, _, _ = select.select([0], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                return True
            data = os.read(0, 65536)
            if not data:
                return False
            *lines, self._begun = (self._begun + data).split(b"\n")
            if lines:
                self.current = {str(job): int(group) for job, group in json.loads(lines[-1]).items()}


class Cards:
    """The graphics cards, as long as their driver answers."""

    def __init__(self) -> None:
        self._driver: Nvml | None = None
        self._again = 0.0

    def read(self) -> list[Card]:
        """Return what the driver says; nothing without one. May hang as long as the driver does."""
        if self._driver is None and time.monotonic() >= self._again:
            self._again = time.monotonic() + _LOOK_AGAIN
            try:
                self._driver = Nvml.open()
            except NoCards:
                return []
        return self._driver.cards() if self._driver is not None else []


@dataclass(slots=True)
class Usage:
    """What a job's processes took so far: seconds of processor by (pid, start), and what they hold now."""

    seconds: dict[tuple[int, str], float] = field(default_factory=dict)
    resident: int = 0                # bytes; pages that several share are counted for each

    @property
    def pids(self) -> set[int]:
        return {pid for pid, _ in self.seconds}


class Sampler:
    """Takes samples; keeps what the next one is compared with."""

    def __init__(self, root: Path, cards: Cards | None) -> None:
        self._root, self._cards = root, cards
        self._ticks = processor_ticks()
        self._usage: dict[str, Usage] = {}
        self._at = time.monotonic()

    def sample(self, groups: Mapping[str, int]) -> Sample:
        """Look at everything now. The processor's figures are means since the sample before; ``seq`` is 0."""
        cards = self._cards.read() if self._cards is not None else []
        busy, total = processor_ticks()
        share = (busy - self._ticks[0]) / (total - self._ticks[1]) if total > self._ticks[1] else 0.0
        self._ticks = busy, total
        used, memory = memory_bytes()
        disk = disk_bytes(self._root)
        return Sample(0, time.time(), min(1.0, max(0.0, share)), used, memory, *disk,
                      tuple(GpuSample(card.index, card.name, card.utilization, card.memory_used, card.memory_total,
                                      card.temperature, card.power) for card in cards),
                      self._jobs(groups, cards))

    def _jobs(self, groups: Mapping[str, int], cards: Iterable[Card]) -> dict[str, JobSample]:
        before, then = self._usage, self._at
        self._usage, self._at = usage_of(groups), time.monotonic()
        elapsed = max(1e-3, self._at - then)
        return {job: JobSample(_cores(usage, before.get(job), elapsed), usage.resident,
                               sum(card.processes.get(pid, 0) for card in cards for pid in usage.pids))
                for job, usage in self._usage.items() if usage.seconds}


def _cores(now: Usage, before: Usage | None, elapsed: float) -> float:
    """Return how many cores were at work; those processes that ended meanwhile took theirs with them."""
    if before is None:  # the first look at a job: its past is not what it takes now
        return 0.0
    spent = sum(max(0.0, seconds - before.seconds.get(process, 0.0)) for process, seconds in now.seconds.items())
    return round(spent / elapsed, 3)


def usage_of(groups: Mapping[str, int]) -> dict[str, Usage]:
    """Return what the processes of each group, or of the session that bears its number, took and hold."""
    found = {job: Usage() for job in groups}
    if not groups or not (_PROC / "self/stat").exists():
        return found
    by_group = {str(group): found[job] for job, group in groups.items()}
    tick, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            text = (entry / "stat").read_text("ascii", "replace")
        except OSError:  # it has ended
            continue
        # From the state on: 0 state, 2 group, 3 session, 11 and 12 ticks as user and system, 19 start, 21 pages.
        facts = text[text.rfind(")") + 2:].split()
        usage = by_group.get(facts[2]) or by_group.get(facts[3])
        if usage is not None and facts[0] not in "ZX":
            usage.seconds[int(entry.name), facts[19]] = (int(facts[11]) + int(facts[12])) / tick
            usage.resident += int(facts[21]) * page
    return found


def processor_ticks() -> tuple[int, int]:
    """Return (busy, all) of the processor's time since boot; elsewhere than on Linux a mean of the last minute."""
    try:
        ticks = [int(word) for word in (_PROC / "stat").read_text("ascii").split("\n")[0].split()[1:9]]
        return sum(ticks) - ticks[3] - ticks[4], sum(ticks)
    except (OSError, ValueError, IndexError):
        now = int(time.monotonic() * 1000)
        mean = os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else 0.0
        return int(now * min(1.0, mean)), now


def memory_bytes() -> tuple[int, int]:
    """Return (used, all) bytes of memory; zeros where the system does not say."""
    try:
        lines = dict(line.split(":") for line in (_PROC / "meminfo").read_text("ascii").splitlines())
        total, free = (int(lines[key].split()[0]) * 1024 for key in ("MemTotal", "MemAvailable"))
    except (OSError, ValueError, KeyError, IndexError):
        return 0, 0
    return total - free, total


def disk_bytes(folder: Path) -> tuple[int, int]:
    """Return (used, all) bytes of the file system that a folder is on; zeros if it does not say."""
    try:
        facts = os.statvfs(folder)
    except (OSError, AttributeError):
        return 0, 0
    return (facts.f_blocks - facts.f_bfree) * facts.f_frsize, facts.f_blocks * facts.f_frsize
