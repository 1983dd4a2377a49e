"""Rows that a step chose by their places: found out first, so that all others stream by and nothing has to be sorted.

In SQL such a choice is a join, after which rows come in any order. Asked row by row whether its place is a chosen one,
they stay as they are; what is held for that is a bit for every row of the table that the recipe starts from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import duckdb
import numpy as np

from mldesk.data.recipes.state import State

_MOST = 2**31   # rows: DuckDB counts bits so far
_BATCH = 131_072


def choose_first(connection: duckdb.DuckDBPyConnection, state: State, row: str, rows: int,
                 check: Callable[[], None]) -> State:
    """Return the state with its choices made, for use in this connection only, which keeps the bits.

    ``row`` is the column of places, quoted; ``rows`` how many there were to begin with; ``check`` may raise to stop.
    """
    if not state.own_rows or rows >= _MOST:  # places are of something else
        return state
    for step, places in state.chosen:
        before = replace(state, ctes=state.ctes[:step], chosen=())
        there = np.zeros(rows, np.bool_)
        for batch in connection.sql(before.within(places)).to_arrow_reader(_BATCH):
            check()
            there[np.asarray(batch.column(0))] = True
        connection.execute(f"SET VARIABLE chosen_{step} = CAST(? AS BIT)", [np.packbits(there).tobytes()])
        choice = f"SELECT * FROM {before.table} AS data WHERE get_bit(getvariable('chosen_{step}'), {row}::INT) = 1"
        state = replace(state, ctes=(*state.ctes[:step], choice, *state.ctes[step + 1:]))
    return replace(state, chosen=())
