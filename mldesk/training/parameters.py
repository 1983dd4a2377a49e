"""Parameters of estimators, declared once: forms, command line options and search spaces come from here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mldesk.core.errors import BadInput

Kind = Literal["integer", "number", "choice", "boolean"]


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

    @property
    def title(self) -> str:
        return self.label or self.name.replace("_", " ").capitalize()

    def parse(self, value: object) -> Any:
        """Return ``value`` (text or typed) as this parameter's type. Raises BadInput that says what is allowed."""
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
        words = "a whole number" if self.kind == "integer" else "a number"
        if self.low is not None and self.high is not None:
            words += f" from {self.low:g} to {self.high:g}"
        elif self.low is not None:
            words += f" of at least {self.low:g}"
        elif self.high is not None:
            words += f" of at most {self.high:g}"
        return words + (f" {self.unit}" if self.unit else "") + (" or none" if self.nullable else "")

    def _typed(self, value: object) -> Any:
        if self.kind == "boolean":
            if isinstance(value, bool):
                return value
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[
                str(value).strip().lower()] if str(value).strip().lower() in (
                "true", "yes", "1", "false", "no", "0") else self._raise(value)
        if self.kind == "choice":
            for choice in self.choices:
                if value == choice or str(value).strip() == str(choice):
                    return choice
            return self._raise(value)
        if isinstance(value, bool):
            return self._raise(value)
        number = float(str(value).strip()) if isinstance(value, str) else float(value)  # type: ignore[arg-type]
        if number != number or (self.low is not None and number < self.low) or (
                self.high is not None and number > self.high):
            return self._raise(value)
        if self.kind == "integer":
            return int(number) if number == int(number) else self._raise(value)
        return number

    def _raise(self, value: object) -> Any:
        raise ValueError(value)

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
