"""The parameters that a script's ``mldesk.toml`` declares: a default each, and if you like a range, choices and help.

    [parameters]
    steps = 100
    rate = {default = 0.1, min = 0.0, max = 1.0, help = "how far a step goes"}
    kernel = {default = "rbf", choices = ["rbf", "linear"]}

A default is the type: 100 is a whole number, 0.1 a number, true a truth value, "rbf" a text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from mldesk.core.errors import BadInput
from mldesk.wire.scripts import LARGEST, check_parameter
from mldesk.workbench.references import did_you_mean, listed

_KEYS = ("default", "min", "max", "choices", "help")
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+", re.ASCII)
KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def declared(name: str, said: Any) -> dict[str, Any]:
    """Return what mldesk.toml says of a parameter: {"default", "type", and of "min", "max", "choices", "help" some}.

    Raises BadInput for what cannot be.
    """
    about = dict(said) if isinstance(said, Mapping) else {"default": said}
    if unknown := sorted(set(about) - set(_KEYS)):
        raise BadInput(f"The parameter {name!r:.60} says {listed(unknown)}, which is nothing a parameter has.",
                       hint=did_you_mean(unknown[0], _KEYS) or f"It may say {listed(_KEYS)}.")
    if "default" not in about:
        raise BadInput(f"The parameter {name!r:.60} has no default.", hint="Write {default = 0.1, min = 0, max = 1}.")
    default = about["default"]
    check_parameter(name, default)
    _check_shapes(name, about)
    about["type"] = {bool: "bool", int: "int", float: "float", str: "str"}[type(default)]
    about["default"] = typed(name, default, about)
    return about


def _check_shapes(name: str, about: Mapping[str, Any]) -> None:
    kind, number = type(about["default"]), (int, float)
    for key in ("min", "max"):
        if key in about and (kind not in number or not _is_number(about[key])):
            raise BadInput(f"The {key} of the parameter {name!r:.60} has to be a number, and its default as well.")
    if about.get("min", -math.inf) > about.get("max", math.inf):
        raise BadInput(f"The parameter {name!r:.60} has a min above its max.")
    choices = about.get("choices", [about["default"]])
    if not isinstance(choices, list) or not choices or any(type(item) is not kind for item in choices):
        raise BadInput(f"The choices of the parameter {name!r:.60} have to be a list, each {KINDS[kind]} as its "
                       "default.")
    if not isinstance(about.get("help", ""), str):
        raise BadInput(f"The help of the parameter {name!r:.60} has to be a text.")


def _is_number(value: Any) -> bool:
    """Say whether a value is a number, and a whole one is not too long to be written."""
    return not math.isnan(value) if type(value) is float else type(value) is int and abs(value) <= LARGEST


def typed(name: str, value: Any, about: Mapping[str, Any] | None) -> Any:
    """Return a value as it was declared; without a declaration as what it looks like. Raises BadInput."""
    if about is None:
        return _guessed(value) if isinstance(value, str) else value
    found = _as(name, value, type(about["default"]))
    if type(found) in (int, float) and not about.get("min", -math.inf) <= found <= about.get("max", math.inf):
        raise BadInput(f"The parameter {name!r:.60} has to be {range_words(about)}, not {value!r:.40}.")
    if "choices" in about and found not in about["choices"]:
        raise BadInput(f"The parameter {name!r:.60} has to be one of {listed(map(str, about['choices']))}, "
                       f"not {value!r:.40}.", hint=did_you_mean(str(value), map(str, about["choices"])))
    return found


def range_words(about: Mapping[str, Any]) -> str:
    """Return a range for people; "" for a parameter without one."""
    low, high = about.get("min"), about.get("max")
    if low is not None and high is not None:
        return f"from {low} to {high}"
    return f"at least {low}" if low is not None else f"at most {high}" if high is not None else ""


def _as(name: str, value: Any, kind: type) -> Any:
    if kind is str:
        return str(value)
    text = str(value).strip()
    try:
        if kind is bool:
            return {"true": True, "false": False}[text.lower()]
        found = kind(text)
        if not math.isfinite(found):
            raise ValueError
        return found
    except (KeyError, ValueError, OverflowError) as error:
        hint = "Its default in mldesk.toml is one; with a point in that it may be a fraction." if kind is int else ""
        raise BadInput(f"The parameter {name!r:.60} has to be {KINDS[kind]}, not {value!r:.40}.",
                       hint=hint) from error


def _guessed(text: str) -> Any:
    """Return a text as the number or truth value that it writes; "007" and "nan" stay texts."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) and math.isfinite(float(text)) else text
