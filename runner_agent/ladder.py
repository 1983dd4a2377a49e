"""How a job is stopped, rung by rung: asked, SIGTERM, SIGKILL, given up. Decides only; somebody else acts and waits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Rung(IntEnum):
    """What is to be done to a trainer that must stop."""

    ASK = 1        # write "cancel" where it looks
    TERMINATE = 2  # SIGTERM to its group
    KILL = 3       # SIGKILL to its group and to what left it
    GIVE_UP = 4    # it cannot be killed (stuck in the kernel); say so


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds each rung is given."""

    ask: float = 3.0
    terminate: float = 3.0
    kill: float = 3.0
    leave: float = 10.0    # after SIGTERM, for a trainer that is to leave a checkpoint behind


class Ladder:
    """One stop under way since ``began`` (any clock, as long as ``step`` gets the same)."""

    def __init__(self, began: float, patience: Patience, *, leaving: bool = False) -> None:
        """``leaving``: it begins with SIGTERM, on which a trainer leaves a checkpoint, and gives time for that."""
        after_ask = began if leaving else began + patience.ask
        after_terminate = after_ask + (patience.leave if leaving else patience.terminate)
        self._due = {Rung.ASK: began, Rung.TERMINATE: after_ask, Rung.KILL: after_terminate,
                     Rung.GIVE_UP: after_terminate + patience.kill}
        self._at = Rung.ASK if leaving else 0

    def step(self, now: float) -> Rung | None:
        """Return the next rung once its time has come, each once and none left out; None while there is to wait."""
        following = self._at + 1
        if following > Rung.GIVE_UP or now < self._due[Rung(following)]:
            return None
        self._at = following
        return Rung(following)
