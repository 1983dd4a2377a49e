"""What tests do to every Python at the far end, from within, where the machine offers no better way.

MLDESK_TEST_LEAP names a file with the seconds that the wall clock is off by; MLDESK_TEST_FULL a file that, while it is
there, makes the disk below its folder full: nothing can be written until the runner has given up its ballast.
MLDESK_TEST_PROTOCOL holds the lowest and highest version of the protocol that is to be spoken there: "1 1".
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
from pathlib import Path
from typing import Any

_kept: list[Any] = []      # what is to last until the process ends


def _leap(file: str) -> None:
    real, real_ns = time.time, time.time_ns

    def offset() -> float:
        with contextlib.suppress(OSError, ValueError), open(file, encoding="ascii") as text:
            return float(text.read())
        return 0.0

    time.time = lambda: real() + offset()
    time.time_ns = lambda: real_ns() + int(offset() * 1e9)


def _fill(file: str) -> None:
    from tests.core.disk_faults import LASTING, Faults, spoiling

    folder = Path(file).parent

    def full() -> bool:
        return os.path.exists(file) and any(folder.rglob("ballast"))

    class Full(Faults):
        def pass_or_fail(self, kind: str, _half: Any = None) -> None:
            if kind in LASTING and full():
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def usage(path: Any, real: Any = shutil.disk_usage) -> Any:
        found = real(path)
        return found._replace(used=found.total, free=0) if os.path.exists(file) else found

    shutil.disk_usage = usage
    spoilt = spoiling(Full(folder, 0))
    spoilt.__enter__()
    _kept.append(spoilt)


def _speak(versions: str) -> None:
    from mldesk.wire import protocol

    low, high = versions.split()
    protocol.PROTOCOL = (int(low), int(high))


if "MLDESK_TEST_PROTOCOL" in os.environ:
    _speak(os.environ["MLDESK_TEST_PROTOCOL"])
if "MLDESK_TEST_LEAP" in os.environ:
    _leap(os.environ["MLDESK_TEST_LEAP"])
if "MLDESK_TEST_FULL" in os.environ:
    _fill(os.environ["MLDESK_TEST_FULL"])
