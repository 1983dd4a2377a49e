"""What is read off probabilities without scikit-learn: bundles, bootstrap draws and paired tests share it."""

from __future__ import annotations

import numpy as np

from mldesk.training.values import Array


def predicted_codes(probabilities: Array) -> Array:
    """Return the class of each row, (N,) int64: the largest probability as float32, the first of equals.

    Float32, because that is what a bundle's ONNX graph gives.
    """
    codes: Array = probabilities.astype(np.float32).argmax(1)
    return codes


def sum_to_one(prediction: Array) -> Array:
    """Return probabilities whose rows add up to one in float64, too."""
    wide = prediction.astype(np.float64)
    result: Array = wide / wide.sum(1, keepdims=True)
    return result
