"""What steps found out from the rows they were made for: written down as JSON, and given again without those rows.

A recipe asks the data in the same order every time it is compiled. Where its answers are known, it can be compiled for
other rows with no table at hand, which is how it travels with a model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Protocol

from mldesk.core.errors import BadInput

_TEMPORAL: dict[str, type[date | time]] = {"date": date, "datetime": datetime, "time": time}


class Answers(Protocol):
    """Who is asked what a step wants to know."""

    def give(self, make: Callable[[], Any]) -> Any:
        """Return what ``make`` finds out: lists and tuples of plain values."""
        ...


class Written:
    """Finds everything out, and writes it down in ``found``."""

    def __init__(self) -> None:
        self.found: list[Any] = []

    def give(self, make: Callable[[], Any]) -> Any:
        answer = make()
        self.found.append(_to_json(answer))
        return answer


class Known:
    """Gives what was written down, in that order."""

    def __init__(self, found: Sequence[Any]) -> None:
        self._rest = iter(found)

    def give(self, make: Callable[[], Any]) -> Any:  # noqa: ARG002 - what would find it out is not at hand
        """Raises BadInput where less was written down than is asked."""
        for answer in self._rest:
            return _from_json(answer)
        raise not_ours()


def not_ours() -> BadInput:
    """Return what is said of answers that no recipe of ours would give."""
    return BadInput("The recipe that came with the model was written by another MLDesk, and cannot be done here.",
                    hint="Clean the rows by hand first, or use the version of MLDesk that exported the model.")


def _to_json(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_to_json(item) for item in value]
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if abs(value) < 1 << 53 else {"integer": str(value)}
    if isinstance(value, (float, Decimal)):
        return float(value) if math.isfinite(value) else {"number": str(float(value))}
    for name, kind in (("datetime", datetime), ("date", date), ("time", time)):  # a datetime is a date
        if isinstance(value, kind):
            return {name: value.isoformat()}
    raise TypeError(f"a step found out {type(value).__name__}, which cannot be written down")


def _from_json(value: Any) -> Any:
    """Raises BadInput for what ``_to_json`` did not write."""
    if isinstance(value, list):
        return tuple(_from_json(item) for item in value)
    if not isinstance(value, dict):
        return value
    try:
        ((name, text),) = value.items()
        if name in _TEMPORAL:
            return _TEMPORAL[name].fromisoformat(text)
        return {"integer": int, "number": float}[name](text)
    except (ValueError, TypeError, KeyError) as error:
        raise BadInput("What the recipe that came with the model learnt cannot be read.") from error
