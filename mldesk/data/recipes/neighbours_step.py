"""Filling missing values from the rows that are most alike: which rows are asked, and the join back to the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from mldesk.data.engine import identifier
from mldesk.data.recipes.neighbours import fill_by_neighbours
from mldesk.data.recipes.state import State, Tools, listed
from mldesk.data.recipes.steps import Step
from mldesk.data.stopping import check_stopped
from mldesk.data.types import ARROW, column_type
from mldesk.wire.schema import ColumnType

_MOST_REFERENCE, _LEAST_REFERENCE = 5_000, 200  # rows, chosen by chance, among which neighbours are sought
_BUDGET = 4_000_000_000                         # comparisons of two cells, beyond which fewer rows are asked
_SEED = 1


def fill_from_neighbours(tools: Tools, state: State, step: Step, columns: Sequence[str]) -> State:
    """Fill ``columns`` from the k rows that are nearest by Gower's distance; see ``mldesk.data.recipes.neighbours``."""
    using = tools.columns(state, step.get("using") or list(state.names))
    lacks = " OR ".join(f"{identifier(name)} IS NULL" for name in columns)
    lacking = int(tools.one(state.select("count(*)") + f" WHERE {lacks}")[0])
    most = max(_LEAST_REFERENCE, min(_MOST_REFERENCE, _BUDGET // max(1, lacking * len(using) * len(columns))))
    has = " OR ".join(f"{identifier(name)} IS NOT NULL" for name in columns)
    there = int(tools.one(state.select("count(*)") + f" WHERE {has}")[0])
    if there > most:
        tools.note(f"neighbours are sought among {most:,} of {there:,} rows, chosen by chance.", columns[0])
    wanted = list(dict.fromkeys([*columns, *using]))
    what = f"{tools.place}, {listed(wanted)}"
    inputs = [(what, f" WHERE {lacks} ORDER BY {tools.place}"),
              (what, f" WHERE {has} ORDER BY {tools.chance(_SEED)}, {tools.place} LIMIT {most}")]
    arguments: Mapping[str, Any] = {"fill": list(columns), "using": using, "neighbours": int(step["neighbours"])}

    kinds: list[pa.DataType] = []

    def make(tables: Sequence[pa.Table]) -> pa.Table:
        made = fill_by_neighbours(tables[0], tables[1], **arguments, check=check_stopped)
        kinds.extend(made.schema.types[1:])
        return made

    state, table = tools.with_table(state, inputs, "fill_by_neighbours", arguments, make)
    tools.learnt(f"what lies nearest to rows without {', '.join(map(repr, columns[:5]))} is", columns[0],
                 "Every model fills missing values by itself, from its training rows only.")
    return _joined(tools, state, columns, table.name, kinds)


def _joined(tools: Tools, state: State, columns: Sequence[str], table: str, kinds: Sequence[pa.DataType]) -> State:
    types = list(state.types)
    pairs = []
    for name, kind in zip(columns, kinds, strict=True):
        place = state.names.index(name)
        if types[place] is ColumnType.INTEGER and kind != ARROW[ColumnType.INTEGER]:
            types[place] = column_type(kind)
        column = identifier(name)
        old = f"CAST(data.{column} AS DOUBLE)" if types[place] is not state.types[place] else f"data.{column}"
        pairs.append(f"coalesce({old}, k.{column}) AS {column}")
    after = tools.made(state, f"SELECT data.* REPLACE ({', '.join(pairs)}) FROM {state.table} AS data "
                       f"LEFT JOIN {table} AS k ON data.{tools.place} = k.{tools.place}", types=types)
    changed = " + ".join(f"count(*) FILTER (WHERE {identifier(name)} IS NULL)" for name in columns)
    return replace(after, changed=changed, ordered=False)
