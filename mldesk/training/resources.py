"""What the trainer takes of its machine, once a second."""

from __future__ import annotations

import os
import threading
from typing import Any

import psutil

from mldesk.wire.report import Report

_EVERY = 1.0  # seconds


def usable_threads(asked: int) -> int:
    """Return how many threads to calculate with: as asked, or every core this process may use."""
    if asked > 0:
        return asked
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, int(limit)) if limit.isdecimal() and int(limit) > 0 else cores


def gpu_name() -> str:
    """Return the name of the first NVIDIA device, "" without one. Loads no torch."""
    gpu = _Gpu()
    name = gpu.name()
    gpu.close()
    return name


class ResourceWatch:
    """A thread that reports ``resources`` events until it is closed."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._closed = threading.Event()
        self._process = psutil.Process()
        self._gpu = _Gpu()
        self._thread = threading.Thread(target=self._watch, name="resources", daemon=True)

    def start(self) -> None:
        self._process.cpu_percent()  # the first reading is the one later ones count from
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()
        self._gpu.close()

    def _watch(self) -> None:
        while not self._closed.wait(_EVERY):
            with self._process.oneshot():
                reading = {"cpu": self._process.cpu_percent(), "memory": self._process.memory_info().rss,
                           "threads": self._process.num_threads()}
            self._report.event("resources", **reading, **self._gpu.read())


class _Gpu:
    """The first NVIDIA device, if there is a driver; else nothing."""

    def __init__(self) -> None:
        self._device: Any = None
        try:
            import pynvml  # absent on machines set up without it

            self._nvml = pynvml
            pynvml.nvmlInit()
            self._device = pynvml.nvmlDeviceGetHandleByIndex(0)
        except Exception as error:  # noqa: BLE001 - no driver, no device, no library: all mean that there is none
            self.absent = str(error)

    def name(self) -> str:
        return str(self._nvml.nvmlDeviceGetName(self._device)) if self._device is not None else ""

    def read(self) -> dict[str, float]:
        if self._device is None:
            return {}
        try:
            return {"gpu": float(self._nvml.nvmlDeviceGetUtilizationRates(self._device).gpu),
                    "gpu_memory": int(self._nvml.nvmlDeviceGetMemoryInfo(self._device).used)}
        except self._nvml.NVMLError:
            self._device = None  # the driver went away, or does not tell
            return {}

    def close(self) -> None:
        if self._device is not None:
            self._nvml.nvmlShutdown()
