"""When what a command orders begins: ``--at``, ``--repeat``, ``--every``; and what is said of several runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from mldesk.cli import words
from mldesk.cli.amounts import read_length, read_moment
from mldesk.cli.face import Face, make_table
from mldesk.cli.failures import Failed
from mldesk.cli.interrupts import Interrupts
from mldesk.cli.watching import detached, how_to_go_on, say_name, starts, watched
from mldesk.core.clock import iso
from mldesk.training.metric_words import ordered, title
from mldesk.wire.states import Cause, JobState

if TYPE_CHECKING:
    from mldesk.library.records import Run
    from mldesk.workbench.bench import Workbench
    from mldesk.workbench.scheduling import Begun, Order, When

At = Annotated[str, typer.Option("--at", metavar="TIME", help="Start then, not at once: 22:00 (the next one), "
                                 "2026-12-01T06:30 (here; with Z in UTC) or +2h, by the runner's clock. It waits in "
                                 "the runner's queue, with this machine off if the runner is another.")]
Repeat = Annotated[int, typer.Option("--repeat", metavar="N", help="Begin N runs, one after another, with the seeds S, "
                                     "S+1, …, to see how much scores differ by chance; they become a group.")]
Every = Annotated[str, typer.Option("--every", metavar="TIME", help="With --repeat: let this much time (30m, 6h, 1d) "
                                    "pass from start to start. The seed stays.")]
Detach = Annotated[bool | None, typer.Option("--detach/--follow", show_default=False, help="Return once the runner has "
                                             "accepted the job, as with --at and --every by itself; or stay to its "
                                             "end.")]


def wanted(at: str, repeat: int, every: str) -> When:
    """Return what the options say. Raises BadInput for what is no moment or length of time."""
    from mldesk.workbench.scheduling import When

    length = max(read_length(every), 1.0) if every else 0.0   # 0s is too short, as 1s is, and not "at once"
    found = When(read_moment(at, time.time()) if at else None, repeat, length)
    found.moments(time.time())
    return found


def begin(face: Face, bench: Workbench, order: Order, when: When, name: str, runner: str) -> Begun:
    """Begin what was ordered, and say what is to be known of it."""
    begun = bench.schedule.begin(order, when)
    for run in begun.runs:
        if run.runner != runner:
            face.note(f"· The runner {run.runner} was chosen.")
        if len(begun.runs) == 1:
            say_name(face, name, run)
    if begun.note:
        face.note(f"! {begun.note}")
    return begun


def see(face: Face, bench: Workbench, begun: Begun, leave: bool, interrupts: Interrupts,
        finish: Callable[[Run], None]) -> None:
    """Leave the runs alone, or follow them to their end: ``finish`` prints the result of a single one.

    Raises Failed unless all of them succeeded.
    """
    if leave:
        _left(face, begun)
    elif len(begun.runs) == 1:
        finish(watched(face, bench, begun.runs[0], interrupts))
    else:
        _results(face, [watched(face, bench, run, interrupts) for run in begun.runs], begun.group)


def standing(run: Run, now: float) -> str:
    """Return a run's state as lists say it: "running", "stopping (finishing)", "queued until 22:00"."""
    due = run.due(now)
    if run.state is JobState.STOPPING and run.cause is Cause.FINISHING:
        return f"{run.state.value} ({run.cause.value})"
    return run.state.value if due is None else f"{run.state.value} until {words.lately(due, now)}"


def _left(face: Face, begun: Begun) -> None:
    first, *others = begun.runs
    if not others:
        detached(face, first)
        return
    if face.json:
        face.document({"run": first.id, "status": "queued", "group": begun.group, "runs": [
            {"run": run.id, "name": run.name, "not_before": run.not_before and iso(run.not_before)}
            for run in begun.runs]})
        return
    for run in begun.runs:
        face.say(run.id)
    last = starts(others[-1])
    face.note(f"{len(begun.runs)} runs are queued on {first.runner}" + (f"; the last {last}" if last else "") +
              f": mldesk runs list --group \"{begun.group}\" · {how_to_go_on(first)}")


def _results(face: Face, runs: list[Run], group: str) -> None:
    """Print what came of runs that belong together: every score's mean, and how far it spreads."""
    from mldesk.workbench.scheduling import spread
    from mldesk.workbench.summaries import run_result

    found = spread(runs)
    if face.json:
        face.document({**run_result(runs[0]), "group": group, "spread": found, "runs": [run_result(r) for r in runs]})
    else:
        face.show(make_table(("run", "status", "model", "time"), [
            (run.name, run.state.value, run.model or "", words.duration((run.result or {}).get("seconds", run.seconds)))
            for run in runs], right={"time"}))
        if found:
            face.say()
            face.show(make_table(("score", f"mean of {len(runs)} runs", "±"), [
                (title(name), words.score(found[name]["mean"]), words.score(found[name]["std"]))
                for name in ordered(found)], right={"±"}))
        face.note(f"\nNext: mldesk runs compare {' '.join(run.id for run in runs[:3])} · "
                  f"mldesk runs list --group \"{group}\"")
    if not all(run.state is JobState.SUCCEEDED for run in runs):
        raise Failed(1)
