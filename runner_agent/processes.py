"""Which process is which, told safely: a pid alone may be another process by now.

A process is (pid, when it started, which boot). Linux answers from /proc; other systems through ``ps``.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LINUX = sys.platform.startswith("linux")
TOKEN = "MLDESK_TRAINER_TOKEN"  # noqa: S105 - the name of an environment variable that marks a trainer's descendants
_PROC = Path("/proc")
_CHILD_SUBREAPER = 36      # PR_SET_CHILD_SUBREAPER


@dataclass(frozen=True, slots=True)
class Identity:
    """One process that was, and may still be."""

    pid: int
    start: str    # when it started, in the system's own unit; compared, never read
    boot: str     # which boot of the machine

    def to_json(self) -> dict[str, Any]:
        return {"pid": self.pid, "start": self.start, "boot": self.boot}

    @classmethod
    def from_json(cls, value: Any) -> Identity:
        """Read what ``to_json`` wrote. Raises ValueError, TypeError, KeyError."""
        return cls(int(value["pid"]), str(value["start"]), str(value["boot"]))

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """Return the identity of a living process; None for one that is gone or only waits to be reaped."""
        start = _start_of(pid)
        return None if start is None else cls(pid, start, boot_id())

    @property
    def alive(self) -> bool:
        """It still runs, on this boot."""
        return self.boot == boot_id() and _start_of(self.pid) == self.start


@functools.cache
def boot_id() -> str:
    """Return a name for this boot of the machine."""
    with contextlib.suppress(OSError):
        return (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
    command = ["sysctl", "-n", "kern.boottime"] if sys.platform == "darwin" else ["uptime", "-s"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    return "unknown"


def signal_trainer(pid: int, number: int) -> None:
    """Send a signal to a trainer and its process group, which has the same number."""
    for send in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            send(pid, number)


def kill_all(pids: Iterable[int]) -> None:
    """SIGKILL each of them that is still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def adopt_orphans() -> None:
    """Become the parent of whatever our descendants leave behind, so that none of it gets out of sight (Linux only)."""
    if LINUX:
        import ctypes  # slow to load, and nobody else here needs it

        ctypes.CDLL(None).prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans(child: int) -> None:
    """Let go of ended processes that became our children, all but ``child``, whose end others wait for."""
    if not LINUX:
        return
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and ended.si_pid != child:
            os.waitpid(ended.si_pid, os.WNOHANG)


def members(group: int, token: str, roots: Collection[int] = ()) -> list[int]:
    """Return the living processes of a trainer, wherever they went.

    They are of its process group, or carry its token, or descend from one of the processes ``roots``.
    """
    if not LINUX:
        return [pid for pid, facts in _ps("pid=,pgid=,stat=").items() if facts[0] == str(group) and "Z" not in facts[1]]
    mark = f"{TOKEN}={token}".encode()
    stats = {int(entry.name): facts for entry in _PROC.iterdir()
             if entry.name.isdigit() and (facts := _stat(int(entry.name)))}
    family = _descendants({pid: int(facts[1]) for pid, facts in stats.items()}, roots)
    return [pid for pid, facts in stats.items() if facts[0] not in "ZX" and pid != os.getpid()
            and (facts[2] == str(group) or pid in family or _carries(_PROC / str(pid), mark))]


def _descendants(parents: Mapping[int, int], roots: Collection[int]) -> set[int]:
    """Return the processes whose parent, or parent's parent and so on, is one of ``roots``."""
    children: dict[int, list[int]] = {}
    for pid, parent in parents.items():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    wave = list(roots)
    while wave:
        following = [child for pid in wave for child in children.get(pid, ()) if child not in found]
        found.update(following)
        wave = following
    return found


def resident_bytes(group: int) -> int:
    """Return the memory that the processes of a group hold, in bytes."""
    if not LINUX:
        return sum(int(facts[1]) * 1024 for facts in _ps("pid=,pgid=,rss=").values() if facts[0] == str(group))
    total = 0
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (facts := _stat(int(entry.name))) and facts[2] == str(group):
            total += int(facts[21])
    return total * os.sysconf("SC_PAGE_SIZE")


def oom_kills() -> int | None:
    """Return how many processes the kernel killed for memory, where this process may know; it only grows."""
    counts = [count for path, key in _oom_files() if (count := _counter(path, key)) is not None]
    return sum(counts) if counts else None


@functools.cache
def _oom_files() -> tuple[tuple[Path, str], ...]:
    files = [(_PROC / "vmstat", "oom_kill")]
    with contextlib.suppress(OSError):
        for line in (_PROC / "self/cgroup").read_text("ascii").splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "":
                files.append((Path("/sys/fs/cgroup") / path.lstrip("/") / "memory.events", "oom_kill"))
            elif "memory" in controllers.split(","):
                files.append((Path("/sys/fs/cgroup/memory") / path.lstrip("/") / "memory.oom_control", "oom_kill"))
    return tuple(files)


def _counter(path: Path, key: str) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        for line in path.read_text("ascii").splitlines():
            name, _, value = line.partition(" ")
            if name == key:
                return int(value)
    return None


def _start_of(pid: int) -> str | None:
    if LINUX:
        facts = _stat(pid)
        return None if facts is None or facts[0] in "ZX" else facts[19]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        line = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True,
                              timeout=5, check=True).stdout.strip()
        state, _, start = line.partition(" ")
        return None if not line or "Z" in state else start.strip()
    return None


def _stat(pid: int) -> list[str] | None:
    """Return /proc/PID/stat from the state on: 0 state, 1 parent, 2 group, 19 start in ticks, 21 resident pages."""
    try:
        text = (_PROC / str(pid) / "stat").read_text("ascii", "replace")
    except OSError:
        return None
    return text[text.rfind(")") + 2:].split()


def _carries(entry: Path, mark: bytes) -> bool:
    try:
        return mark in (entry / "environ").read_bytes().split(b"\0")
    except OSError:  # another user's, or gone
        return False


def _ps(columns: str) -> dict[int, list[str]]:
    lines = subprocess.run(["ps", "-A", "-o", columns], capture_output=True, text=True, timeout=10,
                           check=False).stdout.splitlines()
    rows = [line.split() for line in lines]
    return {int(row[0]): row[1:] for row in rows if len(row) == 3}
