"""What the trainer takes of its machine, once a second."""

from __future__ import annotations

import contextlib
import os
import threading

import psutil

from mldesk.core.cores import usable_cores
from mldesk.wire.nvml import Card, NoCards, Nvml, visible
from mldesk.wire.report import Report

_EVERY = 1.0     # seconds
_PATIENCE = 2.0  # seconds a reading may still take when the job ends; a driver that hangs keeps nobody longer


def usable_threads(asked: int) -> int:
    """Return how many threads to calculate with: as asked, or every core this process may use."""
    if asked > 0:
        return asked
    cores = usable_cores()
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, int(limit)) if limit.isdecimal() and int(limit) > 0 else cores


def gpu_name() -> str:
    """Return the name of the first NVIDIA card this process may use, "" without one. Loads no torch."""
    with contextlib.suppress(NoCards), Nvml.open() as driver:
        card = first_card(driver)
        return "" if card is None else card.name
    return ""


def first_card(driver: Nvml) -> Card | None:
    """Return the card that this process sees as its first."""
    return next(iter(visible(driver.cards(processes=False), os.environ.get("CUDA_VISIBLE_DEVICES"))), None)


class ResourceWatch:
    """A thread that reports ``resources`` events until it is closed."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._closed = threading.Event()
        self._process = psutil.Process()
        self._thread = threading.Thread(target=self._watch, name="resources", daemon=True)

    def start(self) -> None:
        self._process.cpu_percent()  # the first reading is the one later ones count from
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)

    def _watch(self) -> None:
        # The driver is asked from this thread alone, so that one that hangs costs these readings and no more.
        with contextlib.ExitStack() as stack:
            driver: Nvml | None = None
            with contextlib.suppress(NoCards):
                driver = stack.enter_context(Nvml.open())
            while not self._closed.wait(_EVERY):
                with self._process.oneshot():
                    reading = {"cpu": self._process.cpu_percent(), "memory": self._process.memory_info().rss,
                               "threads": self._process.num_threads()}
                self._report.event("resources", **reading, **gpu_reading(driver))


def gpu_reading(driver: Nvml | None) -> dict[str, float]:
    """Return what a ``resources`` event says of the first card: percent at work, bytes in use. Empty without one."""
    card = None if driver is None else first_card(driver)
    if card is None:
        return {}
    load = {} if card.utilization is None else {"gpu": round(card.utilization * 100, 1)}
    return {**load, "gpu_memory": card.memory_used}
