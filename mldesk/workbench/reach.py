"""Whether a runner answers, as the library knows it: since when it does not, and why. Silence says nothing of runs."""

from __future__ import annotations

import threading

from mldesk.core.clock import Clock
from mldesk.core.errors import NotFound, RunnerUnreachable
from mldesk.library import Library

LOOK_EVERY = 2.0  # seconds; so long another program's note that a runner is silent may stand beside our answers


class Reach:
    """Writes down what calls find out, with few writes: only changes are written. Thread-safe."""

    def __init__(self, library: Library, clock: Clock) -> None:
        self._library, self._clock = library, clock
        self._lock = threading.Lock()
        self._silent: set[str] = set()         # runners that gave us no answer the last time
        self._looked: dict[str, float] = {}    # monotonic; when the library was last asked after a good answer

    def failed(self, name: str, error: RunnerUnreachable) -> None:
        """A runner gave no answer."""
        with self._lock:
            self._silent.add(name)
        try:
            known = self._library.runners.get(name)
            if known.unreachable is None or known.trouble != error.message:
                self._library.runners.set_unreachable(name, self._clock.now(), error.message)
        except NotFound:  # forgotten meanwhile
            self.forget(name)

    def answered(self, name: str) -> None:
        """A runner gave an answer, whatever it was."""
        now = self._clock.monotonic()
        with self._lock:
            ours = name in self._silent
            self._silent.discard(name)
            if not ours and now - self._looked.get(name, -LOOK_EVERY) < LOOK_EVERY:
                return
            self._looked[name] = now
        try:
            self._library.runners.set_reachable(name)
        except NotFound:
            self.forget(name)

    def forget(self, name: str) -> None:
        """Know nothing of a runner."""
        with self._lock:
            self._silent.discard(name)
            self._looked.pop(name, None)
