"""Learning the steps that go by the target: categories encoded by it, training rows rebalanced.

What they make of training rows is not what the model makes of the same rows later, so both come back: the step, and
the training rows as the fit is to see them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mldesk.core.errors import BadInput
from mldesk.training.preparing_check import Step
from mldesk.training.preparing_groups import Aimed, Known, Rebalanced
from mldesk.training.target_means import target_means
from mldesk.training.values import Array, ColumnData

DIGITS = 12           # of a learnt figure, as in recipes
_MOST_CLASSES = 50    # that a column of categories becomes columns for
_MOST_VALUES = 1_000  # of the column that rows are rebalanced by
_MOST_MADE = 50_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The target of training rows."""

    name: str
    y: Array                     # (N,) float64, or int64 class codes
    classes: Sequence[object]    # by code; none for numbers

    def of(self, rows: Array) -> Truth:
        """Return that of some rows (mask or indices)."""
        return Truth(self.name, self.y[rows], self.classes)


def aimed(where: str, step: Step, names: Sequence[str], columns: Mapping[str, ColumnData], taken: set[str],
          truth: Truth) -> Iterator[tuple[Aimed, dict[str, ColumnData]]]:
    """Yield for each column how it is encoded by the target, and what becomes of the training rows.

    Those are encoded out of fold (``target_means``), so that no row's own target is in its encoding; rows that come
    later by all training rows.
    """
    answers, suffixes = _answers(where, step, truth)
    fold = _folds(step, truth)
    for name in names:
        key = Known.of(name, columns[name])
        places, last = key.places(columns), len(key.values)
        places = np.where(places < 0, last, places)   # an infinite number, of no value of its own
        found = target_means(places, last + 1, np.stack(answers, 1), fold, int(step["folds"]), float(step["smoothing"]))
        outputs = tuple(free(f"{name}_{suffix}"[:200], taken) for suffix in suffixes) or (name,)
        one = Aimed(key, tuple(tuple(map(settled, mean)) for mean in found.group.tolist()),
                    tuple(map(settled, found.all.tolist())), outputs)
        yield one, {output: found.beside[:, number] for number, output in enumerate(outputs)}


def _answers(where: str, step: Step, truth: Truth) -> tuple[list[Array], list[str]]:
    """Return what means are taken of, and the ends of the columns' names where there are several."""
    value, many = step.get("value"), len(truth.classes)
    if value is not None:
        found = [code for code, label in enumerate(truth.classes) if str(label) == str(value)]
        if not found:
            raise BadInput(f"{where}: {value!r:.80} is no class of {truth.name!r:.80}.",
                           hint="Leave the value out: a model encodes by all classes.")
        return [(truth.y == found[0]).astype(np.float64)], []
    if not many:
        return [np.asarray(truth.y, np.float64)], []
    if many == 2:
        return [(truth.y == 1).astype(np.float64)], []
    if many > _MOST_CLASSES:
        raise BadInput(f"{where}: {truth.name!r:.80} has {many:,} classes, each of which would make a column.",
                       hint='Write "value": the class that counts.')
    return [(truth.y == code).astype(np.float64) for code in range(many)], [str(label) for label in truth.classes]


def _folds(step: Step, truth: Truth) -> Array:
    """Deal the rows into folds by chance, (N,); those of a class evenly."""
    order = np.random.default_rng(int(step["seed"])).permutation(len(truth.y))
    if truth.classes:
        order = order[np.argsort(truth.y[order], kind="stable")]
    fold = np.empty(len(order), np.int64)
    fold[order] = np.arange(len(order)) % int(step["folds"])
    return fold


def rebalanced(where: str, step: Step, columns: Mapping[str, ColumnData],
               truth: Truth) -> tuple[Rebalanced, Array]:
    """Return the step and the places of the rows that stay, in order; with ``more`` some are there several times."""
    name = str(step["column"])
    groups = truth.y if name == truth.name else Known.of(name, columns[name]).places(columns)
    values, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if len(values) > _MOST_VALUES:
        raise BadInput(f"{where}: {name!r:.80} has {len(values):,} different values.",
                       hint=f"Rebalance by a column of {_MOST_VALUES:,} values at most.")
    goal = int(step.get("rows") or (sizes.min() if step["how"] == "fewer" else sizes.max()))
    if goal * len(values) > _MOST_MADE:
        raise BadInput(f"{where}: it would make {goal * len(values):,} rows.", hint="Ask for fewer rows of each.")
    order = np.random.default_rng(int(step["seed"])).permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    rank = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    size = np.repeat(sizes, sizes)
    times = (rank < goal).astype(int) if step["how"] == "fewer" else np.maximum(1, goal // size + (rank < goal % size))
    return Rebalanced(name, str(step["how"]), float(goal)), np.sort(np.repeat(order, times))


def free(name: str, taken: set[str]) -> str:
    """Return a name that is not taken, and take it."""
    made, number = name, 2
    while made in taken:
        made, number = f"{name}_{number}", number + 1
    taken.add(made)
    return made


def settled(value: float) -> float:
    """Return a learnt figure cut to DIGITS."""
    return float(f"{value:.{DIGITS}g}")
