"""Why a job failed: the cause and the sentence for the user, from the exception."""

from __future__ import annotations

from mldesk.core.errors import BadInput, DiskFull, LibraryDamaged, MldeskError, NotFound
from mldesk.wire.states import Cause

_NO_ROOM = ("CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")


def explain(error: BaseException) -> dict[str, str]:
    """Return the payload of the "failed" event for ``error``."""
    if isinstance(error, MldeskError):
        return {"cause": _cause(error).value, "message": error.message, "hint": error.hint}
    if is_gpu_out_of_memory(error):
        return {"cause": Cause.GPU_OOM.value, "message": "The GPU has too little memory for this model.",
                "hint": "Choose a smaller batch size or width, or train on the CPU."}
    if isinstance(error, MemoryError):
        return {"cause": Cause.HOST_OOM.value, "message": "The machine has too little memory for this table and model.",
                "hint": "Leave out columns, use fewer rows, or train on a machine with more memory."}
    return {"cause": Cause.INTERNAL.value,
            "message": f"The trainer failed with an error of its own ({type(error).__name__}: {str(error)[:200]}).",
            "hint": "The log of the run has the details; please report it."}


def is_gpu_out_of_memory(error: BaseException) -> bool:
    """Say whether ``error`` is torch's, without importing torch to find out.

    What the driver and its libraries find no room for themselves comes as a RuntimeError of theirs, not torch's own.
    """
    kinds = type(error).__mro__
    return any(kind.__name__ == "OutOfMemoryError" and kind.__module__.startswith("torch") for kind in kinds) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in _NO_ROOM))


def _cause(error: MldeskError) -> Cause:
    if isinstance(error, DiskFull):
        return Cause.DISK_FULL
    if error.code in (Cause.DIVERGED.value, Cause.CHECKPOINT_DAMAGED.value):   # classes that the wire does not know
        return Cause(error.code)
    if isinstance(error, (NotFound, LibraryDamaged)):
        return Cause.DATA_MISSING
    return Cause.USER_ERROR if isinstance(error, BadInput) else Cause.INTERNAL
