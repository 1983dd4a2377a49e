"""The column to predict: what its values mean for the task, and which rows cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mldesk.core.errors import BadInput
from mldesk.training.catalogue import CLASSIFICATION, REGRESSION
from mldesk.training.roles import missing
from mldesk.training.task_guess import guess_task, target_hint, target_problem
from mldesk.training.values import Array, ColumnData, TextColumn, array_of
from mldesk.wire.schema import Column, ColumnType

Label = str | int | float | bool
_LARGEST = 1e30   # beyond, squares no longer fit in the float32 that models calculate with


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """The target of every row of the table."""

    name: str
    task: str
    y: Array                       # (rows,) int64 class codes, or float64; -1 or NaN where the row cannot be used
    classes: tuple[Label, ...]     # by code, sorted; empty for regression
    warnings: tuple[str, ...]      # what the user should know about left-out rows and rare classes

    @property
    def usable(self) -> Array:
        """Rows that have a target, (rows,) bool."""
        return self.y >= 0 if self.classes else ~np.isnan(self.y)

    def counts(self, rows: Array) -> Array:
        """Return how many of ``rows`` (mask or indices) belong to each class."""
        return np.bincount(self.y[rows], minlength=len(self.classes))


def read_target(data: ColumnData, column: Column, task: str | None) -> Target:
    """Make the target from its column. Raises BadInput when nothing can be learned from it, with the reason."""
    rows = len(data)
    gaps = missing(data)
    warnings = _gap_warnings(data, gaps, column)
    column = Column(column.name, column.type, int(gaps.sum()), _distinct(data, gaps))
    task = task or guess_task(column, rows)
    if task not in (CLASSIFICATION, REGRESSION):
        raise BadInput(f"There is no task {task!r:.60}.", hint=f"The tasks are {CLASSIFICATION} and {REGRESSION}.")
    problem = target_problem(column, rows, task)
    if problem:
        raise BadInput(problem, hint=target_hint(column, rows, task))
    if task == REGRESSION:
        y = np.where(gaps, np.nan, array_of(data))
        huge = np.abs(y) > _LARGEST
        if huge.any():
            warnings.append(
                f"{int(huge.sum())} rows are left out because their {column.name!r} is beyond {_LARGEST:g}.")
            y[huge] = np.nan
        return Target(column.name, task, y, (), tuple(warnings))
    codes, classes = _classes(data, gaps, column.type)
    rare = [classes[code] for code in np.flatnonzero(np.bincount(codes[codes >= 0]) == 1)]
    if rare:
        warnings.append(f"Only one row is {_named(rare)}; it is used for training, so no score tells how well that is "
                        "learned.")
    return Target(column.name, task, codes, classes, tuple(warnings))


def _classes(data: ColumnData, gaps: Array, kind: ColumnType) -> tuple[Array, tuple[Label, ...]]:
    """Return class codes (rows,) int64 with -1 for missing, and the sorted labels."""
    codes = np.full(len(data), -1, np.int64)
    if isinstance(data, TextColumn):
        used = [data.values[index] for index in np.flatnonzero(data.counts())]
        names = sorted(used)
        return data.map({name: code for code, name in enumerate(names)}, -1, -1).astype(np.int64), tuple(names)
    values, codes[~gaps] = np.unique(data[~gaps], return_inverse=True)
    if kind is ColumnType.BOOLEAN:
        return codes, tuple(bool(value) for value in values)
    return codes, tuple(int(value) if float(value).is_integer() else float(value) for value in values)


def _gap_warnings(data: ColumnData, gaps: Array, column: Column) -> list[str]:
    infinite = 0 if isinstance(data, TextColumn) or column.type.temporal else int(np.isinf(data).sum())
    empty = int(gaps.sum()) - infinite
    said = []
    if empty:
        said.append(f"{empty} of {len(data)} rows are left out because they have no {column.name!r}.")
    if infinite:
        said.append(f"{infinite} of {len(data)} rows are left out because their {column.name!r} is infinite.")
    return said


def _distinct(data: ColumnData, gaps: Array) -> int:
    if isinstance(data, TextColumn):
        return int((data.counts() > 0).sum())
    return len(np.unique(data[~gaps]))


def _named(labels: Sequence[Label]) -> str:
    shown = ", ".join(f"“{str(label)[:40]}”" for label in labels[:5])
    return shown if len(labels) <= 5 else f"{shown} (and so for {len(labels) - 5} more)"
