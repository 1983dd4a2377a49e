"""A limit of time for work that may be stopped: no expression may keep the machine busy all night."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mldesk.core.errors import WorkFailed

USUAL = 3600.0   # seconds that a recipe may take; 0 is no limit
KEY = "recipe_seconds"


@contextmanager
def limited(seconds: float, cancelled: Callable[[], bool] | None, what: str) -> Iterator[Callable[[], bool] | None]:
    """Give what is asked whether to stop: because ``cancelled`` says so, or after so many seconds; 0: never.

    Raises WorkFailed, which says that it was the time, for the ImportCancelled that comes of it.
    """
    from mldesk.data.records import ImportCancelled

    if not seconds:
        yield cancelled
        return
    end = time.monotonic() + seconds
    over: list[bool] = []

    def stops() -> bool:
        if cancelled is not None and cancelled():
            return True
        if time.monotonic() >= end:
            over.append(True)
        return bool(over)

    try:
        yield stops
    except ImportCancelled as error:
        if not over:
            raise
        raise WorkFailed(f"{what} was stopped after {told(seconds)}, its time limit; nothing of it was kept.",
                         hint="Give it more time (--time-limit, or Settings), or put a sample step first to see which "
                              "step is slow.") from error


def told(seconds: float) -> str:
    """Return a time as people say it."""
    for size, word in ((3600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size:.0f} {word}{'' if seconds == size else 's'}"
    return f"{seconds:g} second{'' if seconds == 1 else 's'}"
