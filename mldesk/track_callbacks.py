"""Callbacks that let other libraries' training loops tell MLDesk their curves: ``mldesk.track`` without a line of code.

    from mldesk.track_callbacks import lightgbm_callback
    lightgbm.train(..., callbacks=[lightgbm_callback()])

Each loads its library only when it is called. All of them end the training when the user presses Finish now.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping
from typing import Any

from mldesk import track


def lightgbm_callback() -> Callable[[Any], None]:
    """Return a callback for ``lightgbm.train(callbacks=[...])`` and the scikit-learn estimators' ``fit``."""
    from lightgbm.callback import EarlyStopException

    def tell(environment: Any) -> None:
        found = list(environment.evaluation_result_list or ())
        track.metrics(environment.iteration + 1, **_numbers({f"{item[0]}_{item[1]}": item[2] for item in found}))
        track.progress(environment.iteration + 1, environment.end_iteration, "rounds")
        if track.should_stop():
            raise EarlyStopException(environment.iteration, found)

    tell.order = 30  # type: ignore[attr-defined]  # LightGBM's own: after those that record and stop early
    return tell


def xgboost_callback() -> Any:
    """Return a callback for ``xgboost.train(callbacks=[...])`` and ``XGBClassifier(callbacks=[...])``."""
    from xgboost.callback import TrainingCallback

    class Tell(TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            track.metrics(epoch + 1, **_numbers({f"{data}_{metric}": values[-1] for data, found in evals_log.items()
                                                 for metric, values in found.items()}))
            return track.should_stop()

    return Tell()


def keras_callback() -> Any:
    """Return a callback for ``model.fit(callbacks=[...])``."""
    from keras.callbacks import Callback

    class Tell(Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
            track.metrics(epoch + 1, epoch=epoch + 1, **_numbers(logs or {}))
            if track.should_stop():
                self.model.stop_training = True

    return Tell()


def transformers_callback() -> Any:
    """Return a callback for Hugging Face's ``Trainer(callbacks=[...])``."""
    from transformers import TrainerCallback

    class Tell(TrainerCallback):  # type: ignore[misc]
        def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None,
                   **_kwargs: Any) -> None:
            track.metrics(state.global_step, epoch=state.epoch, **_numbers(logs or {}))

        def on_step_end(self, args: Any, state: Any, control: Any, **_kwargs: Any) -> None:
            if state.max_steps > 0:
                track.progress(state.global_step, state.max_steps)
            if track.should_stop():
                control.should_training_stop = True

    return Tell()


def lightning_callback() -> Any:
    """Return a callback for Lightning's ``Trainer(callbacks=[...])``."""
    from lightning.pytorch.callbacks import Callback

    class Tell(Callback):  # type: ignore[misc]
        def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
            track.metrics(trainer.global_step, epoch=trainer.current_epoch + 1, **_numbers(trainer.callback_metrics))
            if track.should_stop():
                trainer.should_stop = True

    return Tell()


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Keep what is a number; tensors of one value are numbers too. The epoch is told apart already."""
    found = {}
    for name, value in values.items():
        if name == "epoch":
            continue
        plain = value.item() if hasattr(value, "item") else value
        if type(plain) is not bool and isinstance(plain, numbers.Real):
            found[name] = float(plain)
    return found
