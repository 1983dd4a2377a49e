"""What a job says while it runs: stages, progress, metrics, warnings. Cheap enough to call at every step."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from mldesk.wire.job_spool import Spool

_PROGRESS_EVERY = 0.25  # seconds between two progress events


class Report:
    """Turns readings into events. Times are seconds since this attempt began."""

    training_loss = True   # somebody draws it; where nobody does, it need not be worked out

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._began = time.monotonic()
        self._first_done: float | None = None
        self._first_at = self._began
        self._told = 0.0

    @property
    def seconds(self) -> float:
        """Seconds since this attempt began."""
        return time.monotonic() - self._began

    def event(self, kind: str, **payload: Any) -> None:
        """Write an event as it is."""
        self._spool.write(kind, payload)

    def stage(self, name: str) -> None:
        """Say, in words for people, what is being done from now on."""
        self._first_done, self._told = None, 0.0
        self.event("stage", name=name)

    def warning(self, text: str, hint: str = "") -> None:
        """Say something the user should know although the work goes on."""
        self.event("warning", text=text, hint=hint)

    def log(self, text: str, level: str = "info") -> None:
        self.event("log", level=level, text=text)

    def metrics(self, step: int, values: Mapping[str, float], epoch: float | None = None) -> None:
        """Report readings taken after ``step``."""
        self.event("metrics", step=step, epoch=epoch, seconds=round(self.seconds, 4), values=dict(values))

    def progress(self, done: float, total: float, unit: str, rows: int = 0) -> None:
        """Report how far the stage is; rate and remaining time are worked out here. Not every call is an event.

        With the unit "seconds", ``total`` is a time that is allowed: what is left of it is the remaining time.
        ``rows``: as many rows of the table as one unit goes through.
        """
        now = time.monotonic()
        if self._first_done is None:
            self._first_done, self._first_at = done, now  # a resumed stage begins somewhere in the middle
        if now - self._told < _PROGRESS_EVERY and done < total:
            return
        self._told = now
        elapsed, gained = now - self._first_at, done - self._first_done
        rate = gained / elapsed if gained > 0 and elapsed > 0 and unit != "seconds" else None
        left = total - done if unit == "seconds" else None if rate is None else (total - done) / rate
        pace = {"rows": rate * rows} if rows and rate is not None else {}
        self.event("progress", done=done, total=total, unit=unit, rate=rate, eta=left, **pace)
