"""scikit-learn's histogram gradient boosting, one event per round, resumable to the very same trees.

scikit-learn scores the validation rows after every round to decide on early stopping; that very call is where the
rounds are reported and kept, and a stop that was asked for takes effect, so that streaming costs nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from mldesk.training.blocks import Style
from mldesk.training.estimators.base import FitContext, Fitted, Part, most_leaves, quick_scores
from mldesk.training.estimators.drawn import is_drawn
from mldesk.training.estimators.hist_trees import bins_of, take_up_model, take_up_trees, write_trees
from mldesk.training.estimators.steered import changes, drawn_rate, listen
from mldesk.training.steering import rate_after
from mldesk.training.values import Array

_HOOK = "_check_early_stopping_loss"   # of scikit-learn's class; a test holds it to its signature


@dataclass(slots=True)
class _State:
    """Where the boosting stands; with the trees, all of a checkpoint."""

    round: int = 0                 # rounds done in this phase
    best_round: int = 1
    best_loss: float = float("inf")
    tuned_rounds: int = 0          # rounds the tuning took, once it is done; then the second fit is under way
    rates: list[list[float]] = field(default_factory=list)   # (round, learning rate after it), where it was changed
    heard: list[str] = field(default_factory=list)           # messages acted on, see ``training.steering``

    @property
    def metric_step(self) -> int:
        return self.tuned_rounds or self.round


class HistGradientBoosting:
    """Boosts on the training rows until the validation loss stops falling, then once more on both parts."""

    style: ClassVar[Style] = "trees"

    def fit(self, context: FitContext) -> Fitted:
        checkpoint = context.checkpoints.newest()
        state = self._beginning(context) if checkpoint is None else _State(**checkpoint.facts())
        found = None if checkpoint is None else checkpoint.folder
        with threadpool_limits(context.threads):
            tuned = _tune(context, state, found)
            validation = self.predict(tuned, context.validation.x, context.classes)
            native = tuned
            if context.parameters["refit"] and not context.control.finish:
                if not state.tuned_rounds:
                    context.report.stage("Fitting again with the validation rows")
                    state, found = _State(_rounds_before(context), state.best_round, state.best_loss, state.round,
                                          state.rates, state.heard), None
                hook = _Rounds(context, state, state.best_round, tuned)
                native = _boost(context, context.everything(), hook, found)
                native = native if native.n_iter_ == state.best_round else tuned   # a stop was asked for on the way
        return Fitted(native, validation, context.control.finish,
                      {"rounds": native.n_iter_, **changes(state.rates)})

    def _beginning(self, context: FitContext) -> _State:
        if context.start is None:
            return _State()
        said = self.predict(context.start, context.validation.x, context.classes)
        return _State(context.start.n_iter_, context.start.n_iter_, context.scores(said)["loss"])

    def predict(self, native: Any, x: Array, classes: int) -> Array:
        prediction: Array = native.predict_proba(x) if classes else native.predict(x)
        return prediction


def _tune(context: FitContext, state: _State, found: Path | None) -> Any:
    """Return the model of the rounds that the validation rows want."""
    if state.tuned_rounds and found is not None:
        model = _empty(context, context.train, state.best_round)
        take_up_trees(model, found / "tuned.npz", state.best_round)
        return _fitted(model, context, context.train, lambda **_readings: False)   # there are no rounds left
    most = _rounds_before(context) + context.parameters["rounds"]
    model = _boost(context, context.train, _Rounds(context, state, most), found)
    del model._predictors[state.best_round:]  # noqa: SLF001 - the rounds after the best one; nothing public can
    return model


class _Rounds:
    """Called by scikit-learn after every round, and before the first of a new fit; true ends the fit.

    ``tuned``: the model of the first fit, while the second one is under way, which has nothing to judge.
    """

    def __init__(self, context: FitContext, state: _State, rounds: int, tuned: Any = None) -> None:
        self._context, self._tuned = context, tuned
        self._waits = not state.round
        self.state, self.rounds = state, rounds
        self.model: Any = None

    @property
    def rate(self) -> float:
        """The learning rate of the next round."""
        return rate_after(self.state.rates, self.state.round, self._context.parameters["learning_rate"])

    def __call__(self, *, raw_predictions: Array, y_train: Array, raw_predictions_val: Array, **_others: Any) -> bool:
        """Judge the round from raw scores: (N, 1), or (N, C) for three classes and more."""
        context, state = self._context, self.state
        if self._waits:
            self._waits = False
            context.control.check()
            return False
        state.round += 1
        if self._tuned is None:
            self._judge(raw_predictions, y_train, raw_predictions_val)
        context.report.progress(state.round, self.rounds, "rounds")
        listen(context, state, self._tuned is None, self._write)
        self.model.learning_rate = self.rate
        if context.control.terminate or (context.checkpoints.due and state.round < self.rounds):
            context.checkpoints.save(state.metric_step, asdict(state), self._write)
        context.control.check()
        return context.control.finish or self.flat

    @property
    def flat(self) -> bool:
        """The validation loss has not fallen for long enough."""
        return self._tuned is None and self._context.patience_over(self.state.round, self.state.best_round)

    def _judge(self, raw_predictions: Array, y_train: Array, raw_predictions_val: Array) -> None:
        context, state = self._context, self.state
        scores = context.scores(_link(raw_predictions_val, context.classes))
        values = {f"validation_{name}": value for name, value in scores.items()}
        if scores["loss"] < state.best_loss:
            state.best_loss, state.best_round = scores["loss"], state.round
        if self.flat or is_drawn(state.round - _rounds_before(context)) or state.round == self.rounds:
            if context.report.training_loss:
                y = y_train if not context.classes else y_train.astype(np.int64)
                prediction = _link(raw_predictions, context.classes)
                values["train_loss"] = quick_scores(prediction, y, context.classes, context.quantile)["loss"]
            context.report.metrics(state.round, {**values, **drawn_rate(context, state)})

    def _write(self, folder: Path) -> None:
        write_trees(folder / "trees.npz", self.model)
        if self._tuned is not None:
            write_trees(folder / "tuned.npz", self._tuned)


def _rounds_before(context: FitContext) -> int:
    """Return how many rounds the model has that the fit goes on from; 0 where it begins anew."""
    return 0 if context.start is None else int(context.start.n_iter_)


def _boost(context: FitContext, part: Part, hook: _Rounds, found: Path | None) -> Any:
    """Grow the rounds that ``hook`` wants on ``part``, from those of the checkpoint ``found`` on, if there is one."""
    hook.model = model = _empty(context, part, hook.rounds)
    model.learning_rate = hook.rate
    if found is not None and hook.state.round:
        take_up_trees(model, found / "trees.npz", hook.state.round)
        model.max_iter = hook.state.round if hook.flat else hook.rounds
    elif context.start is not None:
        take_up_model(model, context.start)
    return _fitted(model, context, part, hook).set_params(max_iter=hook.rounds)


def _fitted(model: Any, context: FitContext, part: Part, hook: Any) -> Any:
    setattr(model, _HOOK, hook)
    with bins_of(model, context.start):
        model.fit(part.x, part.y, X_val=context.validation.x, y_val=context.validation.y)
    delattr(model, _HOOK)
    return model.set_params(warm_start=False, learning_rate=context.parameters["learning_rate"])


def _empty(context: FitContext, part: Part, rounds: int) -> Any:
    given = context.parameters
    kind: Any
    options: dict[str, Any]
    if context.classes:
        kind, options = HistGradientBoostingClassifier, {
            "class_weight": context.named_weights}
    else:
        kind, options = HistGradientBoostingRegressor, {} if context.quantile is None else {
            "loss": "quantile", "quantile": context.quantile}
    return kind(
        **options,
        max_iter=rounds, learning_rate=given["learning_rate"], max_depth=given["max_depth"],
        max_leaf_nodes=most_leaves(given["leaves"], context.classes),
        min_samples_leaf=min(given["min_samples_leaf"], max(1, len(part) // 10)),
        l2_regularization=given["l2"], max_features=given["feature_fraction"], random_state=context.seed,
        early_stopping=True, scoring="loss", n_iter_no_change=rounds + 1)


def _link(raw: Array, classes: int) -> Array:
    """Return (N,) numbers or (N, C) probabilities from raw scores."""
    if not classes:
        return raw[:, 0] if raw.ndim > 1 else raw
    if classes == 2:
        second = 1 / (1 + np.exp(-np.clip(raw.reshape(-1), -700, 700)))
        return np.column_stack([1 - second, second])
    shifted = np.exp(raw - raw.max(1, keepdims=True))
    probabilities: Array = shifted / shifted.sum(1, keepdims=True)
    return probabilities
