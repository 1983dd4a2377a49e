"""What is ours around CatBoost, over a stand-in for its package, which is too large for every machine that tests.

Where it is installed, ``tables.MODELS`` has it in all the tests of estimators, too.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mldesk.training.again import Unwatched
from mldesk.training.catalogue import ESTIMATORS
from mldesk.training.checkpoints import Checkpoints
from mldesk.training.estimators.base import FitContext, Fitted, Part
from mldesk.training.estimators.drawn import is_drawn
from mldesk.training.parameters import resolve
from mldesk.training.values import Array
from mldesk.wire.control import Terminated

BEST = 7    # the round with the lowest validation loss
MODULE = "mldesk.training.estimators.catboost"


class Pool:
    def __init__(self, x: Array, y: Array | None = None, weight: Array | None = None) -> None:
        self.x, self.y, self.weight = x, y, weight


class CatBoost:
    """Fits nothing, says losses as CatBoost does, and keeps what it was given.

    A tree is a number that depends on all before it, as what CatBoost draws does. Its snapshot is like that of 1.2.10:
    written when a fit ends or is stopped, gone on from by the next one of the same file; rounds are counted on.
    """

    made: list[CatBoost] = []   # noqa: RUF012 - emptied by the fixture

    def __init__(self, parameters: dict[str, Any] | None = None) -> None:
        self.parameters, self.grown = parameters or {}, list[int]()
        self.made.append(self)

    @property
    def trees(self) -> int:
        return len(self.grown)

    def _snapshot(self) -> Path | None:
        if not self.parameters.get("save_snapshot"):
            return None
        assert self.parameters["allow_writing_files"], "CatBoost writes no snapshot without"
        return Path(self.parameters["snapshot_file"])

    def fit(self, pool: Pool, eval_set: Pool, callbacks: list[Any]) -> None:
        self.pool, snapshot = pool, self._snapshot()
        if snapshot is not None and snapshot.exists():
            self.grown = json.loads(snapshot.read_text())
        self._boost(pool, callbacks)
        if snapshot is not None:
            snapshot.write_text(json.dumps(self.grown))

    def _boost(self, pool: Pool, callbacks: list[Any]) -> None:
        loss = self.parameters["loss_function"]
        for done in range(self.trees + 1, self.parameters["iterations"] + 1):
            self.grown.append(zlib.crc32(f"{len(pool.x)} {self.grown}".encode()))
            held: dict[str, list[float]] = {loss: [abs(done - BEST) + 0.5]}
            if "Accuracy" in self.parameters.get("custom_metric", ()):
                held |= {"Accuracy": [0.75]} if pool.weight is None else {
                    "Accuracy:use_weights=true": [0.5], "Accuracy:use_weights=false": [0.75]}
            held |= {} if loss == "RMSE" or "RMSE" not in self.parameters.get("custom_metric", ()) else {"RMSE": [2.0]}
            said = SimpleNamespace(iteration=done, metrics={"validation": held, "learn": {loss: [0.25]}})
            if not callbacks[0].after_iteration(said):
                return

    def shrink(self, ntree_end: int) -> None:
        del self.grown[ntree_end:]

    def save_model(self, path: str) -> None:
        Path(path).write_text(json.dumps(self.grown))

    def load_model(self, path: str) -> CatBoost:
        self.grown = json.loads(Path(path).read_text())
        return self

    def predict(self, x: Array, prediction_type: str) -> Array:
        return np.full((len(x), 2), 0.5) if prediction_type == "Probability" else np.zeros(len(x))


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    stand_in = ModuleType("catboost")
    stand_in.CatBoost, stand_in.Pool = CatBoost, Pool  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "catboost", stand_in)
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    CatBoost.made.clear()
    yield stand_in
    sys.modules.pop(MODULE, None)


class Watched(Unwatched):
    """Keeps readings; asks to finish after so many, and to terminate after so many rounds of both fits."""

    def __init__(self, most: int = 10_000, rounds: int = 10_000) -> None:
        self.readings: list[tuple[int, dict[str, float]]] = []
        self.most, self.rounds = most, rounds

    @property
    def finish(self) -> bool:
        return len(self.readings) >= self.most

    def progress(self, *_how_far: Any) -> None:
        self.rounds -= 1
        self.terminate = self.rounds <= 0

    def check(self) -> None:
        if self.terminate:
            raise Terminated

    def metrics(self, *readings: Any) -> None:
        self.readings.append((readings[0], dict(readings[1])))


def _fit(watched: Watched, classes: int = 2, checkpoints: Checkpoints | None = None, **parameters: Any) -> Fitted:
    import importlib

    kind = importlib.import_module(MODULE).CatBoost
    y = np.arange(40) % 2 if classes else np.arange(40.0)
    watching: Any = watched
    fitted: Fitted = kind().fit(FitContext(
        classes=classes, parameters=resolve(ESTIMATORS["catboost"].parameters, {"rounds": 60, **parameters}),
        train=Part(np.zeros((40, 2), np.float32), y), validation=Part(np.zeros((10, 2), np.float32), y[:10]),
        report=watching, control=watching, checkpoints=checkpoints or watching))
    return fitted


def test_it_stops_on_a_plateau_and_fits_again_for_as_many_rounds_as_were_best(package: Any) -> None:
    watched = Watched()
    fitted = _fit(watched, patience=5)
    assert fitted.facts["rounds"] == BEST and watched.readings[-1][0] == BEST + 5
    assert watched.readings[0][1] == {"train_loss": 0.25, "validation_loss": 6.5, "validation_accuracy": 0.75}
    tuned, again = CatBoost.made
    assert fitted.native is again and again.trees == BEST and len(again.pool.x) == 50 and tuned.trees == BEST


def test_weights_of_classes_reach_it_and_accuracy_is_told_without_them(package: Any) -> None:
    watched = Watched()
    _fit(watched, class_weight="balanced", refit=False)
    weight = CatBoost.made[0].pool.weight
    assert weight is not None and weight.tolist() == [1.0] * 40
    assert watched.readings[0][1]["validation_accuracy"] == 0.75


def test_numbers_and_quantiles_are_told_in_their_unit(package: Any) -> None:
    watched = Watched()
    _fit(watched, classes=0, refit=False)
    assert watched.readings[0][1]["validation_loss"] == 6.5 ** 2
    _fit(watched := Watched(), classes=0, refit=False, quantile=0.9)
    assert CatBoost.made[-1].parameters["loss_function"] == "Quantile:alpha=0.9"
    assert watched.readings[0][1]["validation_loss"] == 6.5


@pytest.mark.parametrize("moment", [1, 4, BEST + 5, BEST + 6, 2 * BEST + 4])   # in either fit, and where patience ends
def test_a_fit_that_was_cut_goes_on_to_the_same_trees(package: Any, tmp_path: Path, moment: int) -> None:
    whole = _fit(Watched(), patience=5)
    with pytest.raises(Terminated):
        _fit(cut := Watched(rounds=moment), checkpoints=Checkpoints(tmp_path, lambda *_: None), patience=5)
    after = _fit(again := Watched(), checkpoints=Checkpoints(tmp_path, lambda *_: None), patience=5)
    assert after.native.grown == whole.native.grown and after.facts == whole.facts
    said = [step for step, _ in (*cut.readings, *again.readings)]
    assert said == [step for step in range(1, BEST + 6) if is_drawn(step) or step == BEST + 5]


def test_checkpoints_on_the_way_change_nothing(package: Any, often: None, tmp_path: Path) -> None:
    said: list[int] = []
    whole = _fit(Watched(), patience=5)
    kept = _fit(Watched(), checkpoints=Checkpoints(tmp_path, lambda step, _: said.append(step)), patience=5)
    assert kept.native.grown == whole.native.grown
    assert said == [*range(1, BEST + 5), *[BEST + 5] * (BEST - 1)]


def test_asked_to_finish_it_keeps_what_there_is(package: Any) -> None:
    fitted = _fit(Watched(most=3))
    assert fitted.finished_early and fitted.facts["rounds"] == 3 and len(CatBoost.made) == 1
