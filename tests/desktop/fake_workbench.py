"""A workbench in memory with the real one's method names: what a state asks, and what it is told."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mldesk.core.clock import SystemClock
from mldesk.core.errors import BadInput, NotFound, RunnerUnreachable
from mldesk.library.points import Readings
from mldesk.library.records import Dataset, DatasetVersion, MetricPoint, Run
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.search.budget import Estimate
from mldesk.wire.elapsed import Elapsed
from mldesk.wire.events import TERMINAL, Event, state_after
from mldesk.wire.schema import Column, ColumnType
from mldesk.wire.states import JobState
from mldesk.workbench.orders import TrainCheck
from mldesk.workbench.pages import Page
from mldesk.workbench.scheduling import ScheduleService
from tests.desktop.fake_runners import FakeRunners


def make_run(run_id: str = "01RUN", state: JobState = JobState.RUNNING, **fields: Any) -> Run:
    """Return a run as the library would."""
    given: dict[str, Any] = {
        "id": run_id, "name": "a run", "kind": "train", "state": state, "cause": None, "message": "", "hint": "",
        "runner": "local", "dataset": "table@1", "task": "tabular_classification", "target": "y", "estimator": "mlp",
        "parameters": {}, "last_seq": 0, "created": 1000.0, "started": 1001.0, "finished": None, "result": None,
        "progress": None, "stage": "", "model": None, "spec": {"payload": {}}}
    return Run(**{**given, **fields})


def make_version(number: int = 1, rows: int = 100, name: str = "table") -> DatasetVersion:
    """Return a version of a dataset with a text, a number and a class."""
    columns = (Column("id", ColumnType.TEXT, 0, rows), Column("x", ColumnType.NUMBER, 3, 90),
               Column("y", ColumnType.TEXT, 0, 2))
    return DatasetVersion(name, number, f"{number:064x}", rows, columns, 1000, None, None, "table.csv", (), None, 1.0)


class FakeRuns:
    """Runs whose events a test pushes; ``pump`` brings them in as the real one does."""

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}
        self.waiting: dict[str, list[Event]] = {}   # at the runner
        self.stored: dict[str, list[Event]] = {}    # in the library
        self.reachable = True
        self.token = 0
        self.commands: list[str] = []
        self.lock = threading.Lock()
        self.checked: list[Any] = []
        self.first_check_waits = threading.Event()

    def add(self, run: Run) -> None:
        self.runs[run.id] = run
        self.waiting.setdefault(run.id, [])
        self.stored.setdefault(run.id, [])
        self.token += 1

    def push(self, run_id: str, kind: str, payload: Mapping[str, Any] | None = None) -> None:
        with self.lock:
            seq = len(self.waiting[run_id]) + len(self.stored[run_id]) + 1
            self.waiting[run_id].append(Event(seq, 2000.0 + seq, kind, payload or {}))

    def pump(self, run_id: str, wait: float) -> bool:
        if not self.reachable:
            raise RunnerUnreachable("No runner answers.")
        with self.lock:
            events, self.waiting[run_id] = self.waiting[run_id], []
            self.stored[run_id] += events
            run = self.runs[run_id]
            for event in events:
                run = replace(run, state=state_after(event.kind, run.state), last_seq=event.seq)
            self.runs[run_id] = run
            self.token += bool(events)
        return not any(event.kind in TERMINAL for event in events) and not run.state.ended

    def active(self) -> list[Run]:
        return [run for run in self.runs.values() if not run.state.ended]

    def get(self, run_id: str) -> Run:
        return self.runs[run_id]

    def list(self, **_: Any) -> list[Run]:
        return list(self.runs.values())

    def events(self, run_id: str, after: int = 0, *, limit: int = 1000) -> Sequence[Event]:
        return [event for event in self.stored[run_id] if event.seq > after][:limit]

    def metrics(self, run_id: str) -> Sequence[MetricPoint]:
        """As the library: points above the step that a later attempt resumed from are gone."""
        points: list[MetricPoint] = []
        elapsed = Elapsed()
        for event in self.stored[run_id]:
            if event.kind == "started" and event.payload.get("attempt", 1) > 1:
                points = [point for point in points if point.step <= (event.payload.get("resumed_from") or 0)]
                elapsed.begin(event.payload.get("resumed_from"))
            if event.kind == "metrics":
                seconds = elapsed.at(event.payload.get("seconds") or 0.0)
                points += [MetricPoint(name, event.payload["step"], None, seconds, value)
                           for name, value in event.payload["values"].items()]
        return points

    def curves(self, run_id: str) -> Mapping[str, Readings]:
        found: dict[str, Readings] = {}
        for point in self.metrics(run_id):
            found.setdefault(point.metric, Readings()).add(
                point.seq, point.step, float("nan"), point.seconds, point.value)
        return found

    def evaluation(self, run_id: str) -> Mapping[str, Any]:
        raise NotFound("There is no evaluation.")

    def log(self, run_id: str, offset: int = 0) -> tuple[bytes, int]:
        return (b"hello\n", 6) if offset == 0 else (b"", offset)

    def cancel(self, run_id: str) -> Run:
        self.commands.append("cancel")
        self.push(run_id, "cancelled", {"message": "asked"})
        return self.runs[run_id]

    def estimators(self, task: str | None = None) -> Sequence[Any]:
        return [entry for entry in ESTIMATORS.values() if task is None or task in entry.tasks]

    def check(self, order: Any) -> TrainCheck:
        self.checked.append(order)
        if len(self.checked) == 1:
            self.first_check_waits.wait(10)
        return TrainCheck(None if order.target else "No target.", "", "tabular_classification", "mlp", {}, ("x",))

    def start(self, order: Any) -> Run:
        run = make_run("01NEW", JobState.QUEUED, target=order.target)
        self.add(run)
        return run


class FakeSearches:
    """Writes down what is searched for."""

    def __init__(self, runs: FakeRuns) -> None:
        self._runs, self.started = runs, list[Any]()

    def estimate(self, order: Any) -> Estimate:
        return Estimate(5, 40, order.seconds)

    def start(self, order: Any) -> Run:
        self.started.append(order)
        return self._runs.start(order.train)


class FakeDatasets:
    """One table with versions."""

    def __init__(self) -> None:
        self.versions_ = [make_version(1)]
        self.previewed: list[Any] = []
        self.slow = threading.Event()
        self.slow.set()

    def list(self, *, removed: bool = False) -> list[Dataset]:
        return [] if removed else [Dataset("table", self.versions_[-1], len(self.versions_), 1000.0, None)]

    def show(self, reference: str) -> DatasetVersion:
        if not reference.startswith("table"):
            raise NotFound(f"There is no dataset {reference}.")
        return self.versions_[-1]

    def import_files(self, paths: Any, name: str, *, options: Any, progress: Any, cancelled: Any,
                     rejects: Any, again: bool) -> Dataset:
        progress(1.0, 4.0)
        while not cancelled():
            threading.Event().wait(0.005)
        raise BadInput("The import was cancelled.")

    def preview(self, reference: str, *, rows: int) -> Page:
        return Page(("x",), [[1.0]], 0, 100)

    def preview_recipe(self, reference: str, steps: Sequence[Mapping[str, Any]], *, rows: int, whole: bool = False,
                       cancelled: Any = None) -> Page:
        self.previewed.append(steps)
        if any(step["step"] == "wrong" for step in steps):
            raise BadInput("Step 1 (wrong): there is no such step.")
        self.slow.wait(10)
        return Page(("x",), [[float(len(steps))]], 0, 100 - len(steps))

    def made_by(self, reference: str, steps: Sequence[Mapping[str, Any]]) -> DatasetVersion | None:
        return None

    made_of = made_by

    def clean(self, reference: str, steps: Sequence[Mapping[str, Any]], *, cancelled: Any = None) -> DatasetVersion:
        self.versions_.append(make_version(len(self.versions_) + 1))
        return self.versions_[-1]


class FakeBook:
    """Nothing has been said of any run."""

    def __init__(self, runs: FakeRuns) -> None:
        self._runs = runs

    def find(self, _wanted: Any, *, limit: int) -> Sequence[Run]:
        return list(self._runs.runs.values())[:limit]

    def labels(self) -> tuple[dict[str, int], dict[str, int]]:
        return {}, {}

    def views(self) -> dict[str, Any]:
        return {}

    def looks(self, run_id: str) -> tuple[int, int]:
        return 0, 0


class FakeHistory:
    """No dataset has a tag, and nothing was trained on any."""

    def tags(self) -> dict[str, tuple[str, ...]]:
        return {}

    tasks = tags


class FakeWorkbench:
    """All of it."""

    def __init__(self) -> None:
        self.runs, self.datasets, self.runners = FakeRuns(), FakeDatasets(), FakeRunners()
        self.cleaning, self.searches = self.datasets, FakeSearches(self.runs)
        self.book, self.history = FakeBook(self.runs), FakeHistory()
        self.schedule = ScheduleService(self.runs, self.searches, None, self.book,  # type: ignore[arg-type]
                                        self.runners, SystemClock())  # type: ignore[arg-type]
        self.closed = False

    def change_token(self) -> int:
        return self.runs.token

    def close(self) -> None:
        self.closed = True
