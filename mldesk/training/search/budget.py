"""What a search has time for, by the size of its table alone. Imports nothing, for whoever asks before it begins."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mldesk.training.search.timing import SLOWED, final_seconds

_FOLDS = ((5, 400), (3, 600))   # folds, and the rows a second that they take: of a table of few columns, on two cores
_PARTS = 3                      # the last ones of rows in order of time, that trials are judged by
_JUDGED_SHARE = 0.6             # ... of the rows at most
_UNHURRIED = 300.0              # seconds that are reckoned with where the time has no limit
# Seconds of one core that a row (of few columns) takes of a fit, and that any fit takes: of trees, and of networks. On
# one core a minute's search of 5,600 rows had 13 trials, three of them networks, one of 16,500 rows and numbers 7.
_QUICK, _SLOW = (2e-5, 0.1), (6e-4, 0.6)
_SHARE, _FIRST_SHARE = 0.2, 0.35   # of the time that one trial may take, and the first
_NETWORKS, _BEFORE = 0.1, 4     # of the trials at least, which are slow, and how many come before the first
_PREPARING = 0.7                # seconds of a free machine until the first trial begins


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a search will come to, roughly: machines and models differ by far more than tables."""

    folds: int          # that every trial is judged by; 1: one validation part
    trials: int         # that there is time for where all are quick, or that were asked for
    seconds: float      # that it takes
    split: str = ""     # how rows are dealt: by "time" the folds are the last parts, by "group" of whole groups
    least: int = 0      # trials that there is time for where all are slow; 0: as many as ``trials``


def affordable(rows: int, width: int, seconds: float) -> int:
    """Return how many folds a search of so many seconds has time for; 1: one validation part."""
    work = rows * (1 + width / 20)
    return next((folds for folds, pace in _FOLDS if work <= pace * (seconds or _UNHURRIED)), 1)


def forward_parts(rows: int, width: int, seconds: float, validating: int, asked: int = 0) -> int:
    """Return how many parts of ``validating`` rows each, the latest, judge the trials of rows in order of time."""
    wanted = min(asked or _PARTS, affordable(rows, width, seconds))
    return min(wanted, int(rows * _JUDGED_SHARE) // max(validating, 1))


def judging(rows: int, width: int, seconds: float, split: str, validating: int, values: int) -> int:
    """Return how many folds or parts judge the trials of rows dealt by ``split``, 1 for one validation part.

    ``validating``: rows that do. ``values``: that the column that rows are dealt by has among ``rows``.
    """
    if split == "time":
        return max(1, forward_parts(rows, width, seconds, validating))
    folds = affordable(rows, width, seconds)
    if split == "column":
        return folds if values == 2 else 1   # one that names no validation rows
    return max(1, min(folds, values)) if split == "group" else folds


def estimate(rows: int, width: int, seconds: float, trials: int, cores: int, folds: int, split: str = "",
             share: float = 1.0, lanes: int = 1) -> Estimate:
    """Estimate a search over ``rows`` that are not test rows, of ``width`` columns; 0 is no limit. ``cores``: of all
    its runners together. ``folds``: as ``judging`` has it. ``share``: of the cores that other work leaves to it.
    ``lanes``: trials that are made at once.
    """
    work = rows * (1 + width / 20)
    quick, slow = (folds * max(least, a_row * work) / (max(1, cores) * share) for a_row, least in (_QUICK, _SLOW))
    if not seconds:
        return Estimate(folds, trials, trials * math.sqrt(quick * slow) / 0.85, split, trials)   # some of either
    cap = _SHARE * seconds / lanes
    first = slow if slow < cap else _FIRST_SHARE * seconds
    slow = min(slow, cap)
    quick = min(quick, slow)
    trying = max(0.0, seconds - min(final_seconds(seconds) / share, SLOWED * seconds) - _PREPARING / share)
    mixed = max(_BEFORE, trying / ((1 - _NETWORKS) * quick + _NETWORKS * slow))
    possible = max(1, math.ceil(min(trying / quick, mixed)))
    count = min(trials or possible, possible)
    least = min(count, max(1, 1 + int((trying - first) / slow)))
    takes = count * math.sqrt(quick * slow) + seconds - trying
    return Estimate(folds, count, min(takes, seconds) if trials == count else seconds, split, least)
