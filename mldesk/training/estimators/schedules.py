"""How the learning rate of a network goes over its epochs, as shares of the largest. No torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

PLATEAU = "plateau"      # a matter of the losses: who judges an epoch lowers it
_UP = 0.3                # share of a cycle in which it rises
_BEGIN, _END = 1 / 25, 1 / 250_000   # of the cycle, as PyTorch's OneCycleLR has them


def scheduled(name: str, progress: float) -> float:
    """Return the share of the learning rate at ``progress``, from 0 to 1 over all epochs. Raises KeyError."""
    return _SCHEDULES[name](progress)


def spoken(name: str) -> str:
    """Say what of the schedule a rate is, to follow it; "" where the schedule itself does not move."""
    return "" if name in (PLATEAU, "constant") else f" at the height of its schedule ({name})"


def _cosine(progress: float) -> float:
    """Half a wave from one to zero (Loshchilov and Hutter, SGDR, ICLR 2017, without restarts)."""
    return (1 + math.cos(math.pi * progress)) / 2


def _one_cycle(progress: float) -> float:
    """Up and then down again, on half waves (Smith and Topin, Super-Convergence, 2017)."""
    if progress < _UP:
        return 1 - (1 - _BEGIN) * _cosine(progress / _UP)
    return _END + (1 - _END) * _cosine((progress - _UP) / (1 - _UP))


def _steps(progress: float) -> float:
    """To a tenth after half, and again after three quarters (He et al., Deep Residual Learning, CVPR 2016)."""
    return 1.0 if progress < 1 / 2 else 0.1 if progress < 3 / 4 else 0.01


_SCHEDULES: Mapping[str, Callable[[float], float]] = {
    PLATEAU: lambda _progress: 1.0, "constant": lambda _progress: 1.0, "cosine": _cosine, "one_cycle": _one_cycle,
    "step": _steps}
