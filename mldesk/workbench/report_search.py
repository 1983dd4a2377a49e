"""The section of a report that lists what a search tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mldesk.reports.document import Block, Lines, Section, Series, Table, Text
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.metric_words import lower_is_better, title
from mldesk.workbench.report_words import length, number, plain

_MOST_TRIALS = 60


def trials(leaderboard: Sequence[Mapping[str, Any]]) -> Section:
    """Return every trial, the best first, and how the best score came down over time."""
    if not leaderboard:
        return Section("Trials", [])
    rows = [_row(place, trial) for place, trial in enumerate(leaderboard[:_MOST_TRIALS], 1)]
    score = title(str(leaderboard[0].get("metric", "score")))
    blocks: list[Block] = [*_progress(leaderboard),
                           Table(("place", "trial", "model", score, "took", "parameters"), rows,
                                 frozenset({"place", "trial", score, "took"}))]
    if len(leaderboard) > _MOST_TRIALS:
        blocks.append(Text(f"and {len(leaderboard) - _MOST_TRIALS} more trials", "muted"))
    return Section("Trials", blocks)


def _row(place: int, trial: Mapping[str, Any]) -> tuple[str, ...]:
    name = str(trial.get("estimator", ""))
    entry = ESTIMATORS.get(name)
    score = trial.get("score")
    parameters = ", ".join(f"{key} {plain(value)}" for key, value in (trial.get("parameters") or {}).items())
    return (str(place), plain(trial.get("number")), entry.title if entry else name,
            number(score) if isinstance(score, (int, float)) else plain(
                trial.get("error") or ("given up" if trial.get("state") == "weak" else "failed")),
            length(trial.get("seconds")), plain(parameters, 160))


def _progress(leaderboard: Sequence[Mapping[str, Any]]) -> list[Block]:
    done = sorted((trial for trial in leaderboard if isinstance(trial.get("score"), (int, float))),
                  key=lambda trial: int(trial["number"]))
    if len(done) < 2:
        return []
    better = min if lower_is_better(str(done[0].get("metric"))) else max
    numbers: list[float] = []
    scores: list[float] = []
    best: list[float] = []
    for trial in done:
        numbers.append(float(trial["number"]))
        scores.append(float(trial["score"]))
        best.append(better([*best[-1:], scores[-1]]))
    metric = title(str(done[0].get("metric", "score")))
    return [Lines("The best so far", "Trial", metric, [Series("best so far", numbers, best)]),
            Lines("Every trial", "Trial", metric, [Series("trials", numbers, scores)], points=True)]
