"""Whether an event holds what is read of its kind. A runner may be hostile, and its events are kept as they came.

Whoever shows events asks ``readable`` first and passes over what is not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from mldesk.core.canonical import NON_FINITE
from mldesk.wire.events import Event

_HUGE = 1 << 53     # above any count, and below what a chart or a clock cannot hold
_Shape = Callable[[Any], bool]


def readable(event: Event) -> bool:
    """Say whether the payload has the types that ``wire.events`` names, as far as anybody shows them."""
    payload = event.payload
    return all(shape(payload.get(key)) for key, shape in _SHAPES.get(event.kind, {}).items())


def _number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return -_HUGE < value < _HUGE  # neither NaN nor infinity are


def _measure(value: Any) -> bool:
    """Say whether it is a metric's value, which may be any number and none."""
    if isinstance(value, str):
        return value in NON_FINITE
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return isinstance(value, float) or math.log2(abs(value) + 1) < 1000  # a whole number that no float holds


def _measures(value: Any) -> bool:
    return isinstance(value, Mapping) and all(map(_measure, value.values()))


def _mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _maybe(shape: _Shape) -> _Shape:
    return lambda value: value is None or shape(value)


_SHAPES: Mapping[str, Mapping[str, _Shape]] = {
    "stage": {"name": _text},
    "progress": {"done": _number, "total": _number, "rate": _maybe(_number), "eta": _maybe(_number),
                 "rows": _maybe(_number)},
    "metrics": {"step": _number, "epoch": _maybe(_number), "seconds": _maybe(_number), "values": _measures},
    "log": {"text": _text},
    "warning": {"text": _text},
    "trial": {"seconds": _maybe(_number), "score": _maybe(_measure), "parameters": _maybe(_mapping)},
    "resources": {"cpu": _maybe(_number), "memory": _maybe(_number), "gpu": _maybe(_number),
                  "gpu_memory": _maybe(_number)},
    "checkpoint": {"step": _number},
}
