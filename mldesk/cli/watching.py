"""A run that a command has begun: watched to its end, or left to go on by itself."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from mldesk.cli import words
from mldesk.cli.failures import INTERRUPTED, Failed
from mldesk.cli.following import RunDisplay
from mldesk.core.clock import iso
from mldesk.core.errors import MldeskError
from mldesk.wire.states import JobState
from mldesk.workbench.references import listed

if TYPE_CHECKING:
    from mldesk.cli.face import Face
    from mldesk.cli.interrupts import Interrupts
    from mldesk.library.records import Run
    from mldesk.workbench.bench import Workbench


def watched(face: Face, bench: Workbench, run: Run, interrupts: Interrupts) -> Run:
    """Show a run until it has ended; return it as it is then. Raises Failed where the person leaves before."""
    with RunDisplay(face, run.name, starts(run), lambda: waits_for(bench, run.id)) as display:
        for event in bench.runs.follow(run.id, trouble=display.trouble, stop=interrupts.asked):
            display.event(event)
    run = bench.runs.get(run.id)
    if not run.state.ended:
        _leave(face, run)
    return run


def say_name(face: Face, wanted: str, run: Run) -> None:
    """Say what a run is called where another one has the name that was wanted."""
    if wanted.strip() and run.name != wanted.strip():
        face.note(f"· Another run is called {wanted.strip()}: this one is {run.name}.")


def how_to_go_on(run: Run) -> str:
    """Say how a run that nobody watches is found again."""
    return f"mldesk runs follow {run.id} · mldesk runs cancel {run.id}"


def starts(run: Run) -> str:
    """Say when a run that waits for a moment starts; "" for any other."""
    due = run.due(time.time())
    return "" if due is None else f"starts {words.moment(due)}"


def waits_for(bench: Workbench, run_id: str) -> str:
    """Say what a run waits for in its runner's queue, and which runs are at work there; "" for one that waits no more.

    A runner that cannot be asked is told of by whoever follows the run.
    """
    with suppress(MldeskError):
        run = bench.runs.get(run_id)
        if run.state is not JobState.QUEUED:
            return ""
        queue = bench.runners.queue(run.runner)
        why = next((item.why for item in queue.in_line if item.job == run_id), "")
        names = [_name(bench, slot.job) for slot in queue.slots if slot.job]
        return why and why + (f" At work: {listed(names)}." if names else "")
    return ""


def _name(bench: Workbench, job: str) -> str:
    try:
        return bench.runs.get(job).name
    except MldeskError:   # of another desk
        return job


def detached(face: Face, run: Run) -> None:
    """Say that a run was accepted and goes on by itself, or at which moment it does."""
    when = starts(run)
    if face.json:
        waits = {"not_before": iso(run.not_before)} if when and run.not_before else {}
        face.document({"run": run.id, "status": "queued", **waits})
        return
    face.say(run.id)
    face.note(f"Run {run.name} is queued on {run.runner}{f' and {when}' if when else ''}: {how_to_go_on(run)}" +
              (f" · mldesk runs at {run.id} now" if when else ""))


def _leave(face: Face, run: Run) -> None:
    message = f"Stopped watching; run {run.name} goes on."
    if face.json:
        face.document({"error": {"code": "interrupted", "message": message, "hint": how_to_go_on(run)},
                       "run": run.id, "status": run.state.value})
    else:
        face.note(f"\n{message}\n  {how_to_go_on(run)}")
    raise Failed(INTERRUPTED)
