"""What a runner says of itself while it works: its queue and slots, its settings, and one sample a second of its load.

The agent writes these with ``to_json``. Whoever asks it reads them through mldesk.runners.views, which believes
nothing: a number out of range becomes a harmless one, and a text is made plain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from mldesk.core.errors import BadInput

MAX_CPU_SLOTS, MAX_GPU_SLOTS, MAX_QUIET = 64, 16, 24
DAY = 24 * 60              # minutes
_BYTES = 1 << 53


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
    starts: float = 0.0       # the moment that it waits for, by the runner's wall clock; 0 once that has come


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

    @property
    def in_line(self) -> tuple[Waiting, ...]:
        """Those that wait for a slot, not for a moment to come."""
        return tuple(item for item in self.waiting if not item.starts)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class RunnerSettings:
    """How a runner is to behave. Kept on the runner, so that every desktop that uses it sees the same."""

    cpu_slots: int = 1        # jobs at once that use no card, from 1
    gpu_slots: int = 1        # jobs at once on each card; 0: the cards are left alone
    quiet: tuple[tuple[int, int], ...] = ()   # hours in which nothing starts: minutes since midnight there, [from, to)
    on_reboot: Literal["resume", "wait"] = "resume"   # what becomes of jobs that a reboot cut
    quota: int = 0            # bytes the cache of datasets may take; 0: as much as the disk has

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "quiet": [list(pair) for pair in self.quiet]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RunnerSettings:
        """Read settings that somebody wants, what is left out at its default. Raises BadInput naming what is wrong."""
        given = dict(value)
        found = {
            "cpu_slots": _whole("cpu_slots", given.pop("cpu_slots", 1), 1, MAX_CPU_SLOTS),
            "gpu_slots": _whole("gpu_slots", given.pop("gpu_slots", 1), 0, MAX_GPU_SLOTS),
            "quota": _whole("quota", given.pop("quota", 0), 0, _BYTES),
        }
        quiet = given.pop("quiet", [])
        on_reboot = given.pop("on_reboot", "resume")
        if given:
            raise BadInput(f"A runner has no setting {min(given)!r:.60}.", hint="Upgrade the older of the two.")
        if on_reboot not in ("resume", "wait"):
            raise BadInput(f"After a reboot, jobs may resume or wait, not {on_reboot!r:.40}.")
        if not isinstance(quiet, (list, tuple)) or len(quiet) > MAX_QUIET:
            raise BadInput(f"Quiet hours are at most {MAX_QUIET} pairs of minutes since midnight.")
        return cls(**found, quiet=tuple(_hours(pair) for pair in quiet), on_reboot=on_reboot)


def _whole(name: str, value: Any, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise BadInput(f"The setting {name} is a whole number from {low} to {high}, not {value!r:.40}.")
    return value


def _hours(pair: Any) -> tuple[int, int]:
    try:
        begin, end = pair
    except (TypeError, ValueError) as error:
        raise BadInput(f"Quiet hours are from one minute of the day to another, not {pair!r:.40}.") from error
    begin, end = _whole("quiet", begin, 0, DAY - 1), _whole("quiet", end, 0, DAY)
    if begin == end:
        raise BadInput("Quiet hours that begin and end in the same minute are none.",
                       hint="Leave them out, or write 0 to 1440 for the whole day.")
    return begin, end


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

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "jobs": {job: asdict(sample) for job, sample in self.jobs.items()}}


@dataclass(frozen=True, slots=True)
class CacheView:
    """What the object store of a runner holds. All but ``objects`` are bytes."""

    used: int
    quota: int                 # 0: as much as the disk has
    pinned: int                # of jobs that wait, run, or may be resumed: kept whatever the quota says
    objects: int               # how many there are
    free: int                  # on its disk

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
