"""Precision, recall and F1 of one class, which a search may strive for: "f1:yes" is that of the class "yes".

numpy only. A prediction is the most probable class, as everywhere; what has no value (no row was given the class, or
none has it) is 0, as scikit-learn's ``zero_division=0``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mldesk.core.errors import BadInput
from mldesk.training.metric_words import of_class
from mldesk.training.probabilities import predicted_codes
from mldesk.training.values import Array


def class_score(name: str, code: int, prediction: Array, y: Array) -> float:
    """Return "precision", "recall" or "f1" of the class ``code``; (N, C) probabilities, (N,) truths."""
    given, there = predicted_codes(prediction) == code, y == code
    hit = np.count_nonzero(given & there)
    of = {"precision": np.count_nonzero(given), "recall": np.count_nonzero(there),
          "f1": (np.count_nonzero(given) + np.count_nonzero(there)) / 2}[name]
    return float(hit / of) if of else 0.0


def code_of(name: str, classes: Sequence[object]) -> int:
    """Return the code of the class that an aim names: as it is written, but for spaces around it, or as a number is.

    Raises BadInput where there is none.
    """
    found, labels = of_class(name), [str(label) for label in classes]
    wanted = "" if found is None else found[1]
    for meant in ([label == wanted for label in labels], [label.strip() == wanted.strip() for label in labels],
                  [_same_number(label, wanted) for label in classes]):
        if sum(meant) == 1:
            return meant.index(True)
    few = ", ".join(_shown(label) for label in labels[:10])
    raise BadInput(f"The target has no class {wanted[:60]!r} to strive for.",
                   hint=f"Its classes: {few}" + (", …." if len(labels) > 10 else "."))


def _same_number(label: object, wanted: str) -> bool:
    """Say whether a class is a number and ``wanted`` means it: 1 is also written 1.0."""
    try:
        return isinstance(label, int | float) and not isinstance(label, bool) and float(wanted) == label
    except ValueError:
        return False


def _shown(label: str) -> str:
    """Return a class as a sentence may hold it: one with line breaks or spaces around it between quotes."""
    return label[:40] if label.isprintable() and label == label.strip() else f"{label[:40]!r}"
