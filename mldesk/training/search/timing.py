"""The seconds of a search: those it has used, and those that its end is left."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

from mldesk.core.durable import disk_errors

_FINAL = (8.0, 0.05, 0.2)   # seconds, share and largest share of the time that blending, scoring and saving need
SLOWED = 0.3               # ... and largest share on a machine with other work, where they take longer
_SAVING = 0.3               # ... of them for saving
_WEIGHED = 0.05             # share of the time in which the columns are weighed
_LEAST_WEIGHED = 0.3        # ... in seconds
_NODES = 500_000            # of trees that a second writes and reads again in both forms, twice as fast on a free core
_WRITING = 0.5              # share of the end's seconds that one trial's trees may take of that
_EVERY = 0.03               # share of the time between two looks at the load
_LOOK = 0.02                # seconds that a look takes
_LOOKS = 5                  # that count


class Clock:
    """The seconds a search has used, over all its attempts. ``already``: what this attempt took so far."""

    def __init__(self, path: Path, already: float = 0.0) -> None:
        self._path = path
        try:
            before = float(json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            before = 0.0
        self.began = time.monotonic() - before - already

    @property
    def used(self) -> float:
        return time.monotonic() - self.began

    def keep(self) -> None:
        """Write it down; what is lost when the process dies is what came after."""
        with disk_errors("keeping the time of a search"):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(round(self.used, 3)), "utf-8")


def final_seconds(seconds: float) -> float:
    """Return how much of a search's seconds is left to what comes after the trials."""
    base, share, most = _FINAL
    return min(base + share * seconds, most * seconds)


def affordable_nodes(seconds: float, models: int) -> float:
    """Return how many nodes a model's trees may have, so that a search of so many seconds can write those of a trial.

    ``models``: that a trial leaves.
    """
    return _NODES * _WRITING * final_seconds(seconds) / models if seconds else math.inf


def with_end(trying: float) -> float:
    """Return how many seconds a search needs that tries for so many: ``final_seconds`` of them is the rest."""
    base, share, most = _FINAL
    return min((trying + base) / (1 - share), trying / (1 - most))


class End:
    """What comes after the trials, and when that has to begin.

    ``seconds``: of the search, as last extended; 0: there is no limit. ``until``: of the search's clock, when trying
    ends whatever the end needs; 0: as it needs it. Other work on the machine makes the end take longer than is
    reckoned with, so how much of a core a thread gets is looked at now and then.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock, self.seconds, self.until = clock, seconds, 0.0
        self._shares: list[float] = []    # of a core, the last few looks
        self._looked = -math.inf          # of the clock

    def look(self) -> None:
        """See how much of a core there is for a thread, if it is time to."""
        if not self.seconds or self._clock.used < self._looked + _EVERY * self.seconds:
            return
        began, own = time.monotonic(), time.thread_time()
        while (spent := time.thread_time() - own) < _LOOK:
            pass
        self._shares = [*self._shares, min(1.0, spent / max(time.monotonic() - began, spent))][-_LOOKS:]
        self._looked = self._clock.used

    @property
    def needs(self) -> float:
        """How many seconds the end takes."""
        share = sum(self._shares) / len(self._shares) if self._shares else 1.0
        return min(final_seconds(self.seconds) / share, SLOWED * self.seconds)

    @property
    def begins(self) -> float:
        """When trying ends, of time.monotonic."""
        if self.until:
            return self._clock.began + self.until
        return self._clock.began + self.seconds - self.needs if self.seconds else math.inf

    @property
    def late(self) -> float:
        """When nothing more is fitted for the blend, of time.monotonic."""
        return self.begins + self.needs / 3 if self.seconds else math.inf

    @property
    def nodes(self) -> float:
        """How many nodes the trees of one trial may have, so that there is time to write them."""
        return _NODES * _WRITING * self.needs if self.seconds else math.inf

    @property
    def weighing(self) -> float:
        """How many seconds the columns may be weighed for: what is left when saving is thought of."""
        if not self.seconds:
            return math.inf
        left = self.seconds - self._clock.used - _SAVING * self.needs
        return max(_LEAST_WEIGHED, min(_WEIGHED * self.seconds, left))
