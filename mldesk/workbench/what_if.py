"""What a model would say if: one row that may be changed at will, its prediction, and what each column adds to it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mldesk.core.errors import BadInput
from mldesk.training.explaining.shapley import Coalitions, shapley
from mldesk.training.reach import NUMBERS as _NUMBERS
from mldesk.training.reach import far_outside
from mldesk.wire.schema import Column, ColumnType
from mldesk.workbench.references import did_you_mean, listed

if TYPE_CHECKING:
    from mldesk.bundles import Predictor
    from mldesk.bundles.contract import RowContract

LEVEL = 0.9   # share of rows whose truth an interval holds
_COALITIONS = 256


@dataclass(frozen=True, slots=True)
class Asked:
    """One column of the form."""

    column: Column
    choices: tuple[str, ...]     # of text: values that training knew, commonest first; () where any will do
    usual: Any                   # of the most usual of the known rows; None where they say nothing
    low: float | None = None     # of numbers: the range of the data, else of the known rows
    high: float | None = None
    whole: bool = False          # the range is that of all the data


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says of one row."""

    prediction: Any                              # a class, or a number
    probabilities: tuple[tuple[Any, float], ...]  # by class; () for numbers
    explained: Any                               # the class whose probability is explained; None for numbers
    base: float                                  # the mean over the known rows
    value: float                                 # what is explained: base plus all contributions
    contributions: tuple[tuple[str, float], ...]  # column and what it adds, the largest first; () if not asked for
    within: tuple[Any, ...] = ()                 # what holds the truth LEVEL of the time: both ends, or the classes


class WhatIf:
    """A model with rows to compare with. Calls may come from several threads."""

    def __init__(self, label: str, predictor: Predictor, known: Sequence[Mapping[str, Any]],
                 ranges: Mapping[str, tuple[float, float]] | None = None, contract: RowContract | None = None) -> None:
        self.label, self._predictor, self._contract = label, predictor, contract
        self.target, self.classes = predictor.target, predictor.classes
        self._known = [dict(row) for row in known]
        self._ranges = dict(ranges or {})   # of the numbers of all the data, by column
        choices, usual = predictor.choices(), most_usual(self._known, predictor.schema)
        self.form = tuple(self._asked(column, choices.get(column.name, ()), usual) for column in predictor.schema)
        table = {column.name: [row.get(column.name) for row in self._known] for column in predictor.schema}
        self._background = predictor.encode(table) if self._known else None

    @property
    def knows_rows(self) -> bool:
        """Whether there are rows to compare with, so that the usual one is real."""
        return bool(self._known)

    def usual(self) -> dict[str, Any]:
        """Return a real row: of those known the one nearest to the usual value of every column."""
        return {asked.column.name: asked.usual for asked in self.form}

    def row(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the usual row with some values changed.

        Raises BadInput for a column that the model does not take, and for a number that is none or endless.
        """
        types = {column.name: column.type for column in self._predictor.schema}
        for name, value in given.items():
            if name not in types:
                raise BadInput(f"{self.label} has no column {name[:60]!r}.",
                               hint=did_you_mean(name, list(types)) or f"It takes: {listed(list(types))}.")
            if types[name] in _NUMBERS and _endless(value):
                raise BadInput(f"{name!r:.60} takes a number, and {value!r:.60} is none that can be reckoned with.",
                               hint="Leave it empty where the value is missing.")
        return {**self.usual(), **given}

    def unknown(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """Return a sentence for each category that training never saw, or hardly ever, each number far outside, and
        each value that is missing where none was in training.

        A value that cannot be read is passed over: ``ask`` raises for it.
        """
        return (*self._unseen(row), *self._far(row), *self._gone(row))

    def _gone(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(f"{name!r:.60} is missing; in training it never was." for name in self._predictor.whole
                     if name in row and not _present([row], name))

    def _far(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        said = []
        for name, (low, high) in self._predictor.reach.items():
            try:
                number = np.array([float(row[name])])
            except (KeyError, TypeError, ValueError, OverflowError):
                continue
            if far_outside(number, low, high).any():
                said.append(f"{name!r:.60} lies far outside what training saw ({low:.6g} to {high:.6g}), where the "
                            "model was taught nothing.")
        return tuple(said)

    def _unseen(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(f"Training never saw {given!r:.60}, or hardly ever, in {asked.column.name!r:.60}; "
                     f"it knows: {listed(asked.choices)}."
                     for asked in self.form if asked.column.type is ColumnType.TEXT and asked.choices
                     and (given := row.get(asked.column.name)) is not None and str(given) not in asked.choices)

    def broken(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """Return a sentence for each rule that ``row`` breaks, of the contract that rows for this model are held to."""
        if self._contract is None:
            return ()
        return tuple(text.removesuffix(" (row 1).") + "." if text.endswith(" (row 1).") else text
                     for text in self._contract.broken_by({name: [value] for name, value in row.items()}))

    def _within(self, raw: Any) -> tuple[Any, ...]:
        """Return what holds the truth of a row with these outputs (C,) LEVEL of the time; () where nobody knows."""
        margins = self._predictor.margins
        if margins is None or not math.isfinite(margins.at(LEVEL)):
            return ()
        if not self.classes:
            low, high = margins.around(raw[:1], LEVEL)
            return float(low[0]), float(high[0])
        return tuple(label for label, kept in zip(self.classes, margins.sets(raw[None], LEVEL)[0], strict=True) if kept)

    def ask(self, row: Mapping[str, Any], *, explain: bool = True, about: Any = None) -> Answer:
        """Predict a row, and say what each column adds to the probability of ``about`` (else of what is predicted).

        Raises BadInput for a value that cannot be read.
        """
        x = self._predictor.encode({name: [value] for name, value in row.items()})
        raw = np.asarray(self._predictor.outputs_of(x)[0], np.float64)
        place = int(self._predictor.called(raw[None])[0]) if self.classes else 0
        if about in self.classes:
            chosen = self.classes.index(about)
        else:
            chosen = place
        base, contributions = float(raw[chosen]), ()  # type: float, tuple[tuple[str, float], ...]
        if explain and self._background is not None:
            base, contributions = self._contributions(x, chosen)
        return Answer(self.classes[place] if self.classes else float(raw[0]),
                      tuple(zip(self.classes, map(float, raw), strict=True)) if self.classes else (),
                      self.classes[chosen] if self.classes else None, base, float(raw[chosen]), contributions,
                      self._within(raw))

    def _contributions(self, x: Any, chosen: int) -> tuple[float, tuple[tuple[str, float], ...]]:
        names = [column.name for column in self._predictor.schema]
        found = shapley(lambda rows: self._predictor.outputs_of(rows)[:, chosen], x, np.asarray(self._background),
                        self._predictor.groups, Coalitions.of(len(names), _COALITIONS + 2 * len(names)))
        added = sorted(zip(names, map(float, found.values[0, :, 0]), strict=True), key=lambda pair: -abs(pair[1]))
        return float(found.base[0]), tuple(added)

    def _asked(self, column: Column, choices: tuple[str, ...], usual: Mapping[str, Any]) -> Asked:
        values = _present(self._known, column.name)
        value = usual.get(column.name, choices[0] if choices and not self._known else None)
        if column.type in _NUMBERS and values:
            numbers = [float(value) for value in values]
            low, high = self._ranges.get(column.name, (min(numbers), max(numbers)))
            return Asked(column, (), value, low, high, column.name in self._ranges)
        return Asked(column, choices, value)


def most_usual(rows: Sequence[Mapping[str, Any]], schema: Sequence[Column]) -> Mapping[str, Any]:
    """Return the row that is nearest to the median or the commonest value of every column; {} where there is none.

    Medians and commonest values of columns by themselves may never occur together. A number counts by how many of the
    rows lie between it and the median, another value by whether it is the commonest, a missing one as far off.
    """
    if not rows:
        return {}
    far = np.zeros(len(rows))
    for column in schema:
        values = _present(rows, column.name)
        if not values:
            continue
        cells = [row.get(column.name) for row in rows]
        if column.type in _NUMBERS:
            ranked = np.sort(np.array(values, np.float64))
            numbers = np.array([math.nan if cell is None else float(cell) for cell in cells])
            below = np.searchsorted(ranked, numbers) + np.searchsorted(ranked, numbers, side="right")
            far += np.where(np.isnan(numbers), 1.0, np.abs(below / len(ranked) - 1))
        else:
            commonest = Counter(values).most_common(1)[0][0]
            far += [float(cell != commonest) for cell in cells]
    return rows[int(far.argmin())]


def _present(rows: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    return [value for row in rows if (value := row.get(name)) is not None
            and not (isinstance(value, float) and math.isnan(value))]


def _endless(value: Any) -> bool:
    """Say whether a value reads as a number that is not finite: nan, inf, 1e400."""
    try:
        return value is not None and not math.isfinite(float(value))
    except (TypeError, ValueError):   # no number at all: who reads the row says so
        return False
    except OverflowError:             # a whole number beyond all floats
        return True
