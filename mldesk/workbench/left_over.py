"""Which rows of a file those are that are left where others were left out, so that predictions find their rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from mldesk.workbench.cleaning_rows import Cleaned


class LeftOver:
    """Numbers rows that are left, in their order, by the file they were read from."""

    def __init__(self, reasons: Path, cleaned: Cleaned | None) -> None:
        """``reasons``: Parquet with the numbers (row, from 1) of those left out; need not be there. ``cleaned``: before
        that, cleaning had left out some.
        """
        gone = _numbers(reasons, "row") if reasons.exists() else np.empty(0, np.int64)
        self._before = np.unique(gone) - 1 - np.arange(len(np.unique(gone)))   # how many are left before each of them
        self._places = None if cleaned is None else _numbers(cleaned.places, "place")
        self._said = 0

    def next(self, count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return the numbers of the next rows that are left, (count,), from 1 in the file."""
        left = np.arange(self._said, self._said + count)
        self._said += count
        rows = left + np.searchsorted(self._before, left, side="right")
        return rows + 1 if self._places is None else self._places[rows]


def _numbers(path: Path, name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.asarray(pq.read_table(path, columns=[name])[name].to_numpy(), np.int64)
