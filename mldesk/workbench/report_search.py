"""The sections of a report that say what a search blended and list what it tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mldesk.reports.document import Block, Lines, Section, Series, Table, Text
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.metric_words import lower_is_better, title
from mldesk.training.pipeline_words import pipeline_words
from mldesk.workbench.report_words import length, number, plain, plural

_MOST_TRIALS = 60
_STATES = {"weak": "given up", "pruned": "pruned"}


def trials(leaderboard: Sequence[Mapping[str, Any]]) -> Section:
    """Return every trial, the best first, and how the best score came down over time."""
    if not leaderboard:
        return Section("Trials", [])
    rows = [_row(place, trial) for place, trial in enumerate(leaderboard[:_MOST_TRIALS], 1)]
    score = title(str(leaderboard[0].get("metric", "score")))
    blocks: list[Block] = [*_progress(leaderboard),
                           Table(("place", "trial", "model", score, "took", "preparation", "parameters"), rows,
                                 frozenset({"place", "trial", score, "took"}))]
    if len(leaderboard) > _MOST_TRIALS:
        blocks.append(Text(f"and {plural(len(leaderboard) - _MOST_TRIALS, 'more trial')}", "muted"))
    return Section("Trials", blocks)


def blend(members: Sequence[Mapping[str, Any]]) -> Section:
    """Return what a search blended, the heaviest first: [{"trial", "estimator", "weight", "parameters", "score"}]."""
    rows = [(_title(item), f"{float(item['weight']):.0%}", plain(item.get("trial")),
             number(item.get("score")), pipeline_words(item.get("pipeline")) or "standard", _parameters(item))
            for item in sorted(members, key=lambda item: -float(item["weight"]))]
    return Section("What it is made of", [Table(
        ("model", "weight", "trial", "score alone", "preparation", "parameters"), rows,
                                            frozenset({"weight", "trial", "score alone"}))] if rows else [])


def _title(item: Mapping[str, Any]) -> str:
    name = str(item.get("estimator", ""))
    return ESTIMATORS[name].title if name in ESTIMATORS else name


def _parameters(item: Mapping[str, Any]) -> str:
    return plain(", ".join(f"{key} {plain(value)}" for key, value in (item.get("parameters") or {}).items()), 160)


def _row(place: int, trial: Mapping[str, Any]) -> tuple[str, ...]:
    score = trial.get("score")
    return (str(place), plain(trial.get("number")), _title(trial),
            number(score) if isinstance(score, (int, float)) else plain(
                trial.get("error") or _STATES.get(str(trial.get("state")), "failed")),
            length(trial.get("seconds")), pipeline_words(trial.get("pipeline")) or "standard", _parameters(trial))


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
