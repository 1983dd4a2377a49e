"""Weights of classes that a person gives: read, refused by name, and felt by every kind of model that takes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mldesk.core.errors import BadInput
from mldesk.training.again import Unwatched
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.class_weights import NAME, read_weights, weights_by_hand
from mldesk.training.estimators.base import FitContext, Part, load_estimator
from mldesk.training.fitting import fit
from mldesk.training.parameters import resolve
from tests.training.tables import FAST

KINDS = [name for name, entry in ESTIMATORS.items()
         if entry.installed and any(item.name == NAME for item in entry.parameters)]


def test_weights_are_read_as_written_or_as_json() -> None:
    assert read_weights("yes=3, no = 0.5") == {"yes": 3.0, "no": 0.5}
    assert read_weights('{"a, b": 2}') == {"a, b": 2.0}
    assert read_weights("x=y=2") == {"x=y": 2.0}
    for bad in ("", "yes", "yes=", "yes=much", "=3", "yes=1,yes=2", "yes=0", "yes=-1", "yes=inf", "{", "{1}"):
        with pytest.raises(BadInput):
            read_weights(bad)
    assert weights_by_hand({NAME: "2=9"}, [1, 2]) == (1.0, 9.0)
    assert weights_by_hand({NAME: None}, [1, 2]) is weights_by_hand({NAME: "a=1"}, []) is None
    with pytest.raises(BadInput, match="maybe") as refused:
        weights_by_hand({NAME: "maybe=2"}, ["no", "yes"])
    assert "no, yes" in refused.value.hint


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("tabm", "ft_transformer")])
def test_a_heavier_class_is_found_more_often(kind: str) -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(160, 3)).astype(np.float32)
    y = (x[:, 0] + draw.normal(scale=1.0, size=160) > 0.9).astype(np.int64)
    train, held = Part(x[:120], y[:120]), Part(x[120:], y[120:])
    entry, quiet = ESTIMATORS[kind], Unwatched()
    once = {"refit": False} if any(item.name == "refit" for item in entry.parameters) else {}
    given = {"lightgbm": {"rounds": 20}, "xgboost": {"rounds": 20, "max_depth": 2}, "decision_tree": {"max_depth": 3},
             "svm": {"strength": 1.0}, "linear": {"regularization": 1.0}, "ordinal": {"regularization": 1.0},
             "random_forest": {"trees": 20, "min_samples_leaf": 5}, "extra_trees": {"trees": 20, "min_samples_leaf": 5}
             }.get(kind, FAST[kind])

    def chance(by_hand: tuple[float, ...] | None) -> float:
        watching: Any = quiet
        fitted = fit(load_estimator(entry), FitContext(
            classes=2, parameters=resolve(entry.parameters, {**given, **once}), train=train, validation=held,
            report=watching, control=watching, checkpoints=watching, by_hand=by_hand))
        return float(fitted.validation[:, 1].mean())

    # Support vectors' chances are set straight on the validation rows, so only the machine itself feels the weight.
    if kind == "svm":
        assert chance((1.0, 8.0)) != chance(None)
    else:
        assert chance((1.0, 8.0)) > chance(None) + 0.03
