"""A forest that may have so many nodes has fewer trees, as deep as those it would have had."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from mldesk.training.again import Unwatched
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.estimators.base import FitContext, Part, load_estimator
from mldesk.training.fitting import fit
from mldesk.training.parameters import resolve
from mldesk.training.search.timing import affordable_nodes


@pytest.mark.parametrize("kind", ["random_forest", "extra_trees"])
def test_a_forest_has_as_many_deep_trees_as_its_nodes_allow(kind: str) -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(300, 3)).astype(np.float32)
    rows, entry = Part(x, x[:, 0] + draw.normal(size=300)), ESTIMATORS[kind]
    parameters = resolve(entry.parameters, {"trees": 12, "min_samples_leaf": 1, "refit": False})

    def grown(most: float) -> list[int]:
        quiet: Any = Unwatched()
        fitted = fit(load_estimator(entry), FitContext(
            classes=0, parameters=parameters, train=rows, validation=rows, report=quiet, control=quiet,
            checkpoints=quiet, most_nodes=most))
        sizes = [tree.tree_.node_count for tree in fitted.native.estimators_]
        assert (fitted.facts["trees"], fitted.facts["nodes"]) == (len(sizes), sum(sizes))
        return sizes

    whole = grown(math.inf)
    assert len(whole) == 12
    assert grown(sum(whole) + 10 * max(whole)) == whole
    assert grown(5.5 * whole[0]) == whole[:5]
    assert grown(10) == whole[:1], "a forest has a tree"


def test_longer_searches_may_write_larger_forests() -> None:
    assert affordable_nodes(0, 5) == math.inf
    assert 1e6 < affordable_nodes(60, 1) < affordable_nodes(600, 1) == 5 * affordable_nodes(600, 5)
