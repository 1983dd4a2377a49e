"""A job's own events, from any thread, up to the terminal one and never beyond it."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mldesk.core.durable import disk_errors
from mldesk.wire.events import TERMINAL
from mldesk.wire.spool import SpoolWriter


class Spool:
    """One attempt's spool file. Thread-safe; after a terminal event nothing is written any more."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._writer = SpoolWriter(path)
        self._ended = False
        self._closed = False

    @property
    def ended(self) -> bool:
        """The terminal event is written, or the file closed."""
        return self._ended

    def write(self, kind: str, payload: Mapping[str, Any]) -> bool:
        """Append one event; return whether it was still allowed. Raises DiskFull, leaving whole lines only."""
        with self._lock:
            if self._ended:
                return False
            with disk_errors("writing down what the run does"):
                try:
                    self._writer.append(kind, payload)
                except OSError:
                    self._drop_torn_line()
                    raise
            self._ended = kind in TERMINAL
            return True

    def close(self) -> None:
        """Close the file. Later writes are dropped."""
        with self._lock:
            self._ended = True
            if not self._closed:
                self._closed = True
                self._writer.close()

    def _drop_torn_line(self) -> None:
        data = self._path.read_bytes()
        os.truncate(self._path, data.rfind(b"\n") + 1)
