"""A runner that trains in the test's own process: for tests of what is done with a model, whichever process made it.

The trainer's program, its events, its objects and the library are the real ones. There is no agent, and a job is over
when ``submit`` returns, so nothing of it can be stopped, paused or waited for. A process that has torch and
scikit-learn loaded does in a quarter of a second what a trainer needs three for.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, ClassVar

from mldesk.core import canonical
from mldesk.runners.local import LocalRunner
from mldesk.training.run import run_job
from mldesk.wire.events import Event, state_after
from mldesk.wire.jobs import JobSpec
from mldesk.wire.spool import SpoolReader
from mldesk.wire.states import JobState


class RunnerHere(LocalRunner):
    """Stands for ``LocalRunner`` where the fixture ``trains_here`` is used."""

    done: ClassVar[dict[tuple[Path, str], list[Event]]] = {}   # every job's journal, by its library and id

    def submit(self, spec: JobSpec, priority: int = 0) -> JobState:
        assert spec.kind in ("train", "search", "explain"), "the other kinds become a process of their own"
        if (key := (self._home.root, spec.id)) not in self.done:
            folder = self._home.root / "here" / spec.id
            folder.mkdir(parents=True)
            (folder / "spec.json").write_bytes(canonical.dumps(spec.to_json()))
            with (folder / "log").open("w") as log, redirect_stdout(log), redirect_stderr(log):
                assert run_job(folder, self._home.objects, 1) == 0
            lines = SpoolReader(folder / "spool.1").read()
            self.done[key] = [
                Event(1, lines[0].time, "queued", {"attempt": 1}), Event(2, lines[0].time, "staged", {}),
                *(Event(number, line.time, line.kind, line.payload) for number, line in enumerate(lines, 3))]
        return self.state(spec.id)

    def events(self, job: str, after: int, *, limit: int = 1000, wait: float = 0.0) -> list[Event]:
        return self.done[self._home.root, job][after:after + limit]

    def state(self, job: str) -> JobState:
        state = JobState.CREATED
        for event in self.events(job, 0, limit=10**9):
            state = state_after(event.kind, state)
        return state

    def hello(self) -> Mapping[str, Any]:
        return {"cores": 2, "memory": 2**33, "devices": []}

    def stop_agent(self, kill_jobs: bool = False) -> None:
        """There is none."""

    def _exchange(self, method: str, payload: dict[str, Any], wait: float = 0.0) -> tuple[dict[str, Any], bytes]:
        raise AssertionError(f"{method} needs a real runner")
