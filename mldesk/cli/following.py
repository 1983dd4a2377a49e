"""A run as it happens, on stderr: a bar with live losses on a terminal, now and then a plain line elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from mldesk.cli import words
from mldesk.cli.face import Face, make_console, width
from mldesk.core.canonical import number
from mldesk.training.metric_words import title, within
from mldesk.wire.events import TERMINAL, Event
from mldesk.wire.jobs import FAREST
from mldesk.wire.shapes import readable

EVERY = 5.0           # seconds of the run's own time between plain lines
STILL = 30.0          # ... after which a search is said to go on, where no trial has ended
METRICS_SHOWN = 3     # on a line of at least ROOMY columns, else one less
ROOMY = 120
_STOPS = {"cancel": "Stopping", "pause": "Pausing"}
SEARCHING = "Searching"   # the stage of a search that tries
SLOW = 0.5            # per second; below it the time that one takes is shown instead


class RunDisplay:
    """Shows events of one run in the order they come; what an event means for the library is none of its business."""

    def __init__(self, face: Face, title: str, starts: str = "", waits_for: Callable[[], str] | None = None) -> None:
        """``starts``: when it does, of a run that waits for its time. ``waits_for``: asks what it waits for in the
        queue, in a sentence; "" for a run that does not wait now.
        """
        self._face, self._title, self._starts, self._waits_for = face, title, starts, waits_for
        self._live = sys.stderr.isatty()
        self._bar: Any = None
        self._values: dict[str, float] = {}
        self._stage = ""
        self._trouble: str | None = None  # why the runner cannot be reached, as it was said last
        self._trials = 0  # of a search, that have ended
        self._told = 0.0  # wall clock of the runner at the last plain line

    def __enter__(self) -> Self:
        if self._live:
            self._bar = _bar()
            self._bar.start()
            self._task = self._bar.add_task(self._title, total=None, words="", losses="", eta="")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def event(self, event: Event) -> None:
        """Show one event; one that says nothing readable is passed over."""
        if not readable(event):
            return
        if event.kind == "resources":   # comes all the time, whatever the trials of a search do
            self._goes_on(event.time)
        else:
            self._show(event)

    def _show(self, event: Event) -> None:
        payload = event.payload
        if event.kind == "metrics":
            self._values |= {name: number(value) for name, value in payload["values"].items()}
            self._losses()
        elif event.kind == "stage":
            self._set_stage(str(payload["name"]))
        elif event.kind == "progress":
            self._progress(payload, event.time)
        elif event.kind == "warning" and not payload.get("in_result"):   # else the answer says it
            self._line(f"! {payload['text']}" + (f" {payload['hint']}" if payload.get("hint") else ""))
        elif event.kind == "log":
            self._line(str(payload["text"]))
        elif event.kind == "trial":
            self._trials += 1
            self._line(_trial(payload))
        elif event.kind == "started":
            again = payload.get("resumed_from")
            self._line(f"Started on {payload.get('device', 'cpu')}" +
                       ("" if again is None else f", on from step {again}"))
        elif event.kind in ("queued", "scheduled"):
            self._wait(payload.get("not_before"))
        elif event.kind == "stopping":
            self._set_stage(_STOPS.get(str(payload.get("asked")), "Finishing early"))
        elif event.kind == "interrupted" and payload.get("cause") == "moved":
            self._line("Stopped here, to go on at another runner.")
        elif event.kind in TERMINAL and not self._live:
            self._face.note(f"{self._title}: {event.kind}")

    def _wait(self, moment: object) -> None:
        """Say that it waits, and until when where that was changed or is known."""
        if isinstance(moment, (int, float)):
            self._starts = f"starts {words.moment(moment)}" if 0 < moment < FAREST else ""
        self._set_stage("Waiting in the queue" + (f"; it {self._starts}" if self._starts else ""))
        if not self._starts and self._waits_for is not None and (why := self._waits_for()):
            self._line(why)

    def trouble(self, message: str | None) -> None:
        """Say that the runner cannot be reached (which does not end the run), or that it can again; each of it once."""
        if message == self._trouble:
            return
        self._trouble = message
        self._line(f"! {message} Trying again; the run itself goes on." if message else "The runner answers again.")

    def _set_stage(self, stage: str) -> None:
        stage = words.cell(stage)
        if stage == self._stage:
            return
        self._stage = stage
        self._values.clear()  # they say nothing about what is done now
        if self._bar is not None:
            self._bar.update(self._task, description=stage, total=None, completed=0, words="", losses="", eta="")
        else:
            self._face.note(f"{self._title}: {stage}")

    def _progress(self, payload: Mapping[str, Any], when: float) -> None:
        done, total, unit = number(payload["done"]), number(payload["total"]), str(payload.get("unit", ""))
        rate, eta = payload.get("rate"), payload.get("eta")
        pace = f"{words.count(done)}/{words.count(total)} {words.cell(unit)}" + _speed(float(rate or 0))
        if (rows := number(payload.get("rows") or 0)) >= 1:
            pace += f" · {rows:,.0f} rows/s"
        left = f"{words.duration(float(eta))} left" if eta is not None else ""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total or None, words=pace, eta=left)
        elif when - self._told >= EVERY:
            self._told = when
            self._face.note(" · ".join(filter(None, (f"{self._title}: {pace}", self._numbers(), left))))

    def _goes_on(self, when: float) -> None:
        """Say of a search how far it is, where its trials take so long that nothing else was said for a while."""
        if self._bar is not None or self._stage != SEARCHING:
            return
        self._told = self._told or when
        if when - self._told >= STILL:
            self._told = when
            self._face.note(" · ".join(filter(None, (
                f"{self._title}: {words.plural(self._trials, 'trial')} by now, more under way", self._numbers()))))

    def _losses(self) -> None:
        if self._bar is not None:
            self._bar.update(self._task, losses=self._numbers())

    def _numbers(self) -> str:
        known: list[str] = [name for name in ("train_loss", "validation_loss") if name in self._values]
        known += [name for name in self._values if name.startswith("validation_") and name not in known]
        if self._trials and (best := next((name for name in self._values if name.startswith("best_")), "")):
            metric = within(title(words.cell(best.removeprefix("best_"))))
            return f"best so far: {metric} {words.score(self._values[best])}"
        shown = known[:METRICS_SHOWN if width() >= ROOMY else METRICS_SHOWN - 1]
        return "  ".join(f"{within(title(words.cell(name)))} {words.score(self._values[name])}" for name in shown)

    def _line(self, text: str) -> None:
        if self._bar is not None:
            self._bar.console.print(words.plain(text))
        else:
            self._face.note(f"{self._title}: {text}")


def _trial(payload: Mapping[str, Any]) -> str:
    """Say how one trial of a search went."""
    name = f"Trial {payload.get('number')}: {payload.get('estimator')}"
    score = payload.get("score")
    if not isinstance(score, (int, float)):
        how = "" if payload.get("state") in ("weak", "pruned") else " did not work."
        return f"{name}{how or '.'} {payload.get('message', '')}".rstrip()
    metric = title(words.cell(payload.get("metric") or "score"))
    return f"{name}, {metric} {words.score(score)} in {words.duration(float(payload.get('seconds', 0)))}"


def _speed(rate: float) -> str:
    """Say how many are done in a second, or how many seconds one takes where that is the readable number."""
    if rate <= 0:
        return ""
    return f" · {rate:,.1f}/s" if rate >= SLOW else f" · {words.duration(1 / rate)} each"


def _bar() -> Any:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    return Progress(
        SpinnerColumn(), TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
        BarColumn(bar_width=24), TextColumn("{task.fields[words]}", markup=False, table_column=Column(no_wrap=True)),
        TextColumn("{task.fields[losses]}", markup=False, style="cyan", table_column=Column(no_wrap=True)),
        TimeElapsedColumn(), TextColumn("{task.fields[eta]}", markup=False, style="dim"),
        console=make_console(sys.stderr), transient=True, refresh_per_second=8)
