"""How the torch networks learn: one optimizer step per batch, early stopping, and a checkpoint of everything.

A fit that goes on from a checkpoint takes the very steps the uninterrupted one would have taken: weights, optimizer,
learning rate, random numbers, the place in the epoch's order and the best weights so far are all in it. On the CPU the
outcome is equal to the bit.
"""

from __future__ import annotations

import copy
import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from mldesk.core.errors import WorkFailed
from mldesk.training.blocks import Style
from mldesk.training.estimators.base import FitContext, Fitted, Part, prefixed
from mldesk.training.estimators.network import build
from mldesk.training.estimators.schedules import PLATEAU, scheduled, spoken
from mldesk.training.estimators.steered import changes
from mldesk.training.estimators.torch_device import (
    autocast_type,
    batch_of,
    choose_device,
    deterministic,
    freed,
    resident,
)
from mldesk.training.steering import LATE
from mldesk.training.values import Array
from mldesk.wire.control import Terminated
from mldesk.wire.failures import is_gpu_out_of_memory

_READING_EVERY = 0.02      # seconds between two readings of the training loss
_WARM_UP = 100             # optimizer steps, at most, until the learning rate is reached
_PLATEAU = 4               # epochs without a better validation loss after which the learning rate falls
_FALL = 0.3                # ... to this share of it
_AVERAGING = 0.98          # of the weights over the last steps; the averaged ones are what is judged and kept
_LEAST_RATE = 0.01         # share of the learning rate below which a loss that is no number ends the fit


class TorchNet:
    """What the networks of the catalogue have in common; a kind says how it is designed."""

    style: ClassVar[Style] = "embed"

    def design(self, context: FitContext) -> dict[str, Any]:
        """Return the config of the network, see ``network.build``."""
        raise NotImplementedError

    def _config(self, context: FitContext) -> dict[str, Any]:
        return self.design(context) if context.start is None else dict(context.start.config)

    def fit(self, context: FitContext) -> Fitted:
        torch.set_num_threads(context.threads)
        device = choose_device(context.device)
        size = context.parameters["batch_size"] or min(_batch_size(len(context.train)),
                                                       build(self._config(context)).rows_at_once)
        checkpoint = context.checkpoints.newest()
        place = _Place(min(size, len(context.train))) if checkpoint is None else _Place(**checkpoint.facts())
        while True:
            try:
                with deterministic(device):
                    return _fit(context, self._config(context), device, place)
            except Exception as error:
                if not is_gpu_out_of_memory(error) or place.batch == 1:
                    raise
            place = _Place(place.batch // 2)  # and from the start: the steps taken so far were of another size
            freed()
            context.report.warning("The GPU has too little memory for this batch size; training begins again with "
                                   f"batches of {place.batch} rows.")

    def predict(self, native: Any, x: Array, classes: int) -> Array:
        return predict(native, x, classes)


def predict(native: Any, x: Array, classes: int) -> Array:
    """Return (N,) numbers or (N, C) probabilities, calculated in float64 on the CPU."""
    served = copy.deepcopy(native).cpu().double().eval()  # as the ONNX graph does, so that both agree
    features = torch.from_numpy(x)
    with torch.inference_mode():
        raw = torch.cat([served(part.double()) for part in torch.split(features, native.rows_at_once)])
    prediction: Array = (torch.softmax(raw, 1) if classes else raw[:, 0]).numpy()
    return prediction


def _batch_size(rows: int) -> int:
    """Return rows for about a hundred steps per epoch, within 16 and 1024."""
    return int(2 ** np.clip(round(np.log2(max(rows, 1) / 100)), 4, 10))


@dataclass(slots=True)
class _Place:
    """Where the fit stands; with the tensors of ``_Fit``, all of a checkpoint."""

    batch: int                  # rows per step
    step: int = 0               # optimizer steps taken in this phase
    epoch: int = 0              # epochs finished in this phase
    batches: int = 0            # ... and batches of the one under way
    best_loss: float = float("inf")
    best_epoch: int = 0
    flat: int = 0               # epochs since the best one, or since the learning rate fell
    rate: float = 1.0           # share of the learning rate
    rates: list[float] = field(default_factory=list)   # ... of every epoch so far, for the second fit to repeat
    asked: list[list[float]] = field(default_factory=list)   # (step, learning rate after it), where one was asked for
    heard: list[str] = field(default_factory=list)     # messages that were acted on, see ``training.steering``
    tuned_steps: int = 0        # steps the tuning took, once it is done; then the second fit is under way

    @property
    def metric_step(self) -> int:
        """The last step whose metric points stand: the second fit makes none."""
        return self.tuned_steps or self.step


def _fit(context: FitContext, config: dict[str, Any], device: torch.device, place: _Place) -> Fitted:
    """Tune on the training rows; then, if asked, learn from all rows for as many epochs as were best."""
    tuned = build(config)
    if place.tuned_steps:
        checkpoint = context.checkpoints.newest()
        assert checkpoint is not None  # noqa: S101 - for mypy: the place was read from it
        tuned.load_state_dict(_below("tuned.", load_file(checkpoint.folder / "state.safetensors")))
    else:
        tuned.load_state_dict(_tune(context, config, device, place))
    native: nn.Module = tuned.eval()
    validation = predict(native, context.validation.x, context.classes)
    facts = {"epochs": place.best_epoch, "batch_size": place.batch, **changes(place.asked)}
    if context.parameters["refit"] and not context.control.finish and place.best_epoch:
        if not place.tuned_steps:
            context.report.stage("Fitting again with the validation rows")
            place = _Place(place.batch, best_loss=place.best_loss, best_epoch=place.best_epoch, rates=place.rates,
                           asked=place.asked, tuned_steps=place.step, heard=place.heard)
        again = _Fit(context, config, context.everything(), device, place, tuned)
        native = _sound(again.repeat()) or native
    return Fitted(native.cpu().eval(), validation, context.control.finish, facts)


def _tune(context: FitContext, config: dict[str, Any], device: torch.device, place: _Place) -> dict[str, Tensor]:
    """Return the best weights. Nothing else of this fit stays on the device, where the next one wants the room."""
    first = _Fit(context, config, context.train, device, place)
    first.tune()
    return first.best


def _sound(network: nn.Module | None) -> nn.Module | None:
    """Return the network unless its weights are no numbers any more."""
    sound = network is not None and all(bool(torch.isfinite(weight).all()) for weight in network.parameters())
    return network if sound else None


class _Fit:
    """One fit with one batch size to the rows of ``part``."""

    def __init__(self, context: FitContext, config: dict[str, Any], part: Part, device: torch.device, place: _Place,
                 tuned: nn.Module | None = None) -> None:
        self._context, self._device, self._place, self._tuned = context, device, place, tuned
        self._given = context.parameters
        torch.manual_seed(context.seed)
        network = build(config)
        self._mean, self._deviation = 0.0, 1.0
        if context.start is not None:
            network.load_state_dict(context.start.state_dict())
            self._mean, self._deviation = network.target
        else:
            network.inputs.fit(part.x, part.y, context.classes, context.seed)
            if not context.classes:
                self._mean, self._deviation = float(part.y.mean()), float(part.y.std()) or 1.0
                network.set_target(self._mean, self._deviation)
        # What the loss of a standardised target is in the target's own unit.
        self._unit = self._deviation if context.quantile is not None else self._deviation ** 2
        steps = -(-len(part) // place.batch) * self._given["epochs"]
        self._warm_up = min(_WARM_UP, max(1, steps // 20))
        self._network = network.to(device)
        self._average = copy.deepcopy(self._network).eval()   # follows the weights, more calmly
        self.best = copy.deepcopy(self._average.state_dict())
        self._weights: list[Tensor] = list(self._network.parameters())
        self._averaged: list[Tensor] = list(self._average.parameters())
        self._optimizer = torch.optim.AdamW(_groups(self._network, self._given["weight_decay"]), fused=True)
        self._dtype = autocast_type(device, self._given["precision"])
        self._scaler = torch.amp.GradScaler(device.type, enabled=self._dtype is torch.float16)
        self._x = resident(part.x, device)                   # (N, F) float32
        self._y = self._targets(part.y)                       # (N,) int64 or standardised float32
        self._validation = resident(context.validation.x, device)
        weights = context.class_weights(part.y)
        self._class_weights = None if weights is None else torch.from_numpy(weights.astype(np.float32)).to(device)
        self._schedule, self._share = self._given.get("schedule", PLATEAU), 1.0   # of the rate, at this step
        self._loss_sum = torch.zeros((), dtype=torch.float64, device=device)     # over the rows of this epoch
        self._read_sum, self._read_rows, self._read_at = 0.0, 0, 0.0             # as of the last reading
        self._resume()

    @property
    def _rate(self) -> float:
        """The learning rate of the last step."""
        rate: float = self._given["learning_rate"] * self._place.rate * self._share
        return rate

    def tune(self) -> None:
        """Train until the epochs or the patience run out, or a stop is asked for; ``best`` are the best weights."""
        place, finished = self._place, False
        if self._context.start is not None and not place.step:
            place.best_loss = self._context.scores(self._prediction())["loss"]   # to be beaten
        while place.epoch < self._given["epochs"] and not self._out_of_patience() and not finished:
            if len(place.rates) == place.epoch:
                place.rates.append(place.rate)
            self._epoch()
            finished = self._context.control.finish
            self._judge()

    def repeat(self) -> nn.Module | None:
        """Train as many epochs as were best, at the same rates; None if a stop is asked for on the way."""
        place = self._place
        while place.epoch < place.best_epoch:
            place.rate = place.rates[place.epoch]
            self._epoch()
            if self._context.control.finish:
                return None
            place.epoch, place.batches = place.epoch + 1, 0
            self._loss_sum.zero_()
        return self._average

    def _epoch(self) -> None:
        """Go through the rows once, or until a stop is asked for."""
        context, place = self._context, self._place
        order = np.random.default_rng([context.seed, place.epoch]).permutation(len(self._x))
        batches = torch.split(torch.from_numpy(order).to(self._x.device), place.batch)
        self._network.train()
        for rows in batches[place.batches:]:
            self._step(rows, (place.epoch + place.batches / len(batches)) / self._given["epochs"])
            place.batches += 1
            self._listen()
            self._read(min(place.batches * place.batch, len(order)), len(batches))
            if context.control.terminate or context.checkpoints.due:
                context.checkpoints.save(place.metric_step, asdict(place), self._write)
                if context.control.terminate:
                    raise Terminated
            if context.control.finish:
                break

    def _listen(self) -> None:
        """Take another learning rate from now on, if somebody asks for one."""
        context, place = self._context, self._place
        if (told := context.steering.rate(place.heard, place.step)) is None:
            return
        place.heard += told[0]
        if not place.tuned_steps:   # the second fit repeats the rates of the first
            place.rate, place.flat = told[1] / self._given["learning_rate"], 0
            place.rates[place.epoch] = place.rate
            place.asked.append([place.step, told[1]])
        context.checkpoints.save(place.metric_step, asdict(place), self._write)
        if place.tuned_steps:
            context.report.log(LATE)
            return
        at = spoken(self._schedule)
        context.report.log(f"The learning rate is {told[1]:g}{at} from step {place.step} on, as asked for.")
        context.report.metrics(place.step, {"learning_rate": self._rate})

    def _step(self, rows: Tensor, progress: float) -> None:
        """Take one optimizer step on the batch ``rows`` (B,) of row numbers; ``progress``: 0 to 1 over all epochs."""
        place = self._place
        place.step += 1
        warm = 1.0 if self._schedule == "one_cycle" else min(1.0, place.step / self._warm_up)
        self._share = scheduled(self._schedule, progress) * warm
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate
        with torch.autocast(self._device.type, self._dtype, enabled=self._dtype is not None):
            output = self._network.raw(batch_of(self._x, rows, self._device))   # (B, M, C) logits or (B, M, 1)
        truth = self._y[rows.to(self._device)]
        loss = self._loss(output.float(), truth)               # nats, or of the standardised target; mean over B
        self._optimizer.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()                    # type: ignore[no-untyped-call]
        self._scaler.unscale_(self._optimizer)
        nn.utils.clip_grad_norm_(self._weights, self._given["gradient_clip"])
        self._scaler.step(self._optimizer)
        self._scaler.update()
        share = 1 - min(_AVERAGING, place.step / (10 + place.step))
        with torch.no_grad():
            torch._foreach_lerp_(self._averaged, self._weights, share)
            self._loss_sum += loss.detach() * len(rows)

    def _loss(self, output: Tensor, y: Tensor) -> Tensor:
        members = output.shape[1]
        truth = y.unsqueeze(1).expand(-1, members)
        if self._context.classes:
            return functional.cross_entropy(output.flatten(0, 1), truth.flatten(), self._class_weights)
        if (quantile := self._context.quantile) is None:
            return functional.mse_loss(output[:, :, 0], truth)
        over = truth - output[:, :, 0]
        return torch.maximum(quantile * over, (quantile - 1) * over).mean()   # Koenker and Bassett 1978

    def _read(self, rows: int, batches: int) -> None:
        """Report the mean loss of the steps since the last reading, not too often: a reading waits for the device."""
        now = time.monotonic()
        if now - self._read_at < _READING_EVERY:
            return
        place, total = self._place, float(self._loss_sum)
        if rows > self._read_rows and not place.tuned_steps:
            loss = (total - self._read_sum) / (rows - self._read_rows) * self._unit
            self._context.report.metrics(place.step, {"train_loss": loss}, place.epoch + place.batches / batches)
        last = place.best_epoch if place.tuned_steps else self._given["epochs"]
        self._context.report.progress(place.epoch + place.batches / batches, last, "epochs", len(self._x))
        self._read_sum, self._read_rows, self._read_at = total, rows, now

    def _judge(self) -> None:
        """End the epoch: score the averaged weights on the validation rows, keep them if they are the best yet."""
        context, place = self._context, self._place
        rows = min(place.batches * place.batch, len(self._x))
        scores = context.scores(self._prediction())
        place.epoch, place.batches, place.flat = place.epoch + 1, 0, place.flat + 1
        epoch_loss = float(self._loss_sum) / rows * self._unit
        values = {"train_loss_epoch": epoch_loss, **prefixed(scores, "validation"), "learning_rate": self._rate}
        context.report.metrics(place.step, values, place.epoch)
        self._loss_sum.zero_()
        self._read_sum, self._read_rows = 0.0, 0
        if not (np.isfinite(scores["loss"]) and np.isfinite(epoch_loss)):
            self._diverged()
        elif scores["loss"] < place.best_loss:
            place.best_loss, place.best_epoch, place.flat = scores["loss"], place.epoch, 0
            self.best = copy.deepcopy(self._average.state_dict())
        elif self._schedule == PLATEAU and place.flat >= _PLATEAU:
            place.rate, place.flat = place.rate * _FALL, 0

    def _prediction(self) -> Array:
        with torch.inference_mode():
            raw = torch.cat([self._average(part.to(self._device))
                             for part in torch.split(self._validation, self._network.rows_at_once)])
            prediction: Array = (torch.softmax(raw, 1) if self._context.classes else raw[:, 0]).double().cpu().numpy()
        return prediction

    def _diverged(self) -> None:
        """Start again from the best weights, in smaller steps, a few times; then give up."""
        place = self._place
        if place.rate < _LEAST_RATE:
            raise Diverged(place.step, self._given["learning_rate"])
        came_from = f"the best epoch, {place.best_epoch}" if place.best_epoch else "the beginning"
        self._context.report.warning(f"The loss was no number any more after step {place.step}: training goes on from "
                                     f"{came_from}, in smaller steps.")
        self._network.load_state_dict(self.best)
        self._average.load_state_dict(self.best)
        self._optimizer = torch.optim.AdamW(_groups(self._network, self._given["weight_decay"]), fused=True)
        place.rate, place.flat = place.rate * _FALL, 0

    def _out_of_patience(self) -> bool:
        patience = self._given["patience"]
        return patience is not None and self._place.epoch - self._place.best_epoch >= patience

    def _targets(self, y: Array) -> Tensor:
        if self._context.classes:
            return torch.from_numpy(y).to(self._device)
        return torch.from_numpy(((y - self._mean) / self._deviation).astype(np.float32)).to(self._device)

    def _write(self, folder: Path) -> None:
        tensors = {"sum": self._loss_sum, "rng.cpu": torch.get_rng_state()}
        if self._device.type == "cuda":
            tensors["rng.cuda"] = torch.cuda.get_rng_state(self._device)
        for name, state in self._states().items():
            tensors |= {f"{name}.{key}": tensor for key, tensor in state.items()}
        for index, state in self._optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{key}": tensor for key, tensor in state.items()}
        plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        save_file(plain, folder / "state.safetensors")
        (folder / "scaler.json").write_text(json.dumps(self._scaler.state_dict()), "utf-8")

    def _resume(self) -> None:
        """Take up the newest checkpoint's tensors; the place in it was read before."""
        if self._place.step == 0:
            return
        checkpoint = self._context.checkpoints.newest()
        assert checkpoint is not None  # noqa: S101 - for mypy: the place was read from it
        tensors = load_file(checkpoint.folder / "state.safetensors")
        self._loss_sum.copy_(tensors["sum"])
        self._network.load_state_dict(_below("network.", tensors))
        self._average.load_state_dict(_below("average.", tensors))
        self.best = {name: tensor.to(self._device) for name, tensor in _below("best.", tensors).items()}
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _below("optimizer.", tensors).items():
            index, key = name.split(".")
            state.setdefault(int(index), {})[key] = tensor
        groups = self._optimizer.state_dict()["param_groups"]
        self._optimizer.load_state_dict({"state": state, "param_groups": groups})
        self._scaler.load_state_dict(json.loads((checkpoint.folder / "scaler.json").read_text("utf-8")))
        torch.set_rng_state(tensors["rng.cpu"])
        if self._device.type == "cuda" and "rng.cuda" in tensors:
            torch.cuda.set_rng_state(tensors["rng.cuda"], self._device)
        self._read_sum = float(self._loss_sum)
        self._read_rows = self._place.batches * self._place.batch

    def _states(self) -> dict[str, dict[str, Tensor]]:
        states = {"network": self._network.state_dict(), "average": self._average.state_dict()}
        return states | ({"best": self.best} if self._tuned is None else {"tuned": self._tuned.state_dict()})


class Diverged(WorkFailed):
    """The loss became NaN or infinite before anything was learned."""

    code = "diverged"

    def __init__(self, step: int, learning_rate: float) -> None:
        super().__init__(f"Training went out of bounds: the loss is no number any more after step {step}.",
                         hint=f"Choose a learning rate below {learning_rate:g}.")


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Return the parameters in two groups: weights of layers are pulled to zero, the others are not."""
    pulled = [module.weight for module in network.modules() if isinstance(module, nn.Linear)]
    ids = {id(weight) for weight in pulled}
    others = [parameter for parameter in network.parameters() if id(parameter) not in ids]
    return [{"params": pulled, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
