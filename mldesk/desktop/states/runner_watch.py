"""One runner as somebody looks at it: what it is, how it stands, what it does. Asks it only while somebody looks."""

from __future__ import annotations

import asyncio
import contextlib
import random
from enum import Enum
from typing import TYPE_CHECKING

from mldesk.core.errors import MldeskError, RunnerUnreachable
from mldesk.core.observable import Observable
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.states.telemetry import Telemetry
from mldesk.desktop.tasks import in_remote, in_thread

if TYPE_CHECKING:
    from mldesk.library.records import RunnerRecord
    from mldesk.wire.runner_view import QueueView

LOCAL = "local"                 # the runner that is this machine
OLD = "runner_too_old"          # code of the error of a runner that does not know what it is asked yet
EVERY = 2.0                     # seconds between two looks of a list
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 30.0  # seconds before a runner that gave no answer is asked again


class Condition(Enum):
    """How a runner stands."""

    UNKNOWN = "unknown"          # never asked, or no answer yet
    CONNECTED = "connected"
    UNREACHABLE = "unreachable"
    OLD = "old"                  # answers, but has to be upgraded before it can do everything
    DRAINING = "draining"        # finishes what runs, starts nothing
    QUIET = "quiet"              # it is one of its quiet hours


class RunnerWatch:
    """Watches one runner. ``watch`` runs for as long as somebody looks."""

    def __init__(self, desk: Desk, name: str) -> None:
        self._desk, self.name = desk, name
        self.record: Observable[RunnerRecord | None] = Observable(None)
        self.queue: Observable[QueueView | None] = Observable(None)
        self.trouble: Observable[MldeskError | None] = Observable(None)  # why it gave no answer to the last look
        self.since: Observable[float | None] = Observable(None)          # wall clock: out of reach since then
        self.telemetry = Telemetry()
        self.answered = Observable(False)  # whether anything is known of how it stands
        self._silent = 0     # looks in a row that brought no sample
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()  # held while it is asked, and while something is done to it

    @property
    def condition(self) -> Condition:
        """How it stands, as far as is known here."""
        trouble, queue = self.trouble.value, self.queue.value
        if trouble is not None and trouble.code == OLD:
            return Condition.OLD
        if self.since.value is not None:
            return Condition.UNREACHABLE
        if not self.answered.value:
            return Condition.UNKNOWN
        if queue is not None and queue.draining:
            return Condition.DRAINING
        return Condition.QUIET if queue is not None and queue.quiet else Condition.CONNECTED

    @property
    def why(self) -> str:
        """Why it cannot be reached, in a sentence; "" while it can."""
        if self.since.value is None:
            return ""
        if self.trouble.value is not None:
            return self.trouble.value.message
        record = self.record.value
        return record.trouble if record is not None else ""

    async def refresh(self) -> None:
        """Read the record again. Raises NotFound."""
        record = await in_thread(self._desk.workbench.runners.show, self.name)
        self.record.value = record
        if not self.answered.value:  # what was found out before somebody looked
            self.since.value = record.unreachable
        elif self.since.value is not None and record.unreachable is not None:
            self.since.value = min(self.since.value, record.unreachable)

    async def look(self, wait: float = 0.0) -> None:
        """Ask the runner once, waiting up to ``wait`` seconds for a sample; no answer ends in ``trouble``."""
        async with self._turn:
            await self._look(wait)

    async def _look(self, wait: float) -> None:
        service = self._desk.workbench.runners
        try:
            self.queue.value = await in_remote(service.queue, self.name)
            samples = await in_remote(service.telemetry, self.name, self.telemetry.after, wait)
        except RunnerUnreachable as error:
            self._lost(error)
            return
        except MldeskError as error:
            self.answered.value = error.code == OLD
            self.since.value = None
            self.trouble.value = error
            return
        self.answered.value = True
        self.since.value = None
        self.trouble.value = None
        self._silent = 0 if self.telemetry.add(samples) else self._silent + 1
        if self._silent >= 8 and self.telemetry.after:  # a new life of the agent counts from 1 again
            self._silent = 0
            self.telemetry.add(await in_remote(service.telemetry, self.name, 0, 0.0))

    async def watch(self, every: float = EVERY, wait: float = 0.0) -> None:
        """Look again and again until cancelled; a runner out of reach is left in peace for longer and longer."""
        pause = FIRST_PAUSE
        while True:
            await self.look(wait)
            if self.trouble.value is None:
                pause = FIRST_PAUSE
                await self._rest(every)
            else:
                await self._rest(pause * random.uniform(0.7, 1.0))  # noqa: S311 - jitter, not a secret
                pause = min(2 * pause, LONGEST_PAUSE)

    def nudge(self) -> None:
        """Look now, not after the pause."""
        self._wake.set()

    async def check(self) -> None:
        """Ask it what it is, keep the answer, then look. Raises RunnerUnreachable."""
        try:
            self.record.value = await in_remote(self._desk.workbench.runners.check, self.name)
        except RunnerUnreachable as error:
            self._lost(error)
            raise
        await self.look()
        self.nudge()

    async def drain(self, on: bool) -> None:
        """Let it start nothing new, or go on. Raises RunnerUnreachable."""
        await in_remote(self._desk.workbench.runners.drain, self.name, on)
        await self.look()

    def _lost(self, error: RunnerUnreachable) -> None:
        record = self.record.value
        if self.since.value is None:
            known = record.unreachable if record is not None else None
            self.since.value = known if known is not None else self._desk.now()
        self.answered.value = True
        self.trouble.value = error

    async def _rest(self, seconds: float) -> None:
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # wait_for of Python 3.11 loses a cancel that comes with the wake
                await self._wake.wait()


class RunnerList:
    """Every runner, each watched. Signals come from the watches."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.watches: Observable[tuple[RunnerWatch, ...] | None] = Observable(None)  # None: not read yet

    async def refresh(self) -> None:
        """Read which runners there are; those that were there stay the same objects."""
        records = await in_thread(self._desk.workbench.runners.list)
        known = {watch.name: watch for watch in self.watches.value or ()}
        ordered = sorted(records, key=lambda record: (record.name != LOCAL, record.name.casefold()))
        watches = []
        for record in ordered:
            watch = known.get(record.name) or RunnerWatch(self._desk, record.name)
            watch.record.value = record
            if record.unreachable is not None and watch.condition is Condition.UNKNOWN:
                watch.since.value = record.unreachable
            watches.append(watch)
        self.watches.value = tuple(watches)
