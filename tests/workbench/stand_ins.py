"""A runner that says what a test has written down, and a library with one table to train on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mldesk.core.clock import SystemClock
from mldesk.core.errors import Conflict, NotFound, RunnerUnreachable
from mldesk.core.paths import Home
from mldesk.library import Library
from mldesk.library.records import RunnerRecord
from mldesk.runners import RunnerClient
from mldesk.runners.ssh.lifeline import LinkState
from mldesk.wire.events import Event, state_after
from mldesk.wire.jobs import JobSpec
from mldesk.wire.objects import ObjectStore
from mldesk.wire.runner_view import QueueView, Slot
from mldesk.wire.schema import Column, ColumnType
from mldesk.wire.states import JobState
from mldesk.workbench.cleaning import CleaningService
from mldesk.workbench.datasets import DatasetService
from mldesk.workbench.judging import JudgingService
from mldesk.workbench.runners import RunnerService
from mldesk.workbench.runs import RunService
from mldesk.workbench.searches import SearchService

COLUMNS = (Column("id", ColumnType.TEXT, 0, 200), Column("size", ColumnType.NUMBER, 3, 90),
           Column("colour", ColumnType.TEXT, 0, 3), Column("empty", ColumnType.TEXT, 200, 0),
           Column("constant", ColumnType.INTEGER, 0, 1), Column("price", ColumnType.NUMBER, 0, 180),
           Column("grade", ColumnType.TEXT, 4, 2))


class ScriptedRunner:
    """A RunnerClient whose jobs say the events a test gives them; ``down`` makes it unreachable."""

    name = "local"

    def __init__(self) -> None:
        self.specs: dict[str, JobSpec] = {}
        self.journals: dict[str, list[Event]] = {}
        self.priorities: dict[str, int] = {}
        self.view = QueueView((), (Slot("cpu", 0, "", 0, ""),), draining=False, quiet=False)
        self.down = 0          # how many calls fail before the next one works
        self.commands: list[str] = []
        self.told: dict[str, tuple[Mapping[str, Any], tuple[str, ...]]] = {}   # by name, across jobs
        self.refusal: Exception | None = None
        self.facts: dict[str, Any] = {}        # more of what it says of itself

    def say(self, job: str, kind: str, **payload: Any) -> None:
        """Add one event to a job's journal."""
        journal = self.journals[job]
        journal.append(Event(len(journal) + 1, 1000.0 + len(journal), kind, payload))

    def hello(self) -> Mapping[str, Any]:
        self._reached()
        return {"cores": 2, "memory": 2**30, "devices": [], **self.facts}

    @property
    def link(self) -> LinkState:
        return LinkState(not self.down, 1.0)

    def submit(self, spec: JobSpec, priority: int = 0) -> JobState:
        self._reached()
        self.priorities[spec.id] = priority
        if self.refusal is not None:
            raise self.refusal
        if spec.id not in self.specs:
            self.specs[spec.id], self.journals[spec.id] = spec, []
            self.say(spec.id, "queued", attempt=1)
        return self.state(spec.id)

    def events(self, job: str, after: int, *, limit: int = 1000, wait: float = 0.0) -> list[Event]:
        self._reached()
        return self._journal(job)[after:after + limit]

    def state(self, job: str) -> JobState:
        state = JobState.CREATED
        for event in self._journal(job):
            state = state_after(event.kind, state)
        return state

    def cancel(self, job: str) -> None:
        self._reached()
        self.commands.append("cancel")
        self.say(job, "cancelled", cause="cancelled", message="The run was cancelled.")

    def finish(self, job: str) -> None:
        self._reached()
        self.commands.append("finish")
        self.say(job, "stopping", asked="finish")

    def resume(self, job: str) -> None:
        self._reached()
        if self.state(job) is not JobState.INTERRUPTED:
            raise Conflict("not interrupted")
        self.say(job, "queued", attempt=2)

    def pause(self, job: str) -> None:
        self._reached()
        self.say(job, "interrupted", cause="paused", message="It was paused.", hint="")

    def start_at(self, job: str, moment: float) -> None:
        self._reached()
        if self.state(job) is not JobState.QUEUED:
            raise Conflict("That job does not wait in the queue (any more).")
        self.say(job, "scheduled", not_before=moment)

    def tell(self, job: str, name: str, message: Mapping[str, Any], inputs: tuple[str, ...] = (),
             since: int = 3) -> None:
        self._reached()
        self._journal(job)
        self.told.setdefault(name, (message, inputs))

    def log(self, job: str, offset: int = 0, limit: int = 65536) -> tuple[bytes, int]:
        self._reached()
        text = b"printed by the trainer"[offset:offset + limit]
        return text, offset + len(text)

    def jobs(self) -> list[Mapping[str, Any]]:
        return []

    def fetch(self, digest: str, store: ObjectStore) -> None:
        store.path(digest)

    def queue(self) -> QueueView:
        self._reached()
        return self.view

    def close(self) -> None:
        """Nothing is held."""

    def _reached(self) -> None:
        if self.down:
            self.down -= 1
            raise RunnerUnreachable("No answer.")

    def _journal(self, job: str) -> list[Event]:
        if job not in self.journals:
            raise NotFound(f"The runner knows no job {job}.")
        return self.journals[job]


class Desk:
    """Services over a real library and a scripted runner, with a table called "shop"."""

    def __init__(self, folder: Path) -> None:
        home = Home(folder)
        self.library = Library.open(home)
        self.runner = ScriptedRunner()
        self.runners = RunnerService(self.library, self._connect, SystemClock())
        self.datasets = DatasetService(self.library, home)
        self.cleaning = CleaningService(self.library, self.datasets, home)
        self.runs = RunService(self.library, self.datasets, self.runners, SystemClock())
        self.searches = SearchService(self.library, self.datasets, self.runners, self.runs)
        self.judging = JudgingService(self.library, self.runs)
        manifest = self.library.objects.put_bytes(b"a table")
        self.library.datasets.add("shop", manifest=manifest, rows=200, columns=COLUMNS, size=7, source="test")

    def finish_job(self, job: str, estimator: str = "lightgbm", **metrics: float) -> None:
        """Let a job run to its good end with a model and scores."""
        model = self.library.objects.put_bytes(f"model of {job}".encode())
        self.runner.say(job, "started", attempt=1, pid=1, host="h", device="cpu", resumed_from=None)
        self.runner.say(job, "metrics", step=1, epoch=1.0, seconds=0.1, values={"train_loss": 0.5})
        self.runner.say(job, "artifact", name="model", digest=model, size=10, type="manifest")
        self.runner.say(job, "succeeded", result={
            "task": "tabular_classification", "metrics": metrics, "validation_metrics": {}, "seconds": 1.5,
            "rows": {"train": 120, "validation": 40, "test": 40}, "finished_early": False, "model": model,
            "estimator": estimator, "parameters": {"rounds": 3}, "split": "f" * 64})

    def close(self) -> None:
        self.runners.close()
        self.library.close()

    def _connect(self, _record: RunnerRecord) -> RunnerClient:
        return self.runner
