"""Making a machine a runner, step by step: its address, its key, the plan, the work. Nothing is lost by an error."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import BadInput, MldeskError
from mldesk.core.observable import Observable
from mldesk.desktop.states.addresses import read_address
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.states.imports import free_name
from mldesk.desktop.tasks import in_remote, in_thread

if TYPE_CHECKING:
    from mldesk.library.records import RunnerRecord
    from mldesk.workbench.runners import Preparation

STOPPED = frozenset({"host_key_changed", "host_key_revoked"})   # codes of errors with no way on
UNKNOWN_HOST = "unknown_host"
NO_GPU = frozenset({"cannot_provision", "unknown_driver", "gpu_unusable"})


class Step(Enum):
    """Where the adding of a runner is."""

    ADDRESS = "address"
    KEY = "key"           # first contact: somebody has to look at the key
    STOPPED = "stopped"   # another key than before, or a revoked one
    PLAN = "plan"
    WORKING = "working"
    DONE = "done"


class AddRunner:
    """One runner in the making."""

    def __init__(self, desk: Desk, taken: Sequence[str] = ()) -> None:
        self._desk, self._taken = desk, list(taken)
        self.step = Observable(Step.ADDRESS)
        self.busy = Observable("")                                        # what is being waited for
        self.problem: Observable[MldeskError | None] = Observable(None)   # belongs to the step that is shown
        self.asked: Any = None                                            # UnknownHost, or what stopped us
        self.preparation: Preparation | None = None
        self.record: RunnerRecord | None = None
        self.progress: Observable[tuple[str, float]] = Observable(("", 0.0))
        self.done: Observable[tuple[str, ...]] = Observable(())           # what has been done so far, in words
        self.processor_only = False
        self.address = ""
        self.name = ""
        self._told: list[tuple[str, float]] = []   # appended by a worker thread, read by ``glance``

    @property
    def offers_processor_only(self) -> bool:
        """Whether the machine was refused for its graphics card, so that it may be used without."""
        problem = self.problem.value
        return (not self.processor_only and problem is not None and problem.code in NO_GPU
                and "processor" in problem.advice.lower())

    def suggest(self, text: str) -> str:
        """Return a free name for the runner at the address ``text``, "" while that is none."""
        try:
            return free_name(read_address(text).name, self._taken)
        except BadInput:
            return ""

    def why_not(self, text: str, name: str) -> str:
        """Say why Connect is off; "" when it is on."""
        try:
            read_address(text)
        except BadInput as error:
            return f"{error.message} {error.advice}".strip()
        if not name.strip():
            return "Give the runner a name."
        if name.strip() in self._taken:
            return f"There is a runner {name.strip()} already."
        return ""

    async def connect(self, text: str, name: str) -> None:
        """Log in, look at the machine, make a plan. Ends in a step, or in a problem of the step that it began in."""
        self.address, self.name = str(read_address(text)), name.strip()
        self.processor_only = False
        await self._prepare()

    async def accept(self) -> None:
        """Trust the key that was shown, from now on, and go on connecting."""
        if self.step.value is Step.KEY:
            await in_thread(self._desk.workbench.runners.accept, self.asked)
            await self._prepare()

    async def without_gpu(self, on: bool = True) -> None:
        """Plan again for the processor only, or with the graphics cards."""
        self.processor_only = on
        await self._prepare()

    async def install(self, *, at_boot: bool) -> None:
        """Do what the plan says. Ends in DONE, or back at the plan with the problem."""
        self._told.clear()
        self.done.value, self.problem.value = (), None
        self.progress.value = ("", 0.0)
        self.step.value = Step.WORKING
        service = self._desk.workbench.runners
        try:
            self.record = await in_remote(
                service.add, self.name, self.address, preparation=self.preparation,
                processor_only=self.processor_only, at_boot=at_boot, report=self._report)
        except MldeskError as error:
            self.step.value = Step.PLAN
            self.problem.value = error
            return
        finally:
            self._desk.nudge()
        self.glance()
        self.step.value = Step.DONE

    def back(self) -> None:
        """Go back to the address; what was written is still there."""
        self.problem.value = None
        self.step.value = Step.ADDRESS

    def glance(self) -> None:
        """Bring progress up to date; the dialog calls it a few times a second."""
        while self._told:
            what, share = self._told.pop(0)
            before = self.progress.value[0]
            if before and what != before:
                self.done.value = (*self.done.value, before)
            self.progress.value = (what, share)

    def _report(self, what: str, share: float) -> None:
        self._told.append((what, share))

    async def _prepare(self) -> None:
        self.problem.value = None
        self.busy.value = f"Connecting to {self.address}…"
        try:
            self.preparation = await in_remote(self._desk.workbench.runners.prepare, self.address,
                                               processor_only=self.processor_only)
        except MldeskError as error:
            self._stumble(error)
        else:
            self.step.value = Step.PLAN
        finally:
            self.busy.value = ""

    def _stumble(self, error: MldeskError) -> None:
        if error.code == UNKNOWN_HOST:
            self.asked = error
            self.step.value = Step.KEY
        elif error.code in STOPPED:
            self.asked = error
            self.step.value = Step.STOPPED
        else:
            if self.step.value is not Step.PLAN:  # a key that was accepted need not be shown again
                self.step.value = Step.ADDRESS
            self.problem.value = error
