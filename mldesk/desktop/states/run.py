"""One run as its page shows it: the record, the curves, what the machine does, the log and the evaluation."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import MldeskError, NotFound, RunnerUnreachable
from mldesk.core.observable import Observable, Signal
from mldesk.desktop.states.curves import CurveFeed
from mldesk.desktop.states.desk import Desk
from mldesk.desktop.states.search import Trial, trials_of
from mldesk.desktop.tasks import in_remote, in_thread
from mldesk.training.metric_words import title
from mldesk.wire.jobs import FAREST
from mldesk.wire.shapes import readable
from mldesk.wire.states import JobState

if TYPE_CHECKING:
    from mldesk.desktop.states.pace import Pace
    from mldesk.library.records import Run
    from mldesk.wire.events import Event
    from mldesk.wire.runner_view import Waiting
    from mldesk.workbench.run_book import Family

BATCH = 2000         # events read at once
LOG_KEPT = 400_000   # bytes of the trainer's output that the page keeps


class Machine:
    """What the trainer took of its machine, over time."""

    def __init__(self) -> None:
        self.seconds = array("d")  # since the first reading
        self.cpu = array("d")      # percent of one core
        self.memory = array("d")   # bytes
        self.gpu = array("d")      # percent, nan where there is none
        self.gpu_memory = array("d")   # bytes in use of the card, whoever uses them; nan where there is none
        self._first: float | None = None

    def add(self, time: float, payload: Mapping[str, Any]) -> None:
        """Take in one "resources" event."""
        self._first = time if self._first is None else self._first
        self.seconds.append(time - self._first)
        for series, key in ((self.cpu, "cpu"), (self.memory, "memory"), (self.gpu, "gpu"),
                            (self.gpu_memory, "gpu_memory")):
            value = payload.get(key)
            series.append(float("nan") if value is None else float(value))


class RunState:
    """Shows one run, live. Signals: ``advanced`` when curves, machine or warnings grew; ``logged`` with new text."""

    def __init__(self, desk: Desk, run_id: str) -> None:
        self._desk, self.id = desk, run_id
        self._seq = 0              # events taken in so far
        self._log_offset = 0
        self._busy = asyncio.Lock()
        self.run: Observable[Run | None] = Observable(None)
        self.evaluation: Observable[Mapping[str, Any] | None] = Observable(None)
        self.curves = CurveFeed()
        self.machine = Machine()
        self.warnings: list[tuple[str, str]] = []  # text, hint
        self.trials: Sequence[Trial] = ()          # of a search, the best first
        self._tried: list[Event] = []
        self.family: Family | None = None         # what it is part of, and what is part of it
        self.looks: tuple[int, int] = (0, 0)       # runs that have looked at the test rows, and which of them this is
        self.checkpoint: int | None = None         # step of the newest one
        self.attempt: Mapping[str, Any] = {}       # payload of the newest "started"
        self.place: Observable[Waiting | None] = Observable(None)  # in its runner's queue, while it waits there
        self.advanced: Signal[None] = Signal()
        self.logged: Signal[str] = Signal()

    @property
    def unreachable_since(self) -> float | None:
        """Wall clock of the first failure to reach the run's runner, None while it answers."""
        return self._desk.unreachable.value.get(self.id)

    @property
    def why_unreachable(self) -> str:
        """Why the run's runner cannot be reached, in a sentence or two; "" while it can."""
        return self._desk.reasons.get(self.id, "")

    @property
    def pace(self) -> Pace:
        """How far runs have come since they said so."""
        return self._desk.pace

    async def look_in_queue(self) -> None:
        """Bring ``place`` up to date. A runner out of reach, or too old to say, leaves it empty."""
        run = self.run.value
        self.place.value = (await places(self._desk, [run])).get(run.id) if run is not None else None

    async def refresh(self) -> None:
        """Bring everything up to date with the library; calls that overlap wait for one another."""
        async with self._busy:
            run = await in_thread(self._desk.workbench.runs.get, self.id)
            if self._seq == 0:
                self.curves.replace(await in_thread(self._desk.workbench.runs.metrics, self.id))
            await self._take_in_events()
            if run.state.final:
                self.looks = await in_thread(self._desk.workbench.book.looks, self.id)
                if run.kind == "imported":
                    self.family = await in_thread(self._desk.workbench.book.family, self.id)
            self.run.value = run
            if run.state is JobState.SUCCEEDED and self.evaluation.value is None:
                await self._load_evaluation()

    async def read_log(self) -> None:
        """Fetch what the trainer has written since. An unreachable runner is shown elsewhere, not here."""
        while True:
            begun = self._log_offset
            try:
                data, offset = await in_remote(self._desk.workbench.runs.log, self.id, begun)
            except (RunnerUnreachable, NotFound):
                return
            if not data or begun != self._log_offset:   # somebody else has read it meanwhile
                return
            self._log_offset = offset
            self.logged.emit(data.decode("utf-8", "replace"))

    async def cancel(self) -> None:
        """Stop the run and keep nothing of it. Raises Conflict, RunnerUnreachable."""
        await self._steer(self._desk.workbench.runs.cancel)

    async def finish(self) -> None:
        """Stop fitting, evaluate, keep the model. Raises Conflict, RunnerUnreachable."""
        await self._steer(self._desk.workbench.runs.finish)

    async def pause(self) -> None:
        """Stop, and keep all there is to go on with. Raises Conflict, RunnerUnreachable."""
        await self._steer(self._desk.workbench.runs.pause)

    async def resume(self) -> None:
        """Go on from the last checkpoint. Raises Conflict, RunnerUnreachable."""
        await self._steer(self._desk.workbench.runs.resume)

    async def _steer(self, command: Any) -> None:
        await in_remote(command, self.id)
        self._desk.nudge()
        await self.refresh()

    async def _take_in_events(self) -> None:
        grew = False
        while batch := await in_thread(self._desk.workbench.runs.events, self.id, self._seq, limit=BATCH):
            for event in batch:
                if line := log_line(event):
                    self.logged.emit(line)
                if self._take_in(event):
                    self.curves.replace(await in_thread(self._desk.workbench.runs.metrics, self.id))
            self._seq = batch[-1].seq
            grew = True
            if any(event.kind == "trial" for event in batch):
                self.trials = trials_of(self._tried)
        if grew:
            self.advanced.emit(None)

    def _take_in(self, event: Event) -> bool:
        """Add one event to what is shown; True when it superseded points, so that the curves must be read again."""
        payload = event.payload
        if not readable(event):
            return False
        if event.kind == "metrics":
            self.curves.extend(payload)
        elif event.kind == "resources":
            self.machine.add(event.time, payload)
        elif event.kind == "warning" and not payload.get("in_result"):   # else the result says it
            said = (str(payload.get("text", "")), str(payload.get("hint", "")))
            if said not in self.warnings:   # every attempt says it again
                self.warnings.append(said)
        elif event.kind == "trial":
            self._tried.append(event)
        elif event.kind == "checkpoint":
            self.checkpoint = int(payload.get("step", 0))
        elif event.kind == "started":
            again = bool(self.attempt)
            self.attempt = payload
            step = payload.get("resumed_from")
            self.curves.begin(step if isinstance(step, int) else None)
            return again
        return False

    async def _load_evaluation(self) -> None:
        try:
            self.evaluation.value = await in_thread(self._desk.workbench.judging.evaluation, self.id)
        except NotFound:  # a run of an estimator that evaluates nothing
            self.evaluation.value = {}


async def places(desk: Desk, runs: Iterable[Run]) -> dict[str, Waiting]:
    """Return where those of ``runs`` that wait stand in the queues of their runners, by id."""
    found: dict[str, Waiting] = {}
    waiting = [run for run in runs if run.state is JobState.QUEUED]
    for runner in sorted({run.runner for run in waiting}):
        if any(run.id in desk.unreachable.value for run in waiting if run.runner == runner):
            continue
        try:
            queue = await in_remote(desk.workbench.runners.queue, runner)
        except MldeskError:  # said elsewhere; here there is just no place to show
            continue
        found |= {item.job: item for item in queue.waiting}
    return found


def log_line(event: Event) -> str:
    """Return what an event says in the log, with its time of day; "" for readings that are drawn elsewhere."""
    payload = event.payload
    texts = {
        "queued": "accepted by the runner", "scheduled": _starts(payload), "staged": "data is in place",
        "started": _began(payload),
        "stage": str(payload.get("name", "")), "log": _said(payload),
        "warning": f"warning: {payload.get('text', '')} {payload.get('hint', '')}".rstrip(),
        "trial": _trial_line(payload),
        "checkpoint": f"checkpoint {payload.get('name', '')} at step {payload.get('step', '')}",
        "artifact": f"kept {payload.get('name', '')}", "stopping": f"asked to {payload.get('asked', 'stop')}",
        "succeeded": "succeeded", "failed": f"failed: {payload.get('message', '')}",
        "cancelled": "cancelled", "interrupted": f"interrupted: {payload.get('message', '')}",
    }
    if event.kind not in texts:
        return ""
    clock = datetime.fromtimestamp(event.time).astimezone().strftime("%H:%M:%S")
    return f"{clock}  {texts[event.kind]}\n"


def _starts(payload: Mapping[str, Any]) -> str:
    moment = payload.get("not_before")
    if not isinstance(moment, (int, float)) or not 0 < moment < FAREST:
        return "starts as soon as it can"
    return f"starts {datetime.fromtimestamp(moment).astimezone():%Y-%m-%d %H:%M}"


def _began(payload: Mapping[str, Any]) -> str:
    """Say which attempt began, and with what it goes on."""
    step, where = payload.get("resumed_from"), payload.get("device") or "the machine"
    return f"attempt {payload.get('attempt', 1)} began on {where}" + ("" if step is None else f", from step {step}")


def _said(payload: Mapping[str, Any]) -> str:
    """Return a line that the job wrote, with its level where that is worth a look."""
    text, level = str(payload.get("text", "")), payload.get("level")
    return f"{level}: {text}" if level in ("warning", "error") else text


def _trial_line(payload: Mapping[str, Any]) -> str:
    score = payload.get("score")
    message = str(payload.get("message", ""))
    if score is not None:
        came_to = f"{title(str(payload.get('metric', '')))} {score:.5g}"
    elif payload.get("state") in ("weak", "pruned"):
        came_to = f"{message[:1].lower()}{message[1:]}" or "given up"
    else:
        came_to = f"failed: {message}"
    return f"trial {payload.get('number', '')}, {payload.get('estimator', '')}: {came_to}"
