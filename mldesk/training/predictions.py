"""The test predictions as a table, so that the worst errors can be looked at row by row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mldesk.training.model_files import outputs
from mldesk.training.split import TEST
from mldesk.training.target import Label
from mldesk.training.values import Array


def write(path: Path, membership: Array, y: Array, prediction: Array, classes: Sequence[Label]) -> None:
    """Write Parquet: ``row`` (from 0, in the dataset version), ``actual``, ``prediction``, ``probability_<class>``."""
    actual = [classes[code] for code in y] if classes else y.tolist()
    columns = {"row": np.flatnonzero(membership == TEST), "actual": actual, **outputs(prediction, tuple(classes))}
    pq.write_table(pa.table(columns), path, compression="zstd")
