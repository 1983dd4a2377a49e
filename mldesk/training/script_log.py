"""What a user's program prints, into the job's log, with a bound: its beginning and its end are kept."""

from __future__ import annotations

import os
import stat
import threading
from contextlib import suppress
from typing import IO

HEAD = 40_000_000     # bytes of a log that are kept as they come, those of earlier attempts among them
TAIL = 10_000_000     # bytes of what follows that are kept: the last ones
_BLOCK = 1 << 16
_PATIENCE = 3.0       # seconds for what the ended program left; a process of its own may hold the pipe for ever


class PrintedLog:
    """Reads a pipe until its end and writes it to ``log``, a file descriptor; the tail when ``close`` is called.

    The log only ever grows, so whoever follows it need not know of the bound. ``left_out`` is the number of bytes
    that were dropped between head and tail. A full disk does not hold the program up: what cannot be written is lost.
    """

    def __init__(self, printed: IO[bytes], log: int = 1, *, head: int = HEAD, tail: int = TAIL,
                 patience: float = _PATIENCE) -> None:
        self._printed, self._log, self._most, self._patience = printed, log, tail, patience
        self._head = max(0, head - _size(log))
        self._tail = bytearray()
        self._lock = threading.Lock()
        self._closed = False
        self.left_out = 0
        self._reader = threading.Thread(target=self._read, name="printed", daemon=True)
        self._reader.start()

    def close(self) -> None:
        """Write the tail. Call it when the program has ended."""
        self._reader.join(self._patience)
        with self._lock:
            self._closed = True
            if self.left_out:
                self._write(f"\n--- {self.left_out:,} bytes are left out here ---\n".encode())
            self._write(bytes(self._tail))
            self._tail.clear()

    def _read(self) -> None:
        with self._printed:
            while block := os.read(self._printed.fileno(), _BLOCK):
                with self._lock:
                    if not self._closed:
                        self._take(block)

    def _take(self, block: bytes) -> None:
        now, later = block[:self._head], block[self._head:]
        self._head -= len(now)
        self._write(now)
        self._tail += later
        over = max(0, len(self._tail) - self._most)
        del self._tail[:over]
        self.left_out += over

    def _write(self, block: bytes) -> None:
        with suppress(OSError):
            while block:
                block = block[os.write(self._log, block):]


def _size(log: int) -> int:
    status = os.fstat(log)
    return status.st_size if stat.S_ISREG(status.st_mode) else 0
