"""How far a run is: what is being done, how much of it, how fast, how long it has taken and will take."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QWidget

from mldesk.desktop import runner_words, words
from mldesk.desktop.pages.runs.run_fields import left_of, ordinal, paused, share, took
from mldesk.desktop.states.run import RunState
from mldesk.desktop.states.search import is_search
from mldesk.desktop.theme import Space, Tone
from mldesk.desktop.widgets import Card, ProgressLine, make_label
from mldesk.wire.states import Cause, JobState

if TYPE_CHECKING:
    from mldesk.library.records import Run

_SLOW = 0.5   # done in a second; of fewer it is said how long each takes


def speed(rate: float, unit: str) -> str:
    """Write how many are done in a second, or how long one takes where that is the readable number."""
    return f"{rate:.3g} {unit}/s" if rate >= _SLOW else words.tr("{time} each").format(time=words.duration(1 / rate))


class ProgressCard(Card):
    """Draws the progress of a ``RunState``; ``tick`` moves its clock."""

    def __init__(self, state: RunState, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._state = state
        self._line = ProgressLine()
        self._facts = make_label("", "caption", "muted")
        foot = QHBoxLayout()
        foot.setSpacing(Space.L)
        foot.addWidget(self._facts)
        foot.addStretch(1)
        self.body.setSpacing(Space.S)
        self.add(self._line)
        self.add(foot)

    def tick(self) -> None:
        """Show the state as it is now."""
        run = self._state.run.value
        if run is None:
            return
        done = share(run, self._state.pace.done(run))
        tone: Tone = "accent"
        text = run.stage or self._waiting(run.state)
        if (due := run.due(time.time())) is not None:
            done, text = None, self.tr("Starts {moment} on {runner}").format(
                moment=words.upcoming(due), runner=runner_words.where(run.runner))
        elif run.state is JobState.QUEUED and (place := self._state.place.value) is not None:
            text = self.tr("Waiting on {runner}, {place} in line").format(
                runner=runner_words.where(run.runner), place=ordinal(place.position))
            text += f": {place.why}" if place.why else ""
        eta = words.remaining(self._state.pace.left(run))
        if run.state.ended:
            done = 1.0 if run.state is JobState.SUCCEEDED else self._last_share()
            text, tone = self._ended(run.state)
        elif run.state is JobState.STOPPING:
            text, tone = self._leaving(run)
        self._line.show_bar(due is None)
        self._line.set(done, text, eta, tone)
        self._facts.setText("   ·   ".join(self._numbers()))

    def _last_share(self) -> float:
        run = self._state.run.value
        progress = run.progress if run is not None else None
        return float(progress["done"]) / float(progress["total"]) if progress and progress.get("total") else 0.0

    def _numbers(self) -> list[str]:
        run = self._state.run.value
        if run is None:
            return []
        parts = []
        seconds = took(run, time.time())
        if seconds is not None:
            parts.append(self.tr("{time} so far").format(time=words.duration(seconds)) if not run.state.ended
                         else self.tr("took {time}").format(time=words.duration(seconds)))
        progress = run.progress or {}
        if progress.get("total") and not run.state.ended:
            unit = str(progress.get("unit") or "")
            done, total = (words.number(round(progress[key])) for key in ("done", "total"))
            left = left_of(run, self._state.pace.done(run))
            if not (left and unit == "seconds" and progress.get("eta") is not None):   # which the line says above
                parts.append(self.tr("{amount} left").format(amount=left) if left else
                             f"{done} / {total} {unit}".strip())
            if progress.get("rate") and not is_search(run):
                parts.append(speed(float(progress["rate"]), unit))
            if progress.get("rows"):
                parts.append(self.tr("{count} rows/s").format(count=words.number(round(float(progress["rows"])))))
        if self._state.checkpoint is not None and run.state is not JobState.SUCCEEDED:
            parts.append(self.tr("checkpoint at step {step}").format(step=words.number(self._state.checkpoint)))
        attempt = int(self._state.attempt.get("attempt") or 1)
        if attempt > 1:
            resumed = self._state.attempt.get("resumed_from")
            told = self.tr("attempt {number}, from trial {step}") if is_search(run) else self.tr(
                "attempt {number}, from step {step}")
            parts.append(told.format(number=attempt, step=words.number(int(resumed))) if resumed
                else self.tr("attempt {number}, from the start").format(number=attempt))
        return parts

    def _waiting(self, state: JobState) -> str:
        return {
            JobState.CREATED: self.tr("Not sent yet"), JobState.QUEUED: self.tr("Waiting for its turn"),
            JobState.STAGING: self.tr("Sending the data"), JobState.PREPARING: self.tr("Starting the trainer"),
        }.get(state, self.tr("Working"))

    def _leaving(self, run: Run) -> tuple[str, Tone]:
        if run.cause is Cause.FINISHING:
            return self.tr("Finishing early, with what there is by now…"), "accent"
        return (self.tr("Pausing…"), "info") if run.cause is Cause.PAUSED else (self.tr("Stopping…"), "warning")

    def _ended(self, state: JobState) -> tuple[str, Tone]:
        run = self._state.run.value
        early = bool(run is not None and (run.result or {}).get("finished_early"))
        ends: dict[JobState, tuple[str, Tone]] = {
            JobState.SUCCEEDED: (self.tr("Finished early, model kept") if early else self.tr("Finished"), "success"),
            JobState.FAILED: (self.tr("Failed"), "danger"),
            JobState.CANCELLED: (self.tr("Cancelled"), "neutral"),
            JobState.INTERRUPTED: (self.tr("Paused"), "info") if run is not None and paused(run) else
            (self.tr("Interrupted"), "warning"),
            JobState.LOST: (self.tr("Lost"), "danger"),
        }
        return ends[state]
