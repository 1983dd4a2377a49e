"""The predictions that a run keeps, as a file: of its test rows, or of every row of a cross-validation."""

from __future__ import annotations

from pathlib import Path

from mldesk.core.errors import BadInput, NotFound
from mldesk.library import Library
from mldesk.library.records import Run

_FROM_0 = ("row", "fold")   # as they are kept
TESTED, OUT_OF_FOLD = "predictions", "out_of_fold"   # artifacts of a run


def save_predictions(library: Library, run: Run, output: Path, *, out_of_fold: bool = False) -> int:
    """Write them as the extension of ``output`` says; return the rows.

    Columns are ``row`` (from 1, in the dataset version), ``actual``, ``prediction`` and ``probability_<class>``; out of
    fold also ``fold`` (from 1), whose model did not see the row.
    Raises NotFound for a run that kept none, BadInput, DiskFull.
    """
    import pyarrow.parquet as pq  # slow

    from mldesk.workbench.predictions import OUTPUTS
    from mldesk.workbench.table_output import TableOutput

    if output.suffix.lower() not in OUTPUTS:
        raise BadInput(f"Predictions cannot be written to {output.name[-60:]!r}: its extension says no format.",
                       hint=f"Name the output with one of {', '.join(OUTPUTS)}.")
    if output.is_dir() or not output.parent.is_dir():
        raise NotFound(f"{str(output)!r:.300} is no place for a file.", hint="Name a file in a folder that there is.")
    artifact = library.runs.artifacts(run.id).get(OUT_OF_FOLD if out_of_fold else TESTED)
    if artifact is None:
        raise NotFound(f"Run {run.name} has no predictions{' out of fold' if out_of_fold else ''}.", hint=(
            "Train with folds to get them (mldesk train --folds 5)." if out_of_fold else
            "Only a run that succeeded has them."))
    with pq.ParquetFile(library.objects.path(str(artifact["digest"]))) as file, TableOutput(output) as table:
        for batch in file.iter_batches():
            columns = {name: batch.column(name).to_numpy(zero_copy_only=False) for name in batch.schema.names}
            table.write({name: values + 1 if name in _FROM_0 else values for name, values in columns.items()})
        return int(file.metadata.num_rows)
