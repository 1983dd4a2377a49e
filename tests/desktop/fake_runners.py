"""Runners in memory, with the real service's method names: what the window asks of them, and what it is told."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mldesk.core.errors import Conflict, NotFound, RunnerUnreachable
from mldesk.library.records import RunnerRecord
from mldesk.runners.provision.boot import AtBoot
from mldesk.runners.provision.plan import CannotProvision
from mldesk.runners.provision.probe import Folder, Gpu, HostFacts
from mldesk.runners.ssh.errors import HostKeyChanged, UnknownHost
from mldesk.runners.ssh.host_keys import HostKey
from mldesk.wire.runner_view import (
    CacheView,
    GpuSample,
    JobSample,
    QueueView,
    RunnerSettings,
    Sample,
    Slot,
    Waiting,
)
from mldesk.workbench.runners import RunnerEstimate

GB = 10**9
KEY = HostKey("ssh-ed25519", b"\0\0\0\x0bssh-ed25519\0\0\0 " + bytes(range(32)))
OTHER_KEY = HostKey("ssh-ed25519", b"\0\0\0\x0bssh-ed25519\0\0\0 " + bytes(range(1, 33)))


@dataclass
class Machine:
    """One runner as the fake knows it."""

    record: RunnerRecord
    queue: QueueView
    settings: RunnerSettings
    gpus: tuple[tuple[str, int], ...] = ()   # name, bytes
    down: str = ""                           # why it gives no answer
    error: Any = None                        # what every question raises instead
    samples: int = 0                         # how many there have been


def machine(name: str, address: str = "", *, gpus: tuple[tuple[str, int], ...] = (), slots: tuple[Slot, ...] = (),
            waiting: tuple[Waiting, ...] = (), draining: bool = False, quiet: bool = False, down: str = "",
            since: float | None = None, samples: int = 1) -> Machine:
    """Return a runner with these cards, slots and jobs."""
    facts = {"cores": 32, "memory": 128 * GB, "devices": [{"name": card, "memory": memory} for card, memory in gpus],
             "python": "3.12.11", "zone": "Europe/Berlin", "versions": {"torch": "2.9.0", "lightgbm": "4.6.0"}}
    record = RunnerRecord(name, "ssh" if address else "local", address, facts, time.time() - 3, time.time() - 86400,
                          since, down, {"at_boot": "systemd"} if address else {})
    slots = slots or (Slot("cpu", 0, "", 128 * GB, ""),)
    return Machine(record, QueueView(waiting, slots, draining, quiet), RunnerSettings(), gpus, down, samples=samples)


class FakeRunners:
    """What ``RunnerService`` can do, on machines that a test makes up."""

    def __init__(self, *machines: Machine) -> None:
        self.machines = {one.record.name: one for one in machines or (machine("local"),)}
        self.calls: list[tuple[str, Any]] = []
        self.known: set[str] = set()             # addresses whose key was accepted
        self.broken_gpu: set[str] = set()        # addresses whose card cannot be used
        self.changed: set[str] = set()           # addresses that show another key
        self.failing = 0                         # additions that fail before one succeeds
        self.pace: Callable[[], object] = lambda: None   # called before every step of an installation

    # What the library knows

    def list(self) -> list[RunnerRecord]:
        return [one.record for one in self.machines.values()]

    def show(self, name: str) -> RunnerRecord:
        return self._machine(name).record

    # Asking

    def check(self, name: str) -> RunnerRecord:
        self._ask(name, "check")
        self._machine(name).record = replace(self.show(name), unreachable=None, trouble="", seen=time.time())
        return self.show(name)

    def queue(self, name: str) -> QueueView:
        return self._ask(name).queue

    def telemetry(self, name: str, after: int = 0, wait: float = 0.0) -> list[Sample]:
        one = self._ask(name)
        if wait:
            time.sleep(min(wait, 0.02))
        one.samples += 1 if after else 0
        first = max(after + 1, one.samples - 599)
        return [_sample(one, number, time.time() - (one.samples - number)) for number in range(first, one.samples + 1)]

    def reorder(self, name: str, job: str, before: str) -> None:
        one = self._ask(name, "reorder", (job, before))
        moved = next(item for item in one.queue.waiting if item.job == job)
        rest = [item for item in one.queue.waiting if item.job != job]
        at = next((index for index, item in enumerate(rest) if item.job == before), len(rest))
        if at < len(rest):
            moved = replace(moved, priority=rest[at].priority)
        self._set_waiting(one, [*rest[:at], moved, *rest[at:]])

    def prioritize(self, name: str, job: str, priority: int) -> None:
        one = self._ask(name, "prioritize", (job, priority))
        waiting = [replace(item, priority=priority) if item.job == job else item for item in one.queue.waiting]
        self._set_waiting(one, sorted(waiting, key=lambda item: -item.priority))

    def drain(self, name: str, on: bool) -> None:
        one = self._ask(name, "drain", on)
        one.queue = replace(one.queue, draining=on)

    def settings(self, name: str) -> RunnerSettings:
        return self._ask(name).settings

    def zone(self, name: str) -> str:
        self._ask(name)
        return "Europe/Berlin"

    def configure(self, name: str, settings: RunnerSettings) -> None:
        self._ask(name, "configure", settings).settings = settings

    def log(self, name: str) -> str:
        self._ask(name)
        return "".join(f"2026-11-21 10:{number:02}:00 agent: something was done\n" for number in range(40))

    def cache(self, name: str) -> CacheView:
        self._ask(name)
        freed = any(call == ("collect", name) for call in self.calls)
        return CacheView(2 * GB if freed else 21 * GB, 50 * GB, 2 * GB, 412, 733 * GB)

    def collect(self, name: str) -> int:
        self._ask(name)
        self.calls.append(("collect", name))
        return 19 * GB

    # Making and unmaking

    def set_asker(self, asker: Any) -> None:
        self.asker = asker

    def accept(self, error: UnknownHost) -> None:
        self.calls.append(("accept", error.host))
        self.known.add(error.host)

    def prepare(self, address: str, *, processor_only: bool = False) -> Any:
        self.calls.append(("prepare", address))
        host = address.rpartition("@")[2].partition(":")[0]
        if host in self.changed:
            raise HostKeyChanged(host, 22, OTHER_KEY, (KEY,), _KNOWN_HOSTS)
        if host not in self.known:
            raise UnknownHost(host, 22, KEY)
        problem = "its driver does not work: Failed to initialize NVML" if host in self.broken_gpu else ""
        if problem and not processor_only:
            raise CannotProvision(f"The machine's graphics card cannot be used: {problem}.",
                                  "Mend its driver, or add the machine for the processor only.")
        return Prepared(address, _facts(problem, cards=not problem), [
            "Install MLDesk 0.2.0 with Python 3.12, which the machine fetches from the internet with uv.",
            "This will upload 0.4 MB, let the machine download 35 MB, and take 121 MB of its disk in ~/.mldesk.",
            "For training it downloads torch for the processor and its kin: about 560 MB, disk about 2.1 GB."
            if processor_only else
            "For training it downloads torch for CUDA 12.8 and its kin: about 3.6 GB, disk about 8.1 GB.",
            AtBoot.SYSTEMD.value], AtBoot.SYSTEMD, True)

    def add(self, name: str, address: str, *, preparation: Any = None, processor_only: bool = False,
            at_boot: bool = True, report: Callable[[str, float], None] | None = None) -> RunnerRecord:
        self.calls.append(("add", (name, address, processor_only, at_boot)))
        steps = ("Sending the agent", "Fetching Python", "Trying it out", "Fetching the training packages")
        for number, step in enumerate(steps):
            self.pace()
            if report is not None:
                report(step, number / len(steps))
            if self.failing and number == 2:
                self.failing -= 1
                raise RunnerUnreachable("The connection was lost.", hint="Try again: it goes on where it was cut.")
        self.machines[name] = machine(name, address, gpus=() if processor_only else (("NVIDIA H200", 141 * GB),))
        return self.show(name)

    def upgrade(self, name: str, *, report: Any = None) -> RunnerRecord:
        self.calls.append(("upgrade", name))
        self._machine(name).error = None
        return self.show(name)

    def remove(self, name: str, *, kill_jobs: bool = False, keep_data: bool = False, report: Any = None) -> Any:
        one = self._ask(name, "remove", (kill_jobs, keep_data))
        if any(slot.job for slot in one.queue.slots) and not kill_jobs:
            raise Conflict("Jobs run there.")
        del self.machines[name]
        return _Removed(())

    def forget(self, name: str) -> None:
        self.calls.append(("forget", name))
        del self.machines[name]

    def estimates(self, order: Any) -> list[RunnerEstimate]:
        self.calls.append(("estimates", order.estimator))
        found = []
        for number, one in enumerate(self.machines.values()):
            card = one.gpus[0][0] if one.gpus else ""
            found.append(RunnerEstimate(one.record.name, not one.down, None if one.down else 95.0 / (1 + 4 * number),
                                        int(1.2 * GB), 128 * GB, True, one.down, len(one.queue.waiting), card))
        return found

    def close(self) -> None:
        return

    def _machine(self, name: str) -> Machine:
        if name not in self.machines:
            raise NotFound(f"There is no runner {name}.")
        return self.machines[name]

    def _ask(self, name: str, what: str = "", told: Any = None) -> Machine:
        one = self._machine(name)
        if what:
            self.calls.append((what, told if told is not None else name))
        if one.down:
            raise RunnerUnreachable(one.down)
        if one.error is not None:
            raise one.error
        return one

    @staticmethod
    def _set_waiting(one: Machine, waiting: list[Waiting]) -> None:
        one.queue = replace(one.queue, waiting=tuple(replace(item, position=number)
                                                     for number, item in enumerate(waiting, start=1)))


@dataclass(frozen=True)
class Prepared:
    """As ``mldesk.workbench.runners.Preparation``."""

    address: str
    facts: HostFacts
    words: list[str]
    at_boot: AtBoot
    new: bool


@dataclass(frozen=True)
class _Removed:
    left: tuple[str, ...]


def _facts(gpu_problem: str, *, cards: bool) -> HostFacts:
    home = Folder("~", 733 * GB, "ext2/ext3", "ok")
    return HostFacts("Linux", "6.8", "x86_64", "Ubuntu 24.04", "glibc", (2, 39), 32, 128 * GB, "me", 1000, "bash",
                     int(time.time()), "boot", home, home, frozenset({"uv"}), (),
                     (Gpu("NVIDIA H200", 141 * GB, "580.65.06"),) if cards else (), gpu_problem, 255, True, True, "ok",
                     True, (), "", (), frozenset())


def _sample(one: Machine, number: int, at: float) -> Sample:
    """Make up a load that looks alive and is the same every time."""
    wave = 0.5 + 0.5 * math.sin(number / 37)
    jobs = {slot.job: JobSample(3.2, 2 * GB, 11 * GB if slot.kind == "gpu" else 0)
            for slot in one.queue.slots if slot.job}
    busy = 0.2 + 0.6 * bool(jobs)
    cards = tuple(GpuSample(index, name, min(1.0, busy * (0.7 + 0.3 * wave) / (1 + index) + 0.02 * (number % 3)),
                            int(memory * (0.1 + 0.5 * wave * busy) / (1 + index)), memory, 41 + 30 * wave * busy,
                            90 + 500 * wave * busy / (1 + index))
                  for index, (name, memory) in enumerate(one.gpus))
    return Sample(number, at, min(1.0, 0.08 + busy * 0.5 * wave + 0.02 * (number % 5)), int((14 + 20 * wave) * GB),
                  128 * GB, 267 * GB, 1000 * GB, cards, jobs)


_KNOWN_HOSTS = Path("known_hosts")
