"""The neural network: one optimizer step per batch, early stopping, and a checkpoint of everything.

A fit that goes on from a checkpoint takes the very steps the uninterrupted one would have taken: weights, optimizer,
learning rate, random numbers, the place in the epoch's order and the best weights so far are all in it. On the CPU the
outcome is equal to the bit.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from mldesk.training.blocks import Style
from mldesk.training.estimators.base import FitContext, Fitted, prefixed, quick_scores
from mldesk.training.estimators.network import Network, design, prepare
from mldesk.training.values import Array
from mldesk.wire.control import Terminated
from mldesk.wire.failures import is_gpu_out_of_memory

_READING_EVERY = 0.02      # seconds between two readings of the training loss
_WARM_UP = 100             # optimizer steps, at most, until the learning rate is reached
_PLATEAU = 4               # epochs without a better validation loss after which the learning rate falls
_FALL = 0.3                # ... to this share of it
_AVERAGING = 0.98          # of the weights over the last steps; the averaged ones are what is judged and kept
_PREDICTED_AT_ONCE = 4096  # rows


class Mlp:
    """A residual network over embedded columns, see ``network``."""

    style: ClassVar[Style] = "embed"

    def fit(self, context: FitContext) -> Fitted:
        torch.set_num_threads(context.threads)
        device = choose_device(context.device)
        batch = context.parameters["batch_size"] or _batch_size(len(context.train))
        checkpoint = context.checkpoints.newest()
        place = _Place(min(batch, len(context.train))) if checkpoint is None else _Place(**checkpoint.facts())
        while True:
            try:
                with _deterministic(device):
                    return _Fit(context, device, place).run()
            except Exception as error:
                if not is_gpu_out_of_memory(error) or place.batch == 1:
                    raise
            place = _Place(place.batch // 2)  # and from the start: the steps taken so far were of another size
            torch.cuda.empty_cache()
            context.report.warning("The GPU has too little memory for this batch size; training begins again with "
                                   f"batches of {place.batch} rows.")

    def predict(self, native: Any, x: Array, classes: int) -> Array:
        served = copy.deepcopy(native).cpu().double().eval()  # as the ONNX graph does, so that both agree
        features = torch.from_numpy(x)
        with torch.inference_mode():
            raw = torch.cat([served(part.double()) for part in torch.split(features, _PREDICTED_AT_ONCE)])
        prediction: Array = (torch.softmax(raw, 1) if classes else raw[:, 0]).numpy()
        return prediction


def choose_device(asked: str) -> torch.device:
    """Return the device: as asked, or for "auto" the GPU if torch can use one."""
    if asked == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(asked)


def _batch_size(rows: int) -> int:
    """Return rows for about a hundred steps per epoch, within 16 and 1024."""
    return int(2 ** np.clip(round(np.log2(max(rows, 1) / 100)), 4, 10))


@dataclass(slots=True)
class _Place:
    """Where the fit stands; with the tensors of ``_Fit``, all of a checkpoint."""

    batch: int                  # rows per step
    step: int = 0               # optimizer steps taken
    epoch: int = 0              # epochs finished
    batches: int = 0            # ... and batches of the one under way
    best_loss: float = float("inf")
    best_epoch: int = 0
    flat: int = 0               # epochs since the best one, or since the learning rate fell
    rate: float = 1.0           # share of the learning rate


class _Fit:
    """One fit with one batch size."""

    def __init__(self, context: FitContext, device: torch.device, place: _Place) -> None:
        self._context, self._device, self._place = context, device, place
        self._given = context.parameters
        torch.manual_seed(context.seed)
        network = Network(design(context.train.x, context.categorical, context.classes or 1, self._given))
        prepare(network, context.train.x)
        self._unit = 1.0         # what a standardised squared error is in the target's own unit
        if not context.classes:
            network.set_target(float(context.train.y.mean()), float(context.train.y.std()) or 1.0)
            self._unit = float(context.train.y.std()) ** 2 or 1.0
        steps = -(-len(context.train) // place.batch) * self._given["epochs"]
        self._warm_up = min(_WARM_UP, max(1, steps // 20))
        self._network = network.to(device)
        self._average = copy.deepcopy(self._network).eval()   # follows the weights, more calmly
        self._best = copy.deepcopy(self._average.state_dict())
        self._optimizer = torch.optim.AdamW(_groups(self._network, self._given["weight_decay"]), fused=True)
        self._dtype = _autocast_type(device, self._given["precision"])
        self._scaler = torch.amp.GradScaler(device.type, enabled=self._dtype is torch.float16)
        self._x = torch.from_numpy(context.train.x).to(device)                   # (N, F) float32
        self._y = self._targets(context.train.y)                                 # (N,) int64 or standardised float32
        self._validation = torch.from_numpy(context.validation.x).to(device)
        self._loss_sum = torch.zeros((), dtype=torch.float64, device=device)     # over the rows of this epoch
        self._read_sum, self._read_rows, self._read_at = 0.0, 0, 0.0             # as of the last reading

    def run(self) -> Fitted:
        """Train until the epochs or the patience run out, or a stop is asked for."""
        context, place = self._context, self._place
        self._resume()
        finished_early = False
        while place.epoch < self._given["epochs"] and not self._out_of_patience() and not finished_early:
            finished_early = self._epoch()
        self._network.load_state_dict(self._best)
        native = self._network.cpu().eval()
        validation = Mlp().predict(native, context.validation.x, context.classes)
        return Fitted(native, validation, finished_early, {"epochs": place.best_epoch, "batch_size": place.batch})

    def _epoch(self) -> bool:
        """Go through the training rows once, judge, and say whether the user asked to finish."""
        context, place = self._context, self._place
        order = np.random.default_rng([context.seed, place.epoch]).permutation(len(self._x))
        batches = torch.split(torch.from_numpy(order).to(self._device), place.batch)
        self._network.train()
        for rows in batches[place.batches:]:
            self._step(rows)
            place.batches += 1
            self._read(min(place.batches * place.batch, len(order)), len(batches))
            if context.control.terminate or context.checkpoints.due:
                context.checkpoints.save(place.step, asdict(place), self._write)
                if context.control.terminate:
                    raise Terminated
            if context.control.finish:
                break
        self._judge(min(place.batches * place.batch, len(order)))
        return context.control.finish

    def _step(self, rows: Tensor) -> None:
        """Take one optimizer step on the batch ``rows`` (B,) of row numbers."""
        place = self._place
        place.step += 1
        for group in self._optimizer.param_groups:
            group["lr"] = self._given["learning_rate"] * place.rate * min(1.0, place.step / self._warm_up)
        with torch.autocast(self._device.type, self._dtype, enabled=self._dtype is not None):
            output = self._network.raw(self._x[rows])          # (B, C) logits or (B, 1)
        loss = self._loss(output.float(), self._y[rows])       # nats, or standardised squared error; mean over B
        self._optimizer.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()                    # type: ignore[no-untyped-call]
        self._scaler.unscale_(self._optimizer)
        nn.utils.clip_grad_norm_(self._network.parameters(), self._given["gradient_clip"])
        self._scaler.step(self._optimizer)
        self._scaler.update()
        share = 1 - min(_AVERAGING, place.step / (10 + place.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self._average.parameters()), list(self._network.parameters()), share)
            self._loss_sum += loss.detach() * len(rows)

    def _loss(self, output: Tensor, y: Tensor) -> Tensor:
        if self._context.classes:
            return functional.cross_entropy(output, y)
        return functional.mse_loss(output[:, 0], y)

    def _read(self, rows: int, batches: int) -> None:
        """Report the mean loss of the steps since the last reading, not too often: a reading waits for the device."""
        now = time.monotonic()
        if now - self._read_at < _READING_EVERY:
            return
        place, total = self._place, float(self._loss_sum)
        if rows > self._read_rows:
            loss = (total - self._read_sum) / (rows - self._read_rows) * self._unit
            self._context.report.metrics(place.step, {"train_loss": loss}, place.epoch + place.batches / batches)
        self._context.report.progress(place.epoch + place.batches / batches, self._given["epochs"], "epochs")
        self._read_sum, self._read_rows, self._read_at = total, rows, now

    def _judge(self, rows: int) -> None:
        """End the epoch: score the averaged weights on the validation rows, keep them if they are the best yet."""
        context, place = self._context, self._place
        with torch.inference_mode():
            raw = torch.cat([self._average(part) for part in torch.split(self._validation, _PREDICTED_AT_ONCE)])
            prediction = (torch.softmax(raw, 1) if context.classes else raw[:, 0]).double().cpu().numpy()
        scores = quick_scores(prediction, context.validation.y, context.classes)
        place.epoch, place.batches, place.flat = place.epoch + 1, 0, place.flat + 1
        if scores["loss"] < place.best_loss:
            place.best_loss, place.best_epoch, place.flat = scores["loss"], place.epoch, 0
            self._best = copy.deepcopy(self._average.state_dict())
        elif place.flat >= _PLATEAU:
            place.rate, place.flat = place.rate * _FALL, 0
        epoch_loss = float(self._loss_sum) / rows * self._unit
        values = {"train_loss_epoch": epoch_loss, **prefixed(scores, "validation")}
        context.report.metrics(place.step, values, place.epoch)
        self._loss_sum.zero_()
        self._read_sum, self._read_rows = 0.0, 0

    def _out_of_patience(self) -> bool:
        patience = self._given["patience"]
        return patience is not None and self._place.epoch - self._place.best_epoch >= patience

    def _targets(self, y: Array) -> Tensor:
        if self._context.classes:
            return torch.from_numpy(y).to(self._device)
        deviation = self._unit ** 0.5
        return torch.from_numpy(((y - y.mean()) / deviation).astype(np.float32)).to(self._device)

    # --- checkpoints

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
        checkpoint = self._context.checkpoints.newest()
        if checkpoint is None or self._place.step == 0:
            return
        tensors = load_file(checkpoint.folder / "state.safetensors")
        self._loss_sum.copy_(tensors["sum"])
        self._network.load_state_dict(_below("network.", tensors))
        self._average.load_state_dict(_below("average.", tensors))
        self._best = {name: tensor.to(self._device) for name, tensor in _below("best.", tensors).items()}
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
        return {"network": self._network.state_dict(), "average": self._average.state_dict(), "best": self._best}


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Return the parameters in two groups: weights of layers are pulled to zero, the others are not."""
    pulled = [module.weight for module in network.modules() if isinstance(module, nn.Linear)]
    ids = {id(weight) for weight in pulled}
    others = [parameter for parameter in network.parameters() if id(parameter) not in ids]
    return [{"params": pulled, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def _autocast_type(device: torch.device, precision: str) -> torch.dtype | None:
    """Return the short number format to calculate with, or None for float32 throughout (always so on the CPU)."""
    if device.type != "cuda" or precision == "float32":
        return None
    if precision == "float16" or (precision == "auto" and not torch.cuda.is_bf16_supported()):
        return torch.float16
    return torch.bfloat16


@contextlib.contextmanager
def _deterministic(device: torch.device) -> Iterator[None]:
    """Have torch add up in one order, and flush the numbers too small to matter that slow processors down."""
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True, warn_only=device.type == "cuda")
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        torch.set_flush_denormal(False)
