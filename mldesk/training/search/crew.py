"""Who makes the trials: this process, one after another, or several processes of its own at once.

A worker is told of a trial as a line of JSON and answers with another; rows and outcomes are files (see ``records``).
It holds the models until they are asked for, since few trials are blended and writing models takes as long as fitting
some. It ends when its input does, so it cannot outlive this process, however that ends.
"""

from __future__ import annotations

import json
import math
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from mldesk.core.errors import DiskFull, WorkFailed
from mldesk.training.job import Workplace
from mldesk.training.search.measures import Aim
from mldesk.training.search.portfolio import Configuration
from mldesk.training.search.records import Records
from mldesk.training.search.row_files import save_rows
from mldesk.training.search.rows import Rows
from mldesk.training.search.trial import Bounds, LimitedControl, Outcome, Pruned, TimeUp, Weak, run_trial
from mldesk.wire.control import Control
from mldesk.wire.failures import explain
from mldesk.wire.report import Report

_HANDING = 120.0   # seconds that writing the models of one trial may take
_CLOSING = 5.0     # seconds a worker may take to end once its input has


@dataclass(frozen=True, slots=True)
class Done:
    """How a trial ended. ``outcome`` is None for "weak", "pruned", "late" (its time was up) and "failed"."""

    number: int
    configuration: Configuration
    state: str
    outcome: Outcome | None = None
    seconds: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)   # see ``Task.run``


class Crew(Protocol):
    """Makes trials. ``free`` says whether another may be begun now."""

    @property
    def free(self) -> bool: ...

    @property
    def busy(self) -> bool: ...

    def begin(self, number: int, configuration: Configuration, bounds: Bounds, deadline: float) -> None:
        """Begin a trial; raises MemoryError, DiskFull, Terminated where that ends the search."""
        ...

    def ended(self, wait: float) -> list[Done]:
        """Return the trials that have ended since, waiting up to ``wait`` seconds for the first."""
        ...

    def has_models(self, number: int) -> bool:
        """Say whether the models of a trial can be had without fitting them again."""
        ...

    def models(self, outcome: Outcome) -> Sequence[Any]:
        """Return the models of a trial that has none with it, one per fold; () where they cannot be had."""
        ...

    def drop(self, number: int) -> None:
        """Let go of the models of a trial that will not be blended."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Task:
    """What every trial of a search shares."""

    rows: Rows
    aim: Aim
    seed: int
    threads: int
    device: str
    nodes: float = math.inf   # of trees, that there will be time to write of each model

    def run(self, number: int, configuration: Configuration, bounds: Bounds, control: Control, report: Report) -> Done:
        """Make a trial. Raises MemoryError, DiskFull, Terminated."""
        began = time.monotonic()
        try:
            outcome = run_trial(number, configuration, self.rows, self.aim, report, control, seed=self.seed,
                                threads=self.threads, device=self.device, bounds=bounds, nodes=self.nodes)
            return Done(number, configuration, "complete", outcome, outcome.seconds)
        except (DiskFull, MemoryError):
            raise
        except Weak as weak:
            state, facts = "weak", dict[str, Any](loss=weak.loss, folds=weak.folds, curve=weak.curve)
        except Pruned as pruned:
            state, facts = "pruned", dict[str, Any](curve=pruned.curve)
        except TimeUp:
            state, facts = "late", {}
        except Exception as error:  # noqa: BLE001 - one configuration that does not work is no reason to end the search
            state, facts = "failed", {"message": str(explain(error)["message"])}
        return Done(number, configuration, state, None, time.monotonic() - began, facts)


class Alone:
    """One trial after another, here."""

    def __init__(self, task: Task, work: Workplace, records: Records) -> None:
        self._task, self._work, self._records = task, work, records
        self._done: list[Done] = []

    free, busy = True, False

    def begin(self, number: int, configuration: Configuration, bounds: Bounds, deadline: float) -> None:
        done = self._task.run(number, configuration, bounds, LimitedControl(self._work.control, deadline),
                              self._work.report)
        if done.outcome is not None:
            self._records.keep(done.outcome)
        self._done.append(done)

    def ended(self, wait: float) -> list[Done]:  # noqa: ARG002 - what has begun has ended
        done, self._done = self._done, []
        return done

    def has_models(self, number: int) -> bool:
        return self._records.has_models(number)

    def models(self, outcome: Outcome) -> Sequence[Any]:
        return self._records.models(outcome, self._task.rows.models)

    def drop(self, number: int) -> None:
        self._records.drop_models(number)

    def close(self) -> None:
        """Nothing is left to end."""


class Workers:
    """Several processes. Their trials' models come back as files: all at once if they are to be published, else when
    they are asked for.
    """

    def __init__(self, processes: Sequence[subprocess.Popen[bytes]], task: Task, records: Records, folder: Path,
                 work: Workplace, *, publish: bool = False) -> None:
        """``processes``: those of ``start_workers``, which are at this crew's orders from now on."""
        self._processes, self._work, self._records, self._models = processes, work, records, task.rows.models
        self._holders: dict[int, int] = {}   # trial: the worker that holds its models
        self._said: queue.Queue[tuple[int, dict[str, Any] | None]] = queue.Queue()
        self._at: dict[int, tuple[int, Configuration] | None] = {}
        self._finishing = False
        save_rows(task.rows, folder / "rows")
        given = {"folder": str(folder), "aim": task.aim.name, "quantile": task.aim.quantile, "seed": task.seed,
                 "device": task.device, "nodes": task.nodes, "publish": publish,
                 "threads": max(1, task.threads // len(processes))}
        for place, process in enumerate(self._processes):
            self._at[place] = None
            threading.Thread(target=self._listen, args=(place, process), name=f"worker {place}", daemon=True).start()
            self._tell(place, given)

    @property
    def free(self) -> bool:
        return any(at is None for at in self._at.values())

    @property
    def busy(self) -> bool:
        return any(at is not None for at in self._at.values())

    def begin(self, number: int, configuration: Configuration, bounds: Bounds, deadline: float) -> None:
        place = next(place for place, at in self._at.items() if at is None)
        self._at[place] = (number, configuration)
        self._tell(place, {"number": number, "configuration": asdict(configuration), "bounds": asdict(bounds),
                           "left": max(0.0, min(1e9, deadline - time.monotonic()))})

    def ended(self, wait: float) -> list[Done]:
        if self._work.control.finish and not self._finishing:
            self._finishing = True
            for place in self._at:
                self._tell(place, {"finish": True})
        found: list[Done] = []
        try:
            said = self._said.get(timeout=wait)
            while True:
                found += self._hear(*said)
                said = self._said.get_nowait()
        except queue.Empty:
            return found

    def has_models(self, number: int) -> bool:
        return self._holders.get(number) in self._at or self._records.has_models(number)

    def models(self, outcome: Outcome) -> Sequence[Any]:
        place = self._holders.pop(outcome.number, None)
        if place in self._at:
            self._tell(place, {"hand_over": outcome.number})
            self._await(place, outcome.number)
        return self._records.models(outcome, self._models)

    def drop(self, number: int) -> None:
        place = self._holders.pop(number, None)
        if place in self._at:
            self._tell(place, {"drop": number})
        self._records.drop_models(number)

    def close(self) -> None:
        _end(self._processes)

    def _await(self, place: int, number: int) -> None:
        """Wait until a worker has handed over the models of a trial, or has died."""
        until = time.monotonic() + _HANDING
        while place in self._at and time.monotonic() < until:
            try:
                at, said = self._said.get(timeout=1.0)
            except queue.Empty:
                self._work.control.check()
                continue
            if said is None:
                self._at.pop(at, None)
            elif (at, said.get("handed_over")) == (place, number):
                return

    def _hear(self, place: int, said: dict[str, Any] | None) -> list[Done]:
        """Take in what a worker said; None: it is gone, with the trial it was at."""
        running = self._at.get(place)
        if said is None:
            del self._at[place]
            if running is None and self._at:
                return []
            if not self._at:
                raise WorkFailed("The processes that try the models have all died.",
                                 hint="The machine may have too little memory for so many at once.")
            assert running is not None  # noqa: S101 - for mypy
            return [Done(*running, "failed", facts={"message": "The process that tried it died."})]
        if running is None or "number" not in said:
            return []
        self._at[place] = None
        if said["state"] == "complete":
            self._holders[running[0]] = place
        outcome = self._records.one(running[0]) if said["state"] == "complete" else None
        state = "failed" if said["state"] == "complete" and outcome is None else said["state"]
        if said["state"] == "full":
            raise DiskFull(said["facts"]["message"], hint="Free some space on that disk, then resume the search.")
        return [Done(*running, state, outcome, said["seconds"], said["facts"])]

    def _tell(self, place: int, line: Mapping[str, Any]) -> None:
        pipe = self._processes[place].stdin
        try:
            if pipe is not None:
                pipe.write(json.dumps(line).encode() + b"\n")
                pipe.flush()
        except OSError:
            pass   # it died, which its listener says

    def _listen(self, place: int, process: subprocess.Popen[bytes]) -> None:
        try:
            for line in process.stdout or ():
                if line.startswith(b"{"):
                    self._said.put((place, json.loads(line)))
        except ValueError:
            pass   # closed, or a torn line of one that was killed
        self._said.put((place, None))


@contextmanager
def start_workers(count: int, modules: Sequence[str]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start the processes of ``Workers``, which load ``modules`` and wait; none where one process is enough.

    They take as long to load as a small table takes to prepare, so they are started before it.
    """
    with _sigterm_held_back():
        processes = [subprocess.Popen(
            [sys.executable, "-m", "mldesk.training.search.worker", *modules], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE) for _ in range(count if count > 1 else 0)]
    try:
        yield processes
    finally:
        _end(processes)


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.kill()
        with suppress(subprocess.TimeoutExpired):   # it is killed; on a busy machine it may take its time to be gone
            process.wait(_CLOSING)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def _sigterm_held_back() -> Iterator[None]:
    """Start processes that SIGTERM does not reach: it comes to the whole group when the search is to pause.

    They could ignore it themselves, but only once they have been loaded, and it may come before.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
