"""Which configurations a search tries first: strong ones of different kinds, so that there is something to blend.

Chosen for being unlike one another rather than for any data set: a booster with few and one with many leaves, forests,
a network, a linear model. What is too slow for a table's size is left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mldesk.training.catalogue import ESTIMATORS, ORDINAL
from mldesk.training.many_classes import MANY
from mldesk.training.search.pipeline import Offer, extras


@dataclass(frozen=True, slots=True)
class Configuration:
    """One thing to try."""

    estimator: str
    parameters: Mapping[str, Any]
    origin: str               # "portfolio" or "tpe"
    pipeline: Mapping[str, Any] = field(default_factory=dict)   # what is not as usual, see ``pipeline``

    @property
    def plain(self) -> bool:
        """Say whether this is what a training without any settings does."""
        return bool(ESTIMATORS[self.estimator].default_for) and not self.parameters and not self.pipeline


_Tried = tuple[tuple[str, Mapping[str, Any]], ...]
_ORDER: _Tried = (
    ("lightgbm", {"learning_rate": 0.06}),
    ("linear", {}),
    ("lightgbm", {"leaves": 128, "learning_rate": 0.06, "min_samples_leaf": 3, "feature_fraction": 0.9}),
    ("lightgbm", {"leaves": 8, "learning_rate": 0.05, "min_samples_leaf": 10, "feature_fraction": 0.4}),
    ("mlp", {}),
    ("tabm", {"members": 8, "width": 128}),   # an epoch takes little more than one of the network before
    ("extra_trees", {}),
    ("hist_gradient_boosting", {}),
    ("catboost", {}),
    ("xgboost", {"learning_rate": 0.06}),
    ("lightgbm", {"leaves": 96, "learning_rate": 0.04, "feature_fraction": 0.5, "row_fraction": 0.7}),
    ("extra_trees", {"min_samples_leaf": 1, "max_features": 0.6}),
    ("random_forest", {}),
    ("lightgbm", {}),
    ("svm", {}),
    ("neighbors", {}),
    ("mlp", {"blocks": 3, "width": 128, "dropout": 0.3, "learning_rate": 0.001}),
    ("mlp", {"blocks": 1, "width": 256, "number_embedding": 24, "dropout": 0.1}),
    ("ft_transformer", {}),
)
# Few rows: every kind there is comes early, well held back, since models that err differently are worth most there.
_FEW_ORDER: _Tried = (
    ("lightgbm", {"learning_rate": 0.06}),
    ("linear", {}),
    ("extra_trees", {"min_samples_leaf": 3, "max_features": 0.3}),
    ("mlp", {}),
    ("tabm", {"members": 16}),
    ("lightgbm", {"leaves": 4, "learning_rate": 0.04, "l2": 5.0, "feature_fraction": 0.4, "min_samples_leaf": 10}),
    ("random_forest", {"min_samples_leaf": 5}),
    ("svm", {}),
    ("catboost", {}),
    ("xgboost", {"max_depth": 3, "learning_rate": 0.04}),
    ("naive_bayes", {}),
    ("neighbors", {}),
)
_FEW = 2_000   # rows to fit on
# Networks that take many times what the others do, and the rows a second of the search (of a table of few columns) up
# to which there is room for them.
PATIENT = {"tabm": 50.0, "ft_transformer": 1.5}
_HURRIED: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("lightgbm", {"learning_rate": 0.15, "leaves": 128}),)   # first, where the others would not get to their end
_HURRY = 1_500   # rows a second (of a table of few columns) from which on that is so
_MOST_ROWS = {"svm": 4_000, "neighbors": 4_000}   # to fit on; beyond, it takes longer than it helps
_ASKED_FOR = {ORDINAL, "segments"}   # by name alone: for an order that is said, or for the sake of the segments
_ONE_BY_ONE = {"svm", "hist_gradient_boosting", "catboost", "segments"}   # too slow where there are very many classes
_MOST_WIDTH = {"neighbors": 60, "svm": 500}        # columns of the dense matrix


def portfolio(task: str, wanted: tuple[str, ...], rows: int, width: int, seconds: float = 0.0,
              classes: int = 0) -> list[Configuration]:
    """Return what to try, in order. ``wanted`` names the estimators that may be used; () allows all.

    ``seconds``: of the search, 0 without a limit.
    """
    work = rows * (1 + width / 20)
    hurried = bool(seconds) and work > _HURRY * seconds
    first = _FEW_ORDER if rows <= _FEW else ()
    tried = (*(_HURRIED if hurried else ()), *first, *(item for item in _ORDER if item not in first))
    return [Configuration(name, parameters, "portfolio") for name, parameters in tried
            if may_use(name, task, wanted, rows, width, classes) and has_time(name, work, seconds)]


def otherwise(known: Sequence[Configuration], offered: Offer) -> list[Configuration]:
    """Return what is tried after the portfolio: models of it, each with another pipeline that is offered."""
    first: dict[str, Configuration] = {}
    for item in known:
        first.setdefault(item.estimator, item)
    return [replace(first[name], pipeline=pipeline) for name, pipeline in extras(offered) if name in first]


def has_time(name: str, work: float, seconds: float) -> bool:
    """Say whether a search of so many seconds, 0 without a limit, has room for an estimator. ``work``: rows to fit on,
    times more the more columns there are.
    """
    return not seconds or work <= PATIENT.get(name, math.inf) * seconds


def may_use(name: str, task: str, wanted: tuple[str, ...], rows: int, width: int, classes: int = 0) -> bool:
    """Say whether an estimator is worth a try with ``rows`` to fit on; what was asked for by name always is."""
    if task not in ESTIMATORS[name].tasks:
        return False
    if wanted:
        return name in wanted
    if name in _ASKED_FOR or (classes >= MANY and name in _ONE_BY_ONE):
        return False
    return ESTIMATORS[name].installed and rows <= _MOST_ROWS.get(name, rows) and width <= _MOST_WIDTH.get(name, width)
