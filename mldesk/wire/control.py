"""What the supervisor asks of a job while it works: a file it polls, and SIGTERM."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

_POLL = 0.05     # seconds
_PATIENCE = 5.0  # seconds after SIGTERM in which the fit may leave a checkpoint behind

FINISH = "finish"
CANCEL = "cancel"
TERMINATE = "terminate"


class Terminated(BaseException):
    """SIGTERM came and a checkpoint is left behind; the process ends and the supervisor says why."""


class Control:
    """Polls the control file in a thread of its own.

    "finish" is for the fit to see (``finish``); "cancel" calls ``on_cancel`` at once, from the thread; SIGTERM makes
    the next ``check`` raise Terminated, and calls ``on_deadline`` if none comes in time.
    """

    def __init__(self, path: Path, on_cancel: Callable[[], None], on_deadline: Callable[[], None]) -> None:
        self._path = path
        self._on_cancel, self._on_deadline = on_cancel, on_deadline
        self._finish = threading.Event()
        self._closed = threading.Event()
        self._terminate_at: float | None = None
        self._before: Any = signal.SIG_DFL
        self._thread = threading.Thread(target=self._watch, name="control", daemon=True)

    @property
    def finish(self) -> bool:
        """The user wants the fit to end now and the model to be kept."""
        return self._finish.is_set()

    @property
    def terminate(self) -> bool:
        """The process has to go; leave a checkpoint."""
        return self._terminate_at is not None

    def check(self) -> None:
        """Raise Terminated once the process has to go. Called where no checkpoint is due or possible."""
        if self.terminate:
            raise Terminated

    def start(self) -> None:
        """Begin to listen; from the main thread also to SIGTERM."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._on_signal)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._closed.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join()
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._before)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._terminate_at = time.monotonic()

    def _watch(self) -> None:
        while not self._closed.wait(_POLL):
            asked = self._read()
            if asked == CANCEL:
                self._on_cancel()
                return
            if asked == FINISH:
                self._finish.set()
            if self._terminate_at is not None and time.monotonic() - self._terminate_at > _PATIENCE:
                self._on_deadline()
                return

    def _read(self) -> str:
        try:
            return self._path.read_text("utf-8", "replace").strip()
        except OSError:  # most of the time there is no such file
            return ""
