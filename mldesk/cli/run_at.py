"""``mldesk runs at``: another start for a run that waits."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from mldesk.cli import words
from mldesk.cli.amounts import read_moment
from mldesk.cli.face import Face
from mldesk.cli.run_steering import Reference
from mldesk.core.clock import iso


def at(
    context: typer.Context,
    reference: Reference,
    moment: Annotated[str, typer.Argument(metavar="TIME", help="22:00, 2026-12-01T06:30 or +2h; now for as soon as "
                                          "there is a place.")],
) -> None:
    """Let a run that waits in its runner's queue start at another moment, or now."""
    face = Face.of(context)
    wanted = None if moment.strip().lower() == "now" else read_moment(moment, time.time())
    with face.workbench() as bench:
        run = bench.schedule.start_at(reference, wanted)
    due = run.due(time.time())
    if face.json:
        face.document({"run": run.id, "status": run.state.value, "not_before": None if due is None else iso(due)})
    else:
        face.say(f"Run {run.name} starts " + ("as soon as there is a place." if due is None else
                                              f"{words.moment(due)}, by the clock of {run.runner}."))
