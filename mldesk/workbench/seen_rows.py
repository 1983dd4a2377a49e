"""Which rows of a table are, cell for cell, among some rows of another: what a model may have learned from already."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from mldesk.training.values import ColumnData, TextColumn

_MISSING = np.uint64(0x5BD1E995)
_FACTOR = np.uint64(0x9E3779B97F4A7C15)   # of Fibonacci hashing (Knuth, TAOCP 3, 6.4)


def seen(rows: Mapping[str, ColumnData], among: Mapping[str, ColumnData]) -> npt.NDArray[np.bool_]:
    """Say of each row whether ``among`` holds it: the same in every column that both have, (N,).

    Rows are told apart by 64 bits: of a million rows one is taken for another about once in ten million tables.
    """
    names = sorted(name for name in rows if name in among
                   and isinstance(rows[name], TextColumn) == isinstance(among[name], TextColumn))
    found: npt.NDArray[np.bool_] = np.isin(_digests(rows, names), _digests(among, names))
    return found if names else np.zeros(len(found), bool)


def digests_by_column(columns: Mapping[str, ColumnData]) -> dict[str, npt.NDArray[np.uint64]]:
    """Return 64 bits that tell each cell from others of its column, (N,) by column."""
    return {name: _cells(data) for name, data in columns.items()}


def joined(cells: Mapping[str, npt.NDArray[np.uint64]], names: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Return 64 bits that tell each row from others by some of its columns, (N,). Their order matters."""
    state = np.zeros(len(next(iter(cells.values()), ())), np.uint64)
    for name in names:
        state = (state ^ cells[name]) * _FACTOR   # wraps, as it should
        state ^= state >> np.uint64(29)
    return state


def _digests(columns: Mapping[str, ColumnData], names: list[str]) -> npt.NDArray[np.uint64]:
    if not names:
        return np.zeros(len(next(iter(columns.values()), ())), np.uint64)
    return joined(digests_by_column({name: columns[name] for name in names}), names)


def _cells(data: ColumnData) -> npt.NDArray[np.uint64]:
    if isinstance(data, TextColumn):
        known = [int.from_bytes(hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
                 for value in data.values]
        return np.array([*known, int(_MISSING)], np.uint64)[data.codes]   # -1, missing, is the last one
    numbers = np.asarray(data, np.float64) + 0.0   # so that -0 is 0
    return np.where(np.isnan(numbers), _MISSING, numbers.view(np.uint64))
