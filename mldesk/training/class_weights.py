"""Weights of classes as a person writes them: ``yes=3, no=0.5``, or as JSON where a name has a comma in it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from mldesk.core.errors import BadInput

NAME = "weights_by_class"   # of the parameter
_HINT = "For example: yes=3, no=0.5. Classes that are not named weigh 1."
_MOST = 1e6


def read_weights(text: str) -> dict[str, float]:
    """Return the weight of each class that is named. Raises BadInput."""
    try:
        if text.lstrip().startswith("{"):
            pairs = [(str(name), float(value)) for name, value in json.loads(text).items()]
        else:
            pairs = [(name.strip(), float(value)) for part in text.split(",") if part.strip()
                     for name, _, value in [part.rpartition("=")]]
    except (ValueError, TypeError, AttributeError) as error:
        raise BadInput(f"The weights of classes cannot be read from {text[:60]!r}.", hint=_HINT) from error
    found = dict(pairs)
    if not found or len(found) < len(pairs) or not all(name for name in found):
        raise BadInput(f"The weights {text[:60]!r} name no class, or one twice.", hint=_HINT)
    if not all(math.isfinite(value) and 0 < value <= _MOST for value in found.values()):
        raise BadInput("A class weighs more than 0, and no more than a million.", hint=_HINT)
    return found


def weights_by_hand(parameters: Mapping[str, Any], classes: Sequence[Any]) -> tuple[float, ...] | None:
    """Return the weight of every class where a person gave any, in their order. Raises BadInput for an unknown class.
    """
    if not (text := parameters.get(NAME)) or not classes:
        return None
    given = read_weights(text)
    known = [str(label) for label in classes]
    if unknown := [name for name in given if name not in known]:
        raise BadInput(f"There is no class {unknown[0][:60]!r} to weigh.",
                       hint="The classes are: " + ", ".join(name[:40] for name in known[:8]) + ".")
    return tuple(given.get(name, 1.0) for name in known)
