"""What ends the trying of a search: its time or its trials, and what it was given to go on with once these are over.

More of what a search goes by already is added to it; more of the other comes after it, so that it is never for nothing.
All of it is kept on disk: a search that is resumed has what it was given.
"""

from __future__ import annotations

import json
from pathlib import Path

from mldesk.core.durable import disk_errors, write_atomic
from mldesk.training.search.timing import with_end

SECONDS, TRIALS = "seconds", "trials"


class Limits:
    """The limits as they are now, and those that wait. Zero is no limit."""

    def __init__(self, path: Path, seconds: float, trials: int) -> None:
        self._path = path
        self.seconds = seconds    # of the whole search, its end included
        self.trials = trials      # in all
        self.span = seconds       # of ``seconds`` those that the trials of now share
        self.until = 0.0          # of the search's clock: when trying ends; 0: as the end needs it
        self._more: list[tuple[str, float]] = []
        self._heard: list[str] = []
        self._load()

    @property
    def goes_by(self) -> str:
        """What more of is added to what there is: the last of what waits, else the only limit; "" for none or both."""
        if self._more:
            return self._more[-1][0]
        return "" if bool(self.seconds) == bool(self.trials) else SECONDS if self.seconds else TRIALS

    def extend(self, name: str, seconds: float, trials: int) -> None:
        """Take what a message of this name gives; one that comes again gives nothing. Raises DiskFull."""
        if name in self._heard:
            return
        self._heard.append(name)
        goes_by = self.goes_by
        for kind, amount in sorted(((SECONDS, seconds), (TRIALS, float(trials))), key=lambda item: item[0] != goes_by):
            if not amount:
                continue
            if kind != self.goes_by:
                self._more.append((kind, amount))
            elif self._more:
                self._more[-1] = (kind, self._more[-1][1] + amount)
            elif kind == TRIALS:
                self.trials += int(amount)
            else:
                self._lengthen(amount)
        self._keep()

    def go_on(self, used: float, tried: int) -> bool:
        """Say whether there is more, now that the limits are reached, and make it the limit. Raises DiskFull.

        ``used``: seconds of the search's clock; ``tried``: its trials.
        """
        if not self._more:
            return False
        kind, amount = self._more.pop(0)
        self.seconds, self.trials, self.span, self.until = 0.0, 0, 0.0, 0.0
        if kind == TRIALS:
            self.trials = tried + int(amount)
        else:
            self.until, self.span = used + amount, amount
            self.seconds = with_end(self.until)
        self._keep()
        return True

    def _lengthen(self, seconds: float) -> None:
        self.span += seconds
        if self.until:
            self.until += seconds
            self.seconds = with_end(self.until)
        else:
            self.seconds += seconds

    def _load(self) -> None:
        try:
            kept = json.loads(self._path.read_text("utf-8"))
            self.seconds, self.trials = float(kept["seconds"]), int(kept["trials"])
            self.span, self.until = float(kept["span"]), float(kept["until"])
            self._more = [(str(kind), float(amount)) for kind, amount in kept["more"]]
            self._heard = [str(name) for name in kept["heard"]]
        except (OSError, ValueError, TypeError, KeyError):
            return    # none was given so far

    def _keep(self) -> None:
        with disk_errors("keeping how long a search goes on"):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path, json.dumps({
                "seconds": self.seconds, "trials": self.trials, "span": self.span, "until": self.until,
                "more": self._more, "heard": self._heard}).encode())
