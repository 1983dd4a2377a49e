"""Rows in order of time, cut into windows: each is judged by what was learnt from the rows before it.

So the rows to learn from grow from one window to the next (rolling origin: Tashman, Out-of-sample tests of forecasting
accuracy, International Journal of Forecasting 16, 2000). Knows neither targets nor parts.
"""

from __future__ import annotations

import numpy as np

from mldesk.training.values import Array


def windows(moments: Array, count: int, length: int) -> Array | None:
    """Return each row's window, (rows,) int64: from 0, the latest, to ``count`` - 1; ``count``: before them all.

    Rows of one moment stay together, so a window has about ``length`` rows, and at least those of one moment. None
    where there are too few moments.

    Args:
        moments: (rows,) numbers or dates, none missing
        count: windows, at least 1
        length: rows of each
    """
    values, moment, sizes = np.unique(moments, return_inverse=True, return_counts=True)
    if len(values) <= count:
        return None
    starts, free = np.cumsum(sizes) - sizes, len(values)   # the first place of each moment, were the rows sorted
    firsts = []                                            # the first moment of each window
    for number in range(1, count + 1):
        nearest = int(np.abs(starts - (len(moments) - number * length)).argmin())
        free = min(max(nearest, count - number + 1), free - 1)
        firsts.append(free)
    found: Array = count - np.searchsorted(firsts[::-1], moment, side="right")
    return found
