"""The rows behind one cell of a confusion matrix, out of the test predictions that a run keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mldesk.core.errors import BadInput


@dataclass(frozen=True, slots=True)
class PredictedRow:
    """What was predicted for one row."""

    row: int                     # in the dataset version, from 0
    actual: object
    predicted: object
    probability: float | None    # that was given to what was predicted


@dataclass(frozen=True, slots=True)
class PredictedRows:
    """Some of the rows that were looked for, the surest first, and how many there are."""

    rows: Sequence[PredictedRow]
    total: int


def rows_where(path: Path, actual: object, predicted: object, limit: int) -> PredictedRows:
    """Return the rows of ``actual`` that were called ``predicted``; at most ``limit``.

    ``path`` is a file that ``training.predictions`` wrote. Raises BadInput for classes that cannot be in it, OSError.
    """
    import pyarrow as pa  # slow to load, and most of the workbench does without
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        table = file.read()
    found = table
    for name, value in (("actual", actual), ("prediction", predicted)):
        try:
            wanted = pa.scalar(value).cast(table[name].type)
        except (pa.ArrowException, KeyError) as error:
            raise BadInput(f"The predictions know no class {value!r:.80}.") from error
        found = found.filter(pc.equal(found[name], wanted))
    chance = f"probability_{str(predicted).lower() if isinstance(predicted, bool) else predicted}"
    if chance in found.column_names:
        found = found.sort_by([(chance, "descending")])
    records = found.slice(0, limit).to_pylist()
    return PredictedRows([PredictedRow(int(record["row"]), record["actual"], record["prediction"],
                                       record.get(chance)) for record in records], found.num_rows)
