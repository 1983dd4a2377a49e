"""A torch module as ONNX, through torch's own tracer."""

from __future__ import annotations

import copy
import io
import warnings
from typing import Any

import torch
from torch import nn

from mldesk.training.export.graph import INPUT, OPSET, PREDICTION, PROBABILITIES


class _Served(nn.Module):
    """The module with its output as the contract wants it: probabilities (N, C) or predictions (N, 1), float32."""

    def __init__(self, module: nn.Module, classes: int | None) -> None:
        super().__init__()
        self.module, self.classes = module, classes

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        raw: torch.Tensor = self.module(features.double())
        return (raw.reshape(-1, 1) if self.classes is None else torch.softmax(raw, dim=1)).float()


def network(module: nn.Module, n_features: int, n_classes: int | None) -> bytes:
    """Trace ``module`` (features (N, F) -> logits (N, C), or predictions (N,) or (N, 1)) in float64 on the CPU.

    Float64, because the order of float32 sums differs between torch and onnxruntime, which shows in a regression on
    a large scale; whoever predicts with torch must do the same. ``module`` itself is left as it was.
    """
    served = _Served(copy.deepcopy(module).cpu().double(), n_classes).eval()
    result = PREDICTION if n_classes is None else PROBABILITIES
    file: Any = io.BytesIO()  # taken by the tracer, though its signature speaks of paths
    with warnings.catch_warnings():
        # The tracer is deprecated in favour of one that needs onnxscript, which we do not ship.
        warnings.simplefilter("ignore", DeprecationWarning)
        # Shapes that the tracer keeps as constants are those of the network, not of the batch.
        warnings.filterwarnings("ignore", category=UserWarning, module=r"torch\.")
        torch.onnx.export(served, (torch.zeros(2, n_features),), file, dynamo=False, opset_version=OPSET,
                          input_names=[INPUT], output_names=[result], dynamic_axes={INPUT: {0: "N"}, result: {0: "N"}})
    return bytes(file.getvalue())
