"""``mldesk runs predictions``: what a run predicted for rows it was not fitted on, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mldesk.cli import words
from mldesk.cli.face import Face
from mldesk.cli.outputs import Force, may_write


def predictions(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="RUN", help="A run that succeeded.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write: .csv, .parquet, .jsonl or "
                                         ".xlsx.")],
    out_of_fold: Annotated[bool, typer.Option("--out-of-fold", help="Every row that some fold of a "
                                              "cross-validated run tested, predicted by the model that did not see "
                                              "it.")] = False,
    force: Force = False,
) -> None:
    """Write the predictions of a run for its test rows beside the truth."""
    from mldesk.workbench.kept_predictions import save_predictions

    face = Face.of(context)
    with face.workbench() as bench:
        run = bench.runs.get(reference)
        may_write(bench, output, force)
        rows = save_predictions(bench.library, run, output, out_of_fold=out_of_fold)
    if face.json:
        face.document({"file": str(output), "rows": rows})
    else:
        face.say(f"Wrote {words.plural(rows, 'row')} to {output}.")
