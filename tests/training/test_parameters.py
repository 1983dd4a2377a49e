"""Parameters refuse what they cannot be, and say what they can."""

from __future__ import annotations

import math
from typing import Any

import pytest

from mldesk.core.errors import BadInput
from mldesk.training.parameters import Parameter, resolve

ROUNDS = Parameter("rounds", "integer", 100, "How many trees.", low=1, high=1000)
RATE = Parameter("rate", "number", 0.1, "Step size.", low=1e-6, high=1.0, log=True)
DEPTH = Parameter("depth", "integer", None, "Deepest tree.", low=1, nullable=True)
KIND = Parameter("kind", "choice", "l2", "Penalty.", choices=("l1", "l2"))
SHUFFLE = Parameter("shuffle", "boolean", True, "Shuffle.")
SIZE = Parameter("size", "choice", 32, "Batch.", choices=(32, 64))


@pytest.mark.parametrize(("parameter", "given", "value"), [
    (ROUNDS, "7", 7), (ROUNDS, 7.0, 7), (RATE, "1e-3", 0.001), (RATE, 1, 1.0), (DEPTH, "none", None), (DEPTH, 3, 3),
    (KIND, "l1", "l1"), (SHUFFLE, "no", False), (SHUFFLE, True, True), (SIZE, "64", 64),
])
def test_a_value_in_range_is_read(parameter: Parameter, given: object, value: Any) -> None:
    read = parameter.parse(given)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(("parameter", "given"), [
    (ROUNDS, "0"), (ROUNDS, 1001), (ROUNDS, 1.5), (ROUNDS, "many"), (ROUNDS, True), (ROUNDS, None), (RATE, math.nan),
    (RATE, "inf"), (KIND, "l3"), (SHUFFLE, "perhaps"), (SHUFFLE, 2), (SIZE, 33), (ROUNDS, "1" * 400),
])
def test_a_value_out_of_range_is_refused_with_what_is_allowed(parameter: Parameter, given: object) -> None:
    with pytest.raises(BadInput, match=parameter.name) as caught:
        parameter.parse(given)
    assert parameter.allowed() in str(caught.value)


def test_resolve_fills_defaults_and_names_an_unknown_parameter() -> None:
    assert resolve((ROUNDS, KIND), {"rounds": "5"}) == {"rounds": 5, "kind": "l2"}
    with pytest.raises(BadInput, match="roundz") as caught:
        resolve((ROUNDS, KIND), {"roundz": 5})
    assert "rounds, kind" in caught.value.hint
