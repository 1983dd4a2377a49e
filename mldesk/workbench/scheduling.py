"""When runs begin: at once or at a moment, once or several times. The runner keeps what waits, with the desktop off."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from mldesk.core.clock import Clock
from mldesk.core.errors import BadInput, MldeskError, RunnerUnreachable
from mldesk.library.names import tidy_name
from mldesk.library.records import Run
from mldesk.workbench.orders import TrainOrder, check_seed
from mldesk.workbench.run_book import RunBook
from mldesk.workbench.runner_choice import gpu_memory_of
from mldesk.workbench.runners import RunnerService
from mldesk.workbench.runs import RunService
from mldesk.workbench.scripts import ScriptOrder, ScriptService
from mldesk.workbench.searches import SearchService
from mldesk.workbench.searching import SearchOrder

MOST = 100                  # runs of one order
SHORTEST = 60.0             # seconds between the starts of two of them
FARTHEST = 366              # days from now; what is farther is a slip of the pen
_LATE = 60.0                # seconds; a moment that has passed no longer ago is now
_SKEW = 60.0                # seconds by which a runner's clock may differ without a word
_SINCE = 4                  # version of the protocol that knows of moments
_DAY = 86_400.0
_SEED_DIGITS = 17           # of a script's; what is longer may be no whole number any more, one further
Order = TrainOrder | SearchOrder | ScriptOrder


@dataclass(frozen=True, slots=True)
class When:
    """When the runs of one order begin."""

    at: float | None = None     # moment of the first, seconds since the epoch; None: at once
    repeat: int = 1             # how many there are
    every: float = 0.0          # seconds from start to start; 0: one after another, each with the next seed

    @property
    def later(self) -> bool:
        """Some of them wait for a moment."""
        return self.at is not None or self.every > 0

    def moments(self, now: float) -> list[float]:
        """Return the moment before which each must not start; 0: at once. Raises BadInput for what cannot be meant."""
        self._check(now)
        first = now if self.at is None else max(self.at, now)
        found = [_after(first, self.every * number) for number in range(self.repeat)]
        if found[-1] > now + FARTHEST * _DAY:
            raise _too_far()
        return [moment if moment > now else 0.0 for moment in found]

    def _check(self, now: float) -> None:
        if self.at is not None and self.at < now - _LATE:
            raise BadInput(f"{written(self.at)} is in the past.", hint="Choose a later moment, or start it at once.")
        if self.at is not None and self.at > now + FARTHEST * _DAY:
            raise _too_far()
        if not 1 <= self.repeat <= MOST:
            raise BadInput(f"An order can be repeated 1 to {MOST} times, not {self.repeat}.")
        if self.every and self.repeat == 1:
            raise BadInput("Runs that begin again and again need a number: how many there are to be.",
                           hint="For example: --repeat 7 --every 1d")
        if self.every and not SHORTEST <= self.every <= FARTHEST * _DAY:
            raise BadInput("From one start to the next, a minute to a year can pass.", hint="For example: --every 1d")


@dataclass(frozen=True, slots=True)
class Begun:
    """What came of an order."""

    runs: tuple[Run, ...]
    group: str                  # the group they are in; "" for a single run
    note: str                   # what is to be known of its runner's clock, one sentence or ""


class ScheduleService:
    """Begins runs at moments and several times, and lets those that wait begin at another moment."""

    def __init__(self, runs: RunService, searches: SearchService, scripts: ScriptService, book: RunBook,
                 runners: RunnerService, clock: Clock) -> None:
        self._runs, self._searches, self._scripts = runs, searches, scripts
        self._book, self._runners, self._clock = book, runners, clock

    def begin(self, order: Order, when: When) -> Begun:
        """Begin all runs of an order; several are put into a group of their own.

        Raises BadInput for a moment or number that cannot be meant, RunnerTooOld before anything is written down where
        the runner knows of no moments, and as ``RunService.start``: those that were begun before then stay.
        """
        moments = when.moments(self._clock.now())
        note = self._look_at_runner(order) if any(moments) else ""
        orders = [self._one(order, moment, 0 if when.every else number) for number, moment in enumerate(moments)]
        begun: list[Run] = []
        try:
            for one in orders:
                begun.append(self._start(one))
                if when.repeat > 1:   # at once: who is killed here leaves a group all the same
                    self._together(begun, when.repeat, begun[-1:])
        except MldeskError as error:
            if begun:
                error.hint = f"{error.hint} {len(begun)} of {when.repeat} were begun before.".strip()
            raise
        finally:
            group = self._together(begun, len(begun)) if when.repeat > 1 and begun else ""
        return Begun(tuple(self._runs.get(run.id) for run in begun), group, note)

    def start_at(self, reference: str, moment: float | None) -> Run:
        """Let a run that waits begin at another moment; None: at once. Raises BadInput for one that has passed,
        Conflict for a run that does not wait, RunnerUnreachable.
        """
        when = When(moment).moments(self._clock.now())[0] if moment is not None else 0.0
        return self._runs.start_at(reference, when)

    def clock_note(self, name: str) -> str:
        """Say by how much a runner's clock differed from ours when it was asked last; "" if that is of no matter."""
        record = self._runners.show(name)
        theirs = record.facts.get("clock")
        if record.seen is None or isinstance(theirs, bool) or not isinstance(theirs, (int, float)):
            return ""
        ahead = float(theirs) - record.seen
        if abs(ahead) <= _SKEW:
            return ""
        return (f"The clock of the runner {name} is {_length(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} "
                "this machine's, and it goes by its own.")

    # --- inside

    def _look_at_runner(self, order: Order) -> str:
        """Raise RunnerTooOld if the runner would start at once what is to wait; return what its clock is like."""
        name = _train(order).runner
        if gpu_memory_of(name) is not None:
            return ""
        with contextlib.suppress(RunnerUnreachable):   # the run is kept, and is sent when it answers
            self._runners.check(name)
        if not self._runners.speaks(name, _SINCE):
            from mldesk.runners.calls import RunnerTooOld

            raise RunnerTooOld(name)
        return self.clock_note(name) if name != "local" else ""

    def _start(self, order: Order) -> Run:
        if isinstance(order, SearchOrder):
            return self._searches.start(order)
        return self._scripts.start(order) if isinstance(order, ScriptOrder) else self._runs.start(order)

    def _one(self, order: Order, moment: float, number: int) -> Order:
        """Return the order of one run; its seed is ``number`` more, where it has one."""
        if isinstance(order, SearchOrder):
            return replace(order, train=_seeded(order.train, moment, number))
        if isinstance(order, TrainOrder):
            return _seeded(order, moment, number)
        return replace(order, not_before=moment, parameters=self._parameters(order, number))

    def _parameters(self, order: ScriptOrder, number: int) -> Mapping[str, Any]:
        """Return a script's parameters, with the next ``seed`` if it has one that is a whole number."""
        if not number:
            return order.parameters
        declared = self._scripts.settings(order.folder, order.entry, alone=order.alone)["parameters"]
        seed = str(order.parameters.get("seed", declared.get("seed", "")))
        if not seed.isdecimal():
            return order.parameters
        if len(seed) > _SEED_DIGITS:
            raise BadInput(f"The seed {seed:.40} is too long to count on from.",
                           hint=f"Give the parameter seed at most {_SEED_DIGITS} digits, or run it once.")
        return {**order.parameters, "seed": str(int(seed) + number)}

    def _together(self, runs: Sequence[Run], count: int, new: Sequence[Run] | None = None) -> str:
        """Put ``new`` ones of ``runs``, or all, into a group that is named after the first, and ``count`` of them."""
        group = tidy_name(f"{runs[0].name} ×{count}"[:100], "repeated")
        for run in runs if new is None else new:
            self._book.annotate(run.id, group=group)
        return group


def written(moment: float) -> str:
    """Write a moment in this machine's time zone, to the minute."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))


def spread(runs: Sequence[Run]) -> dict[str, dict[str, float]]:
    """Return mean and sample standard deviation of each score that two or more of the runs have, on the test rows."""
    found: dict[str, list[float]] = {}
    for run in runs:
        for name, value in dict((run.result or {}).get("metrics", {})).items():
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                found.setdefault(name, []).append(float(value))
    return {name: {"mean": statistics.fmean(values), "std": statistics.stdev(values)}
            for name, values in found.items() if len(values) > 1}


def _too_far() -> BadInput:
    return BadInput("A run cannot wait for a moment that is more than a year from now.", hint="Choose a nearer one.")


def _train(order: Order) -> TrainOrder | ScriptOrder:
    return order.train if isinstance(order, SearchOrder) else order


def _seeded(order: TrainOrder, moment: float, number: int) -> TrainOrder:
    return replace(order, not_before=moment, seed=check_seed(order.seed + number))


def _after(first: float, seconds: float) -> float:
    """Return the moment so much later; whole days keep the time of day, whatever the clocks do meanwhile."""
    if not seconds or seconds % _DAY:   # a calendar rounds to microseconds, and what begins now would wait for one
        return first + seconds
    return (datetime.fromtimestamp(first) + timedelta(seconds=seconds)).timestamp()  # noqa: DTZ006 - local, on purpose


def _length(seconds: float) -> str:
    if seconds >= 2 * 3600:
        return f"{seconds / 3600:.0f} hours"
    return f"{max(1, round(seconds / 60))} minute{'s' if round(seconds / 60) > 1 else ''}"


