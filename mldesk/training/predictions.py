"""Predictions of rows that a model was not fitted on, as a table: the test rows, or every row of a cross-validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    _write(path, {"row": np.flatnonzero(membership == TEST)}, y, prediction, classes)


def write_folds(path: Path, rows: Array, folds: Array, y: Array, prediction: Array, classes: Sequence[Label]) -> None:
    """Write the same with ``fold``, (N,) from 0: the one whose model, which did not see the row, predicted it."""
    order = np.argsort(rows, kind="stable")
    _write(path, {"row": rows[order], "fold": folds[order]}, y[order], prediction[order], classes)


def _write(path: Path, first: Mapping[str, Array], y: Array, prediction: Array, classes: Sequence[Label]) -> None:
    actual = [classes[code] for code in y] if classes else y.tolist()
    columns = {**first, "actual": actual, **outputs(prediction, tuple(classes))}
    pq.write_table(pa.table(columns), path, compression="zstd")
