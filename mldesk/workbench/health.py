"""What this machine has, what is missing, and how to mend it. Looks; changes nothing; imports nothing heavy.

torch and its kin are asked for their version through their metadata, never imported; the GPU is asked through
``nvidia-smi``, which can be given up on when a broken driver hangs it.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from mldesk.core.cores import usable_cores
from mldesk.core.errors import MldeskError, RunnerUnreachable
from mldesk.core.paths import Home, socket_directory
from mldesk.core.sizes import size
from mldesk.wire.link_sockets import private_directory

GIB = 1024**3
LOW_DISK = 5 * GIB       # bytes free below which a warning is due
NO_DISK = GIB // 2       # bytes free below which nothing can be trained
LOW_MEMORY = 4 * GIB
PATIENCE = 10.0          # seconds for a helper program to answer

Status = Literal["ok", "warning", "missing"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. "warning": works, with a limit; "missing": something cannot work until it is mended."""

    name: str
    status: Status
    text: str                # one sentence
    hint: str = ""           # how to mend it
    facts: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "status": self.status, "text": self.text, "hint": self.hint, "facts": self.facts}


def examine(home: Home, *, secrets: Callable[[], str], library: Callable[[], str],
            agent: Callable[[], str]) -> Iterator[Finding]:
    """Look at everything, one finding at a time.

    The three callables are the parts that only the workbench knows; each returns a sentence or raises MldeskError.
    """
    yield python()
    yield packages("mldesk", "core", "")
    yield packages("training", "agent", "agent")
    yield packages("window", "desktop", "desktop")
    yield gpu()
    yield memory()
    yield disk(home)
    yield sockets(home)
    yield asked("secrets", secrets, "warning")
    yield asked("library", library, "missing")
    yield asked("agent", agent, "missing")
    yield display()


def python() -> Finding:
    """The interpreter."""
    version = platform.python_version()
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding("python", "ok" if good else "warning", f"Python {version} on {platform.platform(terse=True)}.",
                   "" if good else "MLDesk is tested with Python 3.11 to 3.13.",
                   {"version": version, "executable": sys.executable})


def packages(name: str, title: str, extra: str) -> Finding:
    """The distributions that one extra of MLDesk (or, for "", MLDesk itself) needs, by their metadata."""
    found: dict[str, str | None] = {}
    for requirement in _requirements(extra):
        try:
            found[requirement] = importlib.metadata.version(requirement)
        except importlib.metadata.PackageNotFoundError:
            found[requirement] = None
    missing = [requirement for requirement, version in found.items() if version is None]
    if not missing:
        torch = f", torch {found['torch']}" if "torch" in found else ""
        return Finding(name, "ok", f"All {len(found)} packages for {title} are there{torch}.", "", dict(found))
    bracket = f"[{extra}]" if extra else ""
    return Finding(name, "missing", f"Missing for {title}: {', '.join(missing)}.",
                   f"Run `pip install 'mldesk{bracket}'` in this environment.", dict(found))


def gpu() -> Finding:
    """NVIDIA graphics cards, and whether the installed torch can use them."""
    torch = _version("torch") or ""
    program = shutil.which("nvidia-smi")
    if program is None:
        return Finding("gpu", "ok", "No NVIDIA GPU: training uses the CPU.", "", {"devices": [], "torch": torch})
    query = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=PATIENCE, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("gpu", "warning", f"The NVIDIA driver gives no answer ({type(error).__name__}).",
                       "Run `nvidia-smi` in a terminal; after a driver update the machine may need a restart.",
                       {"devices": [], "torch": torch})
    devices = [dict(zip(("name", "memory_mib", "driver"), (cell.strip() for cell in line.split(",")), strict=False))
               for line in done.stdout.splitlines() if line.strip()]
    text = "GPU: " + ", ".join(f"{device['name']} ({_memory(device)})" for device in devices) + "."
    if devices and "+cpu" in torch:
        return Finding("gpu", "warning", text + " The installed torch cannot use it.",
                       "Install the CUDA build of torch that fits the driver.", {"devices": devices, "torch": torch})
    return Finding("gpu", "ok", text, "", {"devices": devices, "torch": torch})


def _memory(device: dict[str, str]) -> str:
    """Return a card's memory in words; "?" where its driver says none."""
    said = device.get("memory_mib", "")
    return size(int(said) * 2**20) if said.isascii() and said.isdigit() else "?"


def memory() -> Finding:
    """Cores and memory."""
    import psutil  # only doctor needs it here

    total, cores = psutil.virtual_memory().total, usable_cores()
    low = total < LOW_MEMORY
    return Finding("memory", "warning" if low else "ok", f"{cores} cores, {size(total)} memory.",
                   "Large tables and models may not fit." if low else "", {"cores": cores, "memory": total})


def disk(home: Home) -> Finding:
    """Space where the library lies, and whether it can be written."""
    folder = next(path for path in (home.root, *home.root.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    facts = {"home": str(home.root), "free": free}
    if not os.access(folder, os.W_OK):
        return Finding("disk", "missing", f"The library's folder cannot be written: {home.root}.",
                       "Choose another with --home DIR or MLDESK_HOME.", facts)
    status: Status = "missing" if free < NO_DISK else "warning" if free < LOW_DISK else "ok"
    return Finding("disk", status, f"{size(free)} free for the library in {home.root}.",
                   "" if status == "ok" else "Free some space, or move the library with MLDESK_HOME.", facts)


def sockets(home: Home) -> Finding:
    """Whether the local runner can be talked to: a Unix socket in a private folder."""
    if not hasattr(socket, "AF_UNIX"):
        return Finding("sockets", "warning", "No Unix sockets here: the local runner uses a loopback port.")
    folder = socket_directory(home.runner)
    there = folder.exists()
    try:
        private_directory(folder)
        with tempfile.TemporaryDirectory(dir=folder) as inside, \
                socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
            server.bind(str(Path(inside) / "s"))
        if not there:
            folder.rmdir()
    except OSError as error:
        return Finding("sockets", "missing", f"No Unix socket can be made in {folder}: {error.strerror or error}.",
                       "Set TMPDIR (or XDG_RUNTIME_DIR) to a short local folder that you own.", {"folder": str(folder)})
    except RunnerUnreachable as error:
        return Finding("sockets", "missing", error.message, error.hint, {"folder": str(folder)})
    return Finding("sockets", "ok", f"Unix sockets work in {folder}.", "", {"folder": str(folder)})


def display() -> Finding:
    """Whether a window could be opened."""
    if sys.platform != "linux":
        return Finding("display", "ok", "A window can be opened.")
    shown = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
    if not shown:
        return Finding("display", "warning", "No display: the window cannot be opened here, every command works.",
                       "Sit at the machine, or use the window elsewhere and this machine as a runner.")
    return Finding("display", "ok", f"A display is there ({shown}).", "", {"display": shown})


def asked(name: str, question: Callable[[], str], bad: Status) -> Finding:
    """Turn a part's own answer into a finding."""
    try:
        return Finding(name, "ok", question())
    except MldeskError as error:
        return Finding(name, bad, error.message, error.hint)
    except OSError as error:
        return Finding(name, bad, f"{error.strerror or error}: {error.filename or name}.")


def _requirements(extra: str) -> list[str]:
    """Names of what MLDesk's own metadata asks for under ``extra``; empty for a tree that was never installed."""
    try:
        lines = importlib.metadata.requires("mldesk") or []
    except importlib.metadata.PackageNotFoundError:
        return []
    names = []
    for line in lines:
        wanted = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", line)
        name = re.match(r"[\w.-]+", line)
        if name and name[0] != "mldesk" and (wanted[1] if wanted else "") == extra:
            names.append(name[0])
    return names


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
