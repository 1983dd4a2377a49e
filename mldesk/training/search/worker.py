"""Makes trials of a search: ``python -m mldesk.training.search.worker [MODULE...]``, see ``workers.Workers``.

It loads the modules first. Then lines of JSON come: what all its trials share, and after that what it is to do.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as mldesk.training.run does, before anything loads OpenMP

from mldesk.core.errors import DiskFull, MldeskError
from mldesk.training.search.crew import Done, Task, unspoilt
from mldesk.training.search.measures import find_aim
from mldesk.training.search.portfolio import Configuration
from mldesk.training.search.records import Records
from mldesk.training.search.row_files import load_rows
from mldesk.training.search.sharing import Sharing, keep_wave
from mldesk.training.search.trial import Bounds, LimitedControl, TimeUp
from mldesk.wire.control import Control
from mldesk.wire.report import Report

FOLDS = "folds"   # the folder of what was fitted for another process


class _Told(Control):
    """Asks to finish once a line said so, or that nobody waits for ``number`` any more."""

    def __init__(self) -> None:
        self.told, self.left, self.number = threading.Event(), set[int](), 0
        self.others = False   # whether there were trials by the time that it was told to finish

    @property
    def finish(self) -> bool:
        return self.told.is_set() or self.number in self.left

    @property
    def terminate(self) -> bool:
        return False

    def check(self) -> None:
        """A process that is to go is killed."""


class _Silent(Report):
    """Trials are told of by the search."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def event(self, kind: str, **payload: Any) -> None:
        """Nobody reads it."""


def main(modules: Sequence[str]) -> None:
    """Serve whoever started this process."""
    serve(sys.stdin.buffer, sys.stdout.buffer, modules)


def serve(orders: IO[bytes], answers: IO[bytes], modules: Sequence[str] = ()) -> None:
    """Make the trials that come in, one after another, until this process is killed or there is nobody to serve."""
    worker = _Worker(orders, answers)
    for module in modules:
        with suppress(ImportError):   # the trial that needs it says so
            importlib.import_module(module)
    worker.work()


class _Worker:
    """One process. A thread of its own reads the orders; those that cannot wait are followed there."""

    def __init__(self, orders: IO[bytes], answers: IO[bytes]) -> None:
        self._in, self._out, self._saying = orders, answers, threading.Lock()
        self._orders, self._control = queue.Queue[dict[str, Any]](), _Told()
        self._held: dict[int, tuple[str, dict[int, Any]]] = {}   # models by place that nobody has asked for yet
        self._sharing: Sharing | None = None
        threading.Thread(target=self._listen, daemon=True).start()

    def work(self) -> None:
        """Follow orders."""
        given = self._orders.get()
        folder = Path(given["folder"])
        rows, self._records = load_rows(folder / "rows"), Records(folder)
        self._folds = folder / FOLDS
        self._sharing = Sharing(self._folds)
        self._task = Task(rows, find_aim(given["aim"], rows.classes, given["quantile"], given["labels"]),
                          given["seed"], given["threads"], given["device"], given["nodes"])
        while True:
            order = self._orders.get()
            if "drop" in order:
                self._held.pop(order["drop"], None)
            elif "hand_over" in order:
                self._hand_over(order["hand_over"])
            else:
                self._follow(order)

    def _follow(self, order: dict[str, Any]) -> None:
        number, chosen = order["number"], Configuration(**order["configuration"])
        self._control.number = number
        limited = LimitedControl(self._control, time.monotonic() + order["left"])
        try:
            if "wave" in order:
                self._fit_wave(number, order["wave"], chosen, time.monotonic() + order["seconds"], limited)
            else:
                self._make(number, chosen, Bounds(**order["bounds"]), limited)
        except DiskFull as error:
            self._say_done(Done(number, chosen, "full", facts={"message": error.message}))

    def _make(self, number: int, chosen: Configuration, bounds: Bounds, control: Control) -> None:
        assert self._sharing is not None  # noqa: S101 - for mypy: made before the first order
        done = self._task.run(number, chosen, bounds, control, _Silent(), self._sharing)
        done = unspoilt(done, asked=self._control.told.is_set() and (self._control.others or not bounds.needed))
        self._sharing.end()
        if done.outcome is not None:
            self._hold(number, chosen, dict(enumerate(done.outcome.natives)))
            self._records.keep(done.outcome)
        self._say_done(done)

    def _fit_wave(self, number: int, wave: int, chosen: Configuration, until: float, control: Control) -> None:
        """Fit folds of a trial that another process makes; whatever fails here fails there as well."""
        began, seconds = time.monotonic(), None
        with suppress(Exception):
            if control.finish:
                raise TimeUp
            predictions, cuts, models = self._task.fit_wave(wave, chosen, control, _Silent(), until)
            keep_wave(self._folds, number, wave, predictions, cuts)
            self._hold(number, chosen, models)
            seconds = time.monotonic() - began
        self._say({"fitted": wave, "of": number, "seconds": seconds})

    def _hold(self, number: int, chosen: Configuration, models: dict[int, Any]) -> None:
        _, held = self._held.setdefault(number, (chosen.estimator, {}))
        held |= {place: made for place, made in models.items() if made is not None}

    def _hand_over(self, number: int) -> None:
        """Write the models of a trial, and say so in any case: where they could not be written, it is fitted again."""
        with suppress(KeyError, OSError, MldeskError):
            self._records.keep_models(number, *self._held.pop(number))
        self._say({"handed_over": number})

    def _say_done(self, done: Done) -> None:
        self._say({"number": done.number, "state": done.state, "seconds": done.seconds, "facts": dict(done.facts)})

    def _say(self, line: dict[str, Any]) -> None:
        with self._saying:
            self._out.write(json.dumps(line).encode() + b"\n")
            self._out.flush()

    def _listen(self) -> None:
        for line in self._in:
            order = json.loads(line)
            if order.get("finish"):
                self._control.others = order["others"]
                self._control.told.set()
            elif "leave" in order:
                self._control.left.add(order["leave"])
            elif "lend" in order:
                lent = None if self._sharing is None else self._sharing.lend(order["lend"])
                self._say({"lent": None if lent is None else lent[0], "of": order["lend"],
                           "seconds": None if lent is None else lent[1]})
            elif "back" in order:
                if self._sharing is not None:
                    self._sharing.back(order["of"], order["back"], order["seconds"])
            else:
                self._orders.put(order)
        os._exit(0)   # whoever gave the orders is gone; what is under way is of no use to anybody


if __name__ == "__main__":
    main(sys.argv[1:])
