"""Gradient boosting by CatBoost (Prokhorenkova et al., NeurIPS 2018): balanced trees, one event per round, resumable to
the very same trees.

An optional pack. What a round draws depends on all before it, and only CatBoost's own snapshot holds that. It is whole
once a fit has ended, so a fit ends for a checkpoint and goes on from the snapshot at once.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import catboost
import numpy as np

from mldesk.training.blocks import Style
from mldesk.training.estimators.base import FitContext, Fitted, Part
from mldesk.training.estimators.boost_device import card_for
from mldesk.training.estimators.drawn import is_drawn
from mldesk.training.values import Array

_SNAPSHOT = "snapshot"
_TUNED = "tuned.cbm"
_NEVER = 1_000_000_000      # seconds between two snapshots within a fit: there are none


@dataclass(slots=True)
class _State:
    """Where the boosting stands; with the snapshot, all of a checkpoint."""

    round: int = 0                 # rounds done in this phase
    best_round: int = 1
    best_loss: float = float("inf")
    tuned_rounds: int = 0          # rounds the tuning took, once it is done; then the second fit is under way

    @property
    def metric_step(self) -> int:
        return self.tuned_rounds or self.round


class CatBoost:
    """Boosts on the training rows until the validation loss stops falling, then once more on both parts."""

    style: ClassVar[Style] = "trees"

    def fit(self, context: FitContext) -> Fitted:
        checkpoint = context.checkpoints.newest()
        state = _State() if checkpoint is None else _State(**checkpoint.facts())
        found = None if checkpoint is None else checkpoint.folder
        if state.tuned_rounds and found is not None:
            tuned = catboost.CatBoost().load_model(str(found / _TUNED))
        else:
            tuned = _boost(context, context.train, _Rounds(context, state, context.parameters["rounds"]), found)
            tuned.shrink(ntree_end=state.best_round)
        validation = self.predict(tuned, context.validation.x, context.classes)
        model = tuned
        if context.parameters["refit"] and not context.control.finish:
            if not state.tuned_rounds:
                context.report.stage("Fitting again with the validation rows")
                state, found = _State(0, state.best_round, state.best_loss, state.round), None
            again = _boost(context, context.everything(), _Rounds(context, state, state.best_round, tuned), found)
            model = again if state.round == state.best_round else tuned   # a stop was asked for on the way
        return Fitted(model, validation, context.control.finish, {"rounds": state.best_round})

    def predict(self, native: Any, x: Array, classes: int) -> Array:
        kind = "Probability" if classes else "RawFormulaVal"
        prediction: Array = np.asarray(native.predict(x, prediction_type=kind), np.float64)
        return prediction


class _Rounds:
    """Called by CatBoost after every round; false ends the fit, for good or for a checkpoint (``cut``).

    ``tuned``: the model of the first fit, while the second one is under way, which has nothing to judge.
    """

    def __init__(self, context: FitContext, state: _State, rounds: int, tuned: Any = None) -> None:
        self._context, self.state, self.rounds, self._tuned = context, state, rounds, tuned
        self.cut = False
        self._began, self._ready = time.monotonic(), 0.0     # this fit; seconds until its first round was done

    def begin(self) -> None:
        """A fit begins, or goes on."""
        self.cut, self._began, self._ready = False, time.monotonic(), 0.0

    @property
    def over(self) -> bool:
        """There is no round left to do."""
        state = self.state
        return state.round >= self.rounds or (
            self._tuned is None and state.round > 0 and self._context.patience_over(state.round, state.best_round))

    def after_iteration(self, info: Any) -> bool:
        context, state = self._context, self.state
        state.round = info.iteration
        self._ready = self._ready or time.monotonic() - self._began
        if self._tuned is None:
            self._judge(info)
        context.report.progress(state.round, self.rounds, "rounds")
        self.cut = context.control.terminate or (context.checkpoints.due and not self.over)
        return not (self.cut or self.over or context.control.finish)

    def _judge(self, info: Any) -> None:
        context, state = self._context, self.state
        name = _loss_name(context)
        held, train = info.metrics["validation"], info.metrics["learn"][name][-1]
        squared = name == "RMSE"
        loss = held[name][-1] ** 2 if squared else held[name][-1]
        second = _accuracy(held) if context.classes else 1 - held["RMSE"][-1] ** 2 / context.baseline_loss
        if loss < state.best_loss:
            state.best_loss, state.best_round = loss, state.round
        if self.over or is_drawn(state.round):
            context.report.metrics(state.round, {
                "train_loss": train ** 2 if squared else train, "validation_loss": loss,
                "validation_accuracy" if context.classes else "validation_r2": second})

    def keep(self, snapshot: Path) -> None:
        """Leave a checkpoint. Raises DiskFull."""
        def write(folder: Path) -> None:
            shutil.copyfile(snapshot, folder / _SNAPSHOT)
            if self._tuned is not None:
                self._tuned.save_model(str(folder / _TUNED))

        self._context.checkpoints.save(self.state.metric_step, asdict(self.state), write, self._ready)


def _accuracy(held: Any) -> float:
    """Return the last accuracy; where rows have weights, CatBoost says one with and one without them."""
    names = sorted(name for name in held if name.startswith("Accuracy"))   # "…use_weights=false" comes first
    return float(held[names[0]][-1])


def _loss_name(context: FitContext) -> str:
    if context.classes:
        return "Logloss" if context.classes == 2 else "MultiClass"
    return "RMSE" if context.quantile is None else f"Quantile:alpha={context.quantile}"


def _boost(context: FitContext, part: Part, rounds: _Rounds, found: Path | None) -> Any:
    """Grow the rounds that ``rounds`` wants on ``part``, from the checkpoint ``found`` on, if there is one."""
    weight = context.row_weights(part.y)
    pool = catboost.Pool(part.x, part.y, weight=weight)
    held = catboost.Pool(context.validation.x, context.validation.y)
    scratch = context.checkpoints.scratch() if context.checkpoints.kept else None
    if found is not None and scratch is not None:
        shutil.copyfile(found / _SNAPSHOT, scratch / _SNAPSHOT)
    while True:
        most = rounds.state.round if rounds.over else rounds.rounds
        model = catboost.CatBoost(_parameters(context, most, scratch))
        rounds.begin()
        model.fit(pool, eval_set=held, callbacks=[rounds])
        if rounds.cut and scratch is not None:
            rounds.keep(scratch / _SNAPSHOT)
        context.control.check()
        if not rounds.cut:
            return model


def _parameters(context: FitContext, rounds: int, scratch: Path | None) -> dict[str, Any]:
    given = context.parameters
    name = _loss_name(context)
    loss: dict[str, Any] = {"loss_function": name}
    if context.classes:
        loss |= {"custom_metric": ["Accuracy"], **({"classes_count": context.classes} if context.classes > 2 else {})}
    elif context.quantile is not None:
        loss |= {"custom_metric": ["RMSE"]}
    keeping: dict[str, Any] = {"allow_writing_files": False}
    if scratch is not None:
        keeping = {"allow_writing_files": True, "train_dir": str(scratch), "save_snapshot": True,
                   "snapshot_file": str(scratch / _SNAPSHOT), "snapshot_interval": _NEVER}
    return {
        **loss, **keeping, "iterations": rounds, "learning_rate": given["learning_rate"], "depth": given["max_depth"],
        "l2_leaf_reg": given["l2"], "random_seed": context.seed, "thread_count": context.threads,
        "logging_level": "Silent", "use_best_model": False, "boost_from_average": not context.classes,
        "metric_period": 1,
        **({"task_type": card} if (card := card_for("catboost", context)) else {})}
