"""What a histogram gradient boosting that is under way goes on from, as plain arrays in a file.

scikit-learn has no file for it, and its own way to go on (``warm_start``) needs the model object in memory: its trees,
where it began, and the generator that draws columns. Bins and raw scores are no part of it, since a fit that goes on
works them out from the rows and the trees, in the order in which they were added up before.
"""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

from mldesk.training.values import Array

_BIN = "_bin_data"    # of scikit-learn's class; a test holds it to its signature
_NO_SETS = np.zeros((0, 8), np.uint32)   # of categories: our columns are numbers


def write_trees(path: Path, model: Any) -> None:
    """Write the trees of a model within its fit, after at least one round, as an ``.npz``. Raises OSError."""
    trees = [tree.nodes for round_ in model._predictors for tree in round_]  # noqa: SLF001 - nothing public can
    draws = json.dumps(model._feature_subsample_rng.bit_generator.state)  # noqa: SLF001
    np.savez(path, nodes=np.concatenate(trees), sizes=np.array([len(nodes) for nodes in trees]),
             baseline=model._baseline_prediction, seed=np.array(model._random_seed, np.uint64),  # noqa: SLF001
             draws=np.frombuffer(draws.encode(), np.uint8))


def take_up_trees(model: Any, path: Path, rounds: int) -> None:
    """Make ``model``, not fitted yet, one whose fit goes on after so many rounds of the file. Raises OSError."""
    with np.load(path, allow_pickle=False) as kept:
        nodes = np.split(kept["nodes"], np.cumsum(kept["sizes"])[:-1])
        baseline, seed, draws = kept["baseline"], int(kept["seed"]), json.loads(kept["draws"].tobytes())
    trees = [TreePredictor(np.ascontiguousarray(part), _NO_SETS, _NO_SETS) for part in nodes]
    each = baseline.size      # trees of a round
    generator = np.random.Generator(np.random.PCG64())
    generator.bit_generator.state = draws
    _go_on(model, [trees[at:at + each] for at in range(0, rounds * each, each)], baseline, seed, generator)


def take_up_model(model: Any, start: Any) -> None:
    """Make ``model``, not fitted yet, one whose fit goes on from the fitted ``start``, which stays as it is."""
    _go_on(model, list(start._predictors), start._baseline_prediction, start._random_seed,  # noqa: SLF001
           copy.deepcopy(start._feature_subsample_rng))  # noqa: SLF001


@contextlib.contextmanager
def bins_of(model: Any, start: Any) -> Iterator[None]:
    """Have ``model`` put numbers into the bins of ``start`` while it is fitted: its trees ask about these.

    None: bins are made of the rows, as always.
    """
    if start is None:
        yield
        return

    def binned(x: Array, _weight: Any = None, is_training_data: bool = False) -> Array:
        model._bin_mapper = start._bin_mapper  # noqa: SLF001
        found: Array = start._bin_mapper.transform(x)  # noqa: SLF001
        return found if is_training_data else np.ascontiguousarray(found)

    setattr(model, _BIN, binned)
    yield
    delattr(model, _BIN)


def _go_on(model: Any, rounds: list[Any], baseline: Array, seed: int, generator: np.random.Generator) -> None:
    model.warm_start = True
    model._predictors, model._baseline_prediction = rounds, baseline  # noqa: SLF001
    model._random_seed, model._feature_subsample_rng = seed, generator  # noqa: SLF001
    model.train_score_ = model.validation_score_ = np.zeros(0)   # kept by scikit-learn, and by us not
