"""Gradient boosting by LightGBM, resumable to the very same trees.

What is drawn at random in a round (the columns of its tree) is drawn from a seed made of the run's seed and the
round's number, so that a fit that goes on from a checkpoint draws what the uninterrupted one would have.
"""

from __future__ import annotations

import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import lightgbm as lgb
import numpy as np
from lightgbm.callback import CallbackEnv, EarlyStopException

from mldesk.training.blocks import Style
from mldesk.training.estimators.base import FitContext, Fitted, Part, most_leaves
from mldesk.training.estimators.boost_device import card_for
from mldesk.training.estimators.drawn import is_drawn
from mldesk.training.estimators.steered import changes, drawn_rate, listen
from mldesk.training.steering import rate_after
from mldesk.training.values import Array
from mldesk.wire.control import Terminated

_JUST = 1e-9             # LightGBM takes up a new bagging seed only if the fraction changes as well
_TUNE, _REFIT = "tune", "refit"


@dataclass(slots=True)
class _State:
    """Where the boosting stands; with the booster's text, all of a checkpoint."""

    phase: str = _TUNE
    round: int = 0                 # rounds done in this phase
    best_round: int = 0
    best_loss: float = float("inf")
    tuned_rounds: int = 0          # rounds the tuning took, once it is done
    finished_early: bool = False
    rates: list[list[float]] = field(default_factory=list)   # (round, learning rate after it), where it was changed
    heard: list[str] = field(default_factory=list)           # messages acted on, see ``training.steering``

    @property
    def metric_step(self) -> int:
        """The last step whose metric points stand: the refit makes none."""
        return self.round if self.phase == _TUNE else self.tuned_rounds


class LightGbm:
    """Boosts on the training rows until the validation loss stops falling, then once more on both parts."""

    style: ClassVar[Style] = "trees"

    def fit(self, context: FitContext) -> Fitted:
        state, booster, tuned = _start(context)
        before = _rounds_before(context)
        if state.phase == _TUNE:
            tuned = _boost(context, state, context.train, before + context.parameters["rounds"], booster)
            booster = None
        validation = _probabilities(
            tuned.predict(context.validation.x, num_iteration=state.best_round), context.classes)
        if context.parameters["refit"] and not state.finished_early:
            if state.phase == _TUNE:
                state = _State(_REFIT, before, state.best_round, state.best_loss, state.round,
                               rates=state.rates, heard=state.heard)
                booster = context.start
                context.report.stage("Fitting again with the validation rows")
            both = context.everything()
            tuned = _boost(context, state, both, state.best_round, booster, tuned)
        return Fitted(_first_rounds(tuned, state.best_round), validation, state.finished_early,
                      {"rounds": state.best_round, **changes(state.rates)})

    def predict(self, native: Any, x: Array, classes: int) -> Array:
        return _probabilities(native.predict(x), classes)


def _start(context: FitContext) -> tuple[_State, Any, Any]:
    """Return the state to go on from, the booster of its phase, and the tuned one once that is done."""
    checkpoint = context.checkpoints.newest()
    if checkpoint is None and context.start is not None:
        before = _rounds_before(context)
        said = _probabilities(context.start.predict(context.validation.x), context.classes)
        return _State(_TUNE, before, before, context.scores(said)["loss"]), context.start, None
    if checkpoint is None:
        return _State(), None, None
    state = _State(**checkpoint.facts())
    booster = lgb.Booster(model_file=checkpoint.folder / "booster.txt")
    if state.phase == _TUNE:
        return state, booster, None
    return state, booster if state.round else None, lgb.Booster(model_file=checkpoint.folder / "tuned.txt")


def _rounds_before(context: FitContext) -> int:
    """Return how many rounds the model has that the fit goes on from; 0 where it begins anew."""
    return 0 if context.start is None else int(context.start.current_iteration())


def _boost(context: FitContext, state: _State, part: Part, rounds: int, booster: Any, tuned: Any = None) -> Any:
    """Grow up to ``rounds`` rounds on ``part``, going on from ``booster``; watch the validation rows while tuning.

    Returns the booster of the best rounds alone. ``state`` is kept up to date on the way.
    """
    over = state.phase == _TUNE and context.patience_over(state.round, state.best_round)   # as it was when it was cut
    if state.round >= rounds or (booster is not None and over):
        return booster
    parameters = _parameters(context, len(part))
    data = lgb.Dataset(part.x, part.y, params=parameters,
                       weight=context.row_weights(part.y))
    watched = []
    if state.phase == _TUNE:
        watched = [lgb.Dataset(context.validation.x, context.validation.y, reference=data, params=parameters)]
    result = lgb.train(
        parameters, data, rounds - state.round, valid_sets=watched, init_model=booster,
        keep_training_booster=True,   # else all rounds are written as text and read, and then the best ones again
        callbacks=[_Reseed(context, state), _Watch(context, state, rounds, tuned)])
    return lgb.Booster(model_str=result.model_to_string(num_iteration=state.best_round or -1))   # lets go of the rows


def _parameters(context: FitContext, rows: int) -> dict[str, Any]:
    given = context.parameters
    objective, metrics = "regression", ["l2"]
    if context.quantile is not None:
        objective, metrics = "quantile", ["quantile", "l2"]
    if context.classes:
        objective = "binary" if context.classes == 2 else "multiclass"
        metrics = ["binary_logloss", "binary_error"] if context.classes == 2 else ["multi_logloss", "multi_error"]
    return {
        "objective": objective, "metric": metrics, **({"num_class": context.classes} if context.classes > 2 else {}),
        "learning_rate": given["learning_rate"], "num_leaves": most_leaves(given["leaves"], context.classes),
        "max_depth": given["max_depth"] or -1,
        "min_data_in_leaf": min(given["min_samples_leaf"], max(1, rows // 10)), "lambda_l2": given["l2"],
        "feature_fraction_bynode": given["feature_fraction"], "num_threads": context.threads, "verbosity": -1,
        **({} if context.quantile is None else {"alpha": context.quantile}),
        **_bagging(_row_fraction(context)),
        "seed": context.seed, "deterministic": True, "force_col_wise": True,
        **({"device_type": card} if (card := card_for("lightgbm", context)) else {}),
    }


def _row_fraction(context: FitContext) -> float:
    """Return the share of rows of a tree. The defaults scored best over many splits of the shared sets."""
    given: float | None = context.parameters["row_fraction"]
    return given or (1.0 if context.classes else 0.8)


def _bagging(row_fraction: float) -> dict[str, float]:
    """Return the settings to begin with: a fraction that no round has, so that the first one, too, is a change."""
    return {"bagging_fraction": row_fraction - 2 * _JUST, "bagging_freq": 1} if row_fraction < 1 else {}


class _Reseed:
    """Before each round: draw from a seed of the run's seed and the round alone; take the round's learning rate."""

    before_iteration: ClassVar[bool] = True  # read by LightGBM
    order: ClassVar[int] = 0

    def __init__(self, context: FitContext, state: _State) -> None:
        self._seed, self._row_fraction, self._state = context.seed, _row_fraction(context), state
        self._rate = context.parameters["learning_rate"]

    def __call__(self, env: CallbackEnv) -> None:
        drawn = zlib.crc32(f"{self._seed} {env.iteration}".encode()) >> 1   # within LightGBM's int
        changed: dict[str, float] = {"feature_fraction_seed": drawn}
        if self._row_fraction < 1:
            changed |= {"bagging_seed": drawn, "bagging_fraction": self._row_fraction - env.iteration % 2 * _JUST}
        if self._state.rates:
            changed["learning_rate"] = rate_after(self._state.rates, env.iteration, self._rate)
        booster: Any = env.model  # never the CVBooster that the declaration allows for
        booster.reset_parameter(changed)


class _Watch:
    """After each round: report, remember the best round, stop, leave a checkpoint."""

    before_iteration: ClassVar[bool] = False
    order: ClassVar[int] = 10

    def __init__(self, context: FitContext, state: _State, rounds: int, tuned: Any) -> None:
        self._context, self._state, self._rounds, self._tuned = context, state, rounds, tuned
        self._baseline = context.baseline_loss

    def __call__(self, env: CallbackEnv) -> None:
        context, state = self._context, self._state
        state.round = env.iteration + 1
        if state.phase == _TUNE:
            self._judge({name: value for _, name, value, *_ in env.evaluation_result_list or ()}, env.model)
        context.report.progress(state.round, self._rounds, "rounds")
        listen(context, state, state.phase == _TUNE, lambda folder: self._write(folder, env.model))
        if context.control.terminate or (context.checkpoints.due and state.round < self._rounds):
            context.checkpoints.save(state.metric_step, asdict(state), lambda folder: self._write(folder, env.model))
        if context.control.terminate:
            raise Terminated
        if context.control.finish and state.phase == _TUNE:
            state.finished_early = True
            raise EarlyStopException(env.iteration, [])
        if state.phase == _TUNE and context.patience_over(state.round, state.best_round):
            raise EarlyStopException(env.iteration, [])

    def _judge(self, readings: dict[str, float], booster: Any) -> None:
        context, state = self._context, self._state
        loss = next(iter(readings.values()))
        if context.classes:
            values = {"validation_loss": loss, "validation_accuracy": 1 - list(readings.values())[1]}
        else:
            squares = list(readings.values())[-1]
            values = {"validation_loss": loss, "validation_r2": 1 - squares / self._baseline}
        if loss < state.best_loss:
            state.best_loss, state.best_round = loss, state.round
        last = state.round == self._rounds or context.patience_over(state.round, state.best_round)
        if last or is_drawn(state.round - _rounds_before(context)):
            if context.report.training_loss:
                values["train_loss"] = booster.eval_train()[0][2]
            context.report.metrics(state.round, {**values, **drawn_rate(context, state)})

    def _write(self, folder: Path, booster: Any) -> None:
        booster.save_model(folder / "booster.txt", num_iteration=-1)
        if self._tuned is not None:
            self._tuned.save_model(folder / "tuned.txt", num_iteration=-1)


def _first_rounds(booster: Any, rounds: int) -> Any:
    """Return the booster with its first ``rounds`` rounds alone."""
    if booster.current_iteration() == rounds:
        return booster
    return lgb.Booster(model_str=booster.model_to_string(num_iteration=rounds))


def _probabilities(raw: Array, classes: int) -> Array:
    """Return (N, C) probabilities also for two classes, where LightGBM gives that of the second alone."""
    return np.column_stack([1 - raw, raw]) if classes == 2 else raw
