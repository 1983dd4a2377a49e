"""What a trial does around its model, where the data at hand give it a choice: the choices, and which matter here.

A choice that nothing speaks for is not offered, so that a search is not spread over what cannot help: what text
becomes only where there is text, a bent target only where it is skewed, classes evened out only where some are rare
and what is striven for does not ask for chances. What is as usual is not said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mldesk.training.blocks import Category, Numeric, Words
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.features import FeatureEncoder
from mldesk.training.means import MOST_CLASSES
from mldesk.training.pipeline_words import TREES
from mldesk.training.search.measures import Aim
from mldesk.training.values import Array, ColumnData, TextColumn

TEXT = {"words": (1000, 0), "topics": (0, 64)}   # words and topics that a column of text becomes
_SKEWED = 1.0          # third moment of a target that is worth bending
_SKEWED_COLUMN = 2.0   # ... of a column of numbers that is worth ranking
_MANY_VALUES = 20      # of a category, from which on the target's means say more than a column each
_ROWS_A_VALUE = 3.0    # at least, or a mean says nothing
_FEWEST_ROWS = 100
_RARE = 0.25           # share of the commonest class' rows that a class is rare below
_WIDE = 24             # columns of the dense matrix, from which on principal components are worth a try
_CHANCES = ("log_loss", "brier_score", "roc_auc", "average_precision")   # need no even classes


@dataclass(frozen=True, slots=True)
class Offer:
    """The values that each part of a pipeline may have here, but the usual one."""

    target: tuple[str, ...] = ()        # how a target of numbers is bent
    categories: tuple[str, ...] = ()    # "means": of the target, beside the codes
    text: tuple[str, ...] = ()          # of TEXT
    scaling: tuple[str, ...] = ()       # "ranks", of columns of numbers before networks and the like
    balance: tuple[str, ...] = ()       # "weights", or a way of resampling
    components: tuple[int, ...] = ()    # principal ones
    ranked: tuple[str, ...] = field(default=(), compare=False)   # the columns that "ranks" is for
    meant: tuple[str, ...] = field(default=(), compare=False)    # ... that "means" is for

    def of(self, estimator: str) -> dict[str, tuple[Any, ...]]:
        """Return the parts that an estimator has a choice of, each with its values, without the usual one."""
        known = {item.name for item in ESTIMATORS[estimator].parameters}
        possible: dict[str, tuple[Any, ...]] = {
            "target": self.target, "categories": self.categories, "text": self.text,
            "scaling": () if estimator in TREES else self.scaling,
            "balance": tuple(how for how in self.balance
                             if ("class_weight" if how == "weights" else "resampling") in known),
            "components": self.components if "components" in known else ()}
        return {name: values for name, values in possible.items() if values}


NOTHING = Offer()


def offer(encoder: FeatureEncoder, columns: Mapping[str, ColumnData], y: Array, classes: int, aim: Aim,
          width: int) -> Offer:
    """Say what is worth a try. ``columns``: the rows that trials are made of; ``width``: of the dense matrix."""
    if len(y) < _FEWEST_ROWS:
        return NOTHING
    blocks = {column.name: column.block for column in encoder.columns}
    ranked = tuple(name for name, block in blocks.items() if isinstance(block, Numeric) and abs(_skew(
        columns[name])) > _SKEWED_COLUMN)
    meant = tuple(name for name, block in blocks.items() if isinstance(block, Category) and _many(columns[name]))
    if classes > MOST_CLASSES:
        meant = ()
    return Offer(
        target=("log", "root") if not classes and aim.quantile is None and y.min() >= 0 and _skew(y) > _SKEWED else (),
        categories=("means",) if meant else (),
        text=tuple(TEXT) if any(isinstance(block, Words) for block in blocks.values()) else (),
        scaling=("ranks",) if ranked else (), balance=_balance(y, classes, aim),
        components=tuple(sorted({width // 8, width // 3})) if width >= _WIDE else (), ranked=ranked, meant=meant)


def extras(offered: Offer) -> list[tuple[str, Mapping[str, Any]]]:
    """Return what is tried once the portfolio is over, an estimator and its pipeline each: one strong model of another
    kind of preparation for each that is offered.
    """
    wished: list[tuple[str, str, Sequence[Any]]] = [
        ("lightgbm", "target", offered.target[:1]), ("lightgbm", "categories", offered.categories),
        ("linear", "text", offered.text[:1]), ("mlp", "scaling", offered.scaling),
        ("mlp", "target", offered.target[:1]), ("lightgbm", "balance", offered.balance[:1]),
        ("lightgbm", "text", offered.text[1:])]
    return [(name, {part: values[0]}) for name, part, values in wished if values and part in offered.of(name)]


def _balance(y: Array, classes: int, aim: Aim) -> tuple[str, ...]:
    if not classes or aim.name in _CHANCES:
        return ()
    counts = np.bincount(y, minlength=classes)
    return ("weights", "over", "under", "smote") if counts.min() < _RARE * counts.max() else ()


def _many(data: ColumnData) -> bool:
    if not isinstance(data, TextColumn):
        return False
    counts = data.counts()
    different = int((counts > 0).sum())
    return different > _MANY_VALUES and counts.sum() > _ROWS_A_VALUE * different


def _skew(data: ColumnData) -> float:
    """Return how lopsided numbers are, by their third moment; 0 where that says nothing."""
    if isinstance(data, TextColumn):
        return 0.0
    known = data[np.isfinite(data)].astype(np.float64)
    spread = float(known.std()) if len(known) else 0.0
    return float(np.mean(((known - known.mean()) / spread) ** 3)) if spread > 0 else 0.0
