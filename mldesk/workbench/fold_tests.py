"""Runs that were cross-validated: is one better over the folds, or lucky? Paired tests on the scores of equal folds.

Folds share training rows, so their scores are not independent and a plain t test finds differences that are not there:
the variance is corrected (Nadeau and Bengio 2003), or the folds are five times two (Dietterich 1998). No I/O.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mldesk.library.records import Run
from mldesk.training.metric_words import ordered

LEVEL = 0.05


def fold_differences(first: Sequence[Run], second: Sequence[Run]) -> Mapping[str, Any] | None:
    """Return {"test", "folds", "metrics": {name: {"mean", "p", "sure"}}}, first minus second; None without equal folds,
    and where rows are split by time: each fold learns from other numbers of rows, which no test here allows for.

    One run each: the corrected paired t test over their folds. Five runs each, of two folds, whose rows were dealt by
    five seeds: Dietterich's 5x2cv test.
    """
    ours, theirs = _by_seed(first), _by_seed(second)
    if any(_split(run).get("method") == "time" for run in ours.values()):
        return None
    if not ours or ours.keys() != theirs.keys() or any(_dealt(run) != _dealt(theirs[seed])
                                                       for seed, run in ours.items()):
        return None
    seeds = sorted(ours, key=str)
    names = [name for name in ordered(_folds(ours[seeds[0]]))
             if all(name in _folds(runs[seed]) for runs in (ours, theirs) for seed in seeds)]
    taken = {name: [[mine - other for mine, other in zip(_folds(ours[seed])[name], _folds(theirs[seed])[name],
                                                         strict=False)] for seed in seeds] for name in names}
    counts = {len(folds) for tries in taken.values() for folds in tries}
    if len(counts) != 1 or (folds := counts.pop()) < 2:
        return None
    five = len(seeds) == 5 and folds == 2
    if len(seeds) > 1 and not five:
        return None
    test = dietterich if five else lambda tries: corrected(tries[0])
    found = {name: _verdict(tries, test(tries)) for name, tries in taken.items()}
    return {"test": "5x2cv" if five else "corrected paired t", "folds": folds, "metrics": found}


def by_settings(runs: Sequence[Run]) -> tuple[list[Run], list[Run]] | None:
    """Return runs of two kinds apart, each with the same settings throughout; None if they are not of just two.

    So the ten runs of a 5x2cv test may be given in any order.
    """
    groups: dict[Any, list[Run]] = {}
    for run in runs:
        groups.setdefault((run.estimator, tuple(sorted((name, str(value)) for name, value in run.parameters.items()))),
                          []).append(run)
    if len(groups) != 2:
        return None
    first, second = groups.values()
    return first, second


def crossed(runs: Sequence[Run]) -> Mapping[str, Any] | None:
    """Return ``fold_differences`` of runs of two settings, with {"first", "second"} their ids; None for any others."""
    if len(runs) <= 2 or (groups := by_settings(runs)) is None:
        return None   # of two runs ``paired`` says it
    told = fold_differences(*groups)
    return told and {"first": [run.id for run in groups[0]], "second": [run.id for run in groups[1]], **told}


def _verdict(tries: Sequence[Sequence[float]], p: float) -> dict[str, Any]:
    values = [value for folds in tries for value in folds]
    return {"mean": sum(values) / len(values), "p": p, "sure": p < LEVEL}


def corrected(differences: Sequence[float]) -> float:
    """Return the two-sided p of k fold differences: variance times 1/k + test/train rows, k - 1 degrees of freedom.

    Nadeau and Bengio, Inference for the generalization error, 2003, section 3.
    """
    k = len(differences)
    mean = sum(differences) / k
    variance = sum((value - mean) ** 2 for value in differences) / (k - 1)
    return _two_sided(mean, variance * (1 / k + 1 / (k - 1)), k - 1)


def dietterich(tries: Sequence[Sequence[float]]) -> float:
    """Return the two-sided p of five tries of two folds: the first difference over the mean variance of the tries.

    Dietterich, Approximate statistical tests for comparing supervised classification learning algorithms, 1998.
    """
    variances = [(one - two) ** 2 / 2 for one, two in tries]   # around the mean of the two
    return _two_sided(tries[0][0], sum(variances) / len(variances), len(variances))


def _two_sided(difference: float, variance: float, freedom: int) -> float:
    if variance <= 0:
        return 1.0 if difference == 0 else 0.0
    return 1 - student(abs(difference) / math.sqrt(variance), freedom)


def student(t: float, freedom: int) -> float:
    """Return the chance that |T| < ``t`` (t >= 0) for a whole number of degrees of freedom.

    Abramowitz and Stegun 1964, 26.7.3 and 26.7.4.
    """
    angle = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term, total = (cosine, 0.0) if odd else (1.0, 1.0)
    if odd and freedom > 1:
        total = term
    for number in range(2 + odd, freedom - 1, 2):
        term *= (number - 1) / number * cosine ** 2
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total


def _folds(run: Run) -> Mapping[str, Sequence[float]]:
    crossed = (run.result or {}).get("cross_validation") or {}
    return {name: found["values"] for name, found in (crossed.get("metrics") or {}).items()}


def _by_seed(runs: Sequence[Run]) -> dict[Any, Run]:
    """Return cross-validated runs by the seed that dealt their rows; {} where one is none or two are of one seed."""
    found = {_split(run).get("seed"): run for run in runs if _folds(run)}
    return found if len(found) == len(runs) else {}


def _split(run: Run) -> Mapping[str, Any]:
    payload = run.spec.get("payload", {})
    split: Mapping[str, Any] = payload.get("split") or {}
    return split


def _dealt(run: Run) -> tuple[Any, ...]:
    """Return what decides which row is in which fold, and the first fold as it came out."""
    return run.dataset, run.target, tuple(sorted((key, str(value)) for key, value in _split(run).items())), (
        run.result or {}).get("split")
