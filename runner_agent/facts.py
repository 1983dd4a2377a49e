"""What this machine is and has, for ``hello``. Asked of the system, never of torch."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import shutil
import socket
import subprocess
import threading
import time
from importlib import metadata
from typing import Any

import mldesk
from mldesk.wire.protocol import PROTOCOL
from runner_agent.processes import boot_id

_PACKAGES = ("mldesk", "torch", "scikit-learn", "lightgbm", "numpy", "onnxruntime", "rpyc")
_lock = threading.Lock()


def hello(slots: int) -> dict[str, Any]:
    """Return the answer to ``hello``. The slow parts are asked once per process."""
    with _lock:
        return {
            "agent": mldesk.__version__, "protocol": list(PROTOCOL), "boot_id": boot_id(), "host": socket.gethostname(),
            "clock": time.time(), "cores": _cores(), "memory": _memory(), "devices": _devices(),
            "python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}",
            "versions": _versions(), "slots": slots,
        }


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> int:
    """Return bytes of physical memory; 0 where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return 0


@functools.cache
def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


@functools.cache
def _devices() -> list[dict[str, Any]]:
    """Return the GPUs that the driver's own tool names, which a hung driver cannot make us wait for."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    query = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        text = subprocess.run(query, capture_output=True, text=True, timeout=5, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [line.rsplit(",", 1) for line in text.splitlines() if "," in line]
    return [{"kind": "cuda", "name": name.strip(), "memory": int(memory) * 2**20} for name, memory in rows
            if memory.strip().isdigit()]
