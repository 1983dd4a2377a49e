"""The ends of an interval, written with as many digits as its width is worth."""

from __future__ import annotations

import math


def span(low: float, high: float) -> tuple[str, str]:
    """Write both ends of where a difference lies, with their signs: ``("-0.0368", "+0.0005")``.

    Three digits of the width count; what lies beyond them is noise.
    """
    width = abs(high - low)
    if not (math.isfinite(width) and width > 0):
        return f"{low:+.4g}", f"{high:+.4g}"
    digits = max(0, min(12, 2 - math.floor(math.log10(width))))
    first, last = (f"{round(end, digits) + 0.0:+,.{digits}f}" for end in (low, high))
    return first, last
