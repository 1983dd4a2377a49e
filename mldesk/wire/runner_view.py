"""What a runner says of itself while it works: its queue and slots, its settings, and one sample a second of its load.

The agent writes these with ``to_json``; whoever asks it reads them with ``from_json``, which believes nothing: a number
out of range becomes a harmless one, and a text is made plain by mldesk.runners.answers before it gets here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for one job: a share of the processor, or of one graphics card."""

    kind: Literal["cpu", "gpu"]
    index: int                # of the card as its driver counts; 0.. for processor slots
    name: str                 # of the card; "" for a processor slot
    memory: int               # bytes of the card, or of the machine
    job: str                  # id of the job that holds it; "" while it is free


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job in the queue."""

    job: str
    name: str
    priority: int             # -10 to 10, higher first; within one priority the order is the queue's
    position: int             # from 1
    why: str                  # what it waits for, one sentence; "" when it is next and a slot will do


@dataclass(frozen=True, slots=True)
class QueueView:
    """The queue and the slots at one moment."""

    waiting: tuple[Waiting, ...]
    slots: tuple[Slot, ...]
    draining: bool            # what runs is finished, nothing new is started
    quiet: bool               # these are quiet hours: nothing new is started

    @property
    def free(self) -> tuple[Slot, ...]:
        return tuple(slot for slot in self.slots if not slot.job)


@dataclass(frozen=True, slots=True)
class RunnerSettings:
    """How a runner is to behave. Kept on the runner, so that every desktop that uses it sees the same."""

    cpu_slots: int = 1        # jobs at once that use no card
    gpu_slots: int = 1        # jobs at once on each card
    quiet: tuple[tuple[int, int], ...] = ()   # hours in which nothing starts: minutes since midnight there, [from, to)
    on_reboot: Literal["resume", "wait"] = "resume"   # what becomes of jobs that a reboot cut
    quota: int = 0            # bytes the cache of datasets may take; 0: as much as the disk has

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "quiet": [list(pair) for pair in self.quiet]}


@dataclass(frozen=True, slots=True)
class GpuSample:
    """One card at one moment. None is what its driver does not say."""

    index: int
    name: str
    utilization: float | None  # 0 to 1
    memory_used: int           # bytes
    memory_total: int
    temperature: float | None  # degrees Celsius
    power: float | None        # watts


@dataclass(frozen=True, slots=True)
class JobSample:
    """What one job takes, its child processes included."""

    cpu: float                 # cores
    memory: int                # bytes, resident
    gpu_memory: int            # bytes


@dataclass(frozen=True, slots=True)
class Sample:
    """The load of a runner at one moment."""

    seq: int                   # 1, 2, 3, ... within one life of the agent
    time: float                # wall clock of the runner, seconds since the epoch
    cpu: float                 # 0 to 1, of all its cores
    memory_used: int           # bytes
    memory_total: int
    disk_used: int             # bytes, of the file system its folder is on
    disk_total: int
    gpus: tuple[GpuSample, ...] = ()
    jobs: Mapping[str, JobSample] = field(default_factory=dict)  # by job id
