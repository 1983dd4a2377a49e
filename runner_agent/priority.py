"""How much of the processor a trainer that makes itself ready takes beside jobs: little, until it has one of its own.

Linux may share the processor out between sessions first (autogroup, see sched(7)); niceness counts only among the
processes of one session then. A trainer is a session of its own, so that its session is made nice as well.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

_NICE = 10
_TRIES, _PAUSE = 5, 0.1   # the system takes such a wish from an ordinary user ten times a second


def be_polite() -> None:
    """Run at low priority; in a way that can be undone, which niceness cannot for an ordinary user."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        os.nice(_NICE)
    elif sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def let_session_be_polite() -> None:
    """Make this process' new session as polite as whoever began it was made by ``be_polite``."""
    if sys.platform == "linux" and (os.getpriority(os.PRIO_PROCESS, 0) > 0
                                    or os.sched_getscheduler(0) == os.SCHED_BATCH):
        _set_session(os.getpid(), _NICE)


def restore_priority(pid: int) -> None:
    """Give a trainer that made itself ready politely its full share again, as far as the system allows."""
    tasks = Path(f"/proc/{pid}/task")
    threads: Iterable[int] = [int(item.name) for item in tasks.iterdir()] if tasks.is_dir() else [pid]
    for thread in threads:
        with contextlib.suppress(OSError):
            if sys.platform == "linux":
                os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))
            os.setpriority(os.PRIO_PROCESS, thread, 0)
    _set_session(pid, 0)


def _set_session(pid: int, nice: int) -> None:
    path = Path(f"/proc/{pid}/autogroup")
    for _ in range(_TRIES):
        try:
            if path.exists() and int(path.read_text("ascii").split()[-1]) != nice:
                path.write_text(str(nice), "ascii")
            return
        except OSError as error:
            if error.errno != errno.EAGAIN:
                return    # it is switched off
            time.sleep(_PAUSE)
        except (ValueError, IndexError):
            return
