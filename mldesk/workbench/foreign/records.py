"""A run that another program kept, as far as it can be taken over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

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


def possible(seconds: float) -> float:
    """Return a time; 0 for one that no calendar has, since a file may say anything."""
    return seconds if 0 <= seconds <= _LAST else 0.0


def limited(points: list[Point]) -> list[Point]:
    """Return readings in order of time, of so many metrics and so many of them as one run may have."""
    names: dict[str, None] = {}
    for _, _, name, _ in points:
        if len(names) < MOST_METRICS:
            names.setdefault(name)
    return sorted((possible(time), step, name, value) for time, step, name, value in points if name in names)[
        :MOST_POINTS]
