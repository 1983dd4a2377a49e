"""The column to predict: what its values mean for the task, and which rows cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mldesk.core.errors import BadInput
from mldesk.training.catalogue import CLASSIFICATION, REGRESSION
from mldesk.training.roles import missing
from mldesk.training.task_guess import MIN_ROWS, guess_task, target_hint, target_problem
from mldesk.training.values import Array, ColumnData, TextColumn, array_of
from mldesk.wire.jobs import SORTED
from mldesk.wire.schema import Column, ColumnType

Label = str | int | float | bool
_WHOLE = 2 ** 53  # numbers beyond are no whole ones that a file of predictions could hold
_LARGEST = 1e30   # beyond, squares no longer fit in the float32 that models calculate with


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """The target of every row of the table."""

    name: str
    task: str
    y: Array                       # (rows,) int64 class codes, or float64; -1 or NaN where the row cannot be used
    classes: tuple[Label, ...]     # by code, sorted; empty for regression
    warnings: tuple[str, ...]      # what the user should know about left-out rows and rare classes
    ordered: bool = False          # the classes have an order, from low to high

    @property
    def usable(self) -> Array:
        """Rows that have a target, (rows,) bool."""
        return self.y >= 0 if self.classes else ~np.isnan(self.y)

    def counts(self, rows: Array) -> Array:
        """Return how many of ``rows`` (mask or indices) belong to each class."""
        return np.bincount(self.y[rows], minlength=len(self.classes))


def read_target(data: ColumnData, column: Column, task: str | None, order: Sequence[str] = ()) -> Target:
    """Make the target from its column. ``order``: the classes from low to high, or wire.jobs.SORTED for as they sort.

    Raises BadInput when nothing can be learned from it or the order does not fit, with the reason.
    """
    rows = len(data)
    gaps = missing(data)
    warnings = _gap_warnings(data, gaps, column)
    column = Column(column.name, column.type, int(gaps.sum()), _distinct(data, gaps))
    task = task or (CLASSIFICATION if order else guess_task(column, rows))
    if order and task == REGRESSION:
        raise BadInput(f"An order of classes was given, but {column.name[:80]!r} is to be predicted as a number.",
                       hint="Leave the order out, or train a classification.")
    if task not in (CLASSIFICATION, REGRESSION):
        raise BadInput(f"There is no task {task!r:.60}.", hint=f"The tasks are {CLASSIFICATION} and {REGRESSION}.")
    problem = target_problem(column, rows, task)
    if problem:
        raise BadInput(problem, hint=target_hint(column, rows, task))
    if task == REGRESSION:
        y = np.where(gaps, np.nan, array_of(data))
        huge = np.abs(y) > _LARGEST
        if huge.any():
            one = huge.sum() == 1
            warnings.append(f"{int(huge.sum()):,} {'row is' if one else 'rows are'} left out because "
                            f"{'its' if one else 'their'} {column.name!r} is beyond {_LARGEST:g}.")
            y[huge] = np.nan
            if (left := int((~np.isnan(y)).sum())) < MIN_ROWS:
                raise BadInput(f"Only {left} rows have a value in “{column.name[:60]}” that is not beyond "
                               f"{_LARGEST:g}; at least {MIN_ROWS} are needed to train and test.",
                               hint="Divide the column by a large number in a recipe, or choose another target.")
        return Target(column.name, task, y, (), tuple(warnings))
    codes, classes = _classes(data, gaps, column.type)
    if order and tuple(order) != SORTED:
        codes, classes = _in_order(codes, classes, order)
    rare = [classes[code] for code in np.flatnonzero(np.bincount(codes[codes >= 0]) == 1)]
    if rare:
        warnings.append(f"Only one row is {_named(rare)}; it is used for training, so no score tells how well that is "
                        "learned.")
    return Target(column.name, task, codes, classes, tuple(warnings), bool(order))


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
    return codes, tuple(int(value) if float(value).is_integer() and abs(value) <= _WHOLE else float(value)
                        for value in values)


def _in_order(codes: Array, classes: tuple[Label, ...], order: Sequence[str]) -> tuple[Array, tuple[Label, ...]]:
    """Return codes and labels in the given order. Raises BadInput for one that is not of these classes."""
    known = {str(label).casefold() if isinstance(label, bool) else str(label): code
             for code, label in enumerate(classes)}
    strange, absent = [name for name in order if name not in known], [name for name in known if name not in order]
    if strange or absent or len(set(order)) < len(order):
        what = (f"names “{strange[0][:40]}”, which is no class" if strange else
                f"lacks “{absent[0][:40]}”" if absent else "names a class twice")
        raise BadInput(f"The order of the classes {what}.",
                       hint="Name each once, from low to high: " + ", ".join(list(known)[:20]) + ".")
    ranks = np.empty(len(classes), np.int64)
    ranks[[known[name] for name in order]] = np.arange(len(classes))
    return np.where(codes >= 0, ranks[codes], -1), tuple(classes[known[name]] for name in order)


def _gap_warnings(data: ColumnData, gaps: Array, column: Column) -> list[str]:
    infinite = 0 if isinstance(data, TextColumn) or column.type.temporal else int(np.isinf(data).sum())
    empty = int(gaps.sum()) - infinite
    said = []
    if empty:
        said.append(f"{empty:,} of {len(data):,} rows {'is' if empty == 1 else 'are'} left out because "
                    f"{'it has' if empty == 1 else 'they have'} no {column.name!r}.")
    if infinite:
        said.append(f"{infinite:,} of {len(data):,} rows {'is' if infinite == 1 else 'are'} left out because "
                    f"{'its' if infinite == 1 else 'their'} {column.name!r} is infinite.")
    return said


def _distinct(data: ColumnData, gaps: Array) -> int:
    if isinstance(data, TextColumn):
        return int((data.counts() > 0).sum())
    return len(np.unique(data[~gaps]))


def _named(labels: Sequence[Label]) -> str:
    shown = ", ".join(f"“{str(label)[:40]}”" for label in labels[:5])
    return shown if len(labels) <= 5 else f"{shown} (and so for {len(labels) - 5} more)"
