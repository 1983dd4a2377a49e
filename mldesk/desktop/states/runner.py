"""One runner as its page shows it: beside the watch, its settings, its log, its cache, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from mldesk.core.errors import MldeskError, RunnerUnreachable
from mldesk.core.observable import Observable
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.states.runner_watch import RunnerWatch
from mldesk.desktop.tasks import in_remote, in_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mldesk.library.records import Run
    from mldesk.wire.runner_view import CacheView, RunnerSettings, Waiting


T = TypeVar("T")


class RunnerState(RunnerWatch):
    """Shows one runner."""

    def __init__(self, desk: Desk, name: str) -> None:
        super().__init__(desk, name)
        self.settings: Observable[RunnerSettings | None] = Observable(None)
        self.zone = ""     # the time zone that its quiet hours are in
        self.cache: Observable[CacheView | None] = Observable(None)
        self.log: Observable[str | None] = Observable(None)
        self.doing: Observable[tuple[str, float] | None] = Observable(None)  # what is being done to it, 0 to 1
        self._told: tuple[str, float] | None = None  # written by a worker thread, read by ``glance``

    # Its jobs

    async def reorder(self, job: str, before: str) -> None:
        """Put a waiting job right before another, "" at the end. Raises RunnerUnreachable, NotFound."""
        await in_remote(self._desk.workbench.runners.reorder, self.name, job, before)
        await self.look()

    async def prioritize(self, job: str, priority: int) -> None:
        """Give a waiting job another priority, -10 to 10. Raises RunnerUnreachable, NotFound."""
        await in_remote(self._desk.workbench.runners.prioritize, self.name, job, priority)
        await self.look()

    async def cancel(self, job: str) -> None:
        """Stop one of our runs. Raises Conflict, NotFound, RunnerUnreachable."""
        await in_remote(self._desk.workbench.runs.cancel, job)
        self._desk.nudge()
        await self.look()

    def run_of(self, job: str) -> Run | None:
        """Return the run that a job is, None for one of another desktop."""
        return next((run for run in self._desk.active.value if run.id == job), None)

    # Its settings, log and cache

    async def load_settings(self) -> None:
        """Ask for the settings. Raises RunnerUnreachable."""
        settings = await in_remote(self._desk.workbench.runners.settings, self.name)
        self.zone = await in_remote(self._desk.workbench.runners.zone, self.name)
        self.settings.value = settings

    async def configure(self, settings: RunnerSettings) -> None:
        """Give it other settings. Raises BadInput, RunnerUnreachable."""
        await in_remote(self._desk.workbench.runners.configure, self.name, settings)
        self.settings.value = settings
        await self.look()

    async def load_log(self) -> None:
        """Ask for the end of the agent's log. One out of reach is shown elsewhere."""
        try:
            async with self._turn:
                self.log.value = await in_remote(self._desk.workbench.runners.log, self.name)
        except RunnerUnreachable:
            return

    async def load_cache(self) -> None:
        """Ask how much the datasets that it keeps take. Raises RunnerUnreachable."""
        self.cache.value = await in_remote(self._desk.workbench.runners.cache, self.name)

    async def free_space(self) -> int:
        """Drop what no job needs; return the bytes freed. Raises RunnerUnreachable."""
        freed = await in_remote(self._desk.workbench.runners.collect, self.name)
        await self.load_cache()
        return freed

    # The whole of it

    async def upgrade(self) -> None:
        """Put this desktop's agent there; jobs go on meanwhile. Raises MldeskError."""
        service = self._desk.workbench.runners
        self.record.value = await self._long(lambda: service.upgrade(self.name, report=self._report))
        await self.look()

    async def remove(self, *, kill_jobs: bool, keep_data: bool) -> str:
        """Take MLDesk off the machine and the runner out of the library; return what was left there, in words.

        Raises Conflict while jobs run there and are not to be killed.
        """
        service = self._desk.workbench.runners
        removed = await self._long(lambda: service.remove(self.name, kill_jobs=kill_jobs, keep_data=keep_data,
                                                          report=self._report))
        self._desk.nudge()
        left = tuple(getattr(removed, "left", ()) or ())
        return ", ".join(str(item) for item in left[:3])

    async def forget(self) -> None:
        """Take the runner out of the library only; nothing there changes. Raises Conflict."""
        await in_thread(self._desk.workbench.runners.forget, self.name)
        self._desk.nudge()

    def glance(self) -> None:
        """Bring ``doing`` up to date; the page calls it a few times a second."""
        if self.doing.value is not None and self._told is not None:
            self.doing.value = self._told

    def _report(self, what: str, share: float) -> None:
        self._told = (what, share)

    async def _long(self, work: Callable[[], T]) -> T:
        """Do something to the machine while nobody asks it anything: a question would start its agent again."""
        self._told = None
        self.doing.value = ("", 0.0)
        try:
            async with self._turn:
                return await in_remote(work)
        finally:
            self.doing.value = None


def before_at(waiting: Sequence[Waiting], job: str, row: int) -> str | None:
    """Return which job ``job`` is put before when it is dropped above ``row``; "" at the end, None: nothing changes."""
    order = [item.job for item in waiting]
    if job not in order:
        return None
    here = order.index(job)
    if row in (here, here + 1):
        return None
    following = [name for name in order[row:] if name != job]
    return following[0] if following else ""


def why_not_steer(trouble: MldeskError | None, since: float | None) -> str:
    """Say why nothing can be asked of a runner now; "" when it can."""
    if since is not None:
        return "The runner cannot be reached now. Its jobs go on."
    if trouble is not None:
        return f"{trouble.message} {trouble.advice}".strip()
    return ""
