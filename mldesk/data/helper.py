"""A process of its own for work that may take more memory than there is: started, bounded, watched and ended.

DuckDB's own limit does not count the texts that a query makes, so only the system's limit of a whole process holds
them. Python steps of a recipe and queries that a user writes run in such processes.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from mldesk.data.stopping import watch

GIB = 1 << 30
_LOOK = 0.1                    # seconds between two looks at time and memory
_TAIL = 128 * 1024             # bytes of what it says that are kept
_PASSED_ON = ("LD_LIBRARY_PATH", "SYSTEMROOT", "SYSTEMDRIVE")  # what an installed Python may not start without


@contextlib.contextmanager
def helper(module: str, folder: Path, *, threads: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Start ``python -m module`` in ``folder``; whatever happens, it is gone afterwards. It ends when work is stopped.

    ``threads`` bounds those of numerical libraries.
    """
    process = subprocess.Popen(
        [sys.executable, "-s", "-P", "-B", "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, cwd=folder, env=_environment(folder, threads), start_new_session=True)
    try:
        watch(Killed(process))
        yield process
    finally:
        kill(process)
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            with contextlib.suppress(OSError, ValueError):
                assert pipe is not None  # noqa: S101 - all three are pipes
                pipe.close()


class Killed:
    """What ends a process when the work is stopped."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def interrupt(self) -> None:
        kill(self._process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it started, if it has not ended."""
    if process.poll() is not None:
        return
    import psutil  # slow to import, and only needed here

    started: list[psutil.Process] = []
    with contextlib.suppress(psutil.Error):
        started = psutil.Process(process.pid).children(recursive=True)
    with contextlib.suppress(ProcessLookupError, PermissionError, OSError):
        process.kill()
    for child in started:
        with contextlib.suppress(psutil.Error):
            child.kill()


def guard(process: subprocess.Popen[bytes], memory: int, seconds: float | None = None, starting: float = 30.0) -> str:
    """Wait until the process has ended; kill it when it breaks a limit, and return which: "memory" or "time".

    ``memory`` is what it may hold (bytes), ``seconds`` how long it may work (wall clock), after at most ``starting``.
    """
    import psutil  # slow to import, and only needed here

    end = None if seconds is None else time.monotonic() + seconds + starting
    began: float | None = None   # when it was seen to work
    why = ""
    while process.poll() is None:
        with contextlib.suppress(psutil.Error):
            facts = psutil.Process(process.pid)
            used, spent = facts.memory_info().rss, sum(facts.cpu_times()[:2])
            if began is None and spent > 0.3:
                began = time.monotonic()
            if used > memory:
                why = "memory"
        if end is not None and seconds is not None and time.monotonic() > min(end, (began or end) + seconds):
            why = why or "time"
        if why:
            kill(process)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_LOOK)
    return why


def last_of(pipe: IO[bytes]) -> bytes:
    """Read a pipe to its end and return the last of it, however much is written there."""
    kept = b""
    while piece := pipe.read(_TAIL):
        kept = (kept + piece)[-_TAIL:]
    return kept


def limit_memory(more: int, *, for_children: bool = True) -> bool:
    """Let this process take ``more`` bytes beyond what it has now, and no more; return whether the system can.

    Unless the limit is ``for_children``, too, those may raise it: they set one of their own.
    """
    if sys.platform != "linux":
        return False
    import resource

    with open("/proc/self/statm", encoding="ascii") as file:
        most = int(file.read().split()[0]) * resource.getpagesize() + more
    if for_children:
        lower(resource.RLIMIT_AS, most)
    else:
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
    return True


def lower(kind: int, most: int) -> None:
    """Set a limit of this process, unless it is lower already."""
    import resource

    hard = resource.getrlimit(kind)[1]
    least = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (least, least))


def _environment(folder: Path, threads: int | None) -> dict[str, str]:
    """Return an environment without anything of ours: no secrets, no paths, the same hashes every time."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_THREAD_LIMIT")
    few = {} if threads is None else dict.fromkeys(names, str(threads))
    return {**kept, **few, "PYTHONHASHSEED": "0", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC",
            "HOME": str(folder), "TMPDIR": str(folder), "MALLOC_ARENA_MAX": "2"}
