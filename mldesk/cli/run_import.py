"""``mldesk runs import``: runs that MLflow or TensorBoard kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mldesk.cli import words
from mldesk.cli.face import Face


def import_(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="An mlruns folder, MLflow's SQLite file, or a folder or "
                                         "file of TensorBoard's.")],
) -> None:
    """Take over runs that MLflow or TensorBoard kept: curves, parameters and tags; the same ones only once."""
    face = Face.of(context)
    with face.workbench() as bench:
        found = bench.run_import.take(path)
    if face.json:
        face.document({"runs": [{"run": run.id, "name": run.name, "status": run.state.value, "group": run.group}
                                for run in found.runs], "known": found.known,
                       "unreadable": [{"name": run.name, "why": str(run.why)} for run in found.unreadable]})
        return
    for run in found.unreadable:
        face.note(f"! {run.name:.80} stayed where it is: {run.why}")
    more = f"; {found.known} {'was' if found.known == 1 else 'were'} here already" if found.known else ""
    face.say(f"Took over {words.plural(len(found.runs), 'run')}{more}. `mldesk runs list` shows them.")
