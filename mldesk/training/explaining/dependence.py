"""Partial dependence (Friedman 2001) and its single lines, ICE (Goldstein et al. 2015), of a column of the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mldesk.training.joined import Encoder
from mldesk.training.model_files import plain
from mldesk.training.roles import missing
from mldesk.training.values import Array, ColumnData, TextColumn, take
from mldesk.wire.schema import ColumnType

GRID = 20          # values of a column of numbers
_MOST_VALUES = 12  # of a column of text: the commonest
_LINES = 40        # single rows whose line is kept


def grid_of(data: ColumnData) -> ColumnData:
    """Return the values at which to look: the commonest of text; of numbers all if few, else quantiles 2 to 98 %."""
    if isinstance(data, TextColumn):
        counts = data.counts()
        order = np.argsort(-counts, kind="stable")[:_MOST_VALUES]
        return TextColumn(np.arange(int((counts[order] > 0).sum()), dtype=np.int32),
                          tuple(data.values[code] for code in order if counts[code]))
    filled = data[~missing(data)]
    different = np.unique(filled)
    if len(different) <= GRID:
        return different
    numbers = filled.astype(np.float64)
    found: Array = np.unique(np.quantile(numbers, np.linspace(0.02, 0.98, GRID), method="nearest")).astype(data.dtype)
    return found


def dependence(encoder: Encoder, predict: Callable[[Array], Array], columns: Mapping[str, ColumnData], x: Array,
               index: int, grid: ColumnData | None = None) -> dict[str, Any]:
    """Return {"feature", "kind", "grid", "mean" (per output, per value), "lines" (per row, the last output)}, where
    there are several outputs also "lines_of" (per output, per row).

    Args:
        columns: the rows (N) as the encoder takes them, and ``x`` (N, F) the same encoded
        index: of the feature column among the encoder's
    """
    column = encoder.columns[index]
    grid = grid_of(columns[column.name]) if grid is None else grid
    outputs = encoder.outputs(index)
    one = {name: _repeated(data, len(grid)) for name, data in take(columns, np.zeros(1, int)).items()}
    encoded = encoder.transform({**one, column.name: grid})[:, outputs]
    answers = []
    moved = x.copy()
    for value in encoded:   # (G, N, K) in the end
        moved[:, outputs] = value
        answer = np.asarray(predict(moved), np.float64)
        answers.append(answer if answer.ndim == 2 else answer[:, None])
    table = np.stack(answers) if answers else np.zeros((0, len(x), 1))
    kind = "category" if isinstance(grid, TextColumn) or column.type is ColumnType.BOOLEAN else (
        "time" if column.type.temporal else "number")
    lines = np.unique(np.linspace(0, len(x) - 1, min(len(x), _LINES)).round().astype(int))
    return {"feature": column.name, "kind": kind, "grid": plain(grid, column.type),
            "mean": table.mean(1).T.tolist(), "lines": table[:, lines, -1].T.tolist(),
            **({"lines_of": table[:, lines].transpose(2, 1, 0).tolist()} if table.shape[2] > 1 else {})}


def _repeated(data: ColumnData, times: int) -> ColumnData:
    return data.take(np.zeros(times, int)) if isinstance(data, TextColumn) else np.repeat(data, times)
