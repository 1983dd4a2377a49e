"""The order in which jobs wait: by priority, then as they came or were put. Kept on disk, so no restart changes it.

Knows ids only; what a job is and which slot it needs is the dispatcher's business.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mldesk.core import canonical
from mldesk.core.durable import disk_errors, write_atomic
from mldesk.core.errors import Conflict, DiskFull

NAME = "queue.json"
log = logging.getLogger("runner_agent")


@dataclass(frozen=True, slots=True)
class Place:
    """One job in the queue."""

    job: str
    priority: int
    attempt: int      # what it waits to begin; a job that was queued before and ran since has another one


@dataclass(frozen=True, slots=True)
class Found:
    """A waiting job as its journal tells of it."""

    job: str
    priority: int     # as it was submitted or resumed with
    attempt: int
    queued: float     # wall clock


class Queue:
    """Waiting jobs, first to start first. Its caller keeps threads apart."""

    def __init__(self, root: Path) -> None:
        self._path = root / NAME
        self._places: list[Place] = []
        self._stale = False           # the file could not be written when it should have been

    def __iter__(self) -> Iterator[Place]:
        return iter(tuple(self._places))

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, job: str) -> bool:
        return any(place.job == job for place in self._places)

    def position(self, job: str) -> int:
        """Return the place of a job from 1; 0 when it does not wait."""
        return next((number for number, place in enumerate(self._places, start=1) if place.job == job), 0)

    def restore(self, found: Iterable[Found]) -> None:
        """Line up jobs that an earlier agent left, in the very order it had them.

        Those it had no time to write down come last of their priority, as their journals date them.
        """
        known = {(place.job, place.attempt): place for place in self._read()}
        ranks = {key: rank for rank, key in enumerate(known)}
        for item in sorted(found, key=lambda item: (ranks.get((item.job, item.attempt), len(ranks)), item.queued,
                                                    item.job)):
            self._insert(known.get((item.job, item.attempt), Place(item.job, item.priority, item.attempt)))

    def add(self, job: str, priority: int, attempt: int) -> None:
        """Put a job last of its priority. It is in the queue when this returns, even if the disk is full."""
        self._insert(Place(job, priority, attempt))
        try:
            self._write()
        except DiskFull as error:  # the job itself is safe; its place is written as soon as there is room
            log.warning("the queue's order is not on disk yet: %s", error)
            self._stale = True

    def remove(self, job: str) -> bool:
        """Take a job out; False when it is not in it. Nothing is written: its journal says that it does not wait."""
        before = len(self._places)
        self._places = [place for place in self._places if place.job != job]
        return len(self._places) < before

    def reorder(self, job: str, before: str) -> None:
        """Put a job right before another, with that one's priority; last of its own if ``before`` is "".

        Raises Conflict when either does not wait; DiskFull, with the order as it was.
        """
        place = self._place(job)
        if job == before:
            return
        target = self._place(before) if before else None
        with self._undone_on_error():
            self._places.remove(place)
            if target is None:
                self._insert(place)
            else:
                self._places.insert(self._places.index(target), Place(job, target.priority, place.attempt))
            self._write()

    def prioritize(self, job: str, priority: int) -> None:
        """Give a job another priority, last among its equals. Raises Conflict, DiskFull as ``reorder``."""
        place = self._place(job)
        if place.priority == priority:
            return
        with self._undone_on_error():
            self._places.remove(place)
            self._insert(Place(job, priority, place.attempt))
            self._write()

    def tend(self) -> None:
        """Write the order down if that did not work when it was due."""
        if self._stale:
            try:
                self._write()
            except DiskFull as error:
                log.info("still no room for the queue's order: %s", error)

    def _insert(self, place: Place) -> None:
        index = next((n for n, item in enumerate(self._places) if item.priority < place.priority), len(self._places))
        self._places.insert(index, place)

    def _place(self, job: str) -> Place:
        for place in self._places:
            if place.job == job:
                return place
        raise Conflict("That job does not wait in the queue (any more).", hint="Look at the queue again.")

    @contextlib.contextmanager
    def _undone_on_error(self) -> Iterator[None]:
        before = list(self._places)
        try:
            yield
        except BaseException:
            self._places = before
            raise

    def _read(self) -> list[Place]:
        try:
            return [Place(str(job), int(priority), int(attempt))
                    for job, priority, attempt in json.loads(self._path.read_bytes())]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError) as error:
            log.warning("%s cannot be read, so jobs wait in the order they came: %s", NAME, error)
            return []

    def _write(self) -> None:
        with disk_errors("keeping the queue's order"):
            write_atomic(self._path, canonical.dumps([[place.job, place.priority, place.attempt]
                                                      for place in self._places]))
        self._stale = False
