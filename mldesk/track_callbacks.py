"""Callbacks that let other libraries' training loops tell MLDesk their curves: ``mldesk.track`` without a line of code.

    from mldesk.track_callbacks import lightgbm_callback
    lightgbm.train(..., callbacks=[lightgbm_callback()])

Each loads its library only when it is called. All of them end the training when the user presses Finish now. What
Keras, Lightning and Trainer save below ``track.checkpoint_folder()`` is the run's checkpoint: the next attempt has it.
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
        track.metrics(environment.iteration + 1, _numbers({f"{item[0]}_{item[1]}": item[2] for item in found}))
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
            track.metrics(epoch + 1, _numbers({f"{data}_{metric}": values[-1] for data, found in evals_log.items()
                                               for metric, values in found.items()}))
            return track.should_stop()

    return Tell()


def keras_callback() -> Any:
    """Return a callback for ``model.fit(callbacks=[...])``; put it last, after those that save."""
    from keras.callbacks import Callback

    class Tell(Callback):  # type: ignore[misc]
        def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
            self.kept = _Kept()

        def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
            self._look()

        def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
            rate = getattr(getattr(self.model, "optimizer", None), "learning_rate", None)
            track.metrics(epoch + 1, _numbers({"learning_rate": rate, **(logs or {})}), epoch=epoch + 1)
            if (total := (self.params or {}).get("epochs")) is not None:
                track.progress(epoch + 1, total, "epochs")
            self.kept.look(epoch + 1)
            self._look()

        def _look(self) -> None:
            if track.should_stop():
                self.model.stop_training = True

    return Tell()


def transformers_callback() -> Any:
    """Return a callback for Hugging Face's ``Trainer(callbacks=[...])``."""
    from transformers import TrainerCallback

    class Tell(TrainerCallback):  # type: ignore[misc]
        def on_train_begin(self, args: Any, state: Any, control: Any, **_kwargs: Any) -> None:
            self.kept = _Kept()

        def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None,
                   **_kwargs: Any) -> None:
            if state.is_world_process_zero:
                track.metrics(state.global_step, _numbers(logs or {}), epoch=state.epoch)

        def on_save(self, args: Any, state: Any, control: Any, **_kwargs: Any) -> None:
            if state.is_world_process_zero:
                self.kept.look(state.global_step)

        def on_step_end(self, args: Any, state: Any, control: Any, **_kwargs: Any) -> None:
            if state.max_steps > 0 and state.is_world_process_zero:
                track.progress(state.global_step, state.max_steps)
            if track.should_stop():
                control.should_training_stop = True

    return Tell()


def lightning_callback() -> Any:
    """Return a callback for Lightning's ``Trainer(callbacks=[...])``, of ``lightning`` or ``pytorch_lightning``."""
    try:
        from lightning.pytorch.callbacks import Callback
    except ImportError:
        from pytorch_lightning.callbacks import Callback

    class Tell(Callback):  # type: ignore[misc]
        def on_train_start(self, trainer: Any, module: Any) -> None:
            self.kept = _Kept()

        def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
            if trainer.is_global_zero:
                _tell_lightning_step(trainer, outputs)
            if track.should_stop():
                trainer.should_stop = True

        def on_train_epoch_start(self, trainer: Any, module: Any) -> None:
            self._keep(trainer)   # what the epoch before saved, its checkpoints being written last

        def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
            if trainer.is_global_zero:
                _tell_lightning_epoch(trainer)

        def on_train_end(self, trainer: Any, module: Any) -> None:
            self._keep(trainer)

        def _keep(self, trainer: Any) -> None:
            if trainer.is_global_zero:
                self.kept.look(trainer.global_step)

    return Tell()


def _tell_lightning_step(trainer: Any, outputs: Any) -> None:
    if trainer.global_step % max(1, trainer.log_every_n_steps) == 0:
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        track.metrics(trainer.global_step, _numbers({"loss_step": loss}), epoch=trainer.current_epoch)
    if trainer.max_steps > 0:
        track.progress(trainer.global_step, trainer.max_steps)


def _tell_lightning_epoch(trainer: Any) -> None:
    groups = [group for optimizer in trainer.optimizers for group in optimizer.param_groups]
    rates = {f"learning_rate{number or ''}": group["lr"] for number, group in enumerate(groups)}
    track.metrics(trainer.global_step, _numbers({**rates, **trainer.callback_metrics}), epoch=trainer.current_epoch + 1)
    if trainer.max_steps <= 0 and (trainer.max_epochs or 0) > 0:
        track.progress(trainer.current_epoch + 1, trainer.max_epochs, "epochs")


class _Kept:
    """Makes a checkpoint of what a library saved below the checkpoint folder, whenever that has changed."""

    def __init__(self) -> None:
        self._before = self._files()

    def look(self, step: int) -> None:
        """Keep it as the state after ``step`` if it is another than before."""
        if (now := self._files()) != self._before:
            self._before = now
            if now:
                track.checkpoint(step)

    def _files(self) -> list[tuple[str, int, int]]:
        found = ((path, path.stat()) for path in track.checkpoint_folder().rglob("*")
                 if path.is_file() and "tfevents" not in path.name and path.name != track.STEP_FILE)
        return sorted((str(path), facts.st_size, facts.st_mtime_ns) for path, facts in found)


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Keep what is a number; tensors of one value are numbers too. The epoch is told apart already."""
    found = {}
    for name, value in values.items():
        if name == "epoch":
            continue
        try:
            plain = value.item() if hasattr(value, "item") else float(value) if hasattr(value, "numpy") else value
        except (TypeError, ValueError, RuntimeError):   # more than one value
            continue
        if type(plain) is not bool and isinstance(plain, numbers.Real):
            found[name] = float(plain)
    return found
