"""The parts that a run's rows were in: shown, written as a file, and taken again for another run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mldesk.core.errors import BadInput, Conflict, NotFound
from mldesk.library import Library
from mldesk.library.records import DatasetVersion, Run
from mldesk.wire.jobs import SplitRequest
from mldesk.workbench.checks import split_request
from mldesk.workbench.datasets import DatasetService
from mldesk.workbench.orders import TrainOrder, order_of

if TYPE_CHECKING:
    from mldesk.training.values import Array

_KEEP_ROWS = frozenset({"segment", "reduce", "encode_target"})   # beside those that go row by row


def split_of(library: Library, datasets: DatasetService, order: TrainOrder, version: DatasetVersion) -> SplitRequest:
    """Return how the order's rows are to be dealt; as in another run where it says so.

    Raises NotFound for that run, BadInput where it kept no split, Conflict where its rows are others.
    """
    asked = split_request(order)
    if not order.split_of:
        return asked
    run = library.runs.get(order.split_of)
    digest = _kept(run)
    rows = len(library.objects.read(digest))
    if order_of(run).get("dataset") != version.manifest and not (
            rows == version.rows and _same_rows(datasets, run, version)):
        raise Conflict(f"The rows of {version.label} are not those of run {run.name}, which learned from "
                       f"{run.dataset}: their parts cannot be taken.",
                       hint="Parts are taken for the same version, or one that recipes made without other rows.")
    return replace(asked, method="given", membership=digest, column=None, folds=0)


def parts_of(library: Library, run: Run) -> Mapping[str, Any]:
    """Return {"run", "dataset", "split" (as asked), "digest", "rows": {part: how many, "left_out" too}}, and "as_in",
    the id and name of the run that these parts were first dealt in, where they were taken from another run.

    Raises BadInput for a run that kept none.
    """
    from mldesk.training.split import PARTS

    digest = _kept(run)
    membership = _read(library, digest)
    counts = {name: int((membership == part).sum()) for name, part in PARTS.items()}
    split = dict(order_of(run).get("split") or {})
    first = library.runs.first_dealt(digest) if split.get("method") == "given" else None
    return {"run": run.id, "dataset": run.dataset, "split": split, "digest": digest,
            **({"as_in": {"run": first.id, "name": first.name}} if first and first.id != run.id else {}),
            "rows": {**counts, "left_out": len(membership) - sum(counts.values())}}


def save_parts(library: Library, datasets: DatasetService, run: Run, output: Path, *, whole: bool = False) -> int:
    """Write the part of each row, by its number from 1; ``whole``: beside all its cells, as a last column "split".

    A row that was left out has none. Return the rows. Raises BadInput for a run that kept none or an extension of no
    format, NotFound for data that are gone or a folder that is not there, DiskFull.
    """
    import numpy as np
    import pyarrow as pa

    from mldesk.training.split import PARTS
    from mldesk.workbench.predictions import OUTPUTS
    from mldesk.workbench.table_output import TableOutput

    if output.suffix.lower() not in OUTPUTS:
        raise BadInput(f"Parts cannot be written to {output.name[-60:]!r}: its extension says no format.",
                       hint=f"Name the output with one of {', '.join(OUTPUTS)}.")
    if output.is_dir() or not output.parent.is_dir():
        raise NotFound(f"{str(output)!r:.300} is no place for a file.", hint="Name a file in a folder that there is.")
    membership = _read(library, _kept(run))
    words = np.full(256, None, dtype=object)
    for name, part in PARTS.items():
        words[part] = name
    if not whole:
        with TableOutput(output) as table:
            table.write({"row": np.arange(1, len(membership) + 1),
                         "split": pa.array(words[membership], pa.string(), from_pandas=True)})
        return len(membership)
    version = datasets.show(run.dataset)
    from mldesk.data.engine import free_name

    name, done = free_name("split", [column.name for column in version.columns]), 0
    with datasets.view(version) as view, TableOutput(output) as table:
        for batch in view.batches():
            part = pa.array(words[membership[done:done + batch.num_rows]], pa.string(), from_pandas=True)
            table.write({**dict(zip(batch.schema.names, batch.columns, strict=True)), name: part})
            done += batch.num_rows
    return done


def _kept(run: Run) -> str:
    digest = (run.result or {}).get("split")
    if not isinstance(digest, str):
        raise BadInput(f"Run {run.name} kept no split: " + (
            "it has not ended well." if run.kind in ("train", "search") else f"it is a {run.kind}."),
            hint="Name a training or a search that succeeded.")
    return digest


def _read(library: Library, digest: str) -> Array:
    import numpy as np

    return np.frombuffer(library.objects.read(digest), np.uint8)


def _same_rows(datasets: DatasetService, run: Run, version: DatasetVersion) -> bool:
    """Say whether a version has the rows that a run learned from, in their order: recipes between the two make none.

    That no row went is for the caller to see.
    """
    from mldesk.data.recipes.sql import ROW_BY_ROW

    try:
        learned = datasets.show(run.dataset)
    except NotFound:
        return False
    if learned.dataset != version.dataset or learned.manifest != order_of(run).get("dataset"):
        return False
    for late, early in ((version, learned), (learned, version)):
        line = list(datasets.line_of(late))
        if early.number in (item.number for item in line):
            between = line[:[item.number for item in line].index(early.number)]
            return all(item.recipe is not None and all(
                step.get("disabled") or step["step"] in ROW_BY_ROW | _KEEP_ROWS for step in item.recipe)
                for item in between)
    return False
