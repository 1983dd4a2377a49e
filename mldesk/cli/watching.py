"""A run that a command has begun: watched to its end, or left to go on by itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mldesk.cli import words
from mldesk.cli.failures import INTERRUPTED, Failed
from mldesk.cli.following import RunDisplay
from mldesk.core.clock import iso

if TYPE_CHECKING:
    from mldesk.cli.face import Face
    from mldesk.cli.interrupts import Interrupts
    from mldesk.library.records import Run
    from mldesk.workbench.bench import Workbench


def watched(face: Face, bench: Workbench, run: Run, interrupts: Interrupts) -> Run:
    """Show a run until it has ended; return it as it is then. Raises Failed where the person leaves before."""
    with RunDisplay(face, run.name, starts(run)) as display:
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
