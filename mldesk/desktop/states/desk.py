"""The open library as the window sees it: notices every change, whoever made it, and follows every run that goes on."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mldesk.core.clock import Clock, SystemClock
from mldesk.core.errors import MldeskError, RunnerUnreachable
from mldesk.core.observable import Observable, Signal
from mldesk.desktop.states.pace import Pace
from mldesk.desktop.tasks import in_follower, in_remote, in_thread, start

if TYPE_CHECKING:  # SQLAlchemy comes with these; the first paint does not wait for it
    from mldesk.library.records import Run, RunnerRecord
    from mldesk.workbench.bench import Workbench

SETTLED = 0.8       # seconds after the library is open until the local runner is started
TICK = 1.0          # seconds between looks at the library's change token
FORGOTTEN = "runner_forgotten"  # code of the error of a run whose runner the library does not know any more
LONG_POLL = 1.0     # seconds a follower waits for events; bounds how long closing the window takes
SHORTEST = 0.08     # seconds a step of following takes at least, so that fast events come in batches
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds before an unreachable runner is asked again


class Desk:
    """One library, its services once they are open, and the runs that go on.

    Signals: ``changed`` when anything in the library changed, ``advanced`` with a run's id when it may have new events,
    ``ended`` with a run's id when it has just ended, ``troubled`` with what keeps the library or a run from being read;
    it is tried again.
    """

    def __init__(self, open_workbench: Callable[[], Workbench], clock: Clock | None = None, *,
                 meet_machine: bool = True) -> None:
        self._open, self._meets = open_workbench, meet_machine
        self._clock = clock or SystemClock()
        self._workbench: Workbench | None = None
        self._token: object = None
        self._followed: set[str] = set()
        self._nudge = asyncio.Event()
        self._wakes: dict[str, asyncio.Event] = {}  # run id -> what ends the pause of its follower
        self.ready = Observable(False)
        self.failed: Observable[MldeskError | None] = Observable(None)
        self.active: Observable[tuple[Run, ...]] = Observable(())
        self.pace = Pace()   # of the runs that go on
        self.machine: Observable[RunnerRecord | None] = Observable(None)
        self.unreachable: Observable[dict[str, float]] = Observable({})  # run id -> wall clock of the first failure
        self.recipe_drafts: dict[str, tuple[Mapping[str, Any], ...]] = {}   # by manifest, as they were left last
        self.reasons: dict[str, str] = {}                                # run id -> why, of those that are unreachable
        self.changed: Signal[None] = Signal()
        self.advanced: Signal[str] = Signal()
        self.ended: Signal[str] = Signal()
        self.troubled: Signal[MldeskError] = Signal()

    @property
    def workbench(self) -> Workbench:
        """The services. Raises RuntimeError before ``ready``."""
        if self._workbench is None:
            raise RuntimeError("the library is not open yet")
        return self._workbench

    async def open(self) -> None:
        """Open the library off the UI thread, then watch it. A library that cannot be opened ends in ``failed``."""
        try:
            self._workbench = await in_thread(self._open)
        except MldeskError as error:
            self.failed.value = error
            return
        self.ready.value = True
        if self._meets:
            start(self._meet_machine(), "meet this machine")
        await self._watch()

    def now(self) -> float:
        """Return the wall clock."""
        return self._clock.now()

    def nudge(self) -> None:
        """Look at the library now, not at the next tick: this window has just changed it."""
        self._nudge.set()

    async def close(self) -> None:
        """Let go of the library and of the runners' connections. Jobs go on. Tasks must have ended before."""
        if self._workbench is not None:
            workbench, self._workbench = self._workbench, None
            await in_thread(workbench.close)

    async def _meet_machine(self) -> None:
        """Start the local runner, which warms a trainer up, a little after the window has settled."""
        await asyncio.sleep(SETTLED)
        try:
            self.machine.value = await in_thread(self.workbench.runners.check, "local")
        except RunnerUnreachable:
            self.machine.value = await in_thread(self.workbench.runners.show, "local")

    async def _watch(self) -> None:
        while True:
            try:
                await self._look()
            except MldeskError as error:
                self.troubled.emit(error)
            self._nudge.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK):  # wait_for of Python 3.11 loses a cancel that comes with the nudge
                    await self._nudge.wait()

    async def _look(self) -> None:
        token = await in_thread(self.workbench.change_token)
        if token == self._token:
            return
        self._token = token
        self.active.value = tuple(await in_thread(self.workbench.runs.active))
        self.pace.look(self.active.value)
        for run in self.active.value:
            if run.id not in self._followed:
                self._followed.add(run.id)
                start(self._follow(run.id), f"follow {run.id}")
        self.changed.emit(None)

    async def _follow(self, run_id: str) -> None:
        """Bring a run's events into the library as they come, until it has ended."""
        pause, more = FIRST_PAUSE, True
        loop = asyncio.get_running_loop()
        try:
            while more:
                began = loop.time()
                try:
                    more = await in_follower(self.workbench.runs.pump, run_id, LONG_POLL)
                except RunnerUnreachable as error:
                    self._lost_contact(run_id, error)
                    pause = await self._rest(run_id, pause)
                    continue
                except MldeskError as error:
                    if error.code == FORGOTTEN:
                        self._lost_contact(run_id, error)
                        await self._rest(run_id, LONGEST_PAUSE)
                    else:  # a full disk, for one: what came is fetched again
                        self.troubled.emit(error)
                        pause = await self._rest(run_id, pause)
                    continue
                pause = FIRST_PAUSE
                self._regained_contact(run_id)
                self.advanced.emit(run_id)
                await asyncio.sleep(max(0.0, began + SHORTEST - loop.time()))
        finally:
            self._followed.discard(run_id)
            self._wakes.pop(run_id, None)
            self._regained_contact(run_id)
        self.ended.emit(run_id)
        self._nudge.set()

    async def retry(self, run_id: str) -> None:
        """Ask the runner of a run again, now: a person wants to know. Raises RunnerUnreachable, NotFound."""
        run = next((run for run in self.active.value if run.id == run_id), None)
        if run is not None:
            await in_remote(self.workbench.runners.check, run.runner)
        if run_id in self._wakes:
            self._wakes[run_id].set()

    async def _rest(self, run_id: str, pause: float) -> float:
        """Wait about ``pause`` seconds, or until ``retry``; return how long to wait the next time."""
        wake = self._wakes.setdefault(run_id, asyncio.Event())
        wake.clear()
        try:
            async with asyncio.timeout(pause * random.uniform(0.5, 1.0)):  # noqa: S311 - jitter, not a secret
                await wake.wait()
        except TimeoutError:
            return min(pause * 2, LONGEST_PAUSE)
        return FIRST_PAUSE

    def _lost_contact(self, run_id: str, error: MldeskError) -> None:
        self.reasons[run_id] = f"{error.message} {error.advice}".strip()
        if run_id not in self.unreachable.value:
            self.unreachable.value = {**self.unreachable.value, run_id: self._clock.now()}
            self.advanced.emit(run_id)

    def _regained_contact(self, run_id: str) -> None:
        self.reasons.pop(run_id, None)
        if run_id in self.unreachable.value:
            self.unreachable.value = {key: since for key, since in self.unreachable.value.items() if key != run_id}
            self.advanced.emit(run_id)
