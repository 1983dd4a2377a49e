"""Parameters of estimators, declared once: forms, command line options and search spaces come from here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from mldesk.core.errors import BadInput

Kind = Literal["integer", "number", "choice", "boolean", "text"]

_LONGEST = 4096    # characters of a text
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One knob: its range, its unit and what it does, in words for people."""

    name: str
    kind: Kind
    default: Any
    help: str                                 # one plain line
    label: str = ""                           # for forms; the name in words if empty
    low: float | None = None                  # inclusive
    high: float | None = None                 # inclusive
    log: bool = False                         # searched and slid on a log scale
    unit: str = ""
    choices: tuple[Any, ...] = ()
    nullable: bool = False                    # None (written "none") means: no limit, or chosen by the estimator
    advanced: bool = False                    # folded away in forms
    tasks: tuple[str, ...] = ()               # it means something for these tasks alone; (): for all
    search: tuple[Any, ...] = ()              # a search tries these: (low, high), or the values of a choice; (): fixed

    @property
    def title(self) -> str:
        return self.label or self.name.replace("_", " ").capitalize()

    def parse(self, value: object) -> Any:
        """Return ``value`` (text or typed) as this parameter's type. Raises BadInput that says what is allowed."""
        if value in self.choices:  # "none" may be one of them
            return value
        if value is None or (isinstance(value, str) and value.strip().lower() in ("none", "null", "")):
            if self.nullable:
                return None
            raise self._refused(value)
        try:
            return self._typed(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise self._refused(value) from error

    def allowed(self) -> str:
        """Say in words what values are allowed: ``a whole number from 1 to 1000``."""
        if self.kind == "choice":
            return "one of " + ", ".join(str(choice) for choice in self.choices)
        if self.kind == "boolean":
            return "true or false"
        if self.kind == "text":
            return "text" + (" or none" if self.nullable else "")
        words = "a whole number" if self.kind == "integer" else "a number"
        if self.low is not None and self.high is not None:
            words += f" from {self.low:g} to {self.high:g}"
        elif self.low is not None:
            words += f" of at least {self.low:g}"
        elif self.high is not None:
            words += f" of at most {self.high:g}"
        return words + (f" {self.unit}" if self.unit else "") + (" or none" if self.nullable else "")

    def _typed(self, value: object) -> Any:
        """Return the value as this kind; raises ValueError or TypeError for anything that is not allowed."""
        text = str(value).strip()
        if self.kind == "text":
            return text if isinstance(value, str) and len(text) <= _LONGEST else _not_allowed(value)
        if self.kind == "boolean":
            return _BOOLEANS[text.lower()] if text.lower() in _BOOLEANS else _not_allowed(value)
        if self.kind == "choice":
            matching = [choice for choice in self.choices if text == str(choice)]
            return matching[0] if matching else _not_allowed(value)
        if isinstance(value, bool):
            return _not_allowed(value)
        number = float(text)
        if not math.isfinite(number) or (self.low is not None and number < self.low) or (
                self.high is not None and number > self.high):
            return _not_allowed(value)
        if self.kind == "integer":
            return int(number) if number.is_integer() else _not_allowed(value)
        return number

    def _refused(self, value: object) -> BadInput:
        return BadInput(f"{self.name} cannot be {str(value)[:60]!r}: it is {self.allowed()}.", hint=self.help)


def resolve(parameters: Sequence[Parameter], given: Mapping[str, object]) -> dict[str, Any]:
    """Return every parameter's value, given or default. Raises BadInput for an unknown name or a value out of range."""
    known = {parameter.name: parameter for parameter in parameters}
    for name in given:
        if name not in known:
            raise BadInput(f"There is no parameter {name!r:.60} here.",
                           hint="It has: " + (", ".join(known) or "no parameters") + ".")
    return {name: parameter.parse(given[name]) if name in given else parameter.default
            for name, parameter in known.items()}


def _not_allowed(value: object) -> NoReturn:
    raise ValueError(f"not allowed: {value!r}")
