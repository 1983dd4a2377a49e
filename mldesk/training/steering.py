"""What a fit is told while it goes on: another learning rate. The agent leaves messages in the job's mailbox.

A change is kept in a checkpoint before it is acted on and said, and with it the names of the messages heard: so a fit
that goes on from its checkpoint takes the same steps at the same rates as the uninterrupted one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Sequence
from pathlib import Path

_EVERY = 0.2       # seconds between two looks
_LARGEST = 4096    # bytes of a message
KEY = "learning_rate"
LOWEST, HIGHEST = 1e-9, 1.0
LATE = "The second fit repeats the learning rates of the first: what was asked for now changes nothing."


class Steering:
    """The mailbox of a job, looked into seldom enough to be asked at every step."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._next_at = 0.0

    def rate(self, heard: Collection[str], at: int) -> tuple[list[str], float] | None:
        """Return the names of messages that are not ``heard`` and the last learning rate they ask for, if any do.

        ``at``: rounds or steps done so far, which who repeats a fit goes by (see ``again.Repeated``).
        """
        del at
        if self._folder is None or (now := time.monotonic()) < self._next_at:
            return None
        self._next_at = now + _EVERY
        found = [(path.name, asked) for path in sorted(self._folder.glob("*.json"))
                 if path.name not in heard and (asked := _asked(path)) is not None]
        return ([name for name, _ in found], found[-1][1]) if found else None


def rate_after(changes: Sequence[Sequence[float]], round_: int, first: float) -> float:
    """Return the learning rate of the round after ``round_`` of them; ``changes`` are (round, rate from there on)."""
    return next((rate for since, rate in reversed(changes) if since <= round_), first)


def _asked(path: Path) -> float | None:
    """Return the learning rate that a message asks for; None for one of other things, or of nonsense."""
    try:
        message = json.loads(path.read_bytes()) if path.stat().st_size <= _LARGEST else None
    except (OSError, ValueError):
        return None
    rate = message.get(KEY) if isinstance(message, dict) else None
    sound = isinstance(rate, (int, float)) and not isinstance(rate, bool) and LOWEST <= rate <= HIGHEST
    return float(rate) if sound and rate is not None else None
