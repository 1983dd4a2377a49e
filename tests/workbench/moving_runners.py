"""Runners that run, as far as moving asks: jobs that take steps, keep checkpoints, are released and taken over."""

from __future__ import annotations

from mldesk.core.errors import Conflict, NotFound, RunnerUnreachable
from mldesk.wire.events import Event
from mldesk.wire.jobs import JobSpec
from mldesk.wire.journal import decode
from mldesk.wire.objects import ObjectStore
from mldesk.wire.runner_view import QueueView, Slot
from mldesk.wire.states import JobState
from tests.workbench.stand_ins import ScriptedRunner

FINAL = {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}


class Cut(Exception):
    """The program that moves the run is killed here."""


class MovingRunner(ScriptedRunner):
    """``cut`` counts calls down; at 0 the caller dies, before or (``late``) after what it asked for was done."""

    def __init__(self, name: str, store: ObjectStore) -> None:
        super().__init__()
        self.name, self.store = name, store
        self.cut, self.late = -1, False
        self.starts: list[str] = []        # jobs that began here, once per attempt
        self.view = QueueView((), (Slot("cpu", 0, "", 0, ""),), False, False)
        self.off = False
        self.taken: dict[str, str | None] = {}  # checkpoint each job came with
        self.steps: dict[str, int] = {}         # the last step each job took here

    def queue(self) -> QueueView:
        self._reached()
        return self.view

    def start(self, job: str, steps: int = 3) -> None:
        """Let a queued job begin and take some steps."""
        done = self.store.read(self.taken[job]).decode() if self.taken.get(job) else None
        first = int(done) + 1 if done else 1
        self.starts.append(job)
        self.say(job, "started", attempt=1, pid=1, host=self.name, device="cpu", resumed_from=first - 1 or None)
        for step in range(first, first + steps):
            self.say(job, "metrics", step=step, epoch=None, seconds=0.0, values={"train_loss": 1.0 / step})
        self.steps[job] = first + steps - 1

    def release(self, job: str) -> None:
        def work() -> None:
            state = self.state(job)
            if state in FINAL:
                raise Conflict("It has ended.")
            if state is not JobState.INTERRUPTED:
                self.say(job, "interrupted", cause="moved", message="It was released.", hint="")
        self._do(work)

    def checkpoint(self, job: str) -> str | None:
        self._journal(job)
        found: list[str | None] = []

        def work() -> None:
            found.append(self.store.put_bytes(str(self.steps[job]).encode()) if job in self.steps else None)
        self._do(work)
        return found[0]

    def take_over(self, spec: JobSpec, history: bytes, checkpoint: str | None) -> JobState:
        lines = history.split(b"\n")[:-1]
        past = [decode(line + b"\n", number)[0] for number, line in enumerate(lines, start=1)]

        def work() -> None:
            if spec.id in self.specs:  # the same again
                assert self.journals[spec.id][:len(past)] == past
                return
            assert past[-1].kind == "interrupted"
            self.specs[spec.id], self.journals[spec.id] = spec, list(past)
            self.taken[spec.id] = checkpoint
            self.say(spec.id, "queued", attempt=2)
        self._do(work)
        return self.state(spec.id)

    def events(self, job: str, after: int, *, limit: int = 1000, wait: float = 0.0) -> list[Event]:
        found: list[list[Event]] = []
        self._do(lambda: found.append(self._journal(job)[after:after + limit]))
        return found[0]

    def fetch(self, digest: str, store: ObjectStore) -> None:
        self._do(lambda: store.path(digest))

    def _do(self, work: object) -> None:
        self._reached()
        self.cut -= 1
        if self.cut == -1 and not self.late:
            raise Cut
        work()  # type: ignore[operator]
        if self.cut == -1:
            raise Cut

    def _reached(self) -> None:
        if self.off:
            raise RunnerUnreachable("It is off.")
        super()._reached()

    def _journal(self, job: str) -> list[Event]:
        if job not in self.journals:
            raise NotFound(f"The runner knows no job {job}.")
        return self.journals[job]
