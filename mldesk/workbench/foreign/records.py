"""A run that another program kept, as far as it can be taken over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mldesk.core.errors import MldeskError

MOST_METRICS = 1000            # names in one run
MOST_POINTS = 5_000_000        # readings in one run
_LAST = 253_402_300_799        # seconds since the epoch: the end of the year 9999
Point = tuple[float, int, str, float]   # seconds since the epoch, step, metric, value


@dataclass(frozen=True, slots=True)
class ForeignRun:
    """One run."""

    key: str                   # the same every time it is read: where it was kept, and its id there
    name: str
    group: str                 # its experiment or folder
    program: str               # "mlflow" or "tensorboard"
    state: str                 # "succeeded", "failed" or "cancelled"
    started: float             # seconds since the epoch
    ended: float
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    points: Sequence[Point]    # in order of time
    note: str = ""             # what a person wrote of it
    parent: str = ""           # the key of the run it is part of
    files: Mapping[str, Path | bytes] = field(default_factory=dict)   # what it kept, by name
    left_out: tuple[str, ...] = ()   # sentences: what did not come along


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A run that is there and cannot be read; those beside it can."""

    name: str            # as far as it is known, else the folder's
    why: MldeskError


def possible(seconds: float) -> float:
    """Return a time; 0 for one that no calendar has, since a file may say anything."""
    return seconds if 0 <= seconds <= _LAST else 0.0


class Readings:
    """Takes readings one after another and keeps the earliest, of so many metrics and so many as one run may have.

    What it holds meanwhile is bounded, however many come.
    """

    def __init__(self) -> None:
        self._names, self._kept = set[str](), list[Point]()
        self._cut = self._unnamed = False

    def add(self, points: Iterable[Point]) -> None:
        """Take readings in any order. Raises what giving them raises."""
        for time, step, name, value in points:
            if name not in self._names:
                if len(self._names) >= MOST_METRICS:
                    self._unnamed = True
                    continue
                self._names.add(name)
            self._kept.append((possible(time), step, name, value))
            if len(self._kept) >= 2 * MOST_POINTS:
                self._shorten()

    def in_order(self) -> list[Point]:
        """Return what is kept, in order of time."""
        self._shorten()
        return self._kept

    @property
    def left_out(self) -> tuple[str, ...]:
        """Sentences: what is not kept. Known once ``in_order`` was called."""
        return tuple(text for text, holds in (
            (f"It has more than {MOST_METRICS:,} metrics; the first ones came along.", self._unnamed),
            (f"It has more than {MOST_POINTS:,} readings; the earliest came along.", self._cut)) if holds)

    def _shorten(self) -> None:
        self._kept.sort()
        self._cut = self._cut or len(self._kept) > MOST_POINTS
        del self._kept[MOST_POINTS:]
