"""Rows that a step chose by their places: found out first, so that all others stream by and nothing has to be sorted.

In SQL such a choice is a join, after which rows come in any order. Asked row by row whether its place is a chosen one,
they stay as they are; what is held for that is a bit for every row of the table that the recipe starts from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mldesk.data.recipes.state import Choice, State

_MOST = 2**31   # rows: DuckDB counts bits so far
_BATCH = 131_072
_SORTED = 8_000_000   # rows whose keys are held in memory at most, 24 bytes each


def choose_first(connection: duckdb.DuckDBPyConnection, state: State, row: str, rows: int,
                 check: Callable[[], None]) -> State:
    """Return the state with its choices made, for use in this connection only, which keeps the bits.

    ``row`` is the column of places, quoted; ``rows`` how many there were to begin with; ``check`` may raise to stop.
    """
    if not state.own_rows or rows >= _MOST:  # places are of something else
        return state
    for choice in state.chosen:
        step = choice.step
        before = replace(state, ctes=state.ctes[:step], chosen=())
        there = _ends_of_keys(connection, before, row, choice, rows, check) if choice.key else None
        if there is None:
            there = np.zeros(rows, np.bool_)
            for batch in connection.sql(before.within(choice.places)).to_arrow_reader(_BATCH):
                check()
                there[np.asarray(batch.column(0))] = True
        connection.execute(f"SET VARIABLE chosen_{step} = CAST(? AS BIT)", [np.packbits(there).tobytes()])
        kept = f"SELECT * FROM {before.table} AS data WHERE get_bit(getvariable('chosen_{step}'), {row}::INT) = 1"
        state = replace(state, ctes=(*state.ctes[:step], kept, *state.ctes[step + 1:]))
    return replace(state, chosen=())


def _ends_of_keys(connection: duckdb.DuckDBPyConnection, before: State, row: str, choice: Choice, rows: int,
                  check: Callable[[], None]) -> npt.NDArray[np.bool_] | None:
    """Return which rows are the first of each key, or the last; None unless the keys are whole numbers that go into 64
    bits together with a place. Sorted so, that is three times as fast as a group for each of them."""
    if rows > _SORTED:
        return None
    there, pieces, absent = np.zeros(rows, np.bool_), [], list[int]()
    for batch in connection.sql(before.select(f"{choice.key}, {row}")).to_arrow_reader(_BATCH):
        check()
        if not pa.types.is_signed_integer(batch.schema.field(0).type):
            return None
        if batch.column(0).null_count:
            absent.append((max if choice.last else min)(batch.filter(batch.column(0).is_null()).column(1).to_pylist()))
            batch = batch.filter(batch.column(0).is_valid())
        if batch.num_rows:
            pieces.append((np.asarray(batch.column(0)), np.asarray(batch.column(1))))
    if absent:
        there[(max if choice.last else min)(absent)] = True
    if not pieces:
        return there
    low, bits = min(int(keys.min()) for keys, _ in pieces), rows.bit_length()
    if max(int(keys.max()) for keys, _ in pieces) - low >= 2 ** (63 - bits):
        return None
    both = np.concatenate([(keys.astype(np.int64) - low) << bits | places for keys, places in pieces])
    both.sort()
    change = np.flatnonzero(np.diff(both >> bits))
    ends = np.append(change, len(both) - 1) if choice.last else np.append(0, change + 1)
    there[both[ends] & (2 ** bits - 1)] = True
    return there
