"""Folds of one trial that another process fits, so that none has nothing to do while the last trials end.

Whoever makes the trial fits its waves (folds that are fitted at once) from the first on; the last one that has not
begun is given away when another process has nothing else to do. A fit is the same wherever it is made, and so is the
trial.
"""

from __future__ import annotations

import threading
import time
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mldesk.core.durable import disk_errors
from mldesk.training.values import Array

_LOOK = 1.0   # seconds


@dataclass(frozen=True, slots=True)
class Came:
    """A wave that was fitted elsewhere: predictions for the rows that each of its folds judges by, (N,) or (N, C)."""

    predictions: Sequence[Array]
    cuts: Sequence[int]    # as ``trial.Outcome`` has them
    seconds: float    # of its fits, beyond those that they were waited for


@dataclass(slots=True)
class _Trial:
    number: int
    waves: int
    until: float    # of time.monotonic
    begun: int = 0  # waves, from the first on
    lent: dict[int, float | None] = field(default_factory=dict)   # by wave: the seconds it took; None: it is not back

    @property
    def left(self) -> list[int]:
        """The waves that nobody has begun."""
        return [wave for wave in range(self.begun, self.waves) if wave not in self.lent]


class Sharing:
    """Who fits what of the trial at hand. ``folder``: where what is fitted elsewhere is left. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._news = folder, threading.Condition()
        self._trial: _Trial | None = None

    def begin(self, number: int, waves: int, until: float) -> None:
        """A trial begins. ``until``: of time.monotonic, when its seconds are over."""
        with self._news:
            self._trial = _Trial(number, waves, until)

    def end(self) -> None:
        """It has ended: nothing more of it is given away."""
        with self._news:
            self._trial = None

    def take(self, wave: int) -> float | Came:
        """Begin the next wave here, and return the seconds that its fits may take; or wait for one that was given
        away.
        """
        began = time.monotonic()
        with self._news:
            trial = self._trial
            assert trial is not None  # noqa: S101 - for mypy: asked within a trial only
            while trial.lent.get(wave, 0.0) is None:
                self._news.wait(_LOOK)
            seconds = trial.lent.pop(wave, None)
            came = None if seconds is None else read_wave(self._folder, trial.number, wave)
            share = (trial.until - time.monotonic()) / max(1, len(trial.left))
            trial.begun = wave + 1
        return share if seconds is None or came is None else Came(
            *came, seconds - (time.monotonic() - began))

    def lend(self, number: int) -> tuple[int, float] | None:
        """Give a wave of a trial away; return it and the seconds that its fits may take. None: there is none."""
        with self._news:
            trial = self._trial
            if trial is None or trial.number != number or not trial.begun or not (left := trial.left):
                return None
            trial.lent[left[-1]] = None
            return left[-1], (trial.until - time.monotonic()) / len(left)

    def back(self, number: int, wave: int, seconds: float | None) -> None:
        """Hear that a wave was fitted, in so many seconds; None: it was not, and will be here."""
        with self._news:
            trial = self._trial
            if trial is not None and trial.number == number and wave in trial.lent:
                if seconds is None:
                    del trial.lent[wave]
                else:
                    trial.lent[wave] = seconds
            self._news.notify_all()


def keep_wave(folder: Path, number: int, wave: int, predictions: Sequence[Array], cuts: Sequence[int]) -> None:
    """Leave what was predicted, and where its fits were cut, for whoever makes the trial. Raises DiskFull."""
    path = _path(folder, number, wave)
    draft = path.with_suffix(".tmp")
    with disk_errors("keeping a trial"):
        folder.mkdir(parents=True, exist_ok=True)
        with open(draft, "wb") as file:
            np.savez(file, *predictions, cuts=np.array(cuts))
        draft.replace(path)   # whole or not there


def read_wave(folder: Path, number: int, wave: int) -> tuple[Sequence[Array], Sequence[int]] | None:
    """Return what ``keep_wave`` left, which is gone then; None where that is not to be read."""
    path = _path(folder, number, wave)
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:   # numpy leaves its own open
            cuts = arrays["cuts"].tolist()
            found = [arrays[f"arr_{place}"] for place in range(len(cuts))]
        path.unlink()
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    return found, cuts


def _path(folder: Path, number: int, wave: int) -> Path:
    return folder / f"{number:06d}-{wave}.npz"
