"""Is the ONNX graph the same model? The measure that training and bundles share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

TOLERANCE = 1e-5  # |a - b| <= TOLERANCE * max(1, |b|): absolute for probabilities, relative for large targets


def deviation(got: npt.ArrayLike, expected: npt.ArrayLike) -> float:
    """Return the largest |got - expected| / max(1, |expected|); infinity if the shapes or the missing values differ."""
    import numpy as np  # keeps the package's import free of libraries

    a = np.asarray(got, np.float64)
    b = np.asarray(expected, np.float64)
    if a.shape != b.shape and a.size == b.size and min(a.ndim, b.ndim) == 1:
        a, b = a.ravel(), b.ravel()  # (N, 1) and (N,) are the same regression output
    if a.shape != b.shape or not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return float("inf")
    finite = np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return float("inf")
    a, b = a[finite], b[finite]
    return float(np.max(np.abs(a - b) / np.maximum(1.0, np.abs(b)), initial=0.0))


def onnx_parity(onnx_bytes: bytes, features: npt.NDArray[np.float32], expected: npt.ArrayLike,
                rows_at_once: int = 0) -> float:
    """Run the graph on ``features`` (N, F), so many rows at once (0: all), and return its ``deviation`` from the native
    predictions ``expected``.

    ``expected``: probabilities (N, C), or predictions (N,) or (N, 1). At most TOLERANCE means parity.
    """
    import numpy as np  # as above
    import onnxruntime  # slow

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(onnx_bytes, options, providers=["CPUExecutionProvider"])
    size = rows_at_once or max(1, len(features))
    got = [session.run(None, {"features": features[at:at + size]})[0] for at in range(0, max(1, len(features)), size)]
    return deviation(np.concatenate(got), expected)
