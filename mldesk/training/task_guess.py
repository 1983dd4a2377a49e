"""What a column asks for when it is the target, and why some columns cannot be one. Imports nothing heavy.

Works from the counts a dataset version keeps, so the window and the command line can say it before anything runs;
``training.target`` looks at the values themselves.
"""

from __future__ import annotations

from mldesk.training.catalogue import CLASSIFICATION, REGRESSION
from mldesk.wire.schema import Column, ColumnType

MIN_ROWS = 10        # rows with a target below which no honest test part is left
MAX_CLASSES = 2_000
_CODE_VALUES = 10    # an integer column of at most so many values is read as class codes


def guess_task(column: Column, rows: int) -> str:
    """Return the task whose target ``column`` looks like. ``rows`` are those of the table."""
    if column.type is ColumnType.INTEGER:
        few = column.distinct <= _CODE_VALUES and column.distinct <= max(2, (rows - column.missing) // 5)
        return CLASSIFICATION if few else REGRESSION
    if column.type is ColumnType.NUMBER:
        return CLASSIFICATION if column.distinct <= 2 else REGRESSION
    return CLASSIFICATION


def target_problem(column: Column, rows: int, task: str | None = None) -> str | None:
    """Say in one sentence why ``column`` cannot be the target, or None if it can."""
    task = task or guess_task(column, rows)
    name, filled = _quoted(column.name), rows - column.missing
    if filled == 0:
        return f"The column {name} is empty in every row, so there is nothing to learn."
    if column.type.temporal:
        return f"The column {name} holds {column.type.value}s; a target must be a number or a category."
    if column.distinct == 1:
        return f"The column {name} holds the same value in every row, so there is nothing to learn."
    if filled < MIN_ROWS:
        return f"Only {filled} rows have a value in {name}; at least {MIN_ROWS} are needed to train and test."
    if task == REGRESSION:
        if column.type is ColumnType.TEXT:
            return f"The column {name} holds text; to predict a number the target must be a number."
        return None
    if column.distinct > MAX_CLASSES or column.distinct > filled // 2:
        kind = "free text or identifiers" if column.type is ColumnType.TEXT else "measured numbers"
        return (f"The column {name} has {column.distinct} different values in {filled} rows; that looks like {kind}, "
                "not classes.")
    return None


def target_hint(column: Column, rows: int, task: str | None = None) -> str:
    """Say what to do about ``target_problem``."""
    task = task or guess_task(column, rows)
    if task == CLASSIFICATION and column.type.numeric and column.distinct > MAX_CLASSES:
        return "Train it as a regression instead."
    if task == REGRESSION and column.type is ColumnType.TEXT:
        return "Train it as a classification, or cast the column to a number first."
    if rows - column.missing < MIN_ROWS:
        return "Add rows, or choose another target."
    return "Choose another column as the target."


def _quoted(name: str) -> str:
    return f"“{name[:60]}”"
