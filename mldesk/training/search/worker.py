"""Makes trials of a search: ``python -m mldesk.training.search.worker [MODULE...]``, see ``crew.Workers``.

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
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as mldesk.training.run does, before anything loads OpenMP

from mldesk.core.errors import DiskFull, MldeskError
from mldesk.training.search.crew import Done, Task
from mldesk.training.search.measures import find_aim
from mldesk.training.search.portfolio import Configuration
from mldesk.training.search.records import Records
from mldesk.training.search.row_files import load_rows
from mldesk.training.search.trial import Bounds, LimitedControl, Outcome
from mldesk.wire.control import Control
from mldesk.wire.report import Report


class _Told(Control):
    """Asks to finish once a line said so."""

    def __init__(self) -> None:
        self.told = threading.Event()

    @property
    def finish(self) -> bool:
        return self.told.is_set()

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
    """Make the trials that come in, one after another, until there are no more."""
    control, orders = _Told(), queue.Queue[dict[str, Any]]()
    threading.Thread(target=_listen, args=(orders, control), daemon=True).start()
    for module in modules:
        with suppress(ImportError):   # the trial that needs it says so
            importlib.import_module(module)
    given = orders.get()
    folder = Path(given["folder"])
    rows, records = load_rows(folder / "rows"), Records(folder)
    task = Task(rows, find_aim(given["aim"], rows.classes, given["quantile"]), given["seed"], given["threads"],
                given["device"], given["nodes"])
    held: dict[int, Outcome] = {}   # with the models that nobody has asked for yet
    while True:
        order = orders.get()
        if "drop" in order:
            held.pop(order["drop"], None)
            continue
        if "hand_over" in order:
            _hand_over(order["hand_over"], held, records)
            continue
        limited = LimitedControl(control, time.monotonic() + order["left"])
        done = task.run(order["number"], Configuration(**order["configuration"]), Bounds(**order["bounds"]), limited,
                        _Silent())
        try:
            if done.outcome is not None:
                records.keep(done.outcome, models=given["publish"])
                held |= {} if given["publish"] else {done.number: done.outcome}
            _say(done, done.state)
        except DiskFull as error:
            _say(Done(done.number, done.configuration, "full", facts={"message": error.message}), "full")


def _hand_over(number: int, held: dict[int, Outcome], records: Records) -> None:
    """Write the models of a trial, and say so in any case: where they could not be written, it is fitted again."""
    with suppress(KeyError, OSError, MldeskError):
        records.keep_models(held.pop(number))
    sys.stdout.write(json.dumps({"handed_over": number}) + "\n")
    sys.stdout.flush()


def _say(done: Done, state: str) -> None:
    line = {"number": done.number, "state": state, "seconds": done.seconds, "facts": dict(done.facts)}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _listen(orders: queue.Queue[dict[str, Any]], control: _Told) -> None:
    for line in sys.stdin:
        order = json.loads(line)
        if order.get("finish"):
            control.told.set()
        else:
            orders.put(order)
    os._exit(0)   # whoever gave the orders is gone; what is under way is of no use to anybody


if __name__ == "__main__":
    main(sys.argv[1:])
