"""A runner under test: its own home, the fake trainer, and the promise that nothing of it is left afterwards."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from mldesk.core.ids import new_id
from mldesk.core.paths import Home
from mldesk.runners import LocalRunner
from mldesk.wire.events import TERMINAL, Event
from mldesk.wire.jobs import JobSpec, Limits
from runner_agent.folder import JobFolder

FAKE = Path(__file__).with_name("fake_trainer.py")
PATIENCE = 30.0  # seconds a test waits for something that should take a fraction of one


class Bench:
    """One runner, its agent started with the fake trainer and short patience unless ``options`` say otherwise."""

    def __init__(self, root: Path, *options: str) -> None:
        self.home = Home(root / "home").make()
        self.options = ["--trainer", json.dumps([sys.executable, str(FAKE)]), "--patience", "[0.3, 0.3, 6]",
                        "--ballast", "1048576", *(options or ["--no-warm"])]
        self.runner = self.client()

    def client(self) -> LocalRunner:
        return LocalRunner(self.home, agent_options=self.options)

    def spec(self, id: str = "", limits: Limits | None = None, **payload: Any) -> JobSpec:  # noqa: A002
        return JobSpec(id or new_id(), "train", "a job", (), payload, limits=limits or Limits())

    def submit(self, **payload: Any) -> str:
        spec = self.spec(**payload)
        self.runner.submit(spec)
        return spec.id

    def folder(self, job: str) -> JobFolder:
        return JobFolder(self.home.runner / "jobs" / job)

    def follow(self, job: str, after: int = 0, until: Callable[[Event], bool] | None = None) -> list[Event]:
        """Return every event up to the terminal one, or the first that ``until`` likes."""
        events: list[Event] = []
        deadline = time.monotonic() + PATIENCE
        stop = until or (lambda event: event.kind in TERMINAL)
        while time.monotonic() < deadline:
            for event in self.runner.events(job, after, wait=1.0):
                events.append(event)
                after = event.seq
                if stop(event):
                    return events
        raise AssertionError(f"nothing more came after {[(e.seq, e.kind) for e in events[-5:]]}")

    def wait_for(self, what: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if value := what():
                return value
            time.sleep(0.01)
        raise AssertionError("it did not come about")

    # --- its processes

    def agent(self) -> psutil.Process:
        return next(process for process in self.processes() if " serve " in command_of(process))

    def supervisor(self, job: str) -> psutil.Process | None:
        path = str(self.folder(job).path)
        return next((process for process in self.processes() if path in command_of(process)
                     and "runner_agent.supervisor" in command_of(process)), None)

    def trainer_pid(self, job: str) -> int:
        record = self.wait_for(self.folder(job).record)
        return int(record.trainer.pid)

    def processes(self) -> list[psutil.Process]:
        """Everything that was started for this home and lives: the agent works in it, and so does what it starts."""
        home = str(self.home.root)
        return [process for process in psutil.process_iter() if _folder(process) == home]

    def close(self) -> None:
        """End agent and jobs, and see that nothing is left."""
        self.runner.stop_agent(kill_jobs=True)
        self.runner.close()
        deadline = time.monotonic() + 10
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.02)
        for process in left:
            process.kill()
        assert not left, f"left behind: {[command_of(process) for process in left]}"


def kill(process: psutil.Process | int | None, number: int = signal.SIGKILL) -> None:
    assert process is not None
    os.kill(process if isinstance(process, int) else process.pid, number)


def kinds(events: list[Event]) -> list[str]:
    return [event.kind for event in events]


def dense(events: list[Event]) -> bool:
    return [event.seq for event in events] == list(range(1, len(events) + 1))


def steps(events: list[Event]) -> list[int]:
    return [event.payload["step"] for event in events if event.kind == "metrics"]


def last(events: list[Event]) -> Mapping[str, Any]:
    return {"kind": events[-1].kind, **events[-1].payload}


def _folder(process: psutil.Process) -> str:
    try:
        return process.cwd()
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return ""


def command_of(process: psutil.Process) -> str:
    try:
        return "" if process.status() == psutil.STATUS_ZOMBIE else " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return ""
