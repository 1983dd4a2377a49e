"""How lists and pages write a run: its score, its progress, its times."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from mldesk.desktop import runner_words, words
from mldesk.desktop.pages.record_model import Field
from mldesk.desktop.shell import Shell
from mldesk.desktop.theme import Tone
from mldesk.desktop.widgets.badges import state_words
from mldesk.wire.states import Cause, JobState

if TYPE_CHECKING:
    from mldesk.library.records import Run
    from mldesk.wire.runner_view import Waiting


LABELS = 2  # the column of group and tags


def share(run: Run, done: float | None = None) -> float | None:
    """Return how far a run is, 0 to 1; None where nobody knows or nothing goes on. ``done`` as for ``left_of``."""
    progress = run.progress
    if run.state.ended or not progress or not progress.get("total"):
        return None
    return min(1.0, max(0.0, (float(progress["done"]) if done is None else done) / float(progress["total"])))


def score(run: Run) -> tuple[str, float] | None:
    """Return the metric that speaks for a run."""
    from mldesk.workbench.comparison import leading_metric

    return leading_metric(run)


def took(run: Run, now: float | None = None) -> float | None:
    """Return the seconds a run has taken so far, None before it began."""
    if run.started is None:
        return None
    end = run.finished if run.finished is not None else (time.time() if now is None else now)
    return max(0.0, end - run.started)


def began(run: Run) -> str:
    """Write when a run began, or when it will; what has begun nowhere yet and waits for no moment says neither."""
    if (due := run.due(time.time())) is not None:
        return words.tr("Starts {moment}").format(moment=words.upcoming(due))
    waits = run.started is None and run.state in (JobState.CREATED, JobState.QUEUED)
    return words.MISSING if waits else words.when(_beginning(run))


def _beginning(run: Run) -> float:
    """Return the moment a run began; of one that did not wait for it that is when it was ordered."""
    return run.started if run.started is not None and run.not_before is not None else run.created


def _when_in_full(run: Run) -> str:
    if (due := run.due(time.time())) is not None:
        return words.tr("Starts {moment}, ordered {created}").format(
            moment=words.moment(due), created=words.moment(run.created))
    return words.moment(_beginning(run))


def state_badge(run: Run, shell: Shell, places: Mapping[str, Waiting] | None = None) -> tuple[str, Tone, str]:
    """Return words, tone and icon of a run's state; a run out of reach says since when."""
    since = shell.desk.unreachable.value.get(run.id)
    if run.handover is not None and not run.state.final:
        return words.tr("Moving"), "info", "arrow-right"
    if since is not None and not run.state.ended:
        return words.tr("Out of reach"), "warning", "warning"
    if (due := run.due(time.time())) is not None:
        return words.tr("Starts {time}").format(time=runner_words.soon(due)), "neutral", "clock"
    if run.state is JobState.QUEUED and places and run.id in places:
        return words.tr("Waiting, {place}").format(place=ordinal(places[run.id].position)), "neutral", "clock"
    if paused(run):
        return words.tr("Paused"), "info", "pause"
    if run.state is JobState.STOPPING and run.cause is Cause.FINISHING:
        return words.tr("Finishing"), "accent", "check"
    if run.state is JobState.STOPPING and run.cause is Cause.PAUSED:
        return words.tr("Pausing"), "info", "pause"
    return state_words(run.state)


def paused(run: Run) -> bool:
    """Say whether a person has let a run rest, which is no mishap."""
    return run.state is JobState.INTERRUPTED and run.cause is Cause.PAUSED


def left_of(run: Run, done: float | None = None) -> str:
    """Write what a search that goes on still has, of its time or of its trials; "" where nobody knows.

    ``done``: how much is done by now, where that is more than the run has said.
    """
    progress = run.progress or {}
    if run.kind != "search" or run.state.ended or not progress.get("total"):
        return ""
    left = max(0.0, float(progress["total"]) - (float(progress["done"]) if done is None else done))
    if progress.get("unit") == "seconds":
        return words.duration(left)
    if progress.get("unit") == "trials":
        return words.counted(round(left), words.tr("trial"), words.tr("trials"))
    return ""


def ordinal(place: int) -> str:
    """Write a place in a line: 1st, 2nd, 3rd, 4th."""
    ending = "th" if place % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return words.tr("{number}{ending}").format(number=place, ending=ending)


def state_tip(run: Run, shell: Shell, places: Mapping[str, Waiting] | None = None) -> str:
    """Return what is to be known about a run's state: why it waits, why it ended, why nothing is heard of it."""
    if reason := shell.desk.reasons.get(run.id):
        since = shell.desk.unreachable.value.get(run.id)
        return words.tr("Unreachable since {time}. {why}").format(time=runner_words.clock(since), why=reason)
    if (due := run.due(time.time())) is not None:
        return words.tr("Starts {moment}, by the clock of its runner.").format(moment=words.upcoming(due))
    if run.state is JobState.QUEUED and places and run.id in places:
        return places[run.id].why or words.tr("It begins as soon as a place is free.")
    return run.message or run.stage


def fields(shell: Shell, places: Callable[[], Mapping[str, Waiting]] = dict) -> list[Field[Run]]:
    """Return the columns of the list of runs. ``places`` are those of the runs that wait, by id."""
    tr = words.tr
    return [
        Field(tr("State"), lambda run: run.state.value, 138, lambda run: list(JobState).index(run.state),
              badge=lambda run: state_badge(run, shell, places()),
              share=lambda run: share(run, shell.desk.pace.done(run)),
              tip=lambda run: state_tip(run, shell, places())),
        Field(tr("Name"), lambda run: f"↳ {run.name}" if run.parent else run.name,
              sort=lambda run: run.name.casefold(), strong=True, middle=True),
        Field(tr("Labels"), labels, 98, muted=True, spare=1, tip=lambda run: run.note or labels(run)),
        Field(tr("Runs on"), lambda run: runner_words.where(run.runner), 124, muted=True,
              icon=lambda run: runner_words.where_icon(run.runner)),
        Field(tr("Dataset"), lambda run: run.dataset, 130, muted=True, spare=2, middle=True),
        Field(tr("Target"), lambda run: run.target, 104, muted=True, spare=4),
        Field(tr("Estimator"), lambda run: words.estimator_name(run.estimator), 150, spare=1),
        Field(tr("Score"), score_words, 130, lambda run: (score(run) or ("", float("-inf")))[1], right=True),
        Field(tr("Started"), began, 132, lambda run: run.due(time.time()) or run.created, muted=True, spare=1,
              tip=_when_in_full),
        Field(tr("Took"), lambda run: words.duration(took(run)), 84, lambda run: took(run) or 0.0, right=True,
              muted=True, spare=3),
    ]


def labels(run: Run) -> str:
    """Return the group of a run and its tags."""
    return " · ".join(part for part in (run.group, ", ".join(run.tags)) if part)


def score_words(run: Run) -> str:
    """Write the score that speaks for a run."""
    found = score(run)
    return words.MISSING if found is None else f"{words.metric_name(found[0])} {words.metric_value(found[1])}"
