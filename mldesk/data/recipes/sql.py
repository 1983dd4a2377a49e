"""Recipe steps as SQL over DuckDB: each step is a SELECT from the one before it.

Names are quoted and values written as literals of the column's own type; users' text reaches SQL only through
``expressions``. Every row carries its place in the table it came from. What each step does stands in ``columns``,
``text``, ``numbers``, ``fill``, ``rows`` and ``shape``, all beside this file. What SQL cannot do, a function does over
Arrow tables, and its answer is a table in the connection (``Made``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mldesk.data.engine import sql_errors
from mldesk.data.recipes.columns import (
    cast,
    date_parts,
    derive,
    drop,
    drop_poor,
    keep,
    mark_missing,
    rename,
    rename_many,
    reorder,
    replace_values,
)
from mldesk.data.recipes.edit import edit
from mldesk.data.recipes.fill import fill_missing
from mldesk.data.recipes.learning import encode_target, reduce, segment
from mldesk.data.recipes.numbers import bin_numbers, clip, encode, scale, transform
from mldesk.data.recipes.others import join, union
from mldesk.data.recipes.python import python_step
from mldesk.data.recipes.rows import deduplicate, drop_missing, filter_rows, rebalance, sample
from mldesk.data.recipes.shape import group, pivot, unpivot
from mldesk.data.recipes.state import State, Tools
from mldesk.data.recipes.steps import Step
from mldesk.data.recipes.text import clean_text, extract, replace_text, split
from mldesk.wire.schema import ColumnType

__all__ = ["Compiler", "State", "in_any_order", "learn_in_any_order"]

_STEPS: Mapping[str, Callable[[Tools, State, Step], State]] = {
    "drop": drop, "drop_poor": drop_poor, "keep": keep, "mark_missing": mark_missing, "reorder": reorder,
    "rename": rename, "rename_many": rename_many, "cast": cast,
    "replace": replace_values, "date_parts": date_parts,
    "derive": derive,
    "clean_text": clean_text, "replace_text": replace_text, "extract": extract,
    "split": split, "fill_missing": fill_missing,
    "clip": clip, "bin": bin_numbers, "transform": transform,
    "scale": scale, "encode": encode, "edit": edit,
    "drop_missing": drop_missing, "deduplicate": deduplicate,
    "filter": filter_rows, "sample": sample, "rebalance": rebalance,
    "encode_target": encode_target, "segment": segment, "reduce": reduce,
    "group": group, "pivot": pivot, "unpivot": unpivot,
    "join": join, "union": union, "python": python_step,
}
# Steps that, once they have learnt what they need, give every row by itself, or choose rows by their places and whole
# values: however many threads work on them, the rows are the same. Sums of fractions are not.
ROW_BY_ROW = frozenset({
    "drop", "drop_poor", "keep", "mark_missing", "reorder", "rename", "rename_many", "cast", "replace", "date_parts",
    "derive", "clean_text", "replace_text", "extract", "split", "clip", "bin", "transform", "scale", "encode", "edit",
    "drop_missing", "deduplicate", "filter", "sample", "fill_missing",
})
# Of those, steps that learn nothing before, or only what is the same however the rows are shared among threads.
_LEARN_ALIKE = ROW_BY_ROW & {
    "drop", "keep", "reorder", "rename", "rename_many", "cast", "replace", "date_parts", "derive", "clean_text",
    "replace_text", "extract", "split", "edit", "drop_missing", "deduplicate", "filter", "sample",
}


def learn_in_any_order(steps: Iterable[Step]) -> bool:
    """Say whether several threads may find out what the steps need to know beforehand."""
    return all(step["step"] in _LEARN_ALIKE or (step["step"] == "fill_missing" and not step.get("by")
                                                and step.get("with") in ("constant", "median")) for step in steps)


def in_any_order(steps: Iterable[Step], state: State) -> bool:
    """Say whether several threads may compute what the steps made, which are compiled to ``state``."""
    return not state.tables and state.own_rows and all(
        step["step"] in ROW_BY_ROW and not (step["step"] == "fill_missing" and step.get("by")) for step in steps)


@dataclass(slots=True)
class Compiler:
    """Turns steps into SQL, asking the data where a step needs to know it."""

    tools: Tools

    def start(self, relation: str, names: Sequence[str], types: Sequence[ColumnType]) -> State:
        """Return the state before any step."""
        return State(tuple(names), tuple(types), (f"SELECT * FROM {relation}",))

    def add(self, state: State, number: int, step: Step) -> State:
        """Return the state after ``step``. Raises BadInput that names the step and the column."""
        tools = self.tools
        tools.number, tools.kind, tools.found = number, str(step["step"]), []
        with sql_errors(f"Step {number} ({tools.kind})"):
            after = _STEPS[tools.kind](tools, state, step)
        return replace(after, notices=(*state.notices, *tools.found))
