"""What this machine is and has, for ``hello``. Asked of the system, never of torch."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import re
import socket
import threading
import time
from collections.abc import Sequence
from importlib import metadata
from typing import Any

import mldesk
from mldesk.core.cores import usable_cores
from runner_agent.cards import Card
from runner_agent.processes import boot_id

_PACKAGES = ("mldesk", "torch", "scikit-learn", "lightgbm", "numpy", "onnxruntime", "rpyc")
_lock = threading.Lock()


def hello(protocol: tuple[int, int], slots: int, cards: tuple[Card, ...], trainer: Sequence[str]) -> dict[str, Any]:
    """Return the answer to ``hello``. The slow parts are asked once per process."""
    with _lock:
        return {
            "agent": mldesk.__version__, "protocol": list(protocol), "boot_id": boot_id(), "host": socket.gethostname(),
            "clock": time.time(), "cores": usable_cores(), "memory": memory(),
            "devices": [{"kind": "cuda", "name": card.name, "memory": card.memory, "index": card.index,
                         "uuid": card.uuid} for card in cards],
            "python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}",
            "versions": _versions(), "slots": slots,
            "trains": os.environ.get("MLDESK_TRAINS") != "0", "training": _environment(trainer),
        }


def _environment(trainer: Sequence[str]) -> str:
    """Return the key of the training environment that an installer made; "" where the trainer is another one."""
    found = re.search(r"/environments/([0-9a-f]+)/bin/", trainer[0]) if trainer else None
    return found[1] if found else ""


@functools.cache
def memory() -> int:
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

