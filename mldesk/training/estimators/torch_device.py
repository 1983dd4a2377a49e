"""Where a torch network calculates: on which device, in which numbers, with the rows there or beside it."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from mldesk.core.errors import WorkFailed
from mldesk.training.values import Array

_RESIDENT_SHARE = 0.6      # of the GPU's free memory that the rows may take


def choose_device(asked: str) -> torch.device:
    """Return the device: as asked, or for "auto" the GPU if torch can use one. Raises WorkFailed for one it cannot."""
    if asked == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(asked)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise WorkFailed("A graphics card was asked for, and PyTorch can use none here.",
                         hint="mldesk doctor says what is missing; or train on the processor.")
    return device


def freed() -> None:
    """Give the GPU's memory back that nothing uses any more, so that what comes next finds it."""
    gc.collect()   # graphs of a step that failed may hold one another
    torch.cuda.empty_cache()


def resident(x: Array, device: torch.device) -> Tensor:
    """Return the rows on the device, or beside it where they do not fit: then batches travel one by one."""
    rows = torch.from_numpy(x)
    if device.type != "cuda":
        return rows
    free, _ = torch.cuda.mem_get_info(device)
    return rows.to(device) if x.nbytes < free * _RESIDENT_SHARE else rows


def batch_of(x: Tensor, rows: Tensor, device: torch.device) -> Tensor:
    """Return the rows of those numbers, (B, F), on the device; ``rows`` (B,) lie where ``x`` does.

    A batch that travels does so from memory that stays where it is, so that nobody waits for it; the whole table there
    would take the machine's memory twice.
    """
    return x[rows] if x.device.type == device.type else x[rows].pin_memory().to(device, non_blocking=True)


def autocast_type(device: torch.device, precision: str) -> torch.dtype | None:
    """Return the short number format to calculate with, or None for float32 throughout (always so on the CPU)."""
    if device.type != "cuda" or precision == "float32":
        return None
    if precision == "float16" or (precision == "auto" and not torch.cuda.is_bf16_supported(
            including_emulation=False)):   # cards before Ampere only imitate bfloat16, slower than float32
        return torch.float16
    return torch.bfloat16


@contextlib.contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """Have torch add up in one order, and flush the numbers too small to matter that slow processors down.

    Beside that torch would fill whatever memory it takes with NaN, so that nothing could come of reading it unwritten:
    we do not read any, and of small networks on a processor that costs more than all that a run does beside its steps.
    """
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    memory: Any = torch.utils.deterministic   # whose types lack the setting
    before, filling = torch.are_deterministic_algorithms_enabled(), memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True, warn_only=device.type == "cuda")
    memory.fill_uninitialized_memory = False
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        memory.fill_uninitialized_memory = filling
        torch.set_flush_denormal(False)
