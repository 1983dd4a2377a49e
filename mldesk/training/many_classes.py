"""Defaults for targets of very many classes: what grows with each class is made smaller, and said. Imports little.

A round of boosting grows a tree per class and a leaf of a forest holds a number per class, so that the usual defaults
would take hours and gigabytes for a thousand classes. A value that is not the default stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mldesk.training.catalogue import EstimatorEntry
from mldesk.training.parameters import resolve

MANY = 60               # classes from which on anything changes
_GROWN = 40_000         # trees that a booster grows at most, over all classes
_FEWEST_ROUNDS = 20
_LEARNT = 4.0           # learning rate times rounds: fewer rounds take larger steps
_LARGEST_STEP = 0.2
_VOTES = 20_000         # trees of a forest times classes
_FEWEST_TREES = 20


def resolve_for(entry: EstimatorEntry, given: Mapping[str, object], classes: int) -> tuple[dict[str, Any], str]:
    """Return every parameter's value, and what was made smaller for so many classes ("": nothing).

    Raises BadInput as ``resolve`` does.
    """
    values = resolve(entry.parameters, given)
    usual = {name for name, value in values.items() if value == entry.default_of(name)}
    if classes < MANY:
        return values, ""
    said = ""
    if "rounds" in usual and values["rounds"] * classes > _GROWN:
        values["rounds"] = max(_FEWEST_ROUNDS, _GROWN // classes)
        if "learning_rate" in usual:
            values["learning_rate"] = min(_LARGEST_STEP, max(values["learning_rate"], _LEARNT / values["rounds"]))
        said = (f"{classes:,} classes: every round grows as many trees, so there are {values['rounds']} rounds at most"
                ", of larger steps. A neural network or a linear model is quicker here.")
    if "trees" in usual and values["trees"] * classes > _VOTES:
        values["trees"] = max(_FEWEST_TREES, _VOTES // classes)
        said = (f"{classes:,} classes: every leaf of a tree holds as many numbers, so {values['trees']} trees are "
                "grown.")
    return values, said
