"""``mldesk runs script``: a run as one Python file that repeats it without the application."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mldesk.cli.face import Face
from mldesk.cli.outputs import Force, may_write


def script(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="RUN", help="A run that trained a model, or a search.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write: .py.")],
    force: Force = False,
) -> None:
    """Write a Python file that repeats a run without MLDesk: same rows, preparation, parameters and seed."""
    from mldesk.workbench.run_script import beside, not_repeated, save_script

    face = Face.of(context)
    with face.workbench() as bench:
        run = bench.runs.get(reference)
        other = beside(run, output)
        may_write(bench, output, force)
        may_write(bench, other, force)
        path = save_script(bench.library, run, output)
        left_out = not_repeated(run)
    if face.json:
        face.document({"file": str(path), "beside": None if other is None else str(other), "run": run.id,
                       "dataset": run.dataset, "warnings": [left_out] if left_out else []})
        return
    face.say(f"Wrote {path}. It takes the table as Parquet:")
    face.say(f"  mldesk data export {run.dataset} table.parquet")
    face.say(f"  python {path} table.parquet")
    if other is not None:
        face.note(f"{other} is the model that it goes on from: keep it beside the script.")
    if left_out:
        face.note(f"! {left_out}")
