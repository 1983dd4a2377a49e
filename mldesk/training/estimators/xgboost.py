"""Gradient boosting by XGBoost (Chen and Guestrin, KDD 2016), one event per round, resumable to the very same trees.

An optional pack. What is drawn at random in a round depends on the run's seed and the round alone, so that a fit that
goes on from a checkpoint draws what the uninterrupted one would have.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import xgboost as xgb

from mldesk.training.blocks import Style
from mldesk.training.estimators.base import FitContext, Fitted, Part, quick_scores
from mldesk.training.estimators.boost_device import card_for
from mldesk.training.estimators.drawn import is_drawn
from mldesk.training.estimators.steered import changes, drawn_rate, listen
from mldesk.training.steering import rate_after
from mldesk.training.values import Array
from mldesk.wire.control import Terminated

_UPDATER, _UPDATER_ON_CARD = "grow_quantile_histmaker", "grow_gpu_hist"
_BLOCK = 20              # rounds that one updater grows: making it costs more than half a round of a small table


@dataclass(slots=True)
class _State:
    """Where the boosting stands; with the boosters, all of a checkpoint."""

    round: int = 0                 # rounds done in this phase
    best_round: int = 0
    best_loss: float = float("inf")
    tuned_rounds: int = 0          # rounds the tuning took, once it is done; then the second fit is under way
    rates: list[list[float]] = field(default_factory=list)   # (round, learning rate after it), where it was changed
    heard: list[str] = field(default_factory=list)           # messages acted on, see ``training.steering``

    @property
    def metric_step(self) -> int:
        return self.tuned_rounds or self.round


class XgBoost:
    """Boosts on the training rows until the validation loss stops falling, then once more on both parts."""

    style: ClassVar[Style] = "trees"

    def fit(self, context: FitContext) -> Fitted:
        checkpoint = context.checkpoints.newest()
        state = self._beginning(context) if checkpoint is None else _State(**checkpoint.facts())
        found = None if checkpoint is None else checkpoint.folder
        if state.tuned_rounds and found is not None:
            tuned = _read(context, found / "tuned.json")
        else:
            tuned = _Boosting(context, context.train, state, found).tune()[:state.best_round]
        validation = self.predict(tuned, context.validation.x, context.classes)
        native = tuned
        if context.parameters["refit"] and not context.control.finish:
            if not state.tuned_rounds:
                context.report.stage("Fitting again with the validation rows")
                state, found = _State(_rounds_before(context), state.best_round, state.best_loss, state.round,
                                      state.rates, state.heard), None
            native = _Boosting(context, context.everything(), state, found, tuned).repeat() or tuned
        return Fitted(native, validation, context.control.finish,
                      {"rounds": state.best_round, **changes(state.rates)})

    def _beginning(self, context: FitContext) -> _State:
        if context.start is None:
            return _State()
        before = _rounds_before(context)
        said = self.predict(context.start, context.validation.x, context.classes)
        return _State(before, before, context.scores(said)["loss"])

    def predict(self, native: Any, x: Array, classes: int) -> Array:
        raw = np.asarray(native.inplace_predict(x), np.float64)
        return np.column_stack([1 - raw, raw]) if classes == 2 else raw


class _Boosting:
    """Rounds on the rows of ``part``, from the booster in the checkpoint ``found`` on, if there is one."""

    def __init__(self, context: FitContext, part: Part, state: _State, found: Path | None, tuned: Any = None) -> None:
        self._context, self._state, self._tuned, self._part = context, state, tuned, part
        self._baseline = context.baseline_loss
        self._data = xgb.QuantileDMatrix(part.x, part.y, nthread=context.threads, weight=context.row_weights(part.y))
        self._parameters, self._before = _parameters(context, part), _rounds_before(context)
        if context.start is None:
            self._booster = xgb.Booster(self._parameters, [self._data])
        else:
            del self._parameters["base_score"]   # the model that is gone on from has its own
            self._booster = context.start[:self._before]
            self._booster.set_param(_one_by_one(self._parameters))
        if found is not None and state.round > self._before:
            self._go_back_to(found / "booster.json", state.round)

    def _go_back_to(self, path: Path, rounds: int) -> None:
        """Read a booster as it was after so many rounds. What its updater draws next lies in no file: the last rounds
        of its block are grown again, to the same trees.
        """
        start = rounds - (rounds - self._before) % _BLOCK
        if start:
            whole = xgb.Booster(model_file=path)
            self._booster = whole[:start]
            self._booster.set_param(_one_by_one(self._parameters))
        for index in range(start, rounds):
            self._grow(index)

    def _grow(self, index: int) -> None:
        # The sampler of columns is seeded when the updater is made, and a changed list makes it anew: so every block
        # draws from its own seed. The list is changed and back; asking for the settings makes XGBoost act on the first.
        if (index - self._before) % _BLOCK == 0:
            updater = _UPDATER_ON_CARD if "device" in self._parameters else _UPDATER
            self._booster.set_param({"updater": updater + ",prune"})
            self._booster.save_config()
            self._booster.set_param({"updater": updater})
        if self._state.rates:
            self._booster.set_param({"eta": rate_after(self._state.rates, index, self._parameters["eta"])})
        self._booster.update(self._data, index)

    def tune(self) -> Any:
        context, state = self._context, self._state
        # Margins grow by each round's trees alone: nothing is predicted twice.
        held = xgb.QuantileDMatrix(context.validation.x, context.validation.y, ref=self._data, nthread=context.threads)
        most = self._before + context.parameters["rounds"]
        while state.round < most and not context.patience_over(state.round, state.best_round):
            self._round(most, held)
            if context.control.finish:
                break
        return self._done()

    def repeat(self) -> Any | None:
        """Boost as many rounds as were best; None if a stop is asked for on the way."""
        while self._state.round < self._state.best_round:
            self._round(self._state.best_round, None)
            if self._context.control.finish:
                return None
        return self._done()

    def _done(self) -> Any:
        """Return the booster, which answers on the processor from now on, where its rows will be."""
        if "device" in self._parameters:
            self._booster.set_param({"device": "cpu"})
        return self._booster

    def _round(self, rounds: int, held: Any) -> None:
        context, state = self._context, self._state
        self._grow(state.round)
        state.round += 1
        if held is not None:
            self._judge(held, rounds)
        context.report.progress(state.round, rounds, "rounds")
        listen(context, state, not state.tuned_rounds, self._write)
        if context.control.terminate or (context.checkpoints.due and state.round < rounds):
            context.checkpoints.save(state.metric_step, asdict(state), self._write)
        if context.control.terminate:
            raise Terminated

    def _judge(self, held: Any, rounds: int) -> None:
        context, state = self._context, self._state
        said = self._booster.eval_set([(held, "held")], state.round)   # "[3]\theld-logloss:0.43...\theld-error:0.1..."
        loss, other = (float(part.rsplit(":", 1)[1]) for part in said.split("\t")[1:3])
        if context.classes:
            values = {"validation_loss": loss, "validation_accuracy": 1 - other}
        else:
            squares = other ** 2
            loss = squares if context.quantile is None else loss
            values = {"validation_loss": loss, "validation_r2": 1 - squares / self._baseline}
        if loss < state.best_loss:
            state.best_loss, state.best_round = loss, state.round
        last = state.round == rounds or context.patience_over(state.round, state.best_round)
        if last or is_drawn(state.round - self._before):
            if context.report.training_loss:
                prediction = _rows(self._booster.predict(self._data), context.classes)
                values["train_loss"] = quick_scores(prediction, self._part.y, context.classes,
                                                    context.quantile)["loss"]
            context.report.metrics(state.round, {**values, **drawn_rate(context, state)})

    def _write(self, folder: Path) -> None:
        self._booster.save_model(folder / "booster.json")
        if self._tuned is not None:
            self._tuned.save_model(folder / "tuned.json")


def _rounds_before(context: FitContext) -> int:
    """Return how many rounds the model has that the fit goes on from; 0 where it begins anew."""
    return 0 if context.start is None else int(context.start.num_boosted_rounds())


def _parameters(context: FitContext, part: Part) -> dict[str, Any]:
    given = context.parameters
    objective: dict[str, Any] = {"objective": "reg:squarederror", "base_score": float(part.y.mean()),
                                 "eval_metric": ["mae", "rmse"]}
    if context.quantile is not None:
        objective = {"objective": "reg:quantileerror", "quantile_alpha": context.quantile,
                     "eval_metric": ["quantile", "rmse"],
                     "base_score": float(np.quantile(part.y, context.quantile))}
    elif context.classes == 2:
        objective = {"objective": "binary:logistic", "eval_metric": ["logloss", "error"],
                     "base_score": float(np.clip(part.y.mean(), 1e-6, 1 - 1e-6))}
    elif context.classes:
        objective = {"objective": "multi:softprob", "num_class": context.classes, "base_score": 0.5,
                     "eval_metric": ["mlogloss", "merror"]}
    return {
        **objective, "eta": given["learning_rate"], "max_depth": given["max_depth"] or 0,
        "min_child_weight": given["min_weight"], "lambda": given["l2"], "subsample": given["row_fraction"],
        "colsample_bynode": given["feature_fraction"], "tree_method": "hist", "nthread": context.threads,
        "seed": context.seed, "seed_per_iteration": True, "verbosity": 0,
        **({"device": card} if (card := card_for("xgboost", context)) else {})}


def _one_by_one(parameters: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return parameters as a booster that is there takes them: it would read a list of metrics as one name."""
    return [(name, item) for name, value in parameters.items()
            for item in (value if isinstance(value, list) else [value])]


def _rows(raw: Array, classes: int) -> Array:
    wide = raw.astype(np.float64)
    return np.column_stack([1 - wide, wide]) if classes == 2 else wide


def _read(context: FitContext, path: Path) -> Any:
    booster = xgb.Booster({"nthread": context.threads})
    booster.load_model(path)
    return booster
