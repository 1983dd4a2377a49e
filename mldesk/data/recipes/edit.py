"""The step that holds what a person changed by hand: single cells, and rows taken out."""

from __future__ import annotations

from dataclasses import replace

from mldesk.data.engine import identifier
from mldesk.data.recipes.state import State, Tools
from mldesk.data.recipes.steps import Step


def edit(tools: Tools, state: State, step: Step) -> State:
    """Change cells and take out rows, by their numbers in the version that the recipe starts from."""
    cells, gone = step.get("cells") or (), sorted({int(row) for row in step.get("remove") or ()})
    if not cells and not gone:
        raise tools.refused("it changes nothing", hint='Write "cells": [{"row": 1, "column": "age", "value": 40}].')
    if not state.own_rows:
        raise tools.refused("the rows are no longer those of the table the recipe starts from",
                            hint="Put this step before those that group, join, pivot or add rows.")
    by_column: dict[str, dict[int, str]] = {}
    for cell in cells:
        name = tools.columns(state, [cell["column"]])[0]
        by_column.setdefault(name, {})[int(cell["row"])] = tools.value(cell["value"], state.type_of(name), name)
    _check_rows(tools, state, {*gone, *(row for rows in by_column.values() for row in rows)})
    expressions = {name: f"CASE {tools.place} {' '.join(f'WHEN {row - 1} THEN {sql}' for row, sql in rows.items())} "
                         f"ELSE {identifier(name)} END" for name, rows in by_column.items()}
    pairs = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in expressions.items())
    rest = f" WHERE {tools.place} NOT IN ({', '.join(str(row - 1) for row in gone)})" if gone else ""
    after = tools.next(state, f"* REPLACE ({pairs})" if pairs else "*", rest)
    return replace(after, changed=" + ".join(
        f"count(*) FILTER (WHERE ({sql}) IS DISTINCT FROM {identifier(name)})" for name, sql in expressions.items()))


def _check_rows(tools: Tools, state: State, rows: set[int]) -> None:
    """Refuse a row that the table does not have (any more)."""
    there = {int(row[0]) + 1 for row in tools.all(
        state.select(tools.place) + f" WHERE {tools.place} IN ({', '.join(str(row - 1) for row in rows)})")}
    lost = sorted(rows - there)
    if lost:
        raise tools.refused(f"there is no row {lost[0]:,}", hint="A step before this one may have taken it out.")
